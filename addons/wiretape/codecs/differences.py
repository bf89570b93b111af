"""Where two JSON values differ, leaf by leaf, and within long texts line by line. Beside the data's way: ``miss`` asks.

Lists and lines are aligned, so that what is only in one of them shifts nothing. What is aligned is bounded, whatever
the values are: of what is longer, what stands at the same place is compared.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wiretape.codecs import json_text

_ALIGNED = 2000
"""Items or lines of either that are aligned: 2000 and 2000 take some milliseconds."""

_SHORT = 120
"""Characters of a text that is shown whole."""

_PATH = 240

_PLAIN = re.compile(r"[^\s.\[\]\"]+")
"""A key that can be read in a path as it is."""


class _Absent:
    """Stands for what is not there."""


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where two values differ: what is here, and what is there; ``ABSENT`` for nothing."""

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
        below = _below(
            path, key if _PLAIN.fullmatch(key) else json_text.canonical(key).decode("utf-8"), "." if path else ""
        )
        if key not in here:
            yield Difference(below, ABSENT, there[key])
        elif key not in there:
            yield Difference(below, here[key], ABSENT)
        else:
            yield from differences(here[key], there[key], below)


def _of_items(here: Sequence[Any], there: Sequence[Any], path: str) -> Iterator[Difference]:
    for ours, theirs in gaps([*map(json_text.canonical, here)], [*map(json_text.canonical, there)]):
        for one, two in _pairs(ours, theirs):
            below = _below(path, f"[{two if one is None else one}]")
            if one is None:
                yield Difference(below, ABSENT, there[two or 0])
            elif two is None:
                yield Difference(below, here[one], ABSENT)
            else:
                yield from differences(here[one], there[two], below)


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
            line = (two if one is None else one) or 0
            yield Difference(
                f"{path}, line {line + 1}",
                ABSENT if one is None else ours[one],
                ABSENT if two is None else theirs[two],
            )


def gaps(here: Sequence[Any], there: Sequence[Any]) -> Iterator[tuple[range, range]]:
    """Yield where two sequences differ, in order: the places of what only one has, and of what only the other has."""
    start = _common(here, there)
    end = _common(here[start:][::-1], there[start:][::-1])
    ours = here[start : len(here) - end]
    theirs = there[start : len(there) - end]
    if len(ours) > _ALIGNED or len(theirs) > _ALIGNED or not ours or not theirs:
        if ours or theirs:
            yield range(start, start + len(ours)), range(start, start + len(theirs))
        return
    # A miss is seldom, and to load this takes as long as a hundred hits.
    from rapidfuzz.distance import Indel

    before = 0
    also = 0
    for block in Indel.opcodes(ours, theirs).as_matching_blocks():
        if block.a > before or block.b > also:
            yield range(start + before, start + block.a), range(start + also, start + block.b)
        before = block.a + block.size
        also = block.b + block.size


def _pairs(ours: range, theirs: range) -> Iterator[tuple[int | None, int | None]]:
    """Yield the places of two ranges that stand for each other; None where one is longer."""
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


def _below(path: str, step: str, dot: str = "") -> str:
    """A path that is bounded: under a long key there may be as many leaves as the request has bytes."""
    longer = f"{path}{dot}{step}"
    if len(longer) <= _PATH:
        return longer
    digest = hashlib.sha256(longer.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{longer[: _PATH // 4]}…{digest}…{longer[-_PATH // 4 :]}"
