"""Ids as arrays, which take 4 bytes each and which NumPy and PyTorch read without a copy."""

from __future__ import annotations

from array import array

from ._tiktally import arrow_ids, arrow_lists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Literal

    from typing_extensions import CapsuleType

_ID_CODE: Literal["I", "L"] = "I" if array("I").itemsize == 4 else "L"
"""The code of unsigned integers of 32 bits."""


class TokenArray(array):  # type: ignore[type-arg]
    """Ids in an array of unsigned integers of 32 bits.

    It is an `array.array`: a sequence of ints that can be compared, sliced and pickled, with the buffer protocol. So
    `numpy.asarray(ids)`, `torch.frombuffer(ids, dtype=torch.uint32)` and `memoryview(ids)` copy nothing.
    `pyarrow.array(ids)` and other readers of Arrow's PyCapsule interface get a copy, because these ids can be changed. Polars
    takes them for a sequence and reads them one by one: `polars.Series(ids, dtype=polars.UInt32)` has 32 bits.

    >>> import tiktally
    >>> ids = tiktally.get_encoding("cl100k_base").encode_array("hello world")
    >>> ids.tolist()
    [15339, 1917]
    >>> memoryview(ids).nbytes
    8
    """

    __slots__ = ()

    def __new__(cls, ids: Iterable[int] | bytes = ()) -> TokenArray:
        return super().__new__(cls, _ID_CODE, ids)  # type: ignore[return-value]

    def __reduce_ex__(self, protocol: object) -> tuple[type[TokenArray], tuple[bytes]]:
        return type(self), (self.tobytes(),)

    def __repr__(self) -> str:
        return f"TokenArray({self.tolist()})"

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[CapsuleType, CapsuleType]:
        """Returns the schema and the array for Arrow, as capsules: `uint32`, a copy of the ids.

        `requested_schema` is ignored, as the interface permits: cast the array to have another type.
        """
        return arrow_ids(self.tobytes())


class TokenLists:
    """The ids of many texts, one after another, and the offsets of the texts in them.

    `pyarrow.array(lists)`, `polars.Series(lists)` and other readers of Arrow's PyCapsule interface get lists of ids that
    share this memory.

    >>> import tiktally
    >>> lists = tiktally.get_encoding("cl100k_base").encode_batch_flat(["hello world", "", "hi"])
    >>> lists.ids.tolist(), lists.offsets.tolist()
    ([15339, 1917, 6151], [0, 2, 2, 3])
    >>> lists[0], len(lists)
    (TokenArray([15339, 1917]), 3)
    """

    __slots__ = ("ids", "offsets")

    ids: memoryview
    """The ids of all texts, unsigned integers of 32 bits, in read-only memory that NumPy and PyTorch read without a copy."""
    offsets: memoryview
    """Where the ids of each text begin, and where the last ones end: one number more than texts, integers of 64 bits."""

    def __init__(self, ids: bytes, offsets: bytes) -> None:
        self.ids = memoryview(ids).cast(_ID_CODE)
        self.offsets = memoryview(offsets).cast("q")

    def __reduce__(self) -> tuple[type[TokenLists], tuple[bytes, bytes]]:
        return type(self), (self.ids.tobytes(), self.offsets.tobytes())

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> TokenArray:
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"index {index} is not in a batch of {len(self)} texts")
        return TokenArray(self.ids[self.offsets[place] : self.offsets[place + 1]].tobytes())

    def __iter__(self) -> Iterator[TokenArray]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TokenLists):
            return NotImplemented
        return self.ids == other.ids and self.offsets == other.offsets

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<TokenLists of {len(self)} texts, {len(self.ids)} ids>"

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[CapsuleType, CapsuleType]:
        """Returns the schema and the array for Arrow, as capsules: `large_list<item: uint32>`, which shares the memory.

        `requested_schema` is ignored, as the interface permits. For another type, use `pyarrow.array(lists).cast(type)`:
        `pyarrow.array(lists, type)` raises AttributeError in pyarrow 26.0.1 then.

        The memory stays until both the TokenLists and the array are gone. Takes time linear in the number of texts: the
        offsets are checked. Raises ValueError if they are not valid, which those of `encode_batch_flat` always are.

        >>> import tiktally
        >>> lists = tiktally.get_encoding("cl100k_base").encode_batch_flat(["hello world", "", "hi"])
        >>> [type(capsule).__name__ for capsule in lists.__arrow_c_array__()]
        ['PyCapsule', 'PyCapsule']
        """
        return arrow_lists(_bytes_of(self.ids), _bytes_of(self.offsets))

    def tolist(self) -> list[list[int]]:
        """Returns the ids of each text as a list."""
        return [ids.tolist() for ids in self]


def _bytes_of(view: memoryview) -> bytes:
    """Returns the bytes of a view. It copies none if the view is one of all bytes of an object that cannot change."""
    whole = view.obj
    return whole if type(whole) is bytes and len(whole) == view.nbytes else view.tobytes()
