"""What the JSON of a recording must be: said in words that hold nothing of the file but the names of its members."""

from typing import Any

import pytest

from wiretape.codecs.remade import Remade
from wiretape.exceptions import NotHttpError, RecordingError
from wiretape.recording import checks

URL = "https://api.openai.com/v1/v1/chat/completions"
ELEMENT = {"__type__": "t", "__data__": {}}


def asked(**changed: Any) -> dict[str, Any]:
    request = {"url": URL, "method": "POST", "endpoint": "/v1/chat/completions", "body": {}, **changed}
    return {"request": {name: value for name, value in request.items() if value is not ...}}


def answered(body: Any = ..., *, is_streaming: bool = True, **more: Any) -> dict[str, Any]:
    return {"body": [ELEMENT] if body is ... else body, "is_streaming": is_streaming, **more}


@pytest.mark.parametrize(
    "content",
    [
        asked(),
        asked(method=...),
        asked(body=..., payload={}, endpoint=...),
        asked(method="GET", body=..., endpoint=...),
        asked(url="HTTPS://api.openai.com/x"),
        {**asked(), "test_id": "tests/a.py::b"},
    ],
)
def test_a_request_that_is_sound(content: Any) -> None:
    checks.check_request(content)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([], "not an object"),
        ({}, "no request"),
        ({"request": 1}, "no request"),
        (asked(url=7), "request.url is missing"),
        (asked(url=...), "request.url is missing"),
        (asked(url="http://[::1"), "request.url is no URL"),
        (asked(body=...), "request.body is missing"),
        (asked(body=[]), "request.body is missing"),
        (asked(payload="x"), "request.payload is missing"),
        (asked(endpoint=...), "request.endpoint is missing"),
        (asked(endpoint=""), "request.endpoint is missing"),
        (asked(method=7), "request.method is no text"),
        ({**asked(), "test_id": 7}, "test_id is no text"),
    ],
)
def test_what_is_wrong_with_a_request(content: Any, says: str) -> None:
    with pytest.raises(RecordingError, match=says):
        checks.check_request(content)


@pytest.mark.parametrize("request_", [{"provider": "tavily"}, {"url": "tool://search"}, {"url": "FILE://x"}])
def test_a_request_of_a_tool_is_told_apart(request_: Any) -> None:
    with pytest.raises(NotHttpError):
        checks.check_request({"request": request_})


SOUND = {
    "a stream": (answered(), "/v1/chat/completions"),
    "a stream that is made anew": (answered(Remade.of(lambda: iter([ELEMENT]))), "/v1/chat/completions"),
    "one piece": (answered(ELEMENT, is_streaming=False), "/v1/chat/completions"),
    "no models": (answered([], is_streaming=False), "/v1/models"),
    "models of Ollama": (answered({"__type__": "t", "__data__": {"models": [{}]}}, is_streaming=False), "/api/tags"),
    "around models": (answered([], is_streaming=False, envelope={"data": []}), "/v1/models"),
    "around models, a list": (answered([], is_streaming=False, envelope=[]), "/v1/models"),
    "an error": (
        answered(None, is_streaming=False, is_exception=True, exception_data={"status_code": 404}),
        "/v1/models",
    ),
    "a stream that failed": (answered(is_exception=True, exception_data={}), "/v1/chat/completions"),
    "JSON that was sent": (answered({"any": 1}, is_streaming=False, status=201), None),
    "lines that were sent": (answered(["data: 1", ""]), None),
    "a text": (answered("x", is_streaming=False, content_type="text/plain"), None),
    "bytes": (answered({"base64": "AAEC"}, is_streaming=False, content_type="audio/mpeg"), None),
    "a redirect": (answered({}, is_streaming=False, status=302, location="/x"), None),
    "a tail": (answered(tail=["data: {}", ""]), "/v1/chat/completions"),
}


@pytest.mark.parametrize("kind", SOUND)
def test_a_response_that_is_sound(kind: str) -> None:
    checks.check_response(*SOUND[kind])


WRONG: list[tuple[Any, str | None, str]] = [
    (None, "/v1/models", "no response"),
    ({"is_streaming": True}, "/v1/models", "no response.body"),
    ({"body": []}, "/v1/models", "is_streaming is not true or false"),
    (answered(status=199), "/v1/chat/completions", "response.status"),
    (answered(status=600), "/v1/chat/completions", "response.status"),
    (answered(status=True), "/v1/chat/completions", "response.status"),
    (answered(content_type="a\r\nb"), None, "response.content_type"),
    (answered(content_type=7), None, "response.content_type"),
    (answered(location="a\nb"), None, "response.location"),
    (answered(tail="x"), "/v1/chat/completions", "response.tail"),
    (answered(tail=["a\nb"]), "/v1/chat/completions", "response.tail"),
    (answered(envelope={"x": 1}), "/v1/models", "response.envelope"),
    (answered(envelope="x"), "/v1/models", "response.envelope"),
    (answered(is_exception=True), "/v1/chat/completions", "exception_data is not an object"),
    (answered(is_exception=True, exception_data={"status_code": 399}), "/v1/models", "from 400 to 599"),
    (answered(is_exception=True, exception_data={"status_code": "404"}), "/v1/models", "from 400 to 599"),
    (answered({}, is_streaming=True), None, "not a list of lines"),
    (answered(["a\rb"]), None, "not a list of lines"),
    (answered(7, is_streaming=False, content_type="text/plain"), None, "neither text nor base64"),
    (answered({"base64": "é"}, is_streaming=False, content_type="a/b"), None, "neither text nor base64"),
    (answered({"base64": "A"}, is_streaming=False, content_type="a/b"), None, "neither text nor base64"),
    (answered(ELEMENT), "/v1/chat/completions", "does not fit is_streaming"),
    (answered([], is_streaming=False), "/v1/chat/completions", "does not fit is_streaming"),
    (answered(None, is_streaming=False), "/v1/models", "does not fit is_streaming"),
    (answered([{"__type__": "t"}]), "/v1/chat/completions", "no __type__ and __data__"),
    (answered([{"__type__": 1, "__data__": {}}]), "/v1/chat/completions", "no __type__ and __data__"),
    (
        answered({"__type__": "t", "__data__": {}}, is_streaming=False),
        "/api/tags",
        "models of response.body are no list",
    ),
    (answered([{"__type__": "t", "__data__": {"models": [1]}}]), "/v1/models", "is no object"),
]


@pytest.mark.parametrize(("response", "endpoint", "says"), WRONG)
def test_what_is_wrong_with_a_response(response: Any, endpoint: str | None, says: str) -> None:
    with pytest.raises(RecordingError, match=says):
        checks.check_response(response, endpoint)


def test_nothing_of_the_file_is_said() -> None:
    for content in (asked(url=7, method="sk-secret"), asked(body="sk-secret"), asked(endpoint=["sk-secret"])):
        with pytest.raises(RecordingError) as told:
            checks.check_request(content)
        assert "sk-secret" not in str(told.value)
