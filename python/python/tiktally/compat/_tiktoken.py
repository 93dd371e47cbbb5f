"""tiktoken._tiktoken: the class CoreBPE, which `Encoding._core_bpe` returns."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from tiktally import Encoding

__all__ = ["CoreBPE"]


class CoreBPE:
    """The calls of tiktoken's native class."""

    __slots__ = ("_encoding",)

    def __init__(self, encoder: dict[bytes, int], special_tokens_encoder: dict[str, int], pattern: str) -> None:
        self._encoding = Encoding(
            "CoreBPE", pat_str=pattern, mergeable_ranks=encoder, special_tokens=special_tokens_encoder
        )

    @classmethod
    def _of(cls, encoding: Encoding) -> CoreBPE:
        core = cls.__new__(cls)
        core._encoding = encoding
        return core

    def encode(self, text: str, allowed_special: Set[str]) -> list[int]:
        """Returns the ids of a text; special tokens that are not allowed are plain text."""
        return self._encoding.encode(text, allowed_special=set(allowed_special), disallowed_special=())

    def encode_ordinary(self, text: str) -> list[int]:
        """Returns the ids of a text; special tokens are plain text."""
        return self._encoding.encode_ordinary(text)

    def encode_to_tiktoken_buffer(self, text: str, allowed_special: Set[str]) -> Any:
        """Returns the ids of a text as an object with the buffer protocol."""
        return self._encoding.encode_array(text, allowed_special=set(allowed_special), disallowed_special=())

    def encode_with_unstable(self, text: str, allowed_special: Set[str]) -> tuple[list[int], list[list[int]]]:
        """Returns the stable ids of a text, and all ways to go on."""
        return self._encoding.encode_with_unstable(
            text, allowed_special=set(allowed_special), disallowed_special=()
        )

    def encode_single_token(self, piece: bytes) -> int:
        """Returns the id of the token with exactly these bytes."""
        return self._encoding.encode_single_token(bytes(piece))

    def encode_single_piece(self, piece: bytes) -> list[int]:
        """Returns the ids of bytes that are not split."""
        return self._encoding._encode_piece(bytes(piece))

    def _encode_bytes(self, text: bytes) -> list[int]:
        return self._encoding._encode_bytes(text)

    def decode_bytes(self, tokens: Sequence[int]) -> bytes:
        """Returns the bytes of a list of ids."""
        return self._encoding.decode_bytes(tokens)

    def decode_single_token_bytes(self, token: int) -> bytes:
        """Returns the bytes of one token."""
        return self._encoding.decode_single_token_bytes(token)

    def token_byte_values(self) -> list[bytes]:
        """Returns the bytes of all ordinary tokens, sorted."""
        return self._encoding.token_byte_values()
