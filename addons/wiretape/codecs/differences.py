"""Finds where two JSON values differ, leaf by leaf, and within long texts line by line. A miss is explained with it.

Lists and lines are aligned, so that an item that only one of them has does not shift the others. Two texts that are
JSON are looked into, as what they hold: ``metadata.user_id.session_id``. The work is bounded, whatever the values are:
in longer lists, items at the same place are compared.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wiretape.codecs import json_text

_ALIGNED = 2000
"""How many items or lines of either value are aligned. For 2000 and 2000, that takes some milliseconds."""

_SHORT = 120
"""How many characters of a text are shown whole."""

_LARGEST = 1 << 20
"""How many characters of a text are looked into as JSON."""

_DEEPEST = 64
"""How many steps lead to such a text, and how deep what it holds may be."""

_PATH = 240

_PLAIN = re.compile(r"[^\s.\[\]\"]+")
"""A key that can stand in a path as it is."""


class _Absent:
    """Stands for a value that is not there."""


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where two values differ, with the value of each; ``ABSENT`` for none."""

    path: str
    here: Any
    there: Any
    steps: tuple[str | int, ...] = field(default=(), compare=False)
    """The way to the value: names of members, and places in lists. Of a line it is the way to its text."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where two values are that are compared."""

    path: str
    steps: tuple[str | int, ...] = ()

    def below(self, step: str, key: str | int) -> "_Place":
        """Return the place of a member or an item."""
        return _Place(_below(self.path, step), (*self.steps, key))

    def difference(self, here: Any, there: Any) -> Difference:
        """Return what differs here."""
        return Difference(self.path, here, there, self.steps)


def differences(here: Any, there: Any, path: str = "") -> Iterator[Difference]:
    """Yield the places where two values differ, in order."""
    return _of_values(here, there, _Place(path))


def _of_values(here: Any, there: Any, place: _Place) -> Iterator[Difference]:
    if isinstance(here, dict) and isinstance(there, dict) and (here or there):
        yield from _of_members(here, there, place)
    elif isinstance(here, list) and isinstance(there, list) and here and there:
        yield from _of_items(here, there, place)
    elif isinstance(here, str) and isinstance(there, str):
        if here != there:
            yield from _of_texts(here, there, place)
    elif json.dumps(here) != json.dumps(there):
        yield place.difference(here, there)


def _of_members(here: Mapping[str, Any], there: Mapping[str, Any], place: _Place) -> Iterator[Difference]:
    for key in (*here, *(key for key in there if key not in here)):
        step = key
        if not _PLAIN.fullmatch(key):
            step = json_text.canonical(key).decode("utf-8")
        if place.path:
            step = f".{step}"
        below = place.below(step, key)
        if key not in here:
            yield below.difference(ABSENT, there[key])
        elif key not in there:
            yield below.difference(here[key], ABSENT)
        else:
            yield from _of_values(here[key], there[key], below)


def _of_items(here: Sequence[Any], there: Sequence[Any], place: _Place) -> Iterator[Difference]:
    for ours, theirs in gaps([*map(json_text.canonical, here)], [*map(json_text.canonical, there)]):
        for one, two in _pairs(ours, theirs):
            if one is not None and two is not None:
                yield from _of_values(here[one], there[two], place.below(f"[{one}]", one))
            elif one is not None:
                yield place.below(f"[{one}]", one).difference(here[one], ABSENT)
            elif two is not None:
                yield place.below(f"[{two}]", two).difference(ABSENT, there[two])


def _of_texts(here: str, there: str, place: _Place) -> Iterator[Difference]:
    first = None
    if len(place.steps) <= _DEEPEST:
        one = _inside(here)
        two = _inside(there)
        if one is not None and two is not None:
            found = _of_values(one, two, place)
            first = next(found, None)
    if first:
        yield first
        yield from found
    elif len(here) <= _SHORT and len(there) <= _SHORT:
        yield place.difference(here, there)
    else:
        yield from _of_lines(here, there, place)


def _of_lines(here: str, there: str, place: _Place) -> Iterator[Difference]:
    ours = here.split("\n")
    theirs = there.split("\n")
    if len(ours) == len(theirs) == 1:
        yield place.difference(here, there)
        return
    for one_range, two_range in gaps(ours, theirs):
        for one, two in _pairs(one_range, two_range):
            if one is not None and two is not None:
                yield Difference(f"{place.path}, line {one + 1}", ours[one], theirs[two], place.steps)
            elif one is not None:
                yield Difference(f"{place.path}, line {one + 1}", ours[one], ABSENT, place.steps)
            elif two is not None:
                yield Difference(f"{place.path}, line {two + 1}", ABSENT, theirs[two], place.steps)


def _inside(text: str) -> dict[str, Any] | list[Any] | None:
    """Return the object or the list that a text is as JSON; None for any other."""
    if len(text) > _LARGEST or text[:1] not in ("{", "["):
        return None
    try:
        value = json_text.loads(text.encode(), _DEEPEST)
    except ValueError:
        return None
    return value if isinstance(value, dict | list) else None


def gaps(here: Sequence[Any], there: Sequence[Any]) -> Iterator[tuple[range, range]]:
    """Yield where two sequences differ, in order: the range that only one has, and the range that only
    the other has.
    """
    start = _common(here, there)
    end = _common(here[start:][::-1], there[start:][::-1])
    ours = here[start : len(here) - end]
    theirs = there[start : len(there) - end]
    if len(ours) > _ALIGNED or len(theirs) > _ALIGNED or not ours or not theirs:
        if ours or theirs:
            yield range(start, start + len(ours)), range(start, start + len(theirs))
        return
    # Loading this takes as long as a hundred hits, and misses are rare.
    from rapidfuzz.distance import Indel

    before = 0
    also = 0
    for block in Indel.opcodes(ours, theirs).as_matching_blocks():
        if block.a > before or block.b > also:
            yield range(start + before, start + block.a), range(start + also, start + block.b)
        before = block.a + block.size
        also = block.b + block.size


def _pairs(ours: range, theirs: range) -> Iterator[tuple[int | None, int | None]]:
    """Yield pairs of places of two ranges; None where one range is longer."""
    yield from zip(ours, theirs, strict=False)
    for one in ours[len(theirs) :]:
        yield one, None
    for two in theirs[len(ours) :]:
        yield None, two


def _common(one: Sequence[Any], two: Sequence[Any]) -> int:
    for place, (left, right) in enumerate(zip(one, two, strict=False)):
        if left != right:
            return place
    return min(len(one), len(two))


def _below(path: str, step: str) -> str:
    """Return a path of bounded length: below a long key there may be as many leaves as the request has bytes."""
    longer = f"{path}{step}"
    if len(longer) <= _PATH:
        return longer
    digest = hashlib.sha256(longer.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{longer[: _PATH // 4]}…{digest}…{longer[-_PATH // 4 :]}"
