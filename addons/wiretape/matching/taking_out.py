"""Takes out of one request what rules say. Below ``reduction``.

The order of what is done:

1. what is ignored goes;
2. lists are sorted whose order does not count;
3. ids are numbered: those that are given first, then those that name one of them, which the request may not have;
4. what is looked for at paths is found, and kept with its text;
5. the body is taken apart, and each part is looked at: which directories are there, known or found by a pattern;
6. each part is searched for all of it: what is found gets its mark, in one go;
7. what was found is looked for in answers that were sent back (``repeated``).

So no step sees a mark as a text, and a directory that is found in the last message is taken out of the first.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from wiretape.matching import json_edits, json_path, marks, ordering, repeated, texts
from wiretape.matching.json_edits import REMOVED, Place
from wiretape.matching.json_path import JsonPath
from wiretape.matching.marks import Located, Marked
from wiretape.matching.parts import LeftOut, Look, PartMemory, PartSearch, Search, Searched, Taken, look, numbered
from wiretape.matching.rules import Kind, MatchRule, Places
from wiretape.matching.spine import Spine
from wiretape.matching.texts import Directories, Finding, TextScanner
from wiretape.recording import JSON

_LOOK = "a first look"
"""What a part is asked for, before it is searched."""


class Instructions:
    """What rules say, made ready. For any thread."""

    def __init__(self, rules: tuple[MatchRule, ...]) -> None:
        """Raises ValueError for a path or a pattern that is none."""
        wanted = [*texts.wanted(rules)]
        self.patterns = [(each.pattern, path) for each, path in wanted]
        self.ignored = [(rule, path) for rule in rules for path in _paths(rule.ignore)]
        self.unordered = [(rule, each) for rule in rules for each in rule.unordered]
        self.ids = [(rule, path) for rule in rules for path in _paths(rule.ids)]
        self.references = [(rule, path) for rule in rules for path in _paths(rule.references)]
        self.at_paths = [
            (json_path.compiled(path), TextScanner(each for each, where in wanted if where == path))
            for path in dict.fromkeys(path for _, path in wanted if path)
        ]
        self.paths_rule = next((rule for rule in rules if Kind.PATHS in rule.kinds), None)
        """The rule by which directories are taken out that are known of the client."""
        self.search = Search(
            TextScanner(each for each, path in wanted if not path),
            numbers=next((rule for rule in rules if rule.numbers), None),
            whitespace=next((rule for rule in rules if rule.whitespace), None),
        )
        self.memory = PartMemory()


def _paths(paths: Sequence[str]) -> list[JsonPath]:
    return [json_path.compiled(each) for each in paths]


class TakingOut:
    """One request that is being reduced: what is left of it, and what was taken out."""

    def __init__(self, by: Instructions, places: Places) -> None:
        self._by = by
        self._known = places.known() if by.paths_rule else {}
        self._numbers: dict[str, dict[JSON, int]] = {}
        self.taken: list[Taken] = []
        self.left_out: list[LeftOut] = []

    def without_ids(self, body: JSON) -> JSON:
        """Return a body without what is ignored, in one order, with marks for ids; what is found at paths is told."""
        by = self._by
        for rule, path in by.ignored:
            body = json_edits.edit(path, body, partial(self._ignore, rule))
        for rule, unordered in by.unordered:
            body, orders = ordering.sorted_lists(body, unordered)
            self.left_out += (LeftOut(rule, (number,), order) for number, order in enumerate(orders))
        body = self._with_ids(body)
        for path, scanner in by.at_paths:
            body = json_edits.edit(path, body, partial(_locate, scanner))
        return body

    def _ignore(self, rule: MatchRule, value: JSON, place: Place) -> JSON:
        self.left_out.append(LeftOut(rule, place, value))
        return REMOVED

    def _with_ids(self, body: JSON) -> JSON:
        """Return a body with marks for ids: those that are given first, then those that name one of them."""
        spine = Spine(body)
        for rule, path in self._by.ids:
            spine = _changed_at(path, spine, partial(self._number, rule))
        for rule, path in self._by.references:
            spine = _changed_at(path, spine, partial(self._refer, rule))
        return spine.value

    def _number(self, rule: MatchRule, value: JSON) -> JSON:
        # What is marked already is the first rule's.
        if type(value) is not str and type(value) is not int:
            return value
        self.taken.append(Taken(rule, rule.name, value))
        return Marked(numbered(self._numbers, rule.name, value))

    def _refer(self, rule: MatchRule, value: JSON) -> JSON:
        if type(value) is not str and type(value) is not int:
            return value
        number = self._numbers.get(rule.name, {}).get(value)
        return value if number is None else Marked(marks.mark(rule.name, number))

    def searched(self, parts: Sequence[JSON]) -> list[Searched]:
        """Return parts without what is taken out of their texts."""
        memory = self._by.memory
        written = [*map(marks.dumps, parts)]
        looks = [
            memory.recall(_LOOK, data, partial(look, self._by.search, part))
            for part, data in zip(parts, written, strict=True)
        ]
        directories = self._directories(each for seen in looks for each in seen.directories)
        question = directories.key
        made: list[Searched] = []
        for part, data, seen in zip(parts, written, looks, strict=True):
            search = partial(self._search, part, data, seen, directories)
            made.append(memory.recall(question, data, search))
        made = repeated.without_repeated(made)
        self._collect(made)
        return made

    def _search(self, part: JSON, data: bytes, seen: Look, directories: Directories) -> tuple[Searched, bool]:
        if seen.is_clean and not directories.may_be_in(data):
            return Searched(part, data, (), ()), True
        search = PartSearch(self._by.search, directories, self._numbers)
        return search.searched(part), search.is_lasting

    def _collect(self, parts: Sequence[Searched]) -> None:
        """Tell what was taken out of parts, each directory once."""
        seen: set[JSON] = set()
        for number, part in enumerate(parts):
            self.left_out += (LeftOut(rule, (number, *place), value) for rule, place, value in part.left_out)
            for each in part.taken:
                if not each.is_directory or each.value not in seen:
                    self.taken.append(each)
                    seen.add(each.value)

    def _directories(self, findings: Iterable[Finding]) -> Directories:
        """Return which directories there are: those that are known, and those that a rule finds in the texts.

        What has but the form of somebody's home is that of the client where there is one alone, and no directory of the
        client's is known: a recording tells those alone that its texts name, so its home is none of them then.
        """
        directories = Directories()
        for name, paths in self._known.items():
            assert self._by.paths_rule
            directories.add(self._by.paths_rule, name, *paths)
        found = [*findings]
        told = {each.wanted.name for each in found if not each.wanted.is_guess}
        homes = {each.value for each in found if each.wanted.is_guess and each.wanted.name == "home"}
        is_sure = len(homes) == 1 and "home" not in told and not self._known
        for each in found:
            if not each.wanted.is_guess or each.wanted.name != "home" or is_sure:
                directories.add(each.wanted.rule, each.wanted.name, each.value)
        return directories


def _changed_at(path: JsonPath, spine: Spine, change: Callable[[JSON], JSON]) -> Spine:
    if path.member is None:
        return Spine(json_edits.edit(path, spine.value, lambda value, _place: change(value), into_texts=False))
    way, name = path.member
    for each in spine.objects(way):
        if name in each:
            each[name] = change(each[name])
    return spine


def _locate(scanner: TextScanner, value: JSON, _place: Place) -> JSON:
    if type(value) is not str and type(value) is not Located:
        return value
    found = scanner.findings(str(value))
    if not found:
        return value
    return Located(value, (*value.findings, *found) if isinstance(value, Located) else found)
