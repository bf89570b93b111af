"""What rules look for in texts, and where it is: patterns, and directories. Below ``reduction``.

A text is searched once: most of what an agent sends it has sent before, in the turn before this one. Which patterns
are in a text at all is told by one pass of all of them together; only those are then asked where.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import re2

from wiretape.matching import kinds
from wiretape.matching.rules import PLACES, MatchRule, Replacement
from wiretape.redaction.rules import text_pattern

_REMEMBERED = 32 << 20
"""Characters of texts of which it is kept what is in them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for."""

    rule: MatchRule
    pattern: str
    name: str
    is_tracked: bool = False
    is_directory: bool = False


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
                    yield _wanted(rule, each), path


def _wanted(rule: MatchRule, each: Replacement) -> Wanted:
    return Wanted(rule, each.pattern, each.name or rule.name, each.is_tracked, each.name in PLACES)


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    try:
        return text_pattern(pattern)
    except re2.error as e:
        reason = e.args[0].decode() if isinstance(e.args[0], bytes) else e.args[0]
        raise ValueError(f"{pattern!r} is no pattern of RE2 ({reason})") from e


class TextScanner:
    """Finds in texts what is wanted. For any thread."""

    def __init__(self, wanted: Iterable[Wanted]) -> None:
        """Raises ValueError for a pattern that is none."""
        self._wanted = (*wanted,)
        self._patterns = [_compiled(each.pattern) for each in self._wanted]
        self._set = _set_of([each.pattern for each in self._wanted]) if self._wanted else None
        self._known: dict[str, tuple[Finding, ...]] = {}
        self._size = 0

    def findings(self, text: str) -> Sequence[Finding]:
        """Return what is in a text, in the order of what is wanted; there may be several at one place."""
        if self._set is None:
            return ()
        found = self._known.get(text)
        if found is None:
            found = (*self._search(text),)
            self._size += len(text)
            if self._size > _REMEMBERED:
                self._known = {}
                self._size = len(text)
            self._known[text] = found
        return found

    def _search(self, text: str) -> Iterator[Finding]:
        assert self._set
        # Half a surrogate pair is in no pattern: it only has to keep its place.
        data = text.encode("utf-8", "surrogatepass")
        for number in sorted(self._set.Match(data) or ()):
            wanted = self._wanted[number]
            pattern = self._patterns[number]
            group = min(1, pattern.groups)
            for match in pattern.finditer(data):
                start, end = match.span(group)
                if start < end:
                    before = len(data[:start].decode("utf-8", "surrogatepass"))
                    value = data[start:end].decode("utf-8", "surrogatepass")
                    yield Finding(before, before + len(value), value, wanted)


def _set_of(patterns: Sequence[str]) -> Any:
    options = re2.Options()
    options.log_errors = False
    made = re2.Set.SearchSet(options)
    for pattern in patterns:
        made.Add(pattern)
    made.Compile()
    return made


def apart(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in their order, without those that overlap an earlier or, at one place, a longer one."""
    chosen: list[Finding] = []
    end = 0
    for each in sorted(findings, key=lambda found: (found.start, -found.end)):
        if each.start >= end:
            chosen.append(each)
            end = each.end
    return chosen


# -- directories -------------------------------------------------------------------------------------------------------

_SLUG = re.compile("[^A-Za-z0-9]")
_GOES_ON = re.compile(r"[\w-]|\.\w")
"""What follows on a part of another name, not on a directory's own: ``/work`` is not in ``/workshop``."""

_SHORTEST = 4
"""Characters of a directory that is looked for: ``/`` is everywhere."""


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory of a client's, or the name that a program makes of one: ``-home-a-proj``."""

    rule: MatchRule
    name: str
    path: str


class Directories:
    """The directories that are taken out of one request."""

    def __init__(self) -> None:
        self._wanted: dict[str, Wanted] = {}
        """By what is looked for, the longest first."""
        self._counts: dict[str, int] = {}

    def add(self, rule: MatchRule, name: str, *paths: str) -> None:
        """Take out a directory from now on. ``paths``: all that lead to it."""
        wanted = [path.rstrip("/\\") for path in paths]
        new = [path for path in wanted if len(path) >= _SHORTEST and path not in self._wanted]
        if not new:
            return
        count = self._counts[name] = self._counts.get(name, 0) + 1
        label = name if count == 1 else f"{name} {count}"
        for path in new:
            self._wanted[path] = Wanted(rule, "", label, is_directory=True)
            slug = _SLUG.sub("-", path)
            self._wanted.setdefault(slug, Wanted(rule, "", f"{label} as a name", is_directory=True))
        self._wanted = dict(sorted(self._wanted.items(), key=lambda item: -len(item[0])))

    def inside(self, texts: Iterable[str]) -> list[Directory]:
        """Return those that are in a text, in a stable order."""
        left = dict(self._wanted)
        present = []
        for text in texts:
            for path in [path for path in left if path in text]:
                each = left.pop(path)
                present.append(Directory(each.rule, each.name, path))
            if not left:
                break
        return sorted(present, key=lambda each: each.name)

    def findings(self, text: str) -> Iterator[Finding]:
        """Yield where directories are in a text."""
        for path, wanted in self._wanted.items():
            start = text.find(path)
            while start >= 0:
                end = start + len(path)
                if not _GOES_ON.match(text, end):
                    yield Finding(start, end, path, wanted)
                start = text.find(path, end)
