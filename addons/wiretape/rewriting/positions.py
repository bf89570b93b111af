"""Positions: where the values of a JSON text stand in it, and where each character of a decoded text came from.
Sans-IO.

What is to be replaced is found in what a text means, and replaced where that is written, so that everything around it
stays byte for byte as it was.
"""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Mapping
from urllib.parse import unquote

type Path = tuple[str | int, ...]
"""The place of a value in another one: names of members and numbers of elements."""

type Naming = Callable[[Mapping[str, object], str], str]
"""Returns the name of a member ``value``, given the members beside it and the name of the object that it is in."""

# A text without its closing quote goes on to the end. The quantifiers are possessive: otherwise it would be quadratic.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[{}\[\],:]|[^\s"{}\[\],:]++', re.DOTALL)
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
_PERCENT = re.compile(r"%[0-7][0-9a-fA-F]|(?:%[89a-fA-F][0-9a-fA-F])+")
_SENTINEL = "\x00"
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Decoded:
    """The meaning of an encoded text, and the place in the encoded text of each of its characters."""

    def __init__(self, raw: str, start: int, end: int, escape: re.Pattern[str]) -> None:
        """``raw[start:end]`` is the encoded text; ``escape`` matches what encodes a character in it."""
        self._end = end
        self.text = raw[start:end]
        # For each run of plain characters and each escape: where it begins in ``text`` and in ``raw``, and which it is.
        self._here: list[int] = []
        self._there: list[int] = []
        self._is_run: list[bool] = []
        mark = "\\"
        if escape is _PERCENT:
            mark = "%"
        if mark not in self.text:  # Most texts have no escape.
            self._add([], self.text, start, 0, is_run=True)
            return
        pieces: list[str] = []
        length = 0
        at = start
        for match in escape.finditer(raw, start, end):
            if match.start() > at:
                length = self._add(pieces, raw[at : match.start()], at, length, is_run=True)
            length = self._add(pieces, _meaning(match[0]), match.start(), length, is_run=False)
            at = match.end()
        if at < end:
            self._add(pieces, raw[at:end], at, length, is_run=True)
        self.text = "".join(pieces)

    def _add(self, pieces: list[str], piece: str, there: int, length: int, *, is_run: bool) -> int:
        pieces.append(piece)
        self._here.append(length)
        self._there.append(there)
        self._is_run.append(is_run)
        return length + len(piece)

    def raw(self, start: int, end: int) -> tuple[int, int]:
        """Return the place in the encoded text of the characters from ``start`` to ``end``. An escape is never cut."""
        first = bisect_right(self._here, start) - 1
        last = bisect_left(self._here, end) - 1
        begin = self._there[first]
        if self._is_run[first]:
            begin += start - self._here[first]
        if self._is_run[last]:
            return begin, self._there[last] + end - self._here[last]
        if last + 1 < len(self._there):
            return begin, self._there[last + 1]
        return begin, self._end


def _meaning(escape: str) -> str:
    if escape[0] == "%":
        return unquote(escape)
    if escape[1] == "u":
        try:
            meaning: str = json.loads(f'"{escape}"')
        except ValueError:
            return escape[1:]
        return meaning
    return _SHORT.get(escape[1], escape[1])


def _meaning_of_unicode(match: re.Match[str]) -> str:
    if match[0][1] == "u":
        return _meaning(match[0])
    return match[0]


def unquoted(raw: str, start: int, end: int) -> Decoded:
    """Return the meaning of a percent-encoded part of a text."""
    return Decoded(raw, start, end, _PERCENT)


def unescaped(raw: str) -> str:
    """Return a text in which each escape of JSON is replaced by its meaning."""
    if "\\" not in raw:
        return raw
    if _SENTINEL in raw or "\\u0000" in raw:
        return _ESCAPE.sub(lambda match: _meaning(match[0]), raw)
    # This way is much faster. Backslashes in a row are taken in pairs, from the left: each pair means one backslash.
    text = raw.replace("\\\\", _SENTINEL).replace('\\"', '"').replace("\\/", "/")
    for letter, meaning in _SHORT.items():
        text = text.replace("\\" + letter, meaning)
    if "\\u" in text:
        text = _ESCAPE.sub(_meaning_of_unicode, text)
    return text.replace(_SENTINEL, "\\")


class Literal:
    """A text within a JSON text."""

    def __init__(self, text: Decoded, name: str) -> None:
        self.text = text
        self.name = name
        """The name of the member whose value the text is; empty where it is the value of none."""


def as_it_is(_beside: Mapping[str, object], _owner: str) -> str:
    """Return the name of a member ``value``, which no label beside it names otherwise."""
    return "value"


def literals(raw: str, naming: Naming = as_it_is) -> list[Literal]:
    """Return every text in a JSON text, which may be cut off anywhere. The names of members are texts
    without a name.
    """
    texts: list[Literal] = []
    name = ""
    before = ""
    # For each open object: the name of the member whose value it is, its labels, and the ``value``s that those name.
    opened: list[tuple[str, dict[str, str], list[Literal]]] = [("", {}, [])]
    for match in _TOKEN.finditer(raw):
        mark = raw[match.start()]
        if mark == '"':
            closed = match.end() - match.start() > 1 and _is_closed(match[0])
            text = Decoded(raw, match.start() + 1, match.end() - closed, _ESCAPE)
            literal = Literal(text, "")
            texts.append(literal)
            if before == ":":
                literal.name = name
                _, labels, values = opened[-1]
                labels[name] = text.text
                if name == "value":
                    values.append(literal)
            name = text.text
        elif mark == "{":
            owner = ""
            if before == ":":
                owner = name
            opened.append((owner, {}, []))
        elif mark == "}" and len(opened) > 1:
            _name_values(naming, *opened.pop())
        before = mark
    for each in opened:
        _name_values(naming, *each)
    return texts


def _name_values(naming: Naming, owner: str, labels: dict[str, str], values: list[Literal]) -> None:
    for value in values:
        value.name = naming(labels, owner)


def _is_closed(literal: str) -> bool:
    inside = literal[1:-1]
    return literal[-1] == '"' and (len(inside) - len(inside.rstrip("\\"))) % 2 == 0


def _member(literal: str) -> str:
    name: str = json.loads(literal) if "\\" in literal else literal[1:-1]
    return name


def locate(raw: str, wanted: Container[Path]) -> dict[Path, tuple[int, int]]:
    """Return where the wanted values of a valid JSON text stand in it. Of members with the same name,
    the last counts.
    """
    places: dict[Path, tuple[int, int]] = {}
    path: list[str | int] = []
    opened: list[tuple[int, bool]] = []
    """For each open container: where it begins, and whether it is an object."""
    is_name = False
    for match in _TOKEN.finditer(raw):
        mark = raw[match.start()]
        if mark in "{[":
            opened.append((match.start(), mark == "{"))
            is_name = mark == "{"
            path.append("" if is_name else 0)
        elif mark in "}]":
            start, _ = opened.pop()
            path.pop()
            here = (*path,)
            if here in wanted:
                places[here] = start, match.end()
        elif mark == ",":
            is_name = opened[-1][1]
            place = path[-1]
            if isinstance(place, int):
                path[-1] = place + 1
        elif mark == ":":
            is_name = False
        elif is_name:
            path[-1] = _member(match[0])
        else:
            here = (*path,)
            if here in wanted:
                places[here] = match.span()
    return places
