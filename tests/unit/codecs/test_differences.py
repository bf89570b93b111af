"""Where two values differ, for people: each place by its path."""

import json
from typing import Any

import pytest

from wiretape.codecs import differences
from wiretape.codecs.differences import ABSENT, Difference

LONG = "\n".join(f"line {number}" for number in range(40))

CASES: dict[str, tuple[Any, Any, list[tuple[str, Any, Any]]]] = {
    "nothing": ({"a": [1, {"b": "c"}]}, {"a": [1, {"b": "c"}]}, []),
    "a leaf": ({"a": {"b": 1}}, {"a": {"b": 2}}, [("a.b", 1, 2)]),
    "true is not one": ({"a": True}, {"a": 1}, [("a", True, 1)]),
    "a whole number is not one with a fraction": ({"a": 1}, {"a": 1.0}, [("a", 1, 1.0)]),
    "a member more and one less": ({"a": 1}, {"b": 2}, [("a", 1, ABSENT), ("b", ABSENT, 2)]),
    "nothing in one of them": ({}, {"b": 2}, [("b", ABSENT, 2)]),
    "an item more, before others": ([1, 2, 3], [0, 1, 2, 3], [("[0]", ABSENT, 0)]),
    "an item less": ([1, 2, 3], [1, 3], [("[1]", 2, ABSENT)]),
    "an item that is another": ([{"a": 1}, 2], [{"a": 3}, 2], [("[0].a", 1, 3)]),
    "a key that is no plain word": ({"a b": 1}, {"a b": 2}, [('"a b"', 1, 2)]),
    "another kind": ({"a": [1]}, {"a": {"b": 1}}, [("a", [1], {"b": 1})]),
    "a short text": ("abc", "abd", [("", "abc", "abd")]),
    "a line of a long text": (LONG, LONG.replace("line 7\n", "LINE 7\n"), [(", line 8", "line 7", "LINE 7")]),
    "JSON in a text": ({"a": '{"b": {"c": 1}}'}, {"a": '{"b": {"c": 2}}'}, [("a.b.c", 1, 2)]),
    "JSON in a text, of another form": ({"a": '{"b":1}'}, {"a": '{"b": 1}'}, [("a", '{"b":1}', '{"b": 1}')]),
    "JSON in one of two texts": ({"a": '{"b":1}'}, {"a": "{b}"}, [("a", '{"b":1}', "{b}")]),
    "a line more": (LONG, f"new\n{LONG}", [(", line 1", ABSENT, "new")]),
}


@pytest.mark.parametrize("case", CASES)
def test_each_place_is_told(case: str) -> None:
    here, there, told = CASES[case]
    assert [*differences.differences(here, there)] == [Difference(*each) for each in told]


def test_the_same_from_the_other_side() -> None:
    for here, there, told in CASES.values():
        found = [*differences.differences(there, here)]
        assert sorted(each.path for each in found) == sorted(path for path, _, _ in told)


def test_a_path_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = differences.differences({"k" * 1000: 1}, {"k" * 1000: 2})
    assert len(found.path) < 300
    monkeypatch.setattr(differences, "_ALIGNED", 3)
    many = [*differences.differences([*range(10)], [*range(1, 11)])]
    assert len(many) == 10


def test_the_way_to_a_value_is_told() -> None:
    here = {"m": [{"content": LONG, "meta": '{"a b": [1]}'}]}
    there = {"m": [{"content": LONG.replace("line 7\n", "LINE 7\n"), "meta": '{"a b": [2]}'}]}
    steps = [each.steps for each in differences.differences(here, there)]
    assert steps == [("m", 0, "content"), ("m", 0, "meta", "a b", 0)]


def test_texts_in_texts_in_texts_are_looked_into_so_far() -> None:
    here, there = "1", "2"
    for _ in range(12):
        here = json.dumps("[" * 40 + here + "]" * 40)[1:-1] if here == "1" else json.dumps([here])
        there = json.dumps("[" * 40 + there + "]" * 40)[1:-1] if there == "2" else json.dumps([there])
    (found,) = differences.differences(here, there)
    assert len(found.steps) <= 200
