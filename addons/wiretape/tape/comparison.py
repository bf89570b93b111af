"""Two requests beside each other, by the rules in force: what differs, and of what kind it is. Below ``mismatch``.

What rules take out is out of both before they are compared, so it is never told. What is left is told in this order:

    what may be meant     another question, another parameter
    what has a known form dates, times, directories, a number with a label: what a rule could take out
    ids                   by the name of their member, or by their letters

So the first line of a miss is about what somebody has changed, where somebody has. In a text, what was taken out is
shown as its name: ``Today is <date>.``
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice

from wiretape.codecs.differences import ABSENT, Difference, differences
from wiretape.matching import reduction
from wiretape.matching.reduction import Reduced
from wiretape.matching.rules import Kind, MatchRule, Places
from wiretape.matching.varying import varying
from wiretape.recording import JSON, RecordedRequest

MOST = 1000
"""Differences that are looked at."""

_KINDS = {MatchRule(f"of the kind {kind}", kinds=(kind,)): kind for kind in Kind}
"""A rule for each kind, everywhere: which of them are needed tells of what kinds a difference is."""

_ID_NAME = re.compile(r"(?:^|[_.-])(?i:ids?|uuid|guid|nonce|etag|cache_key)$|[a-z](?:Ids?|ID|Uuid)$")
_ID_VALUE = re.compile(r"[A-Za-z0-9]+(?:[_.:-][A-Za-z0-9]+)*")
_ID_LENGTH = 12
_LONGEST_ID = 200
_LONGEST_NAME = 100
_LAST_NAME = re.compile(r"([^\s.\[\]\"]+)(?:\[\d+\])*$")
_NO_IDS = frozenset({"model", "content", "text"})
"""Members whose values are no ids, whatever their letters are."""


class _Place(IntEnum):
    """Where a difference stands among others."""

    MEANT = 0
    KNOWN = 1
    ID = 2


@dataclass(frozen=True, slots=True)
class Side:
    """One of two requests."""

    request: RecordedRequest
    places: Places
    """The directories of who sent it."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What two requests have not in common."""

    here: Reduced
    there: Reduced
    differences: tuple[Difference, ...]
    """Where their bodies differ, what may be meant first; MOST at most."""


def compare(rules: tuple[MatchRule, ...], here: Side, there: Side) -> Compared:
    """Compare a request with a recorded one. ``rules`` are those that hold for the request."""
    ours = reduced(rules, here)
    theirs = reduced(rules, there)
    found = islice(differences(ours.body, theirs.body), MOST)
    return Compared(ours, theirs, tuple(sorted(found, key=_place)))


def kinds_between(rules: tuple[MatchRule, ...], here: Side, there: Side) -> tuple[Kind, ...]:
    """Return the kinds in which two requests differ, where they differ in nothing else; else none."""
    # Not one that is kept: it remembers the texts that it has looked through, and a miss is seldom.
    by = reduction.Reducer((*rules, *_KINDS))
    ours = by.reduce(here.request, here.places)
    theirs = by.reduce(there.request, there.places)
    if ours.digest != theirs.digest:
        return ()
    needed = {*reduction.needed(theirs, ours)}
    return tuple(kind for rule, kind in _KINDS.items() if rule.name in needed)


def reduced(rules: tuple[MatchRule, ...], side: Side) -> Reduced:
    """Return a request without what rules take out."""
    return reduction.reducer(rules).reduce(side.request, side.places)


def _place(difference: Difference) -> _Place:
    here = difference.here
    there = difference.there
    if is_of_ids(difference):
        return _Place.ID
    if isinstance(here, str) and isinstance(there, str) and varying(here, there):
        return _Place.KNOWN
    return _Place.MEANT


def is_of_ids(difference: Difference) -> bool:
    """Return whether what differs are two ids, or an id that only one has."""
    last = _LAST_NAME.search(difference.path[-_LONGEST_NAME:])
    name = last[1] if last else ""
    if name in _NO_IDS:
        return False
    values = [each for each in (difference.here, difference.there) if isinstance(each, str | int)]
    if not values or (len(values) < 2 and ABSENT not in (difference.here, difference.there)):
        return False
    return _ID_NAME.search(name) is not None or all(map(_looks_like_id, values))


def _looks_like_id(value: JSON) -> bool:
    if not isinstance(value, str) or not _ID_LENGTH <= len(value) <= _LONGEST_ID:
        return False
    return _ID_VALUE.fullmatch(value) is not None and any(map(str.isdigit, value))
