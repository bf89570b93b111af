"""Where a value of a JSON text is written, and which of its characters came from where."""

import json

import pytest

from wiretape.redaction import members
from wiretape.rewriting import positions


@pytest.mark.parametrize(
    ("raw", "means"),
    [
        ("plain", "plain"),
        (r"\n\t\"\\\/\b\f\r", '\n\t"\\/\b\f\r'),
        (r"\u00fc", "ü"),
        (r"\ud83d\ude00", "😀"),
        (r"a\ud83d", "a\ud83d"),
        (r"\\n", "\\n"),
        (r"\\\n", "\\\n"),
        (r"\u00g0", "u00g0"),
        (r"\u0000\n", "\x00\n"),
        ("\x00\\n", "\x00\n"),
    ],
)
def test_a_text_without_its_escapes(raw: str, means: str) -> None:
    assert positions.unescaped(raw) == means
    assert positions.literals(f'"{raw}"')[0].text.text == means


@pytest.mark.parametrize(
    ("raw", "means", "part", "there"),
    [
        ("ab%20c", "ab c", (2, 3), "%20"),
        ("ab%20c", "ab c", (1, 4), "b%20c"),
        ("%C3%BCx", "üx", (0, 1), "%C3%BC"),
        ("abc", "abc", (1, 2), "b"),
        ("%61%62", "ab", (1, 2), "%62"),
        ("%61%62", "ab", (0, 1), "%61"),
        ("100%", "100%", (3, 4), "%"),
    ],
)
def test_a_part_of_a_decoded_text_stands_there(raw: str, means: str, part: tuple[int, int], there: str) -> None:
    around = f"<<{raw}>>"
    decoded = positions.unquoted(around, 2, 2 + len(raw))
    start, end = decoded.raw(*part)
    assert (decoded.text, around[start:end]) == (means, there)


def named(raw: str) -> list[tuple[str, str]]:
    return [(each.name, each.text.text) for each in positions.literals(raw, members.naming)]


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ('{"a": "x"}', [("", "a"), ("a", "x")]),
        ('["x", "y"]', [("", "x"), ("", "y")]),
        ('{"a": ["x"]}', [("", "a"), ("", "x")]),
        ('{"a": 1, "b": "x"}', [("", "a"), ("", "b"), ("b", "x")]),
        ('{"a": "cut', [("", "a"), ("a", "cut")]),
        ('{"a": "cut\\"', [("", "a"), ("a", 'cut"')]),
        ('t": "x"}', [("", ": "), ("", "}")]),
        ("", []),
        ('{"name": "password", "value": "x"}', [("", "name"), ("name", "password"), ("", "value"), ("password", "x")]),
        ('{"value": "x", "key": "token"}', [("", "value"), ("token", "x"), ("", "key"), ("key", "token")]),
        ('{"password": {"value": "x"}}', [("", "password"), ("", "value"), ("password", "x")]),
        ('{"password": {"value": "x"', [("", "password"), ("", "value"), ("password", "x")]),
    ],
)
def test_every_text_of_a_json_text_with_its_name(raw: str, found: list[tuple[str, str]]) -> None:
    assert named(raw) == found


RAW = '{"a": {"b": [1, "x", {"c": null}]}, "d\\u0065": true, "a2": "y", "a2": -1.5e3}'


@pytest.mark.parametrize(
    ("path", "there"),
    [
        (("a", "b", 0), "1"),
        (("a", "b", 1), '"x"'),
        (("a", "b", 2), '{"c": null}'),
        (("a", "b", 2, "c"), "null"),
        (("a", "b"), '[1, "x", {"c": null}]'),
        (("de",), "true"),
        (("a2",), "-1.5e3"),  # Of two members of one name the last counts, as parsers have it.
        ((), RAW),
    ],
)
def test_a_value_stands_there(path: positions.Path, there: str) -> None:
    start, end = positions.locate(RAW, {path})[path]
    assert RAW[start:end] == there
    value = json.loads(RAW)
    for step in path:
        value = value[step]
    assert json.loads(there) == value


def test_what_is_not_there_is_not_found() -> None:
    assert positions.locate(RAW, {("b",), ("a", "b", 3)}) == {}
