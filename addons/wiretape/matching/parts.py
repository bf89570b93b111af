"""The parts of a request whose texts are looked through: a message, a tool, a block of the system. Below ``reduction``.

An agent sends what it has sent before, and a little more: nearly all parts of a request were in the one before it. So
what is found in a part is kept, by the part itself as it is written, and a part is looked through once.

    parts = Parts(body)                 # after what is ignored is gone, and ids have their marks
    parts.each                          # the messages, tools and so on
    parts.joined(searched)              # the body, with what was made of each of them

What is made of a part depends on nothing but the part and the directories that are looked for, unless a value in its
texts is tracked: its number depends on what was before. Such a part is looked through each time.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from wiretape.matching import marks
from wiretape.matching.marks import JsonText, Located, Marked
from wiretape.matching.rules import MatchRule
from wiretape.matching.texts import Directories, Finding, TextScanner, apart
from wiretape.recording import JSON

_DEPTH = 2
"""How deep lists are taken apart: ``request.contents``. Objects are so one level less."""

_REMEMBERED = 16 << 20
"""Bytes of parts of which it is kept what was found."""

_PART_COSTS = 1000
"""Bytes that a small part counts as, for what is kept beside it."""


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
    place: tuple[str | int, ...]
    value: JSON


class Searched(NamedTuple):
    """A part without what was taken out of its texts."""

    value: JSON
    data: bytes
    """As it is written."""
    taken: Sequence[Taken]
    left_out: Sequence[LeftOut]


class Parts:
    """A body that is taken apart."""

    def __init__(self, body: JSON, names: frozenset[str]) -> None:
        """``names``: members at the top whose values are not looked through."""
        self._body = body
        self._names = names
        self.each = [*_taken_apart(body, names, 0)]

    def joined(self, parts: Iterator[Any]) -> JSON:
        """Return the body with other values for its parts."""
        return _joined(self._body, self._names, 0, parts)


def _is_whole(value: JSON, depth: int) -> bool:
    return not isinstance(value, dict | list) or depth > (_DEPTH if isinstance(value, list) else _DEPTH - 1)


def _taken_apart(value: JSON, names: frozenset[str], depth: int) -> Iterator[JSON]:
    if _is_whole(value, depth):
        yield value
    elif isinstance(value, dict):
        for name in sorted(value):
            if name not in names:
                yield from _taken_apart(value[name], names, depth + 1)
    else:
        for item in value:
            yield from _taken_apart(item, names, depth + 1)


def _joined(value: JSON, names: frozenset[str], depth: int, parts: Iterator[Any]) -> JSON:
    if _is_whole(value, depth):
        return next(parts)
    if isinstance(value, dict):
        return {
            name: value[name] if name in names else _joined(value[name], names, depth + 1, parts)
            for name in sorted(value)
        }
    return [_joined(item, names, depth + 1, parts) for item in value]


# -- what is made of a part --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Search:
    """What is taken out of texts."""

    scanner: TextScanner
    numbers: MatchRule | None
    """By which ``1`` and ``1.0`` are the same."""
    whitespace: MatchRule | None
    """By which blanks are."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a first look at a part has shown."""

    directories: Sequence[Finding]
    """Those that a pattern finds."""
    is_clean: bool
    """Whether nothing is to be taken out of it, unless it has a directory that was found elsewhere."""


def look(search: Search, part: JSON) -> tuple[Look, bool]:
    """Return what is seen of a part, which is always this."""
    found: list[Finding] = []
    is_clean = not search.numbers and not search.whitespace
    for text in texts_of(part):
        is_clean = is_clean and type(text) is str
        if isinstance(text, Located):
            found += text.findings
        found += search.scanner.findings(str(text))
    return Look([each for each in found if each.wanted.is_directory], is_clean and not found), True


class PartMemory:
    """What was found in parts. For any thread."""

    def __init__(self) -> None:
        self._known: dict[tuple[Hashable, bytes], Any] = {}
        self._size = 0

    def recall[T](self, question: Hashable, data: bytes, find: Callable[[], tuple[T, bool]]) -> T:
        """Return what is found in a part that is written so; ``find`` says whether it is always this."""
        key = question, data
        found: T | None = self._known.get(key)
        if found is None:
            found, is_lasting = find()
            if is_lasting:
                self._size += 2 * len(data) + _PART_COSTS
                if self._size > _REMEMBERED:
                    self._known = {}
                    self._size = 0
                self._known[question, marks.trimmed(data)] = found
        return found


class PartSearch:
    """Looks through one part."""

    def __init__(self, search: Search, directories: Directories, numbers: dict[str, dict[JSON, int]]) -> None:
        """``numbers``: those of the tracked values by their names, of the whole request; they are added to."""
        self._search = search
        self._directories = directories
        self._numbers = numbers
        self._leaves = 0
        self._taken: list[Taken] = []
        self._left_out: list[LeftOut] = []
        self.is_lasting = True
        """Whether what was made of it is always this."""

    def searched(self, value: JSON) -> Searched:
        """Return a part without what is taken out of its texts."""
        made = self._value(value)
        return Searched(made, marks.trimmed(marks.dumps(made)), self._taken, self._left_out)

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
        if kind is float and self._search.numbers:
            return self._whole(self._search.numbers, value)
        return value

    def _whole(self, rule: MatchRule, value: float) -> float | int:
        self._leaves += 1
        if not value.is_integer():
            return value
        self._left_out.append(LeftOut(rule, (self._leaves,), value))
        return int(value)

    def _text(self, text: str, located: Sequence[Finding]) -> str:
        findings = [each for each in self._search.scanner.findings(text) if not each.wanted.is_directory]
        findings += (each for each in located if not each.wanted.is_directory)
        if self._directories:
            findings += self._directories.findings(text)
        made = self._without(text, findings) if findings else text
        if self._search.whitespace:
            joined = " ".join(made.split())
            self._leaves += 1
            if joined != made:
                self._left_out.append(LeftOut(self._search.whitespace, (self._leaves,), made))
                made = joined
        return Marked(made) if findings else made

    def _without(self, text: str, findings: Sequence[Finding]) -> str:
        """Return a text with marks in the place of what was found in it."""
        pieces = []
        end = 0
        for each in apart(findings):
            pieces.append(marks.literal(text[end : each.start]))
            pieces.append(self._mark_of(each))
            end = each.end
        pieces.append(marks.literal(text[end:]))
        return "".join(pieces)

    def _mark_of(self, found: Finding) -> str:
        wanted = found.wanted
        self._taken.append(Taken(wanted.rule, wanted.name, found.value, wanted.is_place, wanted.is_bound))
        if not wanted.is_tracked:
            return marks.mark(wanted.name)
        self.is_lasting = False
        return numbered(self._numbers, wanted.name, found.value)


def numbered(numbers: dict[str, dict[JSON, int]], name: str, value: JSON) -> str:
    """Return the mark of a value of which equal ones have to be equal in the other request too."""
    known = numbers.setdefault(name, {})
    return marks.mark(name, known.setdefault(value, len(known) + 1))


def texts_of(value: JSON) -> Iterator[str]:
    """Yield the texts in a value, but for those that stand for something that was taken out."""
    match value:
        case Marked():
            return
        case str():
            yield value
        case dict():
            for name in sorted(value):
                yield from texts_of(value[name])
        case list():
            for item in value:
                yield from texts_of(item)
        case JsonText():
            # It is to be written in any case.
            yield Located("", ())
            yield from texts_of(value.value)
