"""Values that are made anew each time they are looked at, one at a time. For what takes many times its text as values.

The elements of a large answer are one: each is made of a piece of the answer, looked at and forgotten.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, overload


class Remade(Sequence[Any]):
    """A sequence that holds none of its items. To look at it in order is quick; a single item is not."""

    def __init__(self, make: Callable[[], Iterator[Any]], length: int) -> None:
        """``make`` gives the same items each time, at least so many."""
        self._make = make
        self._length = length

    @classmethod
    def of(cls, make: Callable[[], Iterator[Any]]) -> "Remade":
        """Return all that is made."""
        return cls(make, sum(1 for _ in make()))

    def __iter__(self) -> Iterator[Any]:
        return islice(self._make(), self._length)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, at: int) -> Any: ...
    @overload
    def __getitem__(self, at: slice) -> list[Any]: ...
    def __getitem__(self, at: int | slice) -> Any:
        """Return an item, or several."""
        if isinstance(at, slice):
            return [*self][at]
        number = range(self._length)[at]
        return next(islice(self, number, None))

    def mapped(self, change: Callable[[int, Any], Any]) -> "Remade":
        """Return what becomes of the items when each is changed, given its place; made anew as they are."""
        return Remade(lambda: (change(at, item) for at, item in enumerate(self)), self._length)
