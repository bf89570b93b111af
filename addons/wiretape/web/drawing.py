"""A timeline as a drawing: moments -> marks at places. Sans-IO. The template makes SVG of it.

Time goes from left to right. Each chunk is a bar, whose height tells how long it was waited for, by its square root:
so a gap of a second is seen beside gaps of ten milliseconds. The wait before the first word has a colour of its own.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from wiretape.library.timeline import Timeline

HEIGHT = 80

_MARKS = 1000
"""Bars that are drawn: of more, those that stand at one place are one."""

_TICKS = 5
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Mark:
    """A bar."""

    x: float
    """Per cent of the width."""
    height: float
    kind: str
    """``first``, ``word``, ``thought`` or ``other``: a class of the style sheet."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on the axis."""

    x: float
    """Per cent of the width."""
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A timeline, drawn."""

    marks: list[Mark]
    ticks: list[Tick]


def drawing(timeline: Timeline) -> Drawing:
    """Return a timeline as a drawing of any width that is ``HEIGHT`` high."""
    total = max(timeline.total_ms, 0.001)
    first = timeline.first_word_ms
    longest = max(_waits(timeline), default=0.0) or 1.0
    places: dict[int, Mark] = {}
    before = 0.0
    for moment in timeline.moments:
        place = round(moment.at_ms / total * _MARKS)
        height = max(3.0, HEIGHT * sqrt((moment.at_ms - before) / longest))
        before = moment.at_ms
        kind = "other"
        if moment.words:
            kind = "thought" if moment.is_thought else "word"
            if moment.at_ms == first:
                kind = "first"
        former = places.get(place)
        if former is None or former.height < height or former.kind == "other":
            places[place] = Mark(place * 100 / _MARKS, round(height, 1), kind)
    return Drawing([*places.values()], _ticks(total))


def _waits(timeline: Timeline) -> list[float]:
    times = [0.0, *(moment.at_ms for moment in timeline.moments)]
    return [later - sooner for sooner, later in pairwise(times)]


def _ticks(total_ms: float) -> list[Tick]:
    step = 1.0
    while total_ms / step > _TICKS * _STEPS[-1]:
        step *= 10
    step *= next(each for each in _STEPS if total_ms / (step * each) <= _TICKS)
    number = int(total_ms / step)
    return [Tick(round(each * step / total_ms * 100, 1), duration(each * step)) for each in range(number + 1)]


def duration(ms: float | None) -> str:
    """Return a duration for people: ``12 ms``, ``1.24 s``; empty for None."""
    if ms is None:
        return ""
    if ms < 1:
        return f"{ms:.2g} ms"
    if ms < 1000:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.3g} s"
