"""Uses of the package that a type checker must accept."""

import tiktally
import tiktally.compat as tiktoken
from tiktally import chat

enc: tiktally.Encoding = tiktally.encoding_for_model("gpt-4o")
ids: list[int] = enc.encode("hello", allowed_special={"<|endoftext|>"}, disallowed_special=())
text: str = enc.decode(ids)
number: int = enc.count(text) + sum(enc.count_batch([text, text]))
few: int | None = enc.count_up_to(text, 5)
parts: list[str] = enc.chunks(text, 100, overlap=10, prefer="line")
lists: list[list[int]] = tiktoken.get_encoding("cl100k_base").encode_batch([text], allowed_special="all")
tokens: chat.ChatTokens = chat.estimate({"model": "gpt-4o", "messages": []}) if number < 0 else chat.ChatTokens(1, True, None)
window: tuple[int, int | None, int | None] | None = tiktally.context_window("gpt-4o")
