"""Where keys stand in a text, whatever the way in which TOML lets them be written."""

import tomllib
from typing import Any

import pytest

from places import CONFIG
from wiretape.config.description import Path
from wiretape.config.places import line_of

TEXT = (
    r'''# a comment with a = in it
top = 1

[session.main]   # a header with a comment
mode = "live"
"quoted \u0061" = 'a # that is none'
'literal' = """
[session.inside]
mode = 1
""""
many = [
  1, # [x]
  { a = 2 }, "]",
]
dotted . key = 3

[[fault]]
status = 429
[[fault]]

[fault.body.error]
message = """a"""
[endpoints."v1.2"]
"POST /x" = { kind = "http", recorded = "y" }
long = '''
    + """'''
two = 2'''''
last = true
"""
)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("session",), 4),
        (("session", "main"), 4),
        (("session", "main", "mode"), 5),
        (("session", "main", "quoted a"), 6),
        (("session", "main", "literal"), 7),
        (("session", "inside"), 4),
        (("session", "main", "many"), 11),
        (("session", "main", "many", 1, "a"), 11),
        (("session", "main", "dotted", "key"), 15),
        (("fault", 0, "status"), 18),
        (("fault", 1), 19),
        (("fault", 1, "body"), 21),
        (("fault", 1, "body", "error", "message"), 22),
        (("fault", 1, "nothing"), 19),
        (("endpoints", "v1.2", "POST /x", "recorded"), 24),
        (("endpoints", "v1.2", "long"), 25),
        (("endpoints", "v1.2", "two"), 23),
        (("endpoints", "v1.2", "last"), 27),
        (("nothing",), 0),
        ((), 0),
    ],
)
def test_the_line_of_a_path(path: Path, line: int) -> None:
    assert line_of(TEXT, path) == line


def test_lines_may_end_in_crlf() -> None:
    assert line_of(TEXT.replace("\n", "\r\n"), ("endpoints", "v1.2", "last")) == 27


def paths(value: Any, path: Path = ()) -> list[Path]:
    """Every path of a table's values that is not inside an inline one."""
    if isinstance(value, dict):
        return [path, *(each for key, below in value.items() for each in paths(below, (*path, key)))]
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return [each for number, below in enumerate(value) for each in paths(below, (*path, number))]
    return [path]


@pytest.mark.parametrize("name", ["wiretape.toml", "providers.toml", "presets.toml"])
def test_every_key_of_a_file_is_found_and_none_comes_before_its_table(name: str) -> None:
    text = (CONFIG / name).read_text("utf-8")
    lines = text.splitlines()
    found = 0
    for path in paths(tomllib.loads(text))[1:]:
        line = line_of(text, path)
        keys = [part for part in path if isinstance(part, str)]
        assert any(key in lines[line - 1] for key in keys), path
        found += keys[-1] in lines[line - 1]
    assert found > 20
