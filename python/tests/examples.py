"""Uses of the package that a type checker must accept."""

import tiktally
import tiktally.compat as tiktoken
from tiktally import arrow, chat, errors

enc: tiktally.Encoding = tiktally.encoding_for_model("gpt-4o")
ids: list[int] = enc.encode("hello", allowed_special={"<|endoftext|>"}, disallowed_special=())
text: str = enc.decode(ids)
number: int = enc.count(text) + sum(enc.count_batch([text, text]))
few: int | None = enc.count_up_to(text, 5)
parts: list[str] = enc.chunks(text, 100, overlap=10, prefer="line")
spans: list[tuple[int, int, int]] = enc.chunk_spans(text, 100)
lists: list[list[int]] = tiktoken.get_encoding("cl100k_base").encode_batch([text], allowed_special="all")
array: tiktally.TokenArray = enc.encode_array(text)
flat: tiktally.TokenLists = enc.encode_batch_flat([text], num_threads=2)
first: tiktally.TokenArray = flat[0]
some: list[tiktally.TokenArray] = list(flat)
capsules: list[tuple[object, object]] = [array.__arrow_c_array__(), flat.__arrow_c_array__(requested_schema=None)]
column: arrow.Array | arrow.ChunkedArray = arrow.truncate_tokens(arrow.decode_tokens(flat), 10, encoding="cl100k_base")
chunks: arrow.Array | arrow.ChunkedArray = arrow.chunk_tokens(column, 100, 10, enc)
mine: tiktally.Encoding = enc.extend("mine", {"<|turn|>": 300_000})
tokens: chat.ChatTokens = chat.estimate({"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]})
fitted: chat.Fitted = chat.fit('{"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}', 100, drop="turns")
window: tuple[int, int | None, int | None, str] | None = tiktally.context_window("gpt-4o")


class Mine(tiktoken.Encoding):
    """A subclass, as code for tiktoken makes them."""

    def __init__(self) -> None:
        super().__init__("mine", pat_str=r"\\w+", mergeable_ranks={b"a": 0}, special_tokens={})


def stream(parts: list[str]) -> tuple[int, list[int], str]:
    """Uses all streams."""
    counter, encoder, decoder = enc.counter(), enc.stream_encoder(), enc.stream_decoder("strict")
    ids: list[int] = []
    for part in parts:
        counter.push(part)
        ids += encoder.push(part)
    ids += encoder.finish()
    text = "".join([decoder.push(token) for token in ids]) + decoder.finish()
    return counter.total, ids, text


try:
    enc.encode("<|endoftext|>")
except errors.DisallowedSpecialToken as error:
    place: int | None = error.position
