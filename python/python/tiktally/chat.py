"""Counts chat requests as the API bills them.

A request is the body of a call of the API: a mapping, or JSON as str or bytes.

>>> from tiktally import chat
>>> body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
>>> tokens = chat.count(body)
>>> tokens.total, tokens.exact, tokens.messages
(8, True, [5])
>>> chat.remaining(body)
127992
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from . import _tiktally
from .errors import InvalidChat

__all__ = ["AtLeast", "ChatTokens", "Fitted", "Missing", "at_least", "count", "estimate", "fit", "remaining"]

Body = Mapping[str, Any] | str | bytes
BodyT = TypeVar("BodyT", Mapping[str, Any], str, bytes)


@dataclass(frozen=True)
class ChatTokens:
    """The cost of the prompt of a chat request, in tokens. The parts sum to the total."""

    total: int
    """The cost of the whole prompt."""
    exact: bool
    """Whether the API bills exactly this."""
    reason: str | None
    """Why the number may be some tokens off; None if it is exact."""
    messages: list[int]
    """The cost of each message with its frame."""
    tools: int
    """The definitions of the tools."""
    tool_choice: int
    """The choice among the tools."""
    response_format: int
    """The schema of the answer."""
    images: int
    """The images of all messages."""
    priming: int
    """The tokens that open the answer."""


@dataclass(frozen=True)
class Missing:
    """A part of a request whose cost no recording shows."""

    path: str
    """The place in the body, such as `messages[0].content[1]`."""
    reason: str
    """Why it could not be counted."""


@dataclass(frozen=True)
class AtLeast:
    """The cost of all parts of a request whose cost is known, and the list of the others."""

    tokens: ChatTokens
    """A lower bound if parts are missing."""
    missing: list[Missing]
    """The parts that are not in it."""


@dataclass(frozen=True)
class Fitted:
    """A request that fits a budget."""

    body: Any
    """The request without the messages that were dropped, in the form in which it was given."""
    dropped: list[int]
    """The indices of the messages that were dropped."""
    tokens: ChatTokens
    """The cost of the new request."""


def count(body: Body) -> ChatTokens:
    """Counts the tokens of a request.

    Raises InvalidChat for a body that is not a request, and UnsupportedContent for content whose cost no recording shows:
    both are ValueErrors. Raises UnknownModel, a KeyError, for a model without an encoding.
    """
    return ChatTokens(**_tiktally.count_chat(_text_of(body), "count")[0])


def estimate(body: Body) -> ChatTokens:
    """Counts the tokens of a request, even if the number may be some tokens off.

    Raises UnsupportedContent only for content that the service alone can count, and other errors as `count` does.
    """
    return ChatTokens(**_tiktally.count_chat(_text_of(body), "estimate")[0])


def at_least(body: Body) -> AtLeast:
    """Counts the tokens of all parts of a request whose cost is known, and lists the others.

    Raises UnsupportedContent only for a model that cannot be counted at all, and other errors as `count` does.
    """
    tokens, missing = _tiktally.count_chat(_text_of(body), "at_least")
    return AtLeast(ChatTokens(**tokens), [Missing(path, reason) for path, reason in missing])


def remaining(body: Body) -> int | None:
    """Returns how many tokens of the model's window a request leaves for reasoning and the answer.

    The number is negative if the request does not fit, and None if the window is not known. Errors are those of `count`.
    """
    text = _text_of(body)
    total: int = _tiktally.count_chat(text, "count")[0]["total"]
    return _tiktally.window_left(_model_of(body, text), total)


def fit(body: BodyT, budget: int, *, drop: Literal["messages", "turns"] = "messages") -> Fitted:
    """Drops the oldest messages of a request until it has at most `budget` tokens.

    System messages and the last message of the user stay, and results of calls go with their calls. With `drop="turns"`,
    whole turns go: a message of the user and all that follows it. Raises LimitTooSmall if what must stay is too much, and
    otherwise as `estimate`.

    >>> from tiktally import chat
    >>> messages = [{"role": "user", "content": text} for text in ["first", "second", "third"]]
    >>> fitted = chat.fit({"model": "gpt-4o", "messages": messages}, 13)
    >>> fitted.dropped, [message["content"] for message in fitted.body["messages"]], fitted.tokens.total
    ([0], ['second', 'third'], 13)
    """
    if drop not in ("messages", "turns"):
        raise ValueError(f'drop is {drop!r}; use "messages" or "turns"')
    text = _text_of(body)
    model = _model_of(body, text)
    new, dropped, tokens = _tiktally.fit_chat(model, text, budget, drop == "turns")
    fitted: Any = new
    if isinstance(body, Mapping):
        fitted = json.loads(new)
    elif not isinstance(body, str):
        fitted = new.encode()
    return Fitted(fitted, dropped, ChatTokens(**tokens))


def _text_of(body: Body) -> str:
    if isinstance(body, str):
        return body
    if isinstance(body, Mapping):
        return json.dumps(body, ensure_ascii=False, default=_dict_of)
    if isinstance(body, (bytes, bytearray, memoryview)):
        try:
            return bytes(body).decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidChat(f"the body is not UTF-8: {error}") from None
    raise TypeError(f"a chat request is a mapping, or JSON as str or bytes, not {type(body).__name__}")


def _dict_of(value: Any) -> dict[str, Any]:
    # messages of OpenAI's package are models of Pydantic
    if isinstance(value, Mapping) or hasattr(value, "model_dump"):
        return dict(value)
    raise TypeError(f"a chat request cannot contain a {type(value).__name__}")


def _model_of(body: Body, text: str) -> str:
    fields: Any = body
    if not isinstance(body, Mapping):
        try:
            fields = json.loads(text.removeprefix("\ufeff"))
        except (ValueError, RecursionError) as error:
            raise InvalidChat(f"the body is not valid JSON: {error}") from None
    model = fields.get("model") if isinstance(fields, Mapping) else None
    if not isinstance(model, str):
        raise InvalidChat("the request needs the name of a model in `model`")
    return model
