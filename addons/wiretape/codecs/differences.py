"""Finds where two JSON values differ, leaf by leaf, and within long texts line by line. A miss is explained with it.

Lists and lines are aligned, so that an item that only one of them has does not shift the others. The work is bounded,
whatever the values are: in longer lists, items at the same place are compared.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wiretape.codecs import json_text

_ALIGNED = 2000
"""How many items or lines of either value are aligned. For 2000 and 2000, that takes some milliseconds."""

_SHORT = 120
"""How many characters of a text are shown whole."""

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


def differences(here: Any, there: Any, path: str = "") -> Iterator[Difference]:
    """Yield the places where two values differ, in order."""
    if isinstance(here, dict) and isinstance(there, dict) and (here or there):
        yield from _of_members(here, there, path)
    elif isinstance(here, list) and isinstance(there, list) and here and there:
        yield from _of_items(here, there, path)
    elif isinstance(here, str) and isinstance(there, str):
        if here != there:
            yield from _of_texts(here, there, path)
    elif json.dumps(here) != json.dumps(there):
        yield Difference(path, here, there)


def _of_members(here: Mapping[str, Any], there: Mapping[str, Any], path: str) -> Iterator[Difference]:
    for key in (*here, *(key for key in there if key not in here)):
        step = key
        if not _PLAIN.fullmatch(key):
            step = json_text.canonical(key).decode("utf-8")
        if path:
            step = f".{step}"
        below = _below(path, step)
        if key not in here:
            yield Difference(below, ABSENT, there[key])
        elif key not in there:
            yield Difference(below, here[key], ABSENT)
        else:
            yield from differences(here[key], there[key], below)


def _of_items(here: Sequence[Any], there: Sequence[Any], path: str) -> Iterator[Difference]:
    for ours, theirs in gaps([*map(json_text.canonical, here)], [*map(json_text.canonical, there)]):
        for one, two in _pairs(ours, theirs):
            if one is not None and two is not None:
                yield from differences(here[one], there[two], _below(path, f"[{one}]"))
            elif one is not None:
                yield Difference(_below(path, f"[{one}]"), here[one], ABSENT)
            elif two is not None:
                yield Difference(_below(path, f"[{two}]"), ABSENT, there[two])


def _of_texts(here: str, there: str, path: str) -> Iterator[Difference]:
    if len(here) <= _SHORT and len(there) <= _SHORT:
        yield Difference(path, here, there)
        return
    ours = here.split("\n")
    theirs = there.split("\n")
    if len(ours) == len(theirs) == 1:
        yield Difference(path, here, there)
        return
    for one_range, two_range in gaps(ours, theirs):
        for one, two in _pairs(one_range, two_range):
            if one is not None and two is not None:
                yield Difference(f"{path}, line {one + 1}", ours[one], theirs[two])
            elif one is not None:
                yield Difference(f"{path}, line {one + 1}", ours[one], ABSENT)
            elif two is not None:
                yield Difference(f"{path}, line {two + 1}", ABSENT, theirs[two])


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
