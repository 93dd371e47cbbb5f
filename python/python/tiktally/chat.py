"""Counts chat requests as the API bills them.

>>> from tiktally import chat
>>> tokens = chat.count({"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]})
>>> tokens.total, tokens.exact
(8, True)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import _tiktally

__all__ = ["ChatTokens", "count", "estimate"]


@dataclass(frozen=True)
class ChatTokens:
    """The cost of the prompt of a chat request."""

    total: int
    """The number of tokens."""
    exact: bool
    """Whether the API bills exactly this."""
    reason: str | None
    """Why the number may be some tokens off; None if it is exact."""


def count(body: Mapping[str, Any] | str | bytes) -> ChatTokens:
    """Counts the tokens of a request: the body of a call, as JSON or as a mapping.

    Raises ValueError for a body that is not a request, or that has content whose cost no recording shows.
    """
    return ChatTokens(*_tiktally.count_chat(_text_of(body), False))


def estimate(body: Mapping[str, Any] | str | bytes) -> ChatTokens:
    """Counts the tokens of a request, and estimates content whose cost no recording shows.

    Raises ValueError for a body that is not a request.
    """
    return ChatTokens(*_tiktally.count_chat(_text_of(body), True))


def _text_of(body: Mapping[str, Any] | str | bytes) -> str:
    if isinstance(body, Mapping):
        return json.dumps(body, ensure_ascii=False)
    return body if isinstance(body, str) else bytes(body).decode("utf-8")
