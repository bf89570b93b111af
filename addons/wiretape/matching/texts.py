"""What rules look for in texts, and where it is: patterns, and directories. Below ``reduction``.

A text is searched once: most of what an agent sends it has sent before, in the turn before this one. Which patterns
are in a text at all is told by one pass of all of them together; only those are then asked where.
"""

import functools
import json
import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import re2

from wiretape.codecs.patterns import text_pattern
from wiretape.matching import kinds
from wiretape.matching.rules import PLACES, Kind, MatchRule, Replacement

_REMEMBERED = 4 << 20
"""Characters of texts of which it is kept what is in them."""

_TEXT_COSTS = 200
"""Characters that a short text counts as, for what is kept beside it."""

_MEMORY_OF_SET = 16 << 20
"""Bytes that the automaton of all patterns together may take."""


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What is looked for."""

    rule: MatchRule
    pattern: str
    name: str
    kind: Kind | None = None
    """Of which it is, where it is of one."""
    is_tracked: bool = False
    is_place: bool = False
    """Whether it is a directory itself, and no pattern."""

    @property
    def is_directory(self) -> bool:
        """Whether what a pattern finds is a directory, which is taken out wherever else it stands."""
        return self.name in PLACES and not self.is_place

    @property
    def label(self) -> str:
        """What tells it from all others."""
        return f"{self.rule.name} {self.name} {self.pattern}"

    @property
    def is_guess(self) -> bool:
        """Whether only its form tells that it is a directory of the client's."""
        return self.kind is Kind.PATHS

    @property
    def is_bound(self) -> bool:
        """Whether what is found means something by itself, so that it can be put into an answer."""
        return self.kind not in kinds.UNBOUND


class Finding(NamedTuple):
    """Something that was found in a text."""

    start: int
    end: int
    value: str
    wanted: Wanted


def wanted(rules: Sequence[MatchRule]) -> Iterator[tuple[Wanted, str]]:
    """Yield what rules look for in texts, each with the path where; an empty one is everywhere."""
    for rule in rules:
        for each in rule.replace:
            yield _wanted(rule, each), each.path
        for kind in rule.kinds:
            for each in kinds.replacements(kind):
                for path in rule.paths or ("",):
                    yield _wanted(rule, each, kind), path


def _wanted(rule: MatchRule, each: Replacement, kind: Kind | None = None) -> Wanted:
    return Wanted(rule, each.pattern, each.name or rule.name, kind, each.is_tracked)


_compiled = functools.lru_cache(maxsize=1024)(text_pattern)


class TextScanner:
    """Finds in texts what is wanted. For any thread."""

    def __init__(self, wanted: Iterable[Wanted]) -> None:
        """Raises ValueError for a pattern that is none."""
        self._wanted = (*wanted,)
        self.finds_directories = any(each.is_directory for each in self._wanted)
        self._patterns = [_compiled(each.pattern) for each in self._wanted]
        self._groups = [min(1, each.groups) for each in self._patterns]
        self._set = _set_of([each.pattern for each in self._wanted]) if self._wanted else None
        self._known: dict[str, tuple[Finding, ...]] = {}
        self._size = 0

    def findings(self, text: str) -> Sequence[Finding]:
        """Return what is in a text, in the order of what is wanted; there may be several at one place."""
        if not self._wanted:
            return ()
        found = self._known.get(text)
        if found is None:
            found = (*self._search(text),)
            self._size += len(text) + _TEXT_COSTS * (1 + len(found))
            if self._size > _REMEMBERED:
                self._known = {}
                self._size = len(text)
            self._known[text] = found
        return found

    def _search(self, text: str) -> Iterator[Finding]:
        # Half a surrogate pair is in no pattern: it only has to keep its place.
        data = text.encode("utf-8", "surrogatepass")
        in_it = range(len(self._wanted)) if self._set is None else sorted(self._set.Match(data) or ())
        for number in in_it:
            wanted = self._wanted[number]
            group = self._groups[number]
            # Places are in bytes; of a long text each byte is counted once.
            characters = 0
            counted = 0
            for match in self._patterns[number].finditer(data):
                start, end = match.span(group)
                if start >= end:
                    continue
                value = data[start:end].decode("utf-8", "surrogatepass")
                if wanted.kind and not kinds.is_one(wanted.name, value):
                    continue
                characters += len(data[counted:start].decode("utf-8", "surrogatepass"))
                counted = start
                yield Finding(characters, characters + len(value), value, wanted)


def _set_of(patterns: Sequence[str]) -> Any:
    """Return what tells which patterns are in a text; None where they are too large together: then each is asked."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_OF_SET
    made = re2.Set.SearchSet(options)
    for pattern in patterns:
        made.Add(pattern)
    try:
        made.Compile()
    except re2.error:
        return None
    return made


def apart(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in their order, without those that overlap an earlier or, at one place, a longer one.

    Of two at the very same place the first stays.
    """
    chosen: list[Finding] = []
    end = 0
    for each in sorted(findings, key=lambda found: (found.start, -found.end)):
        if each.start >= end:
            chosen.append(each)
            end = each.end
    return chosen


# -- directories -------------------------------------------------------------------------------------------------------

_ABSOLUTE = re.compile(r"[/\\~]|[A-Za-z]:[/\\]")
"""How a directory begins: a word is none, whatever a text says of it."""
_SLUG = re.compile("[^A-Za-z0-9]")
_GOES_ON = re.compile(r"[\w-]|\.\w")
"""What follows on a part of another name, not on a directory's own: ``/work`` is not in ``/workshop``."""
_IN_A_PATH = re.compile(r"/[\w.-]+\Z")
"""What stands before a part of another path: ``/work`` is not in ``/mnt/work``."""
_IN_A_NAME = re.compile(r"[\w-]\Z")
"""What stands before a part of another name: ``-root`` is not in ``non-root``."""

_LONGEST_NAME = 256
"""Characters of a name in a path, at most."""

_SHORTEST = 4
"""Characters of a directory that is looked for: ``/`` is everywhere."""

_MOST = 32
"""Paths of directories that are looked for in one request, whatever it or its recording names."""


class Directories:
    """The directories that are taken out of one request."""

    def __init__(self) -> None:
        self._wanted: dict[str, Wanted] = {}
        """By what is looked for, the longest first."""
        self._counts: dict[str, int] = {}
        self._paths = 0
        self._needles: list[bytes] | None = None

    def __bool__(self) -> bool:
        return bool(self._wanted)

    @property
    def key(self) -> Hashable:
        """What is equal for those that find the same."""
        return tuple((path, wanted.rule.name, wanted.name) for path, wanted in self._wanted.items())

    def add(self, rule: MatchRule, name: str, *paths: str) -> None:
        """Take out a directory from now on, and the name that programs make of it: ``-home-a-proj``.

        ``paths``: all that lead to it.
        """
        stripped = dict.fromkeys(path.rstrip("/\\") for path in paths if _ABSOLUTE.match(path))
        new = [path for path in stripped if len(path) >= _SHORTEST and path not in self._wanted]
        new = new[: _MOST - self._paths]
        if not new:
            return
        self._paths += len(new)
        count = self._counts[name] = self._counts.get(name, 0) + 1
        label = name if count == 1 else f"{name} {count}"
        for path in new:
            self._wanted[path] = Wanted(rule, "", label, is_place=True)
            self._wanted.setdefault(_SLUG.sub("-", path), Wanted(rule, "", f"{label} as a name", is_place=True))
        self._wanted = dict(sorted(self._wanted.items(), key=lambda item: -len(item[0])))

    def may_be_in(self, data: bytes) -> bool:
        """Return whether one may be in a text of a value that is written as JSON."""
        if self._needles is None:
            # What few can write is written in ASCII.
            texts = {json.dumps(path, ensure_ascii=each)[1:-1] for path in self._wanted for each in (True, False)}
            self._needles = [each.encode("utf-8", "surrogatepass") for each in texts]
        return any(each in data for each in self._needles)

    def findings(self, text: str) -> Iterator[Finding]:
        """Yield where directories are in a text."""
        for path, wanted in self._wanted.items():
            start = text.find(path)
            while start >= 0:
                end = start + len(path)
                if _stands_alone(text, start, end):
                    yield Finding(start, end, path, wanted)
                start = text.find(path, end)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Return whether a directory, or a name that was made of one, is no part of another."""
    if _GOES_ON.match(text, end):
        return False
    if text.startswith("//", start - 1) and start:
        return text.endswith("://", 0, start)  # file:///home/a, and not http://home/a
    # Nearly always there is a blank or a quote, and nothing more to look at.
    if start == 0 or not _IN_A_NAME.match(text[start - 1].replace(".", "_")):
        return True
    before = text[max(0, start - _LONGEST_NAME) : start]
    is_part = _IN_A_NAME if text[start] == "-" else _IN_A_PATH
    return is_part.search(before) is None
