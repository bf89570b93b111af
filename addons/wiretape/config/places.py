"""Where in a TOML text a key stands: text -> path -> line. Beside the parser of the standard library, which tells none.

It is asked after the parser has taken the text, and only where an error is to be told, so it need not say what is no
TOML: of such a text it knows some keys or none. A path is as in ``ConfigurationError``; what stands inside a value, as
the keys of an inline table, has the line of the key that it belongs to. It takes time in proportion to the text.
"""

import re
import tomllib
from collections.abc import Iterator

from wiretape.config.description import Path

_TOKEN = re.compile(
    r'''
      (?P<skip>   [ \t\r]+ | \#[^\n]* )
    | (?P<long>   """ (?: [^"\\] | \\[\s\S] | "(?!"") )*+ (?: """"{0,2} | \\? \Z )
                | \'\'\' (?: [^'] | '(?!'') )*+ (?: \'\'\''{0,2} | \Z ) )
    | (?P<quoted> " (?: [^"\\\n] | \\[^\n] )*+ (?: " | \\? (?=\n|\Z) )
                | ' [^'\n]*+ (?: ' | (?=\n|\Z) ) )
    | (?P<bare>   [A-Za-z0-9_-]+ )
    | (?P<mark>   [\s\S] )
    ''',
    re.VERBOSE,
)


_WORDS = 140
"""Words of a key or a header that are looked at: a name and a dot for each of 64 parts, more than which none has."""


def line_of(text: str, path: Path) -> int:
    """Return the line, from 1, where what is at a path begins, or the nearest above it that is known; 0 for none."""
    lines: dict[Path, int] = {}
    for known, line in _keys(text):
        # A table of several headers begins at its first.
        for length in range(1, len(known) + 1):
            lines.setdefault(known[:length], line)
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 0


def _keys(text: str) -> Iterator[tuple[Path, int]]:
    """Yield each table and key, with its line, in the order of the text."""
    table: Path = ()
    rows: dict[Path, int] = {}
    """Of each array of tables how many there are so far."""
    for line, words in _statements(text):
        names = [_name(word) for word in words if word not in ("[", "]", ".", "=")]
        if words[:2] == ["[", "["]:
            above = _numbered(names[:-1], rows)
            last = (*above, *names[-1:])
            rows[last] = rows.get(last, 0) + 1
            table = (*last, rows[last] - 1)
            yield table, line
        elif words[0] == "[":
            table = _numbered(names, rows)
            yield table, line
        elif names:
            yield (*table, *names), line


def _numbered(names: list[str], rows: dict[Path, int]) -> Path:
    """Return the path of a table by its header: below an array of tables, in the last of them."""
    path: Path = ()
    for name in names:
        path = (*path, name)
        if path in rows:
            path = (*path, rows[path] - 1)
    return path


def _statements(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each header, and of each ``key = value`` what is before the value, as words with their line."""
    line = 1
    began = 1
    words: list[str] = []
    depth = 0
    """Brackets of a value that are open."""
    in_value = False
    for token in _TOKEN.finditer(text):
        word = token.group()
        if token.lastgroup == "mark" and word == "\n" and not depth:
            if words:
                yield began, words
            words = []
            in_value = False
        elif in_value:
            if token.lastgroup == "mark":
                depth += (word in "[{") - (word in "]}")
        elif token.lastgroup != "skip":
            if not words:
                began = line
            if len(words) < _WORDS:
                words.append(word)
            in_value = word == "="
        line += word.count("\n")
    if words:
        yield began, words


def _name(word: str) -> str:
    """Return the name that a part of a key stands for."""
    if word[0] not in "\"'":
        return word
    try:
        return str(tomllib.loads(f"name = {word}")["name"])
    except ValueError:
        return word
