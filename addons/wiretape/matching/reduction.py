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
texts are looked through, for the directories first that a rule finds there; then for all else; what was found is looked
for in answers that were sent back (``repeated``). Names of members stay as they are, and so does what names something
that the provider has, as the model.
"""

import functools
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from wiretape.matching import json_path, marks, ordering, repeated, texts
from wiretape.matching.bindings import Binding, Bindings
from wiretape.matching.json_path import REMOVED, JsonPath, Place
from wiretape.matching.marks import Located, Marked
from wiretape.matching.parts import LeftOut, PartMemory, Parts, PartSearch, Search, Searched, Taken, numbered, texts_of
from wiretape.matching.request import base, endpoint, query, wire_body
from wiretape.matching.rules import PLACES, Kind, MatchRule, Places
from wiretape.matching.texts import Directories, Finding, TextScanner
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
        self.paths_rule = next((rule for rule in rules if Kind.PATHS in rule.kinds), None)
        """The rule by which directories are taken out that are known of the client."""
        everywhere = TextScanner(each for each, path in wanted if not path)
        self.search = Search(
            everywhere,
            numbers=next((rule for rule in rules if rule.numbers), None),
            whitespace=next((rule for rule in rules if rule.whitespace), None),
        )
        at_paths = dict.fromkeys(path for _, path in wanted if path)
        self.at_paths = [
            (json_path.compiled(path), TextScanner(each for each, where in wanted if where == path))
            for path in at_paths
        ]
        self.finds_directories = any(each.is_directory for each, _ in wanted)
        self.memory = PartMemory()

    def reduce(self, request: RecordedRequest, places: Places) -> Reduced:
        """Return a request, reduced. ``places``: the directories of who sent it, where they are known."""
        work = _Reduction(self, places)
        parts = Parts(work.without_ids(wire_body(request)), _NAMES)
        searched = work.searched(parts.each)
        written = parts.joined(marks.Written(each.data) for each in searched)
        form = [request.method if request.passthrough else "", base(request), endpoint(request), written]
        if parameters := query(request):
            form.append(parameters)
        digest = hashlib.sha256(marks.dumps(form)).hexdigest()
        return Reduced(digest, (*work.taken,), (*work.left_out,), parts.joined(each.value for each in searched))


def _paths(paths: Sequence[str]) -> list[JsonPath]:
    return [json_path.compiled(each) for each in paths]


class _Reduction:
    """One request that is being reduced."""

    def __init__(self, by: Reducer, places: Places) -> None:
        self._by = by
        self._known = places.known() if by.paths_rule else {}
        self._numbers: dict[str, dict[JSON, int]] = {}
        self.taken: list[Taken] = []
        self.left_out: list[LeftOut] = []

    def without_ids(self, body: JSON) -> JSON:
        """Return a body without what is ignored, in one order, with marks for ids; what is found at paths is told."""
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
            body = json_path.edit(path, body, functools.partial(_locate, scanner))
        return body

    def _ignore(self, rule: MatchRule, value: JSON, place: Place) -> JSON:
        self.left_out.append(LeftOut(rule, place, value))
        return REMOVED

    def _number(self, rule: MatchRule, value: JSON, _place: Place) -> JSON:
        # What is marked already is the first rule's.
        if type(value) is not str and type(value) is not int:
            return value
        self.taken.append(Taken(rule, rule.name, value))
        return Marked(numbered(self._numbers, rule.name, value))

    def _refer(self, rule: MatchRule, value: JSON, _place: Place) -> JSON:
        if type(value) is not str and type(value) is not int:
            return value
        number = self._numbers.get(rule.name, {}).get(value)
        return value if number is None else Marked(marks.mark(rule.name, number))

    def searched(self, parts: Sequence[JSON]) -> list[Searched]:
        """Return parts without what is taken out of their texts."""
        written = [*map(marks.dumps, parts)]
        directories = self._directories(parts, written)
        question = directories.key
        recall = self._by.memory.recall
        seen: set[JSON] = set()
        made = repeated.without_repeated(
            [
                recall(question, data, functools.partial(self._search, part, directories))
                for part, data in zip(parts, written, strict=True)
            ]
        )
        for number, searched in enumerate(made):
            self.left_out += (LeftOut(rule, (number, *place), value) for rule, place, value in searched.left_out)
            for each in searched.taken:
                # A directory is told once.
                if not each.is_directory or each.value not in seen:
                    self.taken.append(each)
                    seen.add(each.value)
        return made

    def _search(self, part: JSON, directories: Directories) -> tuple[Searched, bool]:
        search = PartSearch(self._by.search, directories, self._numbers)
        return search.searched(part), search.is_lasting

    def _directories(self, parts: Sequence[JSON], written: Sequence[bytes]) -> Directories:
        """Return which directories there are: those that are known, and those that a rule finds in the texts.

        What has but the form of somebody's home is that of the client where no other is known, and there is one alone.
        """
        directories = Directories()
        for name, paths in self._known.items():
            assert self._by.paths_rule
            directories.add(self._by.paths_rule, name, *paths)
        if not self._by.finds_directories:
            return directories
        found: list[Finding] = []
        for part, data in zip(parts, written, strict=True):
            found += self._by.memory.recall("directories", data, functools.partial(self._found_in, part))
        told = {each.wanted.name for each in found if not each.wanted.is_guess}
        homes = {each.value for each in found if each.wanted.is_guess and each.wanted.name == "home"}
        is_sure = len(homes) == 1 and "home" not in told and "home" not in self._known
        for each in found:
            if not each.wanted.is_guess or each.wanted.name != "home" or is_sure:
                directories.add(each.wanted.rule, each.wanted.name, each.value)
        return directories

    def _found_in(self, part: JSON) -> tuple[Sequence[Finding], bool]:
        found: list[Finding] = []
        for text in texts_of(part):
            if isinstance(text, Located):
                found += text.findings
            found += self._by.search.scanner.findings(str(text))
        return [each for each in found if each.wanted.is_directory], True


def _locate(scanner: TextScanner, value: JSON, _place: Place) -> JSON:
    if type(value) is not str and type(value) is not Located:
        return value
    found = scanner.findings(str(value))
    if not found:
        return value
    return Located(value, (*value.findings, *found) if isinstance(value, Located) else found)


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
