"""What a configuration can say, as data: a wrong value is told with its path and what is right."""

import re
from typing import Any

import pytest

from wiretape.config.description import Flag, Key, ListOf, Rows, Share, Table, Tables, Text, Whole
from wiretape.exceptions import ConfigurationError

MODE = Text(("live", "replay"))
PLACE = Table((Key("mode", MODE, "of it"), Key("n", Whole(1, 9), "how many")))

RIGHT: list[tuple[Any, Any]] = [
    (Text(), "anything"),
    (Text(), ""),
    (MODE, "live"),
    (Text(pattern="[a-z]+"), "abc"),
    (Flag(), True),
    (Whole(), -7),
    (Whole(1, 9), 1),
    (Whole(1, 9), 9),
    (Share("a share"), 1),
    (Share("a share"), 0.25),
    (ListOf(Text(), "texts"), []),
    (ListOf(Text(), "texts", is_set=True), ["a", "b"]),
    (PLACE, {}),
    (PLACE, {"mode": "live", "n": 2}),
    (Tables(PLACE, "tables"), {"any name": {"n": 1}}),
    (Rows(PLACE, "rows"), [{"n": 1}, {}]),
]
WRONG: list[tuple[Any, Any, str]] = [
    (Text(), 7, "is a text, not 7"),
    (MODE, "reply", "is one of live, replay, not 'reply': did you mean replay?"),
    (MODE, "", "is one of live, replay, not ''"),
    (Text(pattern="[a-z]+", said="small letters"), "aB", "is small letters, not 'aB'"),
    (Text(), ["x" * 200], "..."),
    (Flag(), 1, "is true or false, not 1"),
    (Whole(), True, "is a whole number, not True"),
    (Whole(), 1.0, "is a whole number, not 1.0"),
    (Whole(1, 9), 0, "not 0"),
    (Whole(1, 9), 10, "not 10"),
    (Share("a share"), 0, "is a share, not 0"),
    (Share("a share"), 1.01, "is a share, not 1.01"),
    (Share("a share"), True, "is a share, not True"),
    (ListOf(Text(), "texts"), "a", "texts"),
    (ListOf(Text(), "texts", is_filled=True), [], "texts"),
    (ListOf(Text(), "texts", is_set=True), ["a", "a"], "texts"),
    (PLACE, [], "is a table, not []"),
    (PLACE, {"mod": "live"}, "mode"),
    (Table((Key("a", Text(), "x", is_needed=True),)), {}, "has no a"),
    (Tables(PLACE, "tables, each with a name"), [], "is tables, each with a name"),
    (Rows(PLACE, "rows"), {}, "is rows"),
]


@pytest.mark.parametrize(("kind", "value"), RIGHT)
def test_what_is_right(kind: Any, value: Any) -> None:
    kind.check(value, ())


@pytest.mark.parametrize(("kind", "value", "says"), WRONG)
def test_what_is_wrong_is_said(kind: Any, value: Any, says: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(says)):
        kind.check(value, ("x",))


@pytest.mark.parametrize(
    ("kind", "value", "path"),
    [
        (PLACE, {"n": "x"}, ("top", "n")),
        (Tables(PLACE, "tables"), {"main": {"n": 0}}, ("top", "main", "n")),
        (Rows(PLACE, "rows"), [{}, {"mode": "x"}], ("top", 1, "mode")),
    ],
)
def test_the_place_of_what_is_wrong(kind: Any, value: Any, path: tuple[str | int, ...]) -> None:
    with pytest.raises(ConfigurationError) as raised:
        kind.check(value, ("top",))
    assert raised.value.path == path


def test_the_same_as_a_schema_for_editors() -> None:
    assert PLACE.schema() == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "mode": {"description": "of it", "type": "string", "enum": ["live", "replay"]},
            "n": {"description": "how many", "type": "integer", "minimum": 1, "maximum": 9},
        },
    }
    assert Rows(PLACE, "x").schema()["type"] == "array"
    assert Tables(PLACE, "x").schema() == {"type": "object", "additionalProperties": PLACE.schema()}
    assert Share("x").schema() == {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
    assert Text(pattern="a|b").schema() == {"type": "string", "pattern": "^(?:a|b)$"}
    assert Flag().schema() == {"type": "boolean"}
