"""The class Encoding: the native class and the methods that are easier to write in Python."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Iterable, Sequence

from . import _tiktally

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Encoding(_tiktally.Encoding):
    """Turns text into ids and back.

    `Encoding("cl100k_base")` is a built-in encoding, as `get_encoding` returns it. With `pat_str` and `mergeable_ranks`, it is
    a custom one.

    >>> import tiktally
    >>> enc = tiktally.get_encoding("cl100k_base")
    >>> enc.encode_ordinary("hello world")
    [15339, 1917]
    """

    def __repr__(self) -> str:
        return f"<Encoding {self.name!r}>"

    @functools.cached_property
    def _special_tokens(self) -> dict[str, int]:
        return dict(self._special_items())

    @functools.cached_property
    def _mergeable_ranks(self) -> dict[bytes, int]:
        return dict(self._ranked_tokens())

    @functools.cached_property
    def special_tokens_set(self) -> set[str]:
        """The texts of all special tokens."""
        return set(self._special_tokens)

    @functools.cached_property
    def _special_token_values(self) -> set[int]:
        return set(self._special_tokens.values())

    def is_special_token(self, token: int) -> bool:
        """Returns whether the id is that of a special token."""
        assert isinstance(token, int)
        return token in self._special_token_values

    def encode_to_numpy(
        self, text: str, *, allowed_special: Any = frozenset(), disallowed_special: Any = "all"
    ) -> npt.NDArray[np.uint32]:
        """Returns the ids of a text as an array."""
        import numpy as np

        ids = self._encode_to_bytes(
            text, allowed_special=allowed_special, disallowed_special=disallowed_special
        )
        return np.frombuffer(ids, dtype=np.uint32)

    def encode_ordinary_batch(self, text: Iterable[str], *, num_threads: int = 8) -> list[list[int]]:
        """Returns the ids of each text; special tokens are plain text."""
        return self.encode_batch(text, num_threads=num_threads, disallowed_special=())

    def encode_single_token(self, text_or_bytes: str | bytes) -> int:
        """Returns the id of the token with exactly this text. Special tokens count too."""
        if isinstance(text_or_bytes, str):
            text_or_bytes = text_or_bytes.encode("utf-8")
        return self._encode_single_token(text_or_bytes)

    def _encode_single_piece(self, text_or_bytes: str | bytes) -> list[int]:
        if isinstance(text_or_bytes, str):
            text_or_bytes = text_or_bytes.encode("utf-8")
        return self._encode_piece(text_or_bytes)

    def _encode_only_native_bpe(self, text: str) -> list[int]:
        # fails for surrogates, which `pieces` replaces
        text.encode("utf-8")
        return [id for piece in self.pieces(text) for id in self._encode_single_piece(piece)]

    def decode(self, tokens: Sequence[int], errors: str = "replace") -> str:
        """Returns the text of a list of ids."""
        return self.decode_bytes(tokens).decode("utf-8", errors=errors)

    def decode_tokens_bytes(self, tokens: Sequence[int]) -> list[bytes]:
        """Returns the bytes of each token."""
        return [self.decode_single_token_bytes(token) for token in tokens]

    def decode_batch(
        self, batch: Sequence[Sequence[int]], *, errors: str = "replace", num_threads: int = 8
    ) -> list[str]:
        """Returns the text of each list of ids. It uses one thread, whatever `num_threads` is."""
        return [self.decode(tokens, errors) for tokens in batch]

    def decode_bytes_batch(
        self, batch: Sequence[Sequence[int]], *, num_threads: int = 8
    ) -> list[bytes]:
        """Returns the bytes of each list of ids. It uses one thread, whatever `num_threads` is."""
        return [self.decode_bytes(tokens) for tokens in batch]

    def __reduce__(self) -> Any:
        if self._is_built_in:
            return get_encoding, (self.name,)
        parts = (self.name, self._pat_str, self._mergeable_ranks, self._special_tokens)
        return _custom, (type(self), *parts)


def _custom(kind: type[Encoding], name: str, pattern: str, ranks: Any, special_tokens: Any) -> Encoding:
    return kind(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens=special_tokens)


_built_in: dict[str, Encoding] = {}


def get_encoding(encoding_name: str) -> Encoding:
    """Returns the built-in encoding with this name; the same object each time."""
    if not isinstance(encoding_name, str):
        raise ValueError(f"Expected a string in get_encoding, got {type(encoding_name)}")
    if encoding_name not in _built_in:
        # of two threads at a time, the first one's object stays
        _built_in.setdefault(encoding_name, Encoding(encoding_name))
    return _built_in[encoding_name]


def encoding_for_model(model_name: str) -> Encoding:
    """Returns the encoding that a model uses."""
    return get_encoding(_tiktally.encoding_name_for_model(model_name))
