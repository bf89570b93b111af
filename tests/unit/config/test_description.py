"""What a value can be is checked, said in words, and told to editors: the same in all three."""

from typing import Any

import jsonschema
import pytest

from wiretape.config.description import (
    AnyTable,
    Flag,
    Key,
    ListOf,
    Number,
    OneOf,
    Rows,
    Table,
    Tables,
    Text,
    Value,
    Whole,
)
from wiretape.exceptions import ConfigurationError

MODE = Text(("live", "replay"))
TABLE = Table((Key("mode", MODE, "What is done.", is_needed=True), Key("count", Whole(1, 3), "How often.")))

VALUES: list[tuple[Value, list[Any], list[Any]]] = [
    (Text(), ["", "a"], [1, True, None, ["a"], {}]),
    (MODE, ["live"], ["", "LIVE", "reply", 1]),
    (Text(pattern="[0-9]+s"), ["1s"], ["", "s", "1s ", "x1s", "1sx"]),
    (Flag(), [True, False], [0, 1, "true"]),
    (Whole(), [0, -1, 10**20], [True, "1", 1.5]),
    (Whole(1, 3), [1, 3], [0, 4, True]),
    (Number("a part", 1, is_above=True), [1, 0.5, 1e-9], [0, -1, 1.5, True, "1", float("inf")]),
    (Number("a price", 9), [0, 9, 0.5], [-1, 9.5, True, "1", float("inf")]),
    (ListOf(Text(), "a list"), [[], ["a", "a"]], ["a", [1], {}]),
    (ListOf(Text(), "a list", is_filled=True, is_set=True), [["a"], ["a", "b"]], [[], ["a", "a"]]),
    (OneOf((Whole(1), Text()), "a number or a text"), [1, "a"], [0, True, []]),
    (AnyTable(), [{}, {"a": [1]}], [[], "a", 1]),
    (TABLE, [{"mode": "live"}, {"mode": "live", "count": 2}], [{}, {"mode": "x"}, {"mode": "live", "c": 1}, []]),
    (Tables(TABLE, "tables"), [{}, {"a": {"mode": "live"}}], [[], {"a": {}}, {"a": 1}]),
    (Rows(TABLE, "rows"), [[], [{"mode": "live"}]], [{}, [1], [{}]]),
]
CASES = [(value, each, True) for value, right, _ in VALUES for each in right]
CASES += [(value, each, False) for value, _, wrong in VALUES for each in wrong]


@pytest.mark.parametrize(("value", "given", "is_right"), CASES)
def test_a_check_and_the_schema_agree(value: Value, given: Any, is_right: bool) -> None:
    assert jsonschema.Draft7Validator(value.schema()).is_valid(given) is is_right
    if is_right:
        value.check(given, ("here",))
        return
    with pytest.raises(ConfigurationError) as raised:
        value.check(given, ("here",))
    assert raised.value.path[:1] == ("here",)


@pytest.mark.parametrize(
    ("given", "path", "says"),
    [
        ({"mode": "reply"}, (), "is one of live, replay, not 'reply': did you mean replay?"),
        ({"mode": "qqqq"}, ("mode",), "is one of live, replay, not 'qqqq'"),
        ({"mode": "live", "count": 9}, ("count",), "is a whole number, not 9"),
        ({"mode": "live", "cuont": 1}, (), "unknown key cuont: did you mean count? There are mode, count"),
        ({"count": 1}, (), "has no mode"),
        ("live", (), "is a table, not 'live'"),
    ],
)
def test_an_error_says_what_is_right_and_where(given: Any, path: tuple[str, ...], says: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        TABLE.check(given, ("session", "main"))
    assert str(raised.value) == says
    assert raised.value.path[2:][: len(path)] == path


def test_a_row_has_its_number() -> None:
    with pytest.raises(ConfigurationError) as raised:
        Rows(TABLE, "rows").check([{"mode": "live"}, {"mode": 1}], ("fault",))
    assert raised.value.path == ("fault", 1, "mode")
