"""A request without what rules take out of it: its reduced form, and what was taken. Between ``rules`` and the tape.

Two requests are the same by some rules where their reduced forms are equal. A reduced form is the request's body with

    a member that is ignored      gone
    an id that counts by order    a mark with its number: the first id is 1, whatever its letters are
    a value in a text             a mark with its name in the text; with its number too, where equal values have to be
                                  equal in the other request
    a directory                   a mark with its name, wherever it stands

Marks are between two characters NUL, which no text has for a model. What was taken out is kept in order: value for
value it is what the other request has at the same place. So it tells which of the rules were needed, and which recorded
value is which present one (``bindings``).

    one = reducer.reduce(recorded, its_places)
    two = reducer.reduce(present, places)
    one.digest == two.digest        # the same, by the rules
    needed(one, two)                # ("call-ids", "today")

The order of what is done: what is ignored goes; then lists are sorted whose order does not count; ids are numbered;
texts are looked through, for the directories first that a rule finds there; then for all else.
"""

import functools
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from wiretape.codecs import json_text
from wiretape.matching import json_path, ordering, texts
from wiretape.matching.bindings import Binding, Bindings
from wiretape.matching.json_path import REMOVED, JsonPath
from wiretape.matching.request import base, endpoint, query, wire_body
from wiretape.matching.rules import PLACES, Kind, MatchRule, Places
from wiretape.matching.texts import Finding, TextScanner
from wiretape.recording import JSON, RecordedRequest

PLACES_MEMBER = "places"
"""The member of a recorded request that tells the directories of who sent it, as far as its texts name them."""


class Taken(NamedTuple):
    """A value that a rule has taken out of a request."""

    rule: MatchRule
    name: str
    """What it is; empty where it can be bound to nothing."""
    value: JSON
    is_directory: bool = False


@dataclass(frozen=True, slots=True)
class Reduced:
    """A request, reduced."""

    digest: str
    """64 hex digits, equal for requests whose reduced forms are."""
    taken: tuple[Taken, ...]
    """In an order that is the same for equal forms."""
    body: JSON
    """The reduced body, for people."""


def needed(recorded: Reduced, present: Reduced) -> tuple[str, ...]:
    """Return the names of the rules without which two requests would differ, in order."""
    ours = _by_rule(present.taken)
    theirs = _by_rule(recorded.taken)
    names = [rule.name for rule in (*ours, *theirs) if ours.get(rule) != theirs.get(rule)]
    return tuple(dict.fromkeys(names))


def _by_rule(taken: Iterable[Taken]) -> dict[MatchRule, list[JSON]]:
    values: dict[MatchRule, list[JSON]] = {}
    for each in taken:
        values.setdefault(each.rule, []).append(each.value)
    return values


def distance(recorded: Reduced, present: Reduced) -> int:
    """Return how many values differ that were taken out of two requests whose forms are equal."""
    differing = sum(1 for one, two in _pairs(recorded, present) if one.value != two.value)
    return differing + abs(len([*_values(recorded)]) - len([*_values(present)]))


def bindings(recorded: Reduced, present: Reduced) -> Bindings:
    """Return which recorded value is which present one, of two requests whose forms are equal.

    A recorded value that stands for several present ones is bound to none of them.
    """
    bound: dict[str, Binding] = {}
    ambiguous: set[str] = set()
    for one, two in _pairs(recorded, present):
        if not one.name or not one.rule.bind or not isinstance(one.value, str) or not isinstance(two.value, str):
            continue
        known = bound.setdefault(one.value, Binding(one.name, one.value, two.value, one.is_directory))
        if known.present != two.value:
            ambiguous.add(one.value)
    return Bindings(each for each in bound.values() if each.recorded != each.present and each.recorded not in ambiguous)


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
        self.fingerprint = hashlib.sha256(repr(rules).encode()).hexdigest()[:16]
        """Equal for rules that are."""
        self.ignored = [(rule, path) for rule in rules for path in _paths(rule.ignore)]
        self.ids = [(rule, path) for rule in rules for path in _paths(rule.ids)]
        self.unordered = [(rule, each) for rule in rules for each in rule.unordered]
        self.numbers = next((rule for rule in rules if rule.numbers), None)
        self.whitespace = next((rule for rule in rules if rule.whitespace), None)
        self.paths_rule = next((rule for rule in rules if Kind.PATHS in rule.kinds), None)
        """The rule by which directories are taken out that are known of the client."""
        wanted = [*texts.wanted(rules)]
        self.everywhere = TextScanner(each for each, path in wanted if not path)
        self.at_paths = [(json_path.compiled(path), TextScanner((each,))) for each, path in wanted if path]

    def reduce(self, request: RecordedRequest, places: Places) -> Reduced:
        """Return a request, reduced. ``places``: the directories of who sent it, where they are known."""
        work = _Reduction(self, places)
        body = work.reduced(wire_body(request))
        form = [request.method if request.passthrough else "", base(request), endpoint(request), body]
        if parameters := query(request):
            form.append(parameters)
        return Reduced(hashlib.sha256(json_text.canonical(form)).hexdigest(), (*work.taken,), body)


def _paths(paths: Sequence[str]) -> list[JsonPath]:
    return [json_path.compiled(each) for each in paths]


class _Reduction:
    """One request that is being reduced."""

    def __init__(self, by: Reducer, places: Places) -> None:
        self._by = by
        self._known = places.known() if by.paths_rule else {}
        self._numbers: dict[str, dict[JSON, int]] = {}
        self._directories = texts.Directories()
        self.taken: list[Taken] = []

    def reduced(self, body: JSON) -> JSON:
        """Return the body, reduced."""
        by = self._by
        for rule, path in by.ignored:
            body = json_path.edit(path, body, functools.partial(self._ignore, rule))
        for rule, unordered in by.unordered:
            before = body
            body = ordering.sorted_lists(body, unordered)
            if body is not before:
                self.taken.append(Taken(rule, "", before))
        for rule, path in by.ids:
            body = json_path.edit(path, body, functools.partial(self._number, rule))
        for path, scanner in by.at_paths:
            body = json_path.edit(path, body, functools.partial(self._at_path, scanner))
        self._find_directories(body)
        return self._everywhere(body)

    def _ignore(self, rule: MatchRule, value: JSON) -> JSON:
        self.taken.append(Taken(rule, "", value))
        return REMOVED

    def _number(self, rule: MatchRule, value: JSON) -> JSON:
        if not isinstance(value, str | int):
            return value
        self.taken.append(Taken(rule, rule.name, value))
        return self._mark(rule.name, value, is_tracked=True)

    def _mark(self, name: str, value: JSON, *, is_tracked: bool) -> str:
        if not is_tracked:
            return f"\0{name}\0"
        known = self._numbers.setdefault(name, {})
        return f"\0{name} {known.setdefault(value, len(known) + 1)}\0"

    def _at_path(self, scanner: TextScanner, value: JSON) -> JSON:
        return self._without(value, scanner.findings(value)) if isinstance(value, str) else value

    def _find_directories(self, body: JSON) -> None:
        """Learn which directories are in the texts."""
        rule = self._by.paths_rule
        for name, paths in self._known.items():
            assert rule
            self._directories.add(rule, name, *paths)
        for text in _texts_of(body):
            for each in self._by.everywhere.findings(text):
                if each.wanted.is_directory:
                    self._directories.add(each.wanted.rule, each.wanted.name, each.value)
        self.taken += (
            Taken(each.rule, each.name, each.path, True) for each in self._directories.inside(_texts_of(body))
        )

    def _everywhere(self, value: JSON) -> JSON:
        """Return a value with what is taken out of its texts, wherever they stand."""
        match value:
            case str():
                return self._text(value)
            case dict():
                made = {name: self._everywhere(value[name]) for name in sorted(value)}
                return value if all(made[name] is value[name] for name in made) else made
            case list():
                items = [self._everywhere(item) for item in value]
                return value if all(one is two for one, two in zip(items, value, strict=True)) else items
            case float() if self._by.numbers and value.is_integer():
                self.taken.append(Taken(self._by.numbers, "", value))
                return int(value)
        return value

    def _text(self, text: str) -> str:
        findings = [each for each in self._by.everywhere.findings(text) if not each.wanted.is_directory]
        made = self._without(text, findings)
        if self._by.whitespace:
            joined = " ".join(made.split())
            if joined != made:
                self.taken.append(Taken(self._by.whitespace, "", made))
                return joined
        return made

    def _without(self, text: str, findings: Sequence[Finding]) -> str:
        """Return a text with marks in the place of what was found in it."""
        found = texts.apart([*findings, *self._directories.findings(text)])
        if not found:
            return text
        pieces = []
        end = 0
        for each in found:
            pieces.append(text[end : each.start])
            pieces.append(self._mark_of(each))
            end = each.end
        pieces.append(text[end:])
        return "".join(pieces)

    def _mark_of(self, found: Finding) -> str:
        wanted = found.wanted
        if wanted.is_directory:
            return f"\0{wanted.name}\0"
        self.taken.append(Taken(wanted.rule, wanted.name, found.value))
        return self._mark(wanted.name, found.value, is_tracked=wanted.is_tracked)


def _texts_of(value: JSON) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for name in sorted(value):
                yield from _texts_of(value[name])
        case list():
            for item in value:
                yield from _texts_of(item)


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
