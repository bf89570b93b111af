from functools import partial
from typing import Any

import pytest

from wiretape.matching import parts as parts_module
from wiretape.matching import reduction
from wiretape.matching.parts import PartMemory, Parts
from wiretape.matching.rules import Kind, MatchRule, Places
from wiretape.recording import RecordedRequest

UUID = "0199f3a2-7c1b-7def-8a01-23456789abcd"
OTHER = "0199f3a2-7c1b-7def-8a01-23456789abce"

RULES = (MatchRule("own", kinds=(Kind.DATES, Kind.UUIDS, Kind.PATHS), whitespace=True),)


def reduced(*texts: str, places: Places | None = None, by: reduction.Reducer | None = None) -> reduction.Reduced:
    messages = [{"role": "user", "content": text} for text in texts]
    request = RecordedRequest("https://x/v1/chat/completions", {"messages": messages}, "/v1/chat/completions")
    return (by or reduction.reducer(RULES)).reduce(request, places or Places())


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ({"model": "m", "b": 1, "messages": [{"a": [1]}, {"b": 2}]}, [1, {"a": [1]}, {"b": 2}]),
        ({"request": {"contents": [1, 2], "x": {"y": 1}}}, [1, 2, {"y": 1}]),
        ({"system": "x", "tools": []}, ["x"]),
        (["x"], ["x"]),
        ("x", ["x"]),
    ],
)
def test_a_body_is_taken_apart_and_joined(body: Any, parts: list[Any]) -> None:
    taken_apart = Parts(body, frozenset({"model"}))
    assert taken_apart.each == parts
    assert taken_apart.joined(iter(taken_apart.each)) == body


def test_a_part_is_looked_through_once() -> None:
    by = reduction.Reducer(RULES)
    one = reduced("On 2026-11-27", by=by)
    two = reduced("On 2026-11-27", "And then?", by=by)
    assert two.body["messages"][0] is one.body["messages"][0]
    assert two.taken == one.taken


def test_what_was_found_in_a_part_is_of_the_directories_that_were_looked_for() -> None:
    by = reduction.Reducer(RULES)
    without = reduced("in /srv/a", by=by)
    having = reduced("in /srv/a", places=Places(cwd=("/srv/a",)), by=by)
    assert without.body["messages"][0]["content"] == "in /srv/a"
    assert having.body["messages"][0]["content"] == "in \0cwd\0"
    assert reduced("in /srv/a", by=by) == without


def test_the_number_of_a_tracked_value_depends_on_what_was_before() -> None:
    by = reduction.Reducer(RULES)
    assert reduced(f"see {UUID}", by=by).body["messages"][-1]["content"] == "see \0uuid 1\0"
    assert reduced(f"first {OTHER}", f"see {UUID}", by=by).body["messages"][-1]["content"] == "see \0uuid 2\0"
    assert reduced(f"first {UUID}", f"see {UUID}", by=by).body["messages"][-1]["content"] == "see \0uuid 1\0"


def test_what_leaves_no_mark_is_told_with_its_part() -> None:
    one = reduced("a  b", "a b")
    two = reduced("a b", "a  b")
    assert one.digest == two.digest
    assert reduction.needed(one, two) == ("own",)


def test_the_memory_of_parts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "_REMEMBERED", 5000)
    memory = PartMemory()
    looked: list[int] = []

    def find(number: int) -> tuple[int, bool]:
        looked.append(number)
        return number, True

    for _ in range(2):
        for number in range(10):
            assert memory.recall("x", b"%d" % number, partial(find, number)) == number
    assert 10 < len(looked) <= 20
    assert memory.recall("x", b"9", partial(find, 9)) == 9
    assert looked.count(9) == 2


@pytest.mark.parametrize("path", ["/wörk/a", '/a"b/c', "/a\\b/c", "/a\nb", "/work/\ud800"])
@pytest.mark.parametrize("beside", ["", "\ud800", 1 << 70])
def test_a_directory_is_found_however_it_is_written(path: str, beside: Any) -> None:
    by = reduction.Reducer(RULES)
    part = {"text": f"in {path}/x", "beside": beside}
    request = RecordedRequest("https://x/v1/chat/completions", {"messages": [part]}, "/v1/chat/completions")
    assert by.reduce(request, Places(cwd=(path,))).body["messages"][0]["text"] == "in \0cwd\0/x"
