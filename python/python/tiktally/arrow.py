"""Counts, encodes, decodes and cuts columns of Arrow: arrays of pyarrow, Polars and others, without Python's strings.

A column is any object with Arrow's PyCapsule interface. With `__arrow_c_array__`, as pyarrow.Array, the result is an Array.
With `__arrow_c_stream__`, as pyarrow.ChunkedArray and polars.Series, the result is a ChunkedArray: one chunk for each chunk.
`pyarrow.array`, `pyarrow.chunked_array` and `polars.Series` take these without a copy.

Texts are string, large_string or string_view, also in a dictionary: each of its texts is counted once. A null gives a null.
Special tokens in a text are plain text. An encoding is the name of a built-in one, or an Encoding. Calls release the GIL and
use one thread: engines call them from many. An error at a row has its number in `row`.

>>> import pyarrow as pa
>>> from tiktally import arrow
>>> pa.array(arrow.count_tokens(pa.array(["hello world", None, ""]))).to_pylist()
[2, None, 0]
"""

from __future__ import annotations

from typing import Protocol

from . import _tiktally
from ._encoding import Encoding, get_encoding
from ._tiktally import Array, ChunkedArray

__all__ = [
    "Array",
    "ChunkedArray",
    "Column",
    "chunk_tokens",
    "count_tokens",
    "decode_tokens",
    "encode_tokens",
    "truncate_tokens",
]


class _HasArray(Protocol):
    def __arrow_c_array__(self, requested_schema: None = None) -> tuple[object, object]: ...


class _HasStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: None = None) -> object: ...


Column = _HasArray | _HasStream
"""An array of Arrow, or a stream of arrays. A class with both counts as an array."""


def count_tokens(texts: Column, encoding: str | Encoding = "o200k_base") -> Array | ChunkedArray:
    """Returns the number of tokens of each text, as `int64`."""
    return _tiktally.count_column(texts, _found(encoding))


def encode_tokens(texts: Column, encoding: str | Encoding = "o200k_base") -> Array | ChunkedArray:
    """Returns the ids of each text, as `list<uint32>`, or `large_list<uint32>` if the texts are `large_string`.

    >>> import pyarrow as pa
    >>> from tiktally import arrow
    >>> pa.array(arrow.encode_tokens(pa.array(["hello world"]), "cl100k_base")).to_pylist()
    [[15339, 1917]]

    Raises InvalidArray if an array has more ids than the offsets of a list can count, 2³¹ - 1.
    """
    return _tiktally.encode_column(texts, _found(encoding))


def decode_tokens(ids: Column, encoding: str | Encoding = "o200k_base") -> Array | ChunkedArray:
    """Returns the text of each list of ids, as `string_view`. The ids are integers of any type.

    >>> import pyarrow as pa
    >>> from tiktally import arrow
    >>> pa.array(arrow.decode_tokens(pa.array([[24912, 2375], None]))).to_pylist()
    ['hello world', None]

    Raises UnknownToken if no token has an id, InvalidText if the bytes of a list are not UTF-8, and InvalidArray if an id
    is null. `Encoding.decode` puts U+FFFD in the place of invalid UTF-8; an array cannot tell this from text.
    """
    return _tiktally.decode_column(ids, _found(encoding))


def truncate_tokens(texts: Column, n: int, encoding: str | Encoding = "o200k_base") -> Array | ChunkedArray:
    """Returns the beginning of each text that has at most `n` tokens, as `string_view`, which shares the memory.

    >>> import pyarrow as pa
    >>> from tiktally import arrow
    >>> pa.array(arrow.truncate_tokens(pa.array(["one two three four"]), 2)).to_pylist()
    ['one two']
    """
    return _tiktally.truncate_column(texts, n, _found(encoding))


def chunk_tokens(
    texts: Column, n: int, overlap: int = 0, encoding: str | Encoding = "o200k_base"
) -> Array | ChunkedArray:
    """Returns the parts of each text, as `list<string_view>`, which shares the memory.

    Each has at most `n` tokens, of which up to `overlap` are those of the part before.

    >>> import pyarrow as pa
    >>> from tiktally import arrow
    >>> pa.array(arrow.chunk_tokens(pa.array(["one two three four five"]), 4)).to_pylist()
    [['one two three four', ' five']]

    Raises LimitTooSmall if `n` is less than `overlap` + 4.
    """
    return _tiktally.chunk_column(texts, n, overlap, _found(encoding))


def _found(encoding: str | Encoding) -> Encoding:
    return get_encoding(encoding) if isinstance(encoding, str) else encoding
