"""Ollama's own endpoints: what makes two requests the same, and answers byte for byte."""

import json
from typing import Any

import pytest

from wiretape.matching.request import identity, recorded, wire_body
from wiretape.policy import FORMS
from wiretape.providers import base, wire
from wiretape.providers.ollama import Chat
from wiretape.providers.routing import Endpoint, Route
from wiretape.providers.wire import LiveResponse
from wiretape.recording import RecordedRequest, dumps, loads, make, request_name

TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
ASKED = {"model": "llama3.2:3b", "messages": [{"role": "user", "content": "Hi"}], "stream": False}


def asked(name: str = "/api/chat", **body: Any) -> RecordedRequest:
    route = Route("ollama", "http://localhost:11434", Endpoint("sdk", "POST", name), name)
    return recorded(route, json.dumps({**ASKED, **body}).encode())


# -- requests ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["/api/chat", "/api/generate"])
def test_tools_make_another_request_and_an_empty_list_of_them_does_not(name: str) -> None:
    without = asked(name)
    with_tools = asked(name, tools=TOOLS)
    assert asked(name, tools=[]) == without
    assert with_tools.body["tools"] == TOOLS
    assert wire_body(with_tools)["tools"] == TOOLS
    assert identity(with_tools) != identity(without)
    assert identity(asked(name, tools=[*TOOLS, *TOOLS])) != identity(with_tools)
    for form in FORMS:
        assert request_name(with_tools, form) != request_name(without, form)


def test_whether_it_streams_makes_another_request() -> None:
    said = asked(stream=True)
    assert "stream" not in {key for key in asked().body if asked().body[key] is True}
    assert identity(said) != identity(asked())
    silent = {key: value for key, value in ASKED.items() if key != "stream"}
    route = Route("ollama", "http://localhost:11434", Endpoint("sdk", "POST", "/api/chat"), "/api/chat")
    assert identity(recorded(route, json.dumps(silent).encode())) == identity(said)


# -- answers -----------------------------------------------------------------------------------------------------------

LINES = (
    b'{"model":"llama3.2:3b","created_at":"2026-01-31T12:00:00.123456Z","message":{"role":"assistant","content":"Hel"},'
    b'"done":false}\n',
    b'{"model":"llama3.2:3b","created_at":"2026-01-31T12:00:00.223456Z","message":{"role":"assistant","content":"lo"},'
    b'"done":true,"done_reason":"stop","total_duration":12,"load_duration":3,"prompt_eval_count":26,'
    b'"prompt_eval_duration":4,"eval_count":2,"eval_duration":5}\n',
)
"""Of a server."""

QUIET = (
    b'{"model":"llama3.2:3b","created_at":"1970-01-01T00:00:00.000000Z","done":false,'
    b'"message":{"role":"assistant","content":"Hel"}}\n',
    b'{"model":"llama3.2:3b","created_at":"1970-01-01T00:00:00.000000Z","done":true,"done_reason":"stop",'
    b'"total_duration":0,"load_duration":0,"prompt_eval_count":26,"prompt_eval_duration":0,"eval_count":2,'
    b'"eval_duration":0,"message":{"role":"assistant","content":"lo"}}\n',
)
"""The same as a recording of the form 2026 answers."""


def test_a_stream_in_the_form_2026_is_answered_byte_for_byte() -> None:
    request = asked(stream=True)
    live = LiveResponse(200, (("content-type", "application/x-ndjson"),), LINES, (1.0, 2.0), ended=True)
    recording = loads(dumps(make(request, wire.response(request, live), "2026")))
    sent = wire.answer([recording])
    assert (sent.status, sent.headers, sent.chunks) == (200, (("content-type", "application/x-ndjson"),), QUIET)
    assert recording.name == request_name(request, "2026")
    assert wire.tokens(recording) == 2
    endpoint = base.of(recording.request)
    assert endpoint.usage(endpoint.elements(recording.response)).input == 26
    assert endpoint.text(recording.response) == "Hello"


def test_an_answer_in_one_piece_in_the_form_2026_is_answered_byte_for_byte() -> None:
    request = asked()
    live = LiveResponse(200, (("content-type", "application/json"),), (LINES[1],), (1.0,), ended=True)
    sent = wire.answer([loads(dumps(make(request, wire.response(request, live), "2026")))])
    assert sent.chunks == (QUIET[1].removesuffix(b"\n"),)


# -- errors ------------------------------------------------------------------------------------------------------------


def test_an_error_is_its_own() -> None:
    described = Chat().describe_error(404, b'{"error": "model \'x\' not found"}')
    assert (described["provider"], described["type"]) == ("ollama", "ResponseError")
    assert described["message"] == "model 'x' not found (status code: 404)"
    assert Chat().error_body(described) == (404, b'{"error":"model \'x\' not found"}')
