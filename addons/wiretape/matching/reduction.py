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

The order of what is done: what is ignored goes; then lists are sorted whose order does not count; ids are numbered;
texts are looked through, for the directories first that a rule finds there; then for all else. Names of members stay as
they are, and so does what names something that the provider has, as the model.
"""

import functools
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from wiretape.matching import json_path, marks, ordering, texts
from wiretape.matching.bindings import Binding, Bindings
from wiretape.matching.json_path import REMOVED, JsonPath, Place
from wiretape.matching.marks import JsonText, Located, Marked
from wiretape.matching.request import base, endpoint, query, wire_body
from wiretape.matching.rules import PLACES, Kind, MatchRule, Places
from wiretape.matching.texts import Directories, Finding, TextScanner
from wiretape.recording import JSON, RecordedRequest

PLACES_MEMBER = "places"
"""The member of a recorded request that tells the directories of who sent it, as far as its texts name them."""

_FORM = 1
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


class Taken(NamedTuple):
    """A value that a rule has taken out of a request, which has a mark in its place."""

    rule: MatchRule
    name: str
    """What it is."""
    value: JSON
    is_directory: bool = False
    is_bound: bool = True
    """Whether it can be put into an answer."""


class LeftOut(NamedTuple):
    """What a rule has left out of a request without a mark."""

    rule: MatchRule
    place: Place
    value: JSON


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


def distance(recorded: Reduced, present: Reduced) -> int:
    """Return how many values differ that were taken out of two requests whose forms are equal."""
    ours = {(each.rule.name, each.place): each.value for each in present.left_out}
    theirs = {(each.rule.name, each.place): each.value for each in recorded.left_out}
    left_out = sum(1 for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
    return left_out + sum(1 for one, two in _pairs(recorded, present) if one.value != two.value)


def bindings(recorded: Reduced, present: Reduced) -> Bindings:
    """Return what puts the present values into a recorded answer, of two requests whose forms are equal."""
    return Bindings(bound(recorded, present))


def bound(recorded: Reduced, present: Reduced) -> list[Binding]:
    """Return which recorded value is which present one, of two requests whose forms are equal.

    A recorded value that stands for several present ones is bound to none of them.
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
    return [each for each in known.values() if each.recorded != each.present and each.recorded not in ambiguous]


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


@functools.lru_cache(maxsize=64)
def reducer(rules: tuple[MatchRule, ...]) -> "Reducer":
    """Return what reduces requests by these rules. Raises ValueError for a path or a pattern that is none."""
    return Reducer(rules)


class Reducer:
    """Reduces requests by some rules. For any thread."""

    def __init__(self, rules: tuple[MatchRule, ...]) -> None:
        self.rules = rules
        wanted = [*texts.wanted(rules)]
        patterns = [(each.pattern, path) for each, path in wanted]
        self.fingerprint = hashlib.sha256(repr((_FORM, rules, patterns)).encode()).hexdigest()[:16]
        """Equal for rules that are, as long as what they make of a request is."""
        self.ignored = [(rule, path) for rule in rules for path in _paths(rule.ignore)]
        self.ids = [(rule, path) for rule in rules for path in _paths(rule.ids)]
        self.references = [(rule, path) for rule in rules for path in _paths(rule.references)]
        self.unordered = [(rule, each) for rule in rules for each in rule.unordered]
        self.numbers = next((rule for rule in rules if rule.numbers), None)
        self.whitespace = next((rule for rule in rules if rule.whitespace), None)
        self.paths_rule = next((rule for rule in rules if Kind.PATHS in rule.kinds), None)
        """The rule by which directories are taken out that are known of the client."""
        self.everywhere = TextScanner(each for each, path in wanted if not path)
        at_paths = dict.fromkeys(path for _, path in wanted if path)
        self.at_paths = [
            (json_path.compiled(path), TextScanner(each for each, where in wanted if where == path))
            for path in at_paths
        ]
        self.finds_directories = any(each.is_directory for each, _ in wanted)

    def reduce(self, request: RecordedRequest, places: Places) -> Reduced:
        """Return a request, reduced. ``places``: the directories of who sent it, where they are known."""
        work = _Reduction(self, places)
        body = work.reduced(wire_body(request))
        form = [request.method if request.passthrough else "", base(request), endpoint(request), body]
        if parameters := query(request):
            form.append(parameters)
        return Reduced(hashlib.sha256(marks.dumps(form)).hexdigest(), (*work.taken,), (*work.left_out,), body)


def _paths(paths: Sequence[str]) -> list[JsonPath]:
    return [json_path.compiled(each) for each in paths]


class _Reduction:
    """One request that is being reduced."""

    def __init__(self, by: Reducer, places: Places) -> None:
        self._by = by
        self._known = places.known() if by.paths_rule else {}
        self._numbers: dict[str, dict[JSON, int]] = {}
        self._directories = Directories()
        self._seen_directories: set[str] = set()
        self._leaves = 0
        self.taken: list[Taken] = []
        self.left_out: list[LeftOut] = []

    def reduced(self, body: JSON) -> JSON:
        """Return the body, reduced."""
        by = self._by
        for rule, path in by.ignored:
            body = json_path.edit(path, body, functools.partial(self._ignore, rule))
        for rule, unordered in by.unordered:
            body, orders = ordering.sorted_lists(body, unordered)
            self.left_out += (LeftOut(rule, (number,), order) for number, order in enumerate(orders))
        for rule, path in by.ids:
            body = json_path.edit(path, body, functools.partial(self._number, rule), into_texts=False)
        for rule, path in by.references:
            body = json_path.edit(path, body, functools.partial(self._refer, rule), into_texts=False)
        for path, scanner in by.at_paths:
            body = json_path.edit(path, body, functools.partial(self._locate, scanner))
        self._find_directories(body)
        return self._searched(body)

    def _ignore(self, rule: MatchRule, value: JSON, place: Place) -> JSON:
        self.left_out.append(LeftOut(rule, place, value))
        return REMOVED

    def _number(self, rule: MatchRule, value: JSON, _place: Place) -> JSON:
        # What is marked already is the first rule's.
        if type(value) is not str and type(value) is not int:
            return value
        self.taken.append(Taken(rule, rule.name, value))
        return Marked(self._mark(rule.name, value, is_tracked=True))

    def _refer(self, rule: MatchRule, value: JSON, _place: Place) -> JSON:
        if type(value) is not str and type(value) is not int:
            return value
        number = self._numbers.get(rule.name, {}).get(value)
        return value if number is None else Marked(marks.mark(rule.name, number))

    def _mark(self, name: str, value: JSON, *, is_tracked: bool) -> str:
        if not is_tracked:
            return marks.mark(name)
        known = self._numbers.setdefault(name, {})
        return marks.mark(name, known.setdefault(value, len(known) + 1))

    def _locate(self, scanner: TextScanner, value: JSON, _place: Place) -> JSON:
        if type(value) is not str and type(value) is not Located:
            return value
        found = scanner.findings(str(value))
        if not found:
            return value
        return Located(value, (*value.findings, *found) if isinstance(value, Located) else found)

    # -- directories ---------------------------------------------------------------------------------------------------

    def _find_directories(self, body: JSON) -> None:
        """Learn which directories there are: those that are known, and those that a rule finds in the texts.

        What has but the form of somebody's home is that of the client where no other is known, and there is one alone.
        """
        rule = self._by.paths_rule
        for name, paths in self._known.items():
            assert rule
            self._directories.add(rule, name, *paths)
        if not self._by.finds_directories:
            return
        searched = (
            {name: value for name, value in body.items() if name not in _NAMES} if isinstance(body, dict) else body
        )
        found = [each for each in self._findings(searched) if each.wanted.is_directory]
        told = {each.wanted.name for each in found if not each.wanted.is_guess}
        homes = {each.value for each in found if each.wanted.is_guess and each.wanted.name == "home"}
        is_sure = len(homes) == 1 and "home" not in told and "home" not in self._known
        for each in found:
            if not each.wanted.is_guess or each.wanted.name != "home" or is_sure:
                self._directories.add(each.wanted.rule, each.wanted.name, each.value)

    def _findings(self, body: JSON) -> Iterator[Finding]:
        searched = body
        if isinstance(body, dict):
            searched = {name: value for name, value in body.items() if name not in _NAMES}
        for text in _texts_of(searched):
            if isinstance(text, Located):
                yield from text.findings
            yield from self._by.everywhere.findings(str(text))

    # -- texts ---------------------------------------------------------------------------------------------------------

    def _searched(self, body: JSON) -> JSON:
        """Return a body with what is taken out of its texts, wherever they stand."""
        if not isinstance(body, dict):
            return self._value(body)
        return {name: value if name in _NAMES else self._value(value) for name, value in sorted(body.items())}

    def _value(self, value: Any) -> JSON:
        kind = type(value)
        if kind is str:
            return self._text(value, ())
        if kind is dict:
            made = {name: self._value(value[name]) for name in sorted(value)}
            return value if all(made[name] is value[name] for name in made) else made
        if kind is list:
            items = [self._value(item) for item in value]
            return value if all(one is two for one, two in zip(items, value, strict=True)) else items
        if kind is Located:
            return self._text(str(value), value.findings)
        if kind is JsonText:
            return JsonText(self._value(value.value)).written()
        if kind is float and self._by.numbers:
            return self._whole(self._by.numbers, value)
        return value

    def _whole(self, rule: MatchRule, value: float) -> float | int:
        self._leaves += 1
        if not value.is_integer():
            return value
        self.left_out.append(LeftOut(rule, (self._leaves,), value))
        return int(value)

    def _text(self, text: str, located: Sequence[Finding]) -> str:
        findings = [each for each in self._by.everywhere.findings(text) if not each.wanted.is_directory]
        findings += (each for each in located if not each.wanted.is_directory)
        if self._directories:
            findings += self._directories.findings(text)
        made = self._without(text, findings) if findings else text
        if self._by.whitespace:
            joined = " ".join(made.split())
            self._leaves += 1
            if joined != made:
                self.left_out.append(LeftOut(self._by.whitespace, (self._leaves,), made))
                made = joined
        return Marked(made) if findings else made

    def _without(self, text: str, findings: Sequence[Finding]) -> str:
        """Return a text with marks in the place of what was found in it."""
        pieces = []
        end = 0
        for each in texts.apart(findings):
            pieces.append(marks.literal(text[end : each.start]))
            pieces.append(self._mark_of(each))
            end = each.end
        pieces.append(marks.literal(text[end:]))
        return "".join(pieces)

    def _mark_of(self, found: Finding) -> str:
        wanted = found.wanted
        if wanted.is_place:
            if found.value not in self._seen_directories:
                self._seen_directories.add(found.value)
                self.taken.append(Taken(wanted.rule, wanted.name, found.value, is_directory=True))
            return marks.mark(wanted.name)
        self.taken.append(Taken(wanted.rule, wanted.name, found.value, is_bound=wanted.is_bound))
        return self._mark(wanted.name, found.value, is_tracked=wanted.is_tracked)


def _texts_of(value: JSON) -> Iterator[str]:
    match value:
        case Marked():
            return
        case str():
            yield value
        case dict():
            for name in sorted(value):
                yield from _texts_of(value[name])
        case list():
            for item in value:
                yield from _texts_of(item)
        case JsonText():
            yield from _texts_of(value.value)


def with_places(request: RecordedRequest, places: Places) -> RecordedRequest:
    """Return a request that tells those directories of who sent it that are in its texts."""
    named: dict[str, JSON] = {}
    for name, paths in places.known().items():
        found = [path for path in paths if any(path in text for text in _texts_of(request.body))]
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
