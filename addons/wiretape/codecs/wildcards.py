"""Names with ``*`` in them, as configurations have them. Providers and faults use it.

Each literal part is looked for once, from the left, and never again: the leftmost place leaves the most for the parts
that follow, so nothing has to be tried a second time, however many stars there are.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wildcard:
    """A pattern whose ``*`` stands for any characters, or none."""

    text: str

    @property
    def is_pattern(self) -> bool:
        """Whether it is for more than one name."""
        return "*" in self.text

    def matches(self, name: str) -> bool:
        """Whether the pattern is of the whole name. Takes time in proportion to the name's length."""
        first, *middle = self.text.split("*")
        if not middle:
            return name == first
        last = middle.pop()
        end = len(name) - len(last)
        place = len(first)
        if place > end or not name.startswith(first) or not name.endswith(last):
            return False
        for part in middle:
            found = name.find(part, place, end)
            if found < 0:
                return False
            place = found + len(part)
        return True
