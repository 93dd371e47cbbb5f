"""The exceptions of this package, by which code can tell faults apart. Each is also one that tiktoken raises.

>>> import tiktally
>>> from tiktally import errors
>>> try:
...     tiktally.get_encoding("cl100k_base").encode("Hi <|endoftext|>")
... except errors.DisallowedSpecialToken as error:
...     error.token, error.position
('<|endoftext|>', 3)
"""

from __future__ import annotations

__all__ = [
    "DisallowedSpecialToken",
    "Error",
    "InvalidArray",
    "InvalidChat",
    "InvalidText",
    "InvalidVocabulary",
    "LimitTooSmall",
    "PatternLimit",
    "UnknownEncoding",
    "UnknownModel",
    "UnknownToken",
    "UnsupportedContent",
]


class Error(Exception):
    """The base of all exceptions of this package."""

    row: int | None = None
    """The row of the array, for errors of `tiktally.arrow`. In a stream, rows count on from chunk to chunk."""


class DisallowedSpecialToken(Error, ValueError):
    """The text contains a special token that the call does not allow."""

    token: str
    """The special token."""
    position: int | None = None
    """Where it begins in the text, in characters."""


class UnknownToken(Error, KeyError):
    """An id belongs to no token."""

    token: int
    """The id."""
    index: int | None = None
    """The place of the id in the list."""


class UnknownModel(Error, KeyError):
    """No encoding is known for the model."""

    suggestion: str | None = None
    """A known name that is near, if there is one."""


class UnknownEncoding(Error, ValueError):
    """No encoding has this name."""

    suggestion: str | None = None
    """A known name that is near, if there is one."""


class InvalidVocabulary(Error, ValueError):
    """Tokens, a pattern, special tokens or a tokenizer file that do not form an encoding."""


class InvalidArray(Error, ValueError):
    """An array of Arrow that the call cannot take: its type, a null id, invalid memory, or too many rows at a time."""


class InvalidText(Error, ValueError):
    """A text that the call cannot take; the message says why."""


class PatternLimit(Error, ValueError):
    """A custom encoding gave up on a text, or might: `arrow` takes none that cannot encode every text."""


class LimitTooSmall(Error, ValueError):
    """A limit of tokens leaves no room for any text or message."""


class InvalidChat(Error, ValueError):
    """A body is not a chat request."""

    path: str = ""
    """The place of the fault in the body, such as `messages[2].content`; empty for the body itself."""


class UnsupportedContent(Error, ValueError):
    """No recording shows the cost of a part of a chat request."""

    path: str | None = None
    """The place of the part in the body; None if the whole count would be an estimate."""
