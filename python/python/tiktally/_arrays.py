"""Ids as arrays, which take 4 bytes each and which NumPy and PyTorch read without a copy."""

from __future__ import annotations

from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ID_CODE = "I" if array("I").itemsize == 4 else "L"
"""The code of unsigned integers of 32 bits."""


class TokenArray(array):  # type: ignore[type-arg]
    """Ids in an array of unsigned integers of 32 bits.

    It is an `array.array`: a sequence of ints that can be compared, sliced and pickled, with the buffer protocol. So
    `numpy.asarray(ids)`, `torch.frombuffer(ids, dtype=torch.uint32)` and `memoryview(ids)` copy nothing.

    >>> import tiktally
    >>> ids = tiktally.get_encoding("cl100k_base").encode_array("hello world")
    >>> ids.tolist()
    [15339, 1917]
    >>> memoryview(ids).nbytes
    8
    """

    __slots__ = ()

    def __new__(cls, ids: Iterable[int] | bytes = ()) -> TokenArray:
        return super().__new__(cls, _ID_CODE, ids)

    def __reduce_ex__(self, protocol: object) -> tuple[type[TokenArray], tuple[bytes]]:
        return type(self), (self.tobytes(),)

    def __repr__(self) -> str:
        return f"TokenArray({self.tolist()})"


class TokenLists:
    """The ids of many texts, in one array, and the offsets of the texts in it.

    >>> import tiktally
    >>> lists = tiktally.get_encoding("cl100k_base").encode_batch_flat(["hello world", "", "hi"])
    >>> lists.ids.tolist(), lists.offsets.tolist()
    ([15339, 1917, 6151], [0, 2, 2, 3])
    >>> lists[0], len(lists)
    (TokenArray([15339, 1917]), 3)
    """

    __slots__ = ("ids", "offsets")

    ids: TokenArray
    """The ids of all texts, one after another."""
    offsets: array[int]
    """Where the ids of each text begin, and where the last ones end: one number more than texts, of 64 bits."""

    def __init__(self, ids: TokenArray, offsets: array[int]) -> None:
        self.ids = ids
        self.offsets = offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> TokenArray:
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"index {index} is not in a batch of {len(self)} texts")
        begin, end = self.offsets[place], self.offsets[place + 1]
        return TokenArray(memoryview(self.ids)[begin:end].tobytes())

    def __iter__(self) -> Iterator[TokenArray]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TokenLists):
            return NotImplemented
        return self.ids == other.ids and self.offsets == other.offsets

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<TokenLists of {len(self)} texts, {len(self.ids)} ids>"

    def tolist(self) -> list[list[int]]:
        """Returns the ids of each text as a list."""
        return [ids.tolist() for ids in self]
