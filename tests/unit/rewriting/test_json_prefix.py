"""How far a text is JSON."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiretape.rewriting.json_prefix import begins_json, json_end

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40)
@given(value=st.dictionaries(st.text(), VALUES, min_size=1) | st.lists(VALUES) | st.text(), data=st.data())
def test_json_is_json_to_its_end_and_wherever_it_is_cut_off(value: object, data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=data.draw(st.booleans()))
    assert json_end(text) == len(text)
    cut = text[: data.draw(st.integers(1, len(text)))]
    assert json_end(cut) == len(cut)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("", 0),
        ("text", 0),
        ("[note] a text", 0),
        ('"quoted" and a text', 0),
        ("[1, 2] a text", 0),
        ("{a: 1}", 6),
        ('{"a": 1} and a text', 9),
        ('{"a": "\u00e9"} and', 14),
        (' \n[{"a": nul', 12),
        ('{"a": 1}{"b": 2}', 16),
    ],
)
def test_a_text_behind_json_is_none_and_without_members_nothing_is(text: str, end: int) -> None:
    assert json_end(text) == end


@pytest.mark.parametrize(("text", "begins"), [('{"', True), (" [", True), ('"', True), ("a{", False), ("", False)])
def test_json_begins_with_one_of_its_marks(text: str, begins: bool) -> None:
    assert begins_json(text) is begins
