"""What is passed on: kept in the form in which it came, sent out again byte for byte, and nothing that is not whole."""

from typing import Any

import pytest

from wiretape.providers.answers import BrokeOffError, HoldsError, LiveResponse, UnrecordableError
from wiretape.providers.passthrough import PASSED_ON
from wiretape.providers.usage import Usage
from wiretape.recording import RecordedRequest, Recording

POST = RecordedRequest("https://api.example.com/v1/x", {}, "")
GET = RecordedRequest("https://api.example.com/v1/x", {}, "", method="GET")
JSON = "application/json"
EVENTS = "text/event-stream"
LINES = "application/x-ndjson"


def live(body: str | bytes, content_type: str = JSON, status: int = 200, **more: Any) -> LiveResponse:
    data = body.encode() if isinstance(body, str) else body
    headers = (("content-type", content_type),) if content_type else ()
    return LiveResponse(status, headers, [data], [0.0], **{"ended": True, **more})


MESSAGE = 'event: message_start\ndata: {"a":1}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'

# what came -> the body that is kept, its content type in the recording
KEPT = [
    (live('{"a":1}'), {"a": 1}, None),
    (live('{"a":1}', "application/problem+json", 404), {"a": 1}, None),
    (live('{"a":1}', ""), {"a": 1}, None),
    (live('{"a":1}', "text/plain"), '{"a":1}', "text/plain"),
    (live("words", "text/plain"), "words", "text/plain"),
    (live("words", JSON, 502), "words", JSON),
    (live(b"\xff\xfb", "audio/mpeg"), {"base64": "//s="}, "audio/mpeg"),
    (live("", JSON), "", JSON),
    (live('{"a":1}\n{"b":2}\n', LINES), '{"a":1}\n{"b":2}\n', LINES),
    (live(MESSAGE, EVENTS), MESSAGE.split("\n")[:-1], None),
    (live(MESSAGE, EVENTS, ended=False), MESSAGE.split("\n")[:-1], None),
    (live("data: x\n\ndata: [DONE]\n\n", EVENTS), ["data: x", "", "data: [DONE]", ""], None),
]


@pytest.mark.parametrize(("came", "body", "content_type"), KEPT)
def test_it_is_kept_as_it_came_and_goes_out_so(came: LiveResponse, body: Any, content_type: str | None) -> None:
    kept = PASSED_ON.parse(POST, came)
    assert (kept.body, kept.content_type) == (body, content_type)
    made = PASSED_ON.render([Recording(POST, kept)])
    assert (made.status, made.body) == (came.status, b"".join(came.pieces))


NO_ANSWER = [
    (live('{"a":1}', ended=False), BrokeOffError),
    (live("words", "text/plain", ended=False), BrokeOffError),
    (live('event: message_start\ndata: {"type":"message_start"}\n\n', EVENTS), BrokeOffError),
    (live('{"done":false}\n', LINES), BrokeOffError),
    (live("{", JSON), UnrecordableError),
    (live('{"error":{"message":"no"}}'), HoldsError),
    (live('data: {"a":1}\n\nevent: error\ndata: {"error":"no"}\n\n', EVENTS), HoldsError),
    (live('{"a":1}\n{"error":"no"}\n', LINES), HoldsError),
]


@pytest.mark.parametrize(("came", "error"), NO_ANSWER)
def test_what_is_not_whole_or_holds_an_error_is_told(came: LiveResponse, error: type[Exception]) -> None:
    with pytest.raises(UnrecordableError) as raised:
        PASSED_ON.parse(POST, came)
    assert type(raised.value) is error


def test_what_came_of_a_stream_that_broke_off_is_told_with_it() -> None:
    with pytest.raises(BrokeOffError) as raised:
        PASSED_ON.parse(POST, live('data: {"type":"message_start"}\n\ndata: {"ty', EVENTS, ended=False))
    assert [*raised.value.elements] == ['data: {"type":"message_start"}', "", 'data: {"ty']


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_the_end_of_the_last_event_may_be_left_out(end: str) -> None:
    kept = PASSED_ON.parse(POST, live(f'data: {{"type":"message_stop"}}{end}', EVENTS))
    assert kept.body == ['data: {"type":"message_stop"}', ""]


def test_the_lines_of_a_file_may_tell_of_errors() -> None:
    lines = '{"id":"a","error":null}\n{"error":"no"}\n'
    assert PASSED_ON.parse(GET, live(lines, LINES)).body == lines


# what a GET was answered -> whether that is an error, or something that tells of one
TOLD = [
    ('{"id":"job","status":"failed","error":{"message":"no"}}', False),
    ('{"name":"operations/1","error":{"code":3}}', False),
    ('{"error":{"message":"no"}}', True),
]


@pytest.mark.parametrize(("body", "is_error"), TOLD)
def test_a_job_that_has_failed_is_an_answer_to_who_asks_about_it(body: str, *, is_error: bool) -> None:
    if is_error:
        with pytest.raises(HoldsError):
            PASSED_ON.parse(GET, live(body))
    else:
        assert PASSED_ON.parse(GET, live(body)).error is None
    with pytest.raises(HoldsError):
        PASSED_ON.parse(POST, live(body))


def test_a_body_that_is_no_object_is_sent_as_it_was() -> None:
    assert PASSED_ON.body({"": [1, 2]}) == [1, 2]
    assert PASSED_ON.body({"a": 1}) == PASSED_ON.sent({"a": 1}) == PASSED_ON.arguments({"a": 1}) == {"a": 1}


# the answers of several APIs -> their tokens
TOKENS = [
    ('{"usage":{"prompt_tokens":3,"completion_tokens":4}}', JSON, Usage(3, None, 4)),
    ('{"usage":{"input_tokens":3,"output_tokens":4}}', JSON, Usage(3, None, 4)),
    ('{"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4}}', JSON, Usage(3, None, 4)),
    ("[1]", JSON, Usage()),
    ('data: {"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\ndata: [DONE]\n\n', EVENTS, Usage(3, None, 4)),
]


@pytest.mark.parametrize(("body", "content_type", "usage"), TOKENS)
def test_the_tokens_of_any_api(body: str, content_type: str, usage: Usage) -> None:
    kept = PASSED_ON.parse(POST, live(body, content_type))
    assert PASSED_ON.usage(PASSED_ON.elements(kept)) == usage


def test_a_text_for_people() -> None:
    assert PASSED_ON.text(PASSED_ON.parse(POST, live('{"a":"ü"}'))) == '{\n  "a": "ü"\n}'
    assert PASSED_ON.text(PASSED_ON.parse(POST, live(MESSAGE, EVENTS))) + "\n" == MESSAGE
