"""Patterns in paths: what is found, and that no text makes it take long."""

import pytest

from wiretape.matching import json_edits, json_path
from wiretape.recording import JSON

ITEMS: list[JSON] = [{"a": "build 12"}, {"a": "a build"}, {"a": 12}, {"b": "build 12"}, {"a": "\ud800 build 12"}]


def found(path: str) -> list[int]:
    """The numbers of the items at a path."""
    left = json_edits.edit(json_path.compiled(path), ITEMS, lambda *_: json_edits.REMOVED)
    assert isinstance(left, list)
    return [number for number, item in enumerate(ITEMS) if item not in left]


@pytest.mark.parametrize(
    ("path", "numbers"),
    [
        ("$[?search(@.a, '[0-9]+')]", [0, 4]),
        ("$[?match(@.a, 'build [0-9]+')]", [0]),
        ("$[?match(@.a, 'build')]", []),
        ("$[?search(@.a, '^.* build')]", [1, 4]),
        ("$[?search(@.a, '(')]", []),
        ("$[?search(@.a, '(?=b)')]", []),
        ("$[?!search(@.a, 'build')]", [2, 3]),
    ],
)
def test_a_pattern_is_of_a_text(path: str, numbers: list[int]) -> None:
    assert found(path) == numbers


def test_a_pattern_that_backtracks_elsewhere_does_not_here() -> None:
    path = json_path.compiled("$[?search(@.a, '(a|a)+$')].a")
    body: JSON = [{"a": "a" * 5_000 + "b"}]
    assert json_edits.edit(path, body, lambda value, *_: value) is body
