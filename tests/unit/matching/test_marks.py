from typing import Any

import pytest

from wiretape.codecs import json_text
from wiretape.matching.marks import JsonText, Marked, dumps, literal, mark


def test_nobody_can_send_a_mark() -> None:
    text = mark("date")
    assert Marked(text) == text
    assert dumps(Marked(text)) != dumps(text)
    assert dumps({"a": [Marked(text)]}) != dumps({"a": [text]})


def test_nul_beside_a_mark_is_told_from_that_of_the_mark() -> None:
    assert literal("a\0b") + mark("date") != literal("a") + mark("date") + literal("b\0")


def test_json_in_a_string_is_written_in_one_way() -> None:
    assert JsonText({"b": 1, "a": "é"}).written() == '{"a":"é","b":1}'
    assert dumps(JsonText({"a": "\0"}).written()) == dumps('{"a":"\\u0000"}')


def test_json_in_a_string_with_a_mark_is_no_text_that_is_sent() -> None:
    written = JsonText({"a": Marked(mark("date"))}).written()
    assert written == '{"a":"\0date\0"}'
    assert dumps(written) not in (dumps(str(written)), dumps('{"a":"\\u0000date\\u0000"}'))


@pytest.mark.parametrize("text", ['"\\ud800"', "123456789012345678901234567890", "NaN", "[Infinity, 1]", "-1e400"])
def test_what_few_can_write_is_told_apart(text: str) -> None:
    value: Any = json_text.loads(text.encode())
    others = [dumps({"b": each, "a": 1}) for each in ("\ud801", 123456789012345678901234567891, None, "NaN", [None, 1])]
    assert dumps({"a": 1, "b": value}) == dumps({"b": value, "a": 1})
    assert dumps({"a": 1, "b": value}) not in others


def test_half_of_a_surrogate_pair_beside_a_mark() -> None:
    assert dumps(["\ud800", Marked(mark("x"))]) != dumps(["\ud800", mark("x")])
