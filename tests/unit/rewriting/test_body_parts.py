"""The values of a body in each of its forms, and where each of them is written."""

from typing import Any

import pytest

from wiretape.codecs.pieces import Pieces
from wiretape.rewriting.body_parts import Body, OtherText, Part


def told(body: Body) -> list[tuple[str, Any]]:
    return [("text", part.text) if isinstance(part, OtherText) else ("value", part.value) for part in body.parts()]


FORMS: list[tuple[str, list[tuple[str, Any]]]] = [
    ('{"a": 1}', [("value", {"a": 1})]),
    ('\ufeff \n{"a":\n1}', [("value", {"a": 1})]),
    ('[{"a": 1}, {"b": 2}]', [("value", {"a": 1}), ("value", {"b": 2})]),
    ('{"a": 1}\n{"b": 2}\n', [("value", {"a": 1}), ("value", {"b": 2}), ("text", "")]),
    ('{"a": 1}\nnone\n', [("value", {"a": 1}), ("text", "none"), ("text", "")]),
    ('{"a": NaN}', [("value", {"a": pytest.approx(float("nan"), nan_ok=True)})]),
    ('{"a": ', [("text", '{"a": ')]),
    ("{ no json\n at all", [("text", "{ no json\n at all")]),
    ("some text", [("text", "some text")]),
    ("", [("text", "")]),
    ('event: x\ndata: {"a": 1}\n\n', [("text", "event: x"), ("value", {"a": 1})]),
    ('data: {"a":\ndata: 1}\n\n', [("value", {"a": 1})]),
    ('data: {"a": 1}\ndata: [DONE]\n\n', [("value", {"a": 1}), ("value", "[DONE]")]),
    ("data: 1\r\n\r\n: note\r\ndata:2", [("value", 1), ("text", ": note"), ("value", 2)]),
]


@pytest.mark.parametrize(("text", "parts"), FORMS)
def test_the_parts_of_a_body(text: str, parts: list[tuple[str, Any]]) -> None:
    assert told(Body.of_text(text)) == parts
    assert told(Body.of_pieces(Pieces([text[:5].encode(), text[5:].encode()]))) == parts
    if "\r" not in text:
        assert told(Body.of_lines(text.split("\n"))) == parts


@pytest.mark.parametrize(
    "text",
    [
        '  {"a": "x"}',
        '[{"b": 1}, {"a": "x"}]',
        '{"b": 1}\n{"a": "x"}\n',
        'event: e\ndata: {"a":\ndata: "x"}\n\n',
        'data: "x"\n\n',
    ],
)
def test_a_part_knows_where_it_is_written(text: str) -> None:
    for part in Body.of_text(text).parts():
        if isinstance(part, Part) and '"x"' in part.raw:
            at = part.raw.index('"x"')
            start, end = part.place(at), part.place(at + 3, is_end=True)
            assert text[start:end] == '"x"'
            break
    else:
        pytest.fail("there is no such part")


def test_another_text_knows_where_it_stands() -> None:
    text = "data: 1\n\nid: 7\ndata: 2\n\n"
    (other,) = [part for part in Body.of_text(text).parts() if isinstance(part, OtherText)]
    assert text[other.start :].startswith(other.text)


def test_text_of_an_event_is_told_from_json() -> None:
    parts = [part for part in Body.of_text("data: hello\n\n").parts() if isinstance(part, Part)]
    assert [(part.value, part.is_json) for part in parts] == [("hello", False)]


def test_it_can_be_walked_again() -> None:
    body = Body.of_text('{"a": 1}')
    assert told(body) == told(body)
