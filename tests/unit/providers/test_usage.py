"""Where each API tells the tokens of an answer, in one piece and streamed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from wiretape.providers import base, wire
from wiretape.providers.usage import Usage
from wiretape.recording import RecordedRequest, RecordedResponse, Recording

type Row = tuple[str, RecordedResponse, Usage]


def whole(**data: Any) -> RecordedResponse:
    return RecordedResponse({"__type__": "a.B", "__data__": data}, is_streaming=False)


def chunks(*each: Mapping[str, Any]) -> RecordedResponse:
    return RecordedResponse([{"__type__": "a.B", "__data__": data} for data in each], is_streaming=True)


def passed_on(body: Any) -> RecordedResponse:
    return RecordedResponse(body, is_streaming=False)


def events(*each: Mapping[str, Any]) -> RecordedResponse:
    lines = [line for data in each for line in (f"data: {json.dumps(data)}", "")]
    return RecordedResponse(["event: x", *lines], is_streaming=True)


CHAT_USAGE = {
    "prompt_tokens": 71,
    "prompt_tokens_details": {"cached_tokens": 64},
    "completion_tokens": 12,
    "completion_tokens_details": {"reasoning_tokens": 8},
    "total_tokens": 83,
}
RESPONSE_USAGE = {
    "input_tokens": 71,
    "input_tokens_details": {"cached_tokens": 64},
    "output_tokens": 12,
    "output_tokens_details": {"reasoning_tokens": 8},
}
ALL = Usage(input=71, cached=64, output=12, reasoning=8)
GEMINI = {
    "promptTokenCount": 71,
    "cachedContentTokenCount": 64,
    "candidatesTokenCount": 12,
    "thoughtsTokenCount": 8,
}
OLLAMA = {"done": True, "prompt_eval_count": 71, "eval_count": 12}
CLAUDE = {"input_tokens": 71, "cache_read_input_tokens": 64, "output_tokens": 12}

ROWS: dict[str, Row] = {
    "a chat": ("/v1/chat/completions", whole(choices=[], usage=CHAT_USAGE), ALL),
    "a chat, streamed": ("/v1/chat/completions", chunks({"choices": []}, {"usage": CHAT_USAGE}, {"usage": None}), ALL),
    "a completion": (
        "/v1/completions",
        whole(usage={"prompt_tokens": 71, "completion_tokens": 12}),
        Usage(input=71, output=12),
    ),
    "a response": ("/v1/responses", whole(usage=RESPONSE_USAGE), ALL),
    "a response, streamed": (
        "/v1/responses",
        chunks({"type": "x"}, {"type": "response.completed", "response": {"usage": RESPONSE_USAGE}}),
        ALL,
    ),
    "a chat of Ollama's": ("/api/chat", whole(**OLLAMA), Usage(input=71, output=12)),
    "a completion of Ollama's, streamed": (
        "/api/generate",
        chunks({"response": "a", "done": False}, {"response": "", **OLLAMA}),
        Usage(input=71, output=12),
    ),
    "a message of Anthropic's": ("", passed_on({"usage": CLAUDE}), Usage(input=71, cached=64, output=12)),
    "a message of Anthropic's, streamed": (
        "",
        events(
            {"type": "message_start", "message": {"usage": {**CLAUDE, "output_tokens": 1}}},
            {"type": "message_delta", "usage": {"output_tokens": 12}},
            {"type": "message_stop"},
        ),
        Usage(input=71, cached=64, output=12),
    ),
    "Gemini": ("", passed_on({"usageMetadata": GEMINI}), ALL),
    "Gemini, streamed": ("", events({"usageMetadata": {"promptTokenCount": 71}}, {"usageMetadata": GEMINI}), ALL),
    "a chat that is passed on": ("", passed_on({"usage": CHAT_USAGE}), ALL),
    "Ollama, passed on": ("", passed_on(OLLAMA), Usage(input=71, output=12)),
}


def recording(endpoint: str, response: RecordedResponse) -> Recording:
    return Recording(RecordedRequest("https://api.example.com", {"model": "m"}, endpoint), response)


def usage(made: Recording) -> Usage:
    endpoint = base.of(made.request)
    return endpoint.usage(endpoint.elements(made.response))


@pytest.mark.parametrize(("endpoint", "response", "told"), ROWS.values(), ids=ROWS)
def test_the_tokens_that_an_answer_tells(endpoint: str, response: RecordedResponse, told: Usage) -> None:
    made = recording(endpoint, response)
    assert usage(made) == told
    assert wire.tokens(made) == 12


def test_embeddings_have_an_input_alone() -> None:
    made = recording("/v1/embeddings", whole(data=[], usage={"prompt_tokens": 71, "total_tokens": 71}))
    assert usage(made) == Usage(input=71)
    assert wire.tokens(made) == 0


@dataclass(frozen=True)
class Silent:
    endpoint: str
    response: RecordedResponse
    tokens: int


SILENT = {
    "an answer in one piece": Silent("/v1/chat/completions", whole(choices=[]), 0),
    "a stream: its chunks": Silent("/v1/chat/completions", chunks({}, {}, {}), 3),
    "a stream that is passed on: its events": Silent("", events({}, {}), 2),
    "lines of Ollama's": Silent("/api/chat", chunks({"done": False}, {"done": True}), 2),
    "a number that is none": Silent("/v1/chat/completions", whole(usage={"completion_tokens": "12"}), 0),
    "a number below zero": Silent("/v1/chat/completions", whole(usage={"completion_tokens": -1}), 0),
    "a number beyond all": Silent("/v1/chat/completions", chunks({"usage": {"completion_tokens": 10**10}}), 1),
    "the other API's key": Silent("/api/chat", whole(usage={"completion_tokens": 12}), 0),
}


@pytest.mark.parametrize("silent", SILENT.values(), ids=SILENT)
def test_what_tells_no_tokens_is_counted_by_its_chunks(silent: Silent) -> None:
    assert wire.tokens(recording(silent.endpoint, silent.response)) == silent.tokens
    assert usage(recording(silent.endpoint, silent.response)).output is None
