"""What kind of answer a recording holds: a whole one, a failure, a part, or one that says nothing about the next."""

from typing import Any

import pytest

from wiretape.recording import RecordedRequest, RecordedResponse

ELEMENT = {"__type__": "t", "__data__": {}}
KEY = {"error": {"message": "API key not valid"}}


def failed(status: Any = None, *, body: Any = None, sent: Any = None, **more: Any) -> RecordedResponse:
    return RecordedResponse(sent, isinstance(sent, list), {"status_code": status, "body": body, **more})


@pytest.mark.parametrize(
    ("response", "is_passing", "is_momentary"),
    [
        (RecordedResponse([ELEMENT], True), False, False),
        (RecordedResponse({}, False, status=201), False, False),
        (RecordedResponse({}, False, status=202), True, False),
        (RecordedResponse({}, False, status=404), False, False),
        (RecordedResponse({}, False, status=429), True, True),
        (RecordedResponse({}, False, status=503), True, True),
        (RecordedResponse({}, False, status=401), True, False),
        (RecordedResponse(KEY, False, status=400), True, False),
        (RecordedResponse(KEY, False, status=200), False, False),
        (failed(404), False, False),
        (failed(400), False, False),
        (failed(400, body=KEY), True, False),
        (failed(429), True, True),
        (failed(500), True, True),
        (failed(), True, False),
        (failed("404"), True, False),
        (failed(sent=[ELEMENT]), True, True),
    ],
)
def test_what_depends_on_who_asks_or_when(response: RecordedResponse, *, is_passing: bool, is_momentary: bool) -> None:
    assert (response.is_passing, response.is_momentary) == (is_passing, is_momentary)


@pytest.mark.parametrize(
    ("response", "is_answer", "is_partial", "broke_off"),
    [
        (RecordedResponse([ELEMENT], True), True, False, False),
        (RecordedResponse("x", False, content_type="text/plain"), False, False, False),
        (failed(404), False, False, False),
        (failed(sent=[ELEMENT]), False, True, True),
        (failed(sent=[ELEMENT], type="APIError"), False, True, False),
        (failed(sent=[ELEMENT], body={"message": "no"}), False, True, False),
        (RecordedResponse([], True, {"body": None}, tail=("data: x",)), False, True, True),
    ],
)
def test_whether_it_is_whole(response: RecordedResponse, *, is_answer: bool, is_partial: bool, broke_off: bool) -> None:
    assert (response.is_answer, response.is_partial, response.broke_off) == (is_answer, is_partial, broke_off)


@pytest.mark.parametrize(
    ("request_", "label"),
    [
        (
            RecordedRequest("https://a.example/v1/v1/chat/completions", {"model": "m"}, "/v1/chat/completions"),
            "/v1/chat/completions m",
        ),
        (RecordedRequest("https://a.example/v1/x", {"model": 7}, ""), "https://a.example/v1/x"),
        (RecordedRequest("https://a.example/v1/x", {}, "", "DELETE"), "DELETE https://a.example/v1/x"),
        (RecordedRequest("https://a.example/v1/v1/models", {}, "/v1/models", "GET"), "/v1/models"),
    ],
)
def test_what_people_read_of_a_request(request_: RecordedRequest, label: str) -> None:
    assert request_.label == label
