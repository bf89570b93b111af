"""The pieces of a body, which may be many and small, in little more memory than their bytes.

A Python object for each piece, and one for each time, takes half as much again as an answer in small pieces.
"""

from array import array
from collections.abc import Iterable, Sequence
from typing import overload


class Pieces(Sequence[bytes]):
    """A sequence of bytes that grows. It equals any other sequence of the same pieces."""

    def __init__(self, pieces: Iterable[bytes] = ()) -> None:
        self.data = bytearray()
        """The body in one piece."""
        self._ends = array("Q")
        for piece in pieces:
            self.append(piece)

    def append(self, piece: bytes) -> None:
        """Add a piece."""
        self.data += piece
        self._ends.append(len(self.data))

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[bytes, ...]: ...
    def __getitem__(self, at: int | slice) -> bytes | tuple[bytes, ...]:
        """Return a piece, or several."""
        if isinstance(at, slice):
            return tuple(self[each] for each in range(*at.indices(len(self))))
        number = range(len(self))[at]
        start = 0
        if number:
            start = self._ends[number - 1]
        return bytes(memoryview(self.data)[start : self._ends[number]])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(piece == theirs for piece, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]
