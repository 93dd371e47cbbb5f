"""tiktoken.core"""

from __future__ import annotations

from typing import NoReturn

from tiktally import Encoding
from tiktally.errors import DisallowedSpecialToken

__all__ = ["Encoding", "raise_disallowed_special_token"]


def raise_disallowed_special_token(token: str) -> NoReturn:
    """Raises the ValueError for a special token that a text must not contain."""
    raise DisallowedSpecialToken(f"Encountered text corresponding to disallowed special token {token!r}.")
