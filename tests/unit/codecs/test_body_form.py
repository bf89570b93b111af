"""What a body is: told by what came, before what its content type says."""

import pytest

from wiretape.codecs.body_form import BodyForm, media_type, of, without_end_marker

EVENTS = "text/event-stream"
LINES = "application/x-ndjson"
JSON = "application/json"

FORMS = {
    "events": (EVENTS, b'data: {"a":1}\n\n', BodyForm.EVENTS),
    "events that say they are JSON": (JSON, b'data: {"a":1}\n\n', BodyForm.EVENTS),
    "events behind a comment": (JSON, b": hello\nevent: x\ndata: {}\n\n", BodyForm.EVENTS),
    "the end alone, of no type": ("", b"data: [DONE]\n\n", BodyForm.EVENTS),
    "JSON that says it is events": (EVENTS, b'{"a":1}', BodyForm.JSON),
    "JSON behind a byte order mark": (EVENTS, b'\xef\xbb\xbf \n{"a":1}', BodyForm.JSON),
    "lines": (LINES, b'{"a":1}\n{"a":2}\n', BodyForm.LINES),
    "lines that say they are JSON": (JSON, b'{"a":1}\n{"a":2}\n', BodyForm.LINES),
    "one line": (LINES, b'{"a":1}\n', BodyForm.LINES),
    "JSON over several lines": (JSON, b'{\n"a": [\n1]}\n', BodyForm.JSON),
    "two lines, of which the first is none": (JSON, b'{"a"\n{"a":2}', BodyForm.JSON),
    "JSON of a vendor": ("application/problem+json; charset=utf-8", b'"text"', BodyForm.JSON),
    "a text": ("text/plain", b"hello", BodyForm.OTHER),
    "data of a text": ("text/plain", b"data: hello", BodyForm.OTHER),
    "nothing": ("", b"", BodyForm.OTHER),
}


@pytest.mark.parametrize("case", FORMS)
def test_the_form_of_a_body(case: str) -> None:
    content_type, body, form = FORMS[case]
    assert of(content_type, body) is form
    assert of(content_type, bytearray(body)) is form


def test_a_media_type_has_no_parameters_and_no_case() -> None:
    assert media_type("Text/Event-Stream; Charset=utf-8") == EVENTS


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (b'{"a":1}\n\ndata: [DONE]\n\n', b'{"a":1}\n\n'),
        (b'{"a":1}data:[DONE]', b'{"a":1}'),
        (b'{"a":"data: x"}', b'{"a":"data: x"}'),
        (b'{"a":1}\ndata: [DONE]' + b" " * 100, b'{"a":1}\ndata: [DONE]' + b" " * 100),
    ],
)
def test_the_marker_of_an_end_is_taken_off(body: bytes, left: bytes) -> None:
    assert without_end_marker(body) == left
