"""tiktoken.core"""

from __future__ import annotations

from typing import NoReturn

from tiktally import Encoding
from tiktally.errors import DisallowedSpecialToken

__all__ = ["Encoding", "raise_disallowed_special_token"]


def raise_disallowed_special_token(token: str) -> NoReturn:
    """Raises the ValueError for a special token that a text must not contain."""
    error = DisallowedSpecialToken(
        f"Encountered text corresponding to disallowed special token {token!r}.\n"
        "If you want this text to be encoded as a special token, "
        f"pass it to `allowed_special`, e.g. `allowed_special={{{token!r}, ...}}`.\n"
        "If you want this text to be encoded as normal text, disable the check for this token "
        f"by passing `disallowed_special=(enc.special_tokens_set - {{{token!r}}})`.\n"
        "To disable this check for all special tokens, pass `disallowed_special=()`.\n"
    )
    error.token, error.position = token, None
    raise error
