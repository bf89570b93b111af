"""Changes of a JSON value: made at their paths, and nowhere else."""

from typing import Any

import pytest

from wiretape.codecs.remade import Remade
from wiretape.rewriting.changes import Change, applied, outermost, renamed, shown
from wiretape.rewriting.positions import Path


def change(*path: str | int, value: Any = "*") -> Change:
    return Change(path, value, "d")


def test_what_changes_is_another_and_the_rest_the_very_same() -> None:
    value: list[dict[str, Any]] = [{"a": {"b": ["x", "y"]}, "c": {"d": 1}}, {"e": 2}]
    done = applied(value, [change(0, "a", "b", 1), change(1, "e", value=None)])
    assert done == [{"a": {"b": ["x", "*"]}, "c": {"d": 1}}, {"e": None}]
    assert done[0]["c"] is value[0]["c"]
    assert value == [{"a": {"b": ["x", "y"]}, "c": {"d": 1}}, {"e": 2}]
    assert applied(value, []) == value


def test_what_is_made_anew_is_changed_as_a_list_is() -> None:
    value = Remade.of(lambda: iter([{"a": 1}, {"a": 2}]))
    assert [*applied(value, [change(1, "a")])] == [{"a": 1}, {"a": "*"}]
    assert [*renamed(value, {"a": "b"})] == [{"b": 1}, {"b": 2}]


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ([("a",), ("a", "b")], [("a",), ("a", "b")]),  # A text has nothing inside.
        ([("a", "b"), ("c",)], [("a", "b"), ("c",)]),
    ],
)
def test_texts_are_all_changed(changed: list[Path], kept: list[Path]) -> None:
    assert [each.path for each in outermost([change(*path) for path in changed])] == kept


def test_what_is_inside_of_a_value_that_is_replaced_is_left_out() -> None:
    outer = change("a", value=["new"])
    inside, beside = change("a", 0, "b"), change("ab")
    assert outermost([inside, outer, beside]) == [outer, beside]


def test_members_are_renamed_wherever_they_are() -> None:
    assert renamed({"x": [{"x": 1, "y": "x"}]}, {"x": "z"}) == {"z": [{"z": 1, "y": "x"}]}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((1, "__data__", "choices", 0, "delta"), "[1].__data__.choices[0].delta"),
        (("a", "b"), "a.b"),
        (("a", 0, 1), "a[0][1]"),
        ((), ""),
    ],
)
def test_a_path_as_people_read_it(path: Path, text: str) -> None:
    assert shown(path) == text
