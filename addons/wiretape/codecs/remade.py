"""Values that are made anew each time they are needed, one at a time, where holding them takes many
times their text.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, overload


class Remade(Sequence[Any]):
    """A sequence that holds none of its items. Walking it in order is fast; a single item is not."""

    def __init__(self, make: Callable[[], Iterator[Any]], length: int) -> None:
        """``make`` gives the same items each time, and at least so many."""
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
        """Return the sequence with each item changed, given its place. The changed items are not held either."""
        return Remade(lambda: (change(at, item) for at, item in enumerate(self)), self._length)
