"""Which fields an answer has, and how that changes."""

from typing import Any

import pytest

from wiretape.library.answer_shape import changes, shape

ENDED = {"index": 0, "finish_reason": "stop"}

CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "a field comes": ({}, {"service_tier": "flex"}, ["service_tier came (text)"]),
    "a field goes": ({"extra": {"a": 1}}, {}, ["extra went (object)"]),
    "a field has another type": ({"extra": 1}, {"extra": "1"}, ["extra: number -> text"]),
    "a whole number and a fraction": ({"extra": 1}, {"extra": 0.5}, []),
    "a null comes": ({}, {"extra": None}, []),
    "items of a list": (
        {"extra": [{"a": 1}]},
        {"extra": [{"b": 1}]},
        ["extra[].a went (number)", "extra[].b came (number)"],
    ),
    "a list that was empty": ({"extra": []}, {"extra": [{"a": 1}]}, []),
    "names that somebody made up": ({"metadata": {"a": "1"}}, {"metadata": {"b": "1"}}, []),
    "a part of another type": (
        {"parts": [{"type": "text", "text": "a"}]},
        {"parts": [{"type": "text", "text": "a"}, {"type": "image", "url": "u"}]},
        ["parts[]<image> came (object)"],
    ),
    "an event": ({"type": "start", "a": 1}, {"type": "end", "a": 1}, ["<end> came (object)", "<start> went (object)"]),
    "an event that comes when it takes long": ({}, {"type": "ping", "a": 1}, []),
    "a list of lists": ({"a": [[1]]}, {"a": [["1"]]}, ["a[][]: number -> text"]),
    "no list any more": ({"a": [{"b": 1}]}, {"a": {"b": 1}}, ["a: list -> object", "a.b came (number)"]),
    "a vector": ({"embedding": [1, 2]}, {"embedding": [1, 2, 3]}, ["embedding: 2 numbers -> 3 numbers"]),
    "true": ({"a": True}, {"a": 1}, ["a: true or false -> number"]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_fields_that_come_go_or_change(name: str) -> None:
    before, after, expected = CHANGES[name]
    assert [str(each) for each in changes(shape([ENDED, before]), shape([ENDED, after]))] == expected


def test_elements_count_together_and_their_order_does_not() -> None:
    pieces = [{"a": 1}, {"b": "x"}, {"a": None, "c": []}]
    assert shape(pieces) == shape(pieces[::-1]) == shape([{"a": 1, "b": "x", "c": []}])


def test_what_somebody_has_written_is_bounded() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = {"a": deep}
    assert len(shape([deep])) < 100
    assert len(shape([{str(number): 1 for number in range(20_000)}])) <= 5000
