"""Where the values of a JSON text stand in it, and which character of an encoded text came from where. Sans-IO.

Under ``encodings`` and ``bodies``: a secret is found in what a text means and taken out where that is written, so that
all around it stays byte for byte as it was.
"""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Container
from urllib.parse import unquote

from wiretape.redaction import members

type Path = tuple[str | int, ...]
"""Where a value stands in another: names of members and places in lists."""

# A text without its closing quote goes on to the end. Possessive, or a text of quotes alone would take squared time.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[{}\[\],:]|[^\s"{}\[\],:]++', re.DOTALL)
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
_PERCENT = re.compile(r"%[0-7][0-9a-fA-F]|(?:%[89a-fA-F][0-9a-fA-F])+")
_SENTINEL = "\x00"
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Decoded:
    """A text that another one encodes, and where each of its characters stands there."""

    def __init__(self, raw: str, start: int, end: int, escape: re.Pattern[str]) -> None:
        """``raw[start:end]`` is what is decoded, ``escape`` what stands for something else in it."""
        self._end = end
        self.text = raw[start:end]
        # Runs that stand for themselves and escapes: where each begins here and there, and whether it is a run.
        self._here: list[int] = []
        self._there: list[int] = []
        self._is_run: list[bool] = []
        if ("%" if escape is _PERCENT else "\\") not in self.text:
            self._add([], self.text, start, 0, is_run=True)  # As most are: quickly.
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
        """Return where the characters from ``start`` to ``end`` stand; an escape is taken whole."""
        first = bisect_right(self._here, start) - 1
        last = bisect_left(self._here, end) - 1
        begin = self._there[first]
        if self._is_run[first]:
            begin += start - self._here[first]
        if self._is_run[last]:
            return begin, self._there[last] + end - self._here[last]
        return begin, self._there[last + 1] if last + 1 < len(self._there) else self._end


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


def unquoted(raw: str, start: int, end: int) -> Decoded:
    """Return what a percent-encoded part of a text means."""
    return Decoded(raw, start, end, _PERCENT)


def unescaped(raw: str) -> str:
    """Return a text with what the escapes of a JSON text mean, wherever they stand."""
    if "\\" not in raw:
        return raw
    if _SENTINEL in raw or "\\u0000" in raw:
        return _ESCAPE.sub(lambda match: _meaning(match[0]), raw)
    # Much faster. Of several backslashes in a row, two and two are one, from the left.
    text = raw.replace("\\\\", _SENTINEL).replace('\\"', '"').replace("\\/", "/")
    for letter, meaning in _SHORT.items():
        text = text.replace("\\" + letter, meaning)
    if "\\u" in text:
        text = _ESCAPE.sub(lambda match: _meaning(match[0]) if match[0][1] == "u" else match[0], text)
    return text.replace(_SENTINEL, "\\")


class Literal:
    """A text in a JSON text."""

    def __init__(self, text: Decoded, name: str) -> None:
        self.text = text
        self.name = name
        """Of the member that it is the value of; empty for none."""


def literals(raw: str) -> list[Literal]:
    """Return every text in a JSON text, which may be cut off anywhere. Names of members come too, without a name."""
    found: list[Literal] = []
    name = ""
    before = ""
    # Of each object that is open: the member that it is the value of, its labels, and the values that those name.
    opened: list[tuple[str, dict[str, str], list[Literal]]] = [("", {}, [])]
    for match in _TOKEN.finditer(raw):
        mark = raw[match.start()]
        if mark == '"':
            closed = match.end() - match.start() > 1 and _is_closed(match[0])
            text = Decoded(raw, match.start() + 1, match.end() - closed, _ESCAPE)
            found.append(Literal(text, name if before == ":" else ""))
            if before == ":":
                _, labels, values = opened[-1]
                labels[name] = text.text
                values += [found[-1]] if name == "value" else []
            name = text.text
        elif mark == "{":
            opened.append((name if before == ":" else "", {}, []))
        elif mark == "}" and len(opened) > 1:
            _name_values(*opened.pop())
        before = mark
    for each in opened:
        _name_values(*each)
    return found


def _name_values(owner: str, labels: dict[str, str], values: list[Literal]) -> None:
    for value in values:
        value.name = members.naming(labels, owner)


def _is_closed(literal: str) -> bool:
    inside = literal[1:-1]
    return literal[-1] == '"' and (len(inside) - len(inside.rstrip("\\"))) % 2 == 0


def locate(raw: str, wanted: Container[Path]) -> dict[Path, tuple[int, int]]:
    """Return where values of a sound JSON text stand in it. Of members of one name the last counts."""
    found: dict[Path, tuple[int, int]] = {}
    path: list[str | int] = []
    opened: list[tuple[int, bool]] = []
    """Where each container that is open begins, and whether it is an object."""
    is_name = False
    for match in _TOKEN.finditer(raw):
        mark = raw[match.start()]
        if mark in "{[":
            opened.append((match.start(), mark == "{"))
            path.append("" if mark == "{" else 0)
            is_name = mark == "{"
        elif mark in "}]":
            start, _ = opened.pop()
            path.pop()
            if (here := (*path,)) in wanted:
                found[here] = start, match.end()
        elif mark == ",":
            is_name = opened[-1][1]
            place = path[-1]
            if isinstance(place, int):
                path[-1] = place + 1
        elif mark == ":":
            is_name = False
        elif is_name:
            name = match[0]
            path[-1] = json.loads(name) if "\\" in name else name[1:-1]
        elif (here := (*path,)) in wanted:
            found[here] = match.span()
    return found
