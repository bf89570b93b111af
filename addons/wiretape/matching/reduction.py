"""A request without what rules take out of it: its reduced form, and what was taken. Between ``rules`` and the tape.

Two requests are the same by some rules where their reduced forms are equal. A reduced form is the request's body with

    a member that is ignored      gone
    an id that counts by order    a mark with its number: the first id is 1, whatever its letters are
    a value in a text             a mark with its name in the text; with its number too, where equal values have to be
                                  equal in the other request
    a directory                   a mark with its name, wherever it stands

What a mark is, and why nobody can send one, says ``marks``. The values that have a mark are kept in order: value for
value they are what the other request has at the same place. So they tell which of the rules were needed, and which
recorded value is which present one (``bindings``). What leaves no mark, as an ignored member, is kept with its place.

    one = reducer.reduce(recorded, its_places)
    two = reducer.reduce(present, places)
    one.digest == two.digest        # the same, by the rules
    needed(one, two)                # ("call-ids", "today")

How it is done says ``taking_out``. Names of members stay as they are, and so does what names something that the
provider has, as the model.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from wiretape.matching import marks
from wiretape.matching.bindings import Binding, Bindings
from wiretape.matching.parts import LeftOut, Parts, Taken, texts_of
from wiretape.matching.request import base, endpoint, query, wire_body
from wiretape.matching.rules import PLACES, MatchRule, Places
from wiretape.matching.taking_out import Instructions, TakingOut
from wiretape.recording import JSON, RecordedRequest

PLACES_MEMBER = "places"
"""The member of a recorded request that tells the directories of who sent it, as far as its texts name them."""

_FORM = 2
"""Another number for each change of what a request is reduced to: what was kept of reduced requests does not count."""

_NAMES = frozenset(
    {
        "anthropic_version",
        "cachedContent",
        "cached_content",
        "container",
        "conversation",
        "model",
        "previous_interaction_id",
        "previous_response_id",
    }
)
"""Members at the top of a body whose texts name what a provider has: they are not looked through."""


@dataclass(frozen=True, slots=True)
class Reduced:
    """A request, reduced."""

    digest: str
    """64 hex digits, equal for requests whose reduced forms are."""
    taken: tuple[Taken, ...]
    """In an order that is the same for equal forms."""
    left_out: tuple[LeftOut, ...]
    body: JSON
    """The reduced body, for people."""


def needed(recorded: Reduced, present: Reduced) -> tuple[str, ...]:
    """Return the names of the rules without which two requests would differ, in order."""
    ours = _by_rule(present)
    theirs = _by_rule(recorded)
    return tuple(name for name in dict.fromkeys((*ours, *theirs)) if ours.get(name) != theirs.get(name))


def _by_rule(reduced: Reduced) -> dict[str, list[JSON]]:
    values: dict[str, list[JSON]] = {}
    for left in reduced.left_out:
        values.setdefault(left.rule.name, []).append((left.place, left.value))
    for each in reduced.taken:
        values.setdefault(each.rule.name, []).append(each.value)
    return values


def bindings(recorded: Reduced, present: Reduced) -> Bindings:
    """Return what puts the present values into a recorded answer, of two requests whose forms are equal."""
    return Bindings(bound(recorded, present))


def bound(recorded: Reduced, present: Reduced) -> list[Binding]:
    """Return which recorded value is which present one, of two requests whose forms are equal.

    Of directories those too that are the same: another one may be within them, or around them. A recorded value that
    stands for several present ones is bound to none of them.
    """
    known: dict[str, Binding] = {}
    ambiguous: set[str] = set()
    for one, two in _pairs(recorded, present):
        is_bound = one.is_bound and one.rule.bind
        if not is_bound or not isinstance(one.value, str) or not isinstance(two.value, str):
            continue
        first = known.setdefault(one.value, Binding(one.name, one.value, two.value, one.is_directory))
        if first.present != two.value:
            ambiguous.add(one.value)
    return [
        each
        for each in known.values()
        if each.recorded not in ambiguous and (each.is_path or each.recorded != each.present)
    ]


def _pairs(recorded: Reduced, present: Reduced) -> Iterator[tuple[Taken, Taken]]:
    """Yield each value that was taken out of a recorded request, and what is at its place in the present one.

    One directory can have several paths in the one request, and one in the other.
    """
    yield from zip(_values(recorded), _values(present), strict=False)
    theirs = _directories(present)
    for name, ours in _directories(recorded).items():
        same = theirs.get(name, [])
        for number, each in enumerate(ours):
            if same:
                yield each, same[min(number, len(same) - 1)]


def _values(reduced: Reduced) -> Iterator[Taken]:
    return (each for each in reduced.taken if not each.is_directory)


def _directories(reduced: Reduced) -> dict[str, list[Taken]]:
    """Return the directories that were taken out, by what they are."""
    found: dict[str, list[Taken]] = {}
    for each in reduced.taken:
        if each.is_directory:
            found.setdefault(each.name, []).append(each)
    return found


@lru_cache(maxsize=32)
def reducer(rules: tuple[MatchRule, ...]) -> "Reducer":
    """Return what reduces requests by these rules. Raises ValueError for a path or a pattern that is none."""
    return Reducer(rules)


class Reducer:
    """Reduces requests by some rules. For any thread."""

    def __init__(self, rules: tuple[MatchRule, ...]) -> None:
        self.rules = rules
        self._instructions = Instructions(rules)
        told = repr((_FORM, rules, self._instructions.patterns))
        self.fingerprint = hashlib.sha256(told.encode()).hexdigest()[:16]
        """Equal for rules that are, as long as what they make of a request is."""

    def reduce(self, request: RecordedRequest, places: Places) -> Reduced:
        """Return a request, reduced. ``places``: the directories of who sent it, where they are known."""
        work = TakingOut(self._instructions, places)
        parts = Parts(work.without_ids(wire_body(request)), _NAMES)
        searched = work.searched(parts.each)
        written = parts.joined(marks.Written(each.data) for each in searched)
        form = [request.method if request.passthrough else "", base(request), endpoint(request), written]
        if parameters := query(request):
            form.append(parameters)
        digest = hashlib.sha256(marks.dumps(form)).hexdigest()
        return Reduced(digest, (*work.taken,), (*work.left_out,), parts.joined(each.value for each in searched))


def with_places(request: RecordedRequest, places: Places) -> RecordedRequest:
    """Return a request that tells those directories of who sent it that are in its texts."""
    named: dict[str, JSON] = {}
    for name, paths in places.known().items():
        found = [path for path in paths if any(path in text for text in texts_of(request.body))]
        if found:
            named[name] = found[0] if len(found) == 1 else [*found]
    return replace(request, extra={**request.extra, PLACES_MEMBER: named}) if named else request


def places_of(stored: RecordedRequest) -> Places:
    """Return the directories of who sent a recorded request, as far as the recording tells them."""
    told = stored.extra.get(PLACES_MEMBER)
    if not isinstance(told, dict):
        return Places()
    known = {}
    for name in PLACES:
        value = told.get(name)
        paths = value if isinstance(value, list) else [value]
        known[name] = tuple(path for path in paths if isinstance(path, str))
    return Places(**known)
