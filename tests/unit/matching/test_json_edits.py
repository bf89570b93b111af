from typing import Any

import pytest

from wiretape.matching.json_edits import REMOVED, edit
from wiretape.matching.json_path import compiled
from wiretape.matching.marks import JsonText

BODY: Any = {
    "metadata": {"user_id": '{"session_id":"s","device":"d"}', "x": 1},
    "tools": [{"name": "b", "q": 1}, {"name": "a"}],
}


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("$.metadata.user_id.session_id", {"metadata": {"user_id": JsonText({"device": "d"}), "x": 1}}),
        ("$.tools[?@.name=='b'].q", {"tools": [{"name": "b"}, {"name": "a"}]}),
        ("$.tools[?@.name != 'b']", {"tools": [{"name": "b", "q": 1}]}),
        ("$..name", {"tools": [{"q": 1}, {}]}),
        ("$.tools[1:]", {"tools": [{"name": "b", "q": 1}]}),
        ("$.tools[0]", {"tools": [{"name": "a"}]}),
        ("$['metadata']['x']", {"metadata": {"user_id": BODY["metadata"]["user_id"]}}),
        ("$.nothing[*].there", {}),
    ],
)
def test_what_is_at_a_path_goes(path: str, changed: dict[str, Any]) -> None:
    assert edit(compiled(path), BODY, lambda _value, _place: REMOVED) == {**BODY, **changed}


def test_a_path_of_the_library_leads_as_deep_as_bodies_are() -> None:
    deep: Any = {"id": 1, "x": 2}
    for _ in range(198):
        deep = [deep]
    assert str(edit(compiled("$..id"), deep, lambda _value, _place: REMOVED)).strip("[]") == "{'x': 2}"


def test_the_order_of_members_is_not_that_in_which_they_were_sent() -> None:
    places: list[Any] = []

    def note(value: Any, place: Any) -> Any:
        places.append(place)
        return value

    for body in ({"b": {"id": 1}, "a": [{"id": 2}]}, {"a": [{"id": 2}], "b": {"id": 1}}):
        assert edit(compiled("$..id"), body, note) is body
    assert places == [("a", 0, "id"), ("b", "id")] * 2


def test_what_is_within_a_place_is_changed_before_the_place() -> None:
    def noted(value: Any, _place: Any) -> Any:
        return [value, "!"] if isinstance(value, list) else 0

    assert edit(compiled("$..*"), {"a": [1, 2]}, noted) == {"a": [[0, 0], "!"]}


def test_only_a_name_leads_into_json_in_a_string() -> None:
    body = {"a": '{"id": 1}', "b": '[{"id": 1}]', "c": "{", "d": '{"e": "{\\"id\\": 1}"}'}
    gone = {**body, "a": JsonText({})}
    for path in ("$.a.id", "$['a']['id']", "$.*.id", "$.a['id','x']"):
        assert edit(compiled(path), body, lambda _value, _place: REMOVED) == gone
    for path in ("$.b[*].id", "$.a[*]", "$.a.*", "$..id", "$.b[0]", "$.b[?@.id]", "$.c.id"):
        assert edit(compiled(path), body, lambda _value, _place: REMOVED) is body
    assert edit(compiled("$.d.e.id"), body, lambda _value, _place: REMOVED)["d"] == JsonText({"e": JsonText({})})
    assert edit(compiled("$.a.id"), body, lambda _value, _place: REMOVED, into_texts=False) is body
    assert edit(compiled("$.a['id','x']"), body, lambda _value, _place: REMOVED, into_texts=False) is body


def test_conditions_are_those_of_the_standard() -> None:
    items = [{"t": "a", "e": "x", "n": 1}, {"t": "b", "e": None}, {"e": ""}, "t"]
    found = {
        "$[?@.t == 'a']": [1, 2, 3],
        "$[?@.t != 'a']": [0],
        "$[?@.t != 'a' && @.t != 'b']": [0, 1],
        "$[?@.e > '']": [1, 2, 3],
        "$[?@.n == 1]": [1, 2, 3],
        "$[?@.t == 'a' || @.e == '']": [1, 3],
    }
    for path, left in found.items():
        made = edit(compiled(path), items, lambda _value, _place: REMOVED)
        assert (path, made) == (path, [items[number] for number in left])
