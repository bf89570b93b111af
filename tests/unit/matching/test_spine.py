import copy
from typing import Any

import pytest

from wiretape.matching.json_path import compiled
from wiretape.matching.spine import Spine

BODY: Any = {
    "messages": [
        {"calls": [{"id": "a", "in": {"id": 1}}, {"id": "b"}, "x"]},
        {"calls": '[{"id": "c"}]'},
        {"calls": [{"id": "d", "type": "x"}]},
        None,
    ]
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.messages[*].calls[*].id", ["a", "b", "d"]),
        ("$.messages[0].calls[*].id", ["a", "b"]),
        ("$.messages[*].calls[?@.type == 'x'].id", ["d"]),
        ("$.messages[*].calls[*].in.id", [1]),
        ("$.messages[*].*[*].id", ["a", "b", "d"]),
        ("$.messages.id", []),
        ("$.none[*].id", []),
        ("$.messages[9].id", []),
    ],
)
def test_what_is_at_the_end_of_a_way_can_be_changed(path: str, found: list[Any]) -> None:
    before = copy.deepcopy(BODY)
    member = compiled(path).member
    assert member
    way, name = member
    spine = Spine(BODY)
    there = [each for each in spine.objects(way) if name in each]
    assert [each[name] for each in there] == found
    for each in there:
        each[name] = "changed"
    assert before == BODY
    assert str(spine.value).count("changed") == len(found)


def test_ways_that_begin_alike_lead_to_the_same_copies() -> None:
    spine = Spine(BODY)
    (inner,) = spine.objects(("messages", None, "calls", None, "in"))
    first = spine.objects(("messages", None, "calls", None))[0]
    assert first["in"] is inner


def test_what_has_no_inside_has_no_objects() -> None:
    assert Spine("x").objects(()) == []
    assert Spine("x").value == "x"


def test_a_path_that_ends_elsewhere_has_no_member() -> None:
    assert compiled("$.a[*]").member is None
    assert compiled("$..a").member is None
