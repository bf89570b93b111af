"""Which recordings of a session have come, changed or gone since somebody last asked. Below ``index``.

Each change has a number, one more than the one before. Who keeps something about each recording keeps the number of the
last change with it, and asks for what came after that: so nobody walks through a large session for one new recording.
"""

_KEPT = 10_000
"""Changes of which it is kept what they were of."""


class ChangeLog:
    """Changes in their order. Its owner holds a lock."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._first = 0
        """The number of the first change that is kept."""

    @property
    def number(self) -> int:
        """The number of the next change: equal for as long as nothing changes."""
        return self._first + len(self._names)

    def add(self, name: str) -> None:
        """Note that a recording came, changed or has gone."""
        self._names.append(name)
        if len(self._names) > 2 * _KEPT:
            del self._names[:_KEPT]
            self._first += _KEPT

    def since(self, number: int) -> set[str] | None:
        """Return what has changed from that number on; None where that is not known any more."""
        if number < self._first:
            return None
        return {*self._names[number - self._first :]}
