"""How a provider's answer differs from the recorded one: real recordings against themselves, and changed ones."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from builders import SEEDS, arrived, chat
from corpus import SAMPLES
from wiretape import recording as recordings
from wiretape.library import drift
from wiretape.library.drift import DriftKind
from wiretape.providers import wire
from wiretape.recording import RecordedRequest, RecordedResponse, Recording

EVENTS = "text/event-stream"
LINES = "application/x-ndjson"


def passed_on(url: str) -> RecordedRequest:
    return RecordedRequest(url, {"model": "m"}, "")


def of(path: str, endpoint: str, **body: Any) -> RecordedRequest:
    return RecordedRequest(f"https://api.example/v1{path}", {"model": "m", **body}, endpoint)


def recorded(request: RecordedRequest, body: bytes, content_type: str = "application/json", status: int = 200) -> Any:
    """Return the response that a live answer is recorded as."""
    return wire.response(request, arrived(body, content_type=content_type, status=status), keep_errors=True)


def whole(request: RecordedRequest, answer: Any, status: int = 200) -> RecordedResponse:
    response: RecordedResponse = recorded(request, json.dumps(answer).encode(), status=status)
    return response


def events(request: RecordedRequest, *data: Any, named: bool = False, done: bool = False) -> RecordedResponse:
    lines = []
    for each in data:
        name = f"event: {each['type']}\n" if named else ""
        lines.append(f"{name}data: {json.dumps(each)}\n\n")
    if done:
        lines.append("data: [DONE]\n\n")
    response: RecordedResponse = recorded(request, "".join(lines).encode(), EVENTS)
    return response


def lines(request: RecordedRequest, *data: Any) -> RecordedResponse:
    response: RecordedResponse = recorded(request, b"".join(json.dumps(each).encode() + b"\n" for each in data), LINES)
    return response


def told(request: RecordedRequest, before: RecordedResponse, after: RecordedResponse) -> list[tuple[str, str]]:
    return [(each.kind.value, each.text) for each in drift.compare(Recording(request, before), after).findings]


# -- against themselves ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*SEEDS, *(sample.path for sample in SAMPLES)], ids=lambda path: path.stem[:12])
def test_nothing_drifts_from_itself_nor_on_its_way_over_the_wire(path: Any) -> None:
    recording = recordings.loads(path.read_bytes())
    assert not drift.compare(recording, recording.response)
    answer = wire.answer([recording])
    at = (0.0,) * len(answer.chunks)
    live = wire.LiveResponse(answer.status, answer.headers, answer.chunks, at, ended=True)
    again = wire.response(recording.request, live, keep_errors=True)
    found = drift.compare(recording, again)
    assert not found, found.findings
    assert found.likeness is None or found.likeness > 0.999


# -- what every API calls by a name of its own -------------------------------------------------------------------------


class Said(NamedTuple):
    """What an answer says, in whichever form."""

    words: str
    finish: str
    model: str
    tool: str
    arguments: Any
    tokens: int


CHAT = of("/v1/chat/completions", "/v1/chat/completions")
RESPONSES = of("/v1/responses", "/v1/responses")
OLLAMA = of("/api/chat", "/api/chat")
MESSAGES = passed_on("https://api.anthropic.com/v1/messages")
GEMINI = passed_on("https://generativelanguage.googleapis.com/v1beta/models/m:generateContent")
COHERE = passed_on("https://api.cohere.com/v2/chat")
BEDROCK = passed_on("https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse")


def a_chat(said: Said) -> RecordedResponse:
    words, finish, model, tool, arguments, tokens = said
    call = {"id": "c1", "type": "function", "function": {"name": tool, "arguments": json.dumps(arguments)}}
    message = {"role": "assistant", "content": words, "tool_calls": [call]}
    usage = {"prompt_tokens": tokens, "completion_tokens": 5, "total_tokens": tokens + 5}
    choices = [{"index": 0, "message": message, "finish_reason": finish}]
    return whole(CHAT, {"id": "x", "object": "chat.completion", "model": model, "choices": choices, "usage": usage})


def a_chat_in_chunks(said: Said) -> RecordedResponse:
    words, finish, model, tool, arguments, tokens = said
    head = {"id": "x", "object": "chat.completion.chunk", "model": model, "created": 1}
    text = json.dumps(arguments)
    deltas = [
        {"role": "assistant", "content": words},
        {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": tool, "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": text[:5]}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": text[5:]}}]},
    ]
    chunks = [{**head, "choices": [{"index": 0, "delta": each, "finish_reason": None}]} for each in deltas]
    last = {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    usage = {"prompt_tokens": tokens, "completion_tokens": 5, "total_tokens": tokens + 5}
    return events(CHAT, *chunks, last, {**head, "choices": [], "usage": usage}, done=True)


def _response(said: Said) -> dict[str, Any]:
    words, finish, model, tool, arguments, tokens = said
    text = {"type": "output_text", "text": words, "annotations": []}
    call = {"type": "function_call", "id": "i2", "call_id": "c1", "name": tool, "arguments": json.dumps(arguments)}
    return {
        "id": "r1",
        "object": "response",
        "created_at": 1,
        "status": "completed" if finish == "stop" else "incomplete",
        "incomplete_details": None if finish == "stop" else {"reason": finish},
        "model": model,
        "output": [{"type": "message", "id": "i1", "role": "assistant", "content": [text]}, call],
        "usage": {"input_tokens": tokens, "output_tokens": 5, "total_tokens": tokens + 5},
    }


def a_response(said: Said) -> RecordedResponse:
    return whole(RESPONSES, _response(said))


def a_response_in_events(said: Said) -> RecordedResponse:
    end = _response(said)
    delta = {"type": "response.output_text.delta", "item_id": "i1", "output_index": 0, "content_index": 0}
    created = {"type": "response.created", "response": {**end, "status": "in_progress", "output": [], "usage": None}}
    last = {"type": "response.completed" if said.finish == "stop" else "response.incomplete", "response": end}
    return events(RESPONSES, created, {**delta, "delta": said.words}, last, named=True)


def a_message(said: Said) -> RecordedResponse:
    words, finish, model, tool, arguments, tokens = said
    content = [{"type": "text", "text": words}, {"type": "tool_use", "id": "c1", "name": tool, "input": arguments}]
    head = {"id": "m1", "type": "message", "role": "assistant", "model": model}
    usage = {"input_tokens": tokens, "output_tokens": 5}
    return whole(MESSAGES, {**head, "content": content, "stop_reason": finish, "usage": usage})


def a_message_in_events(said: Said) -> RecordedResponse:
    words, finish, model, tool, arguments, tokens = said
    head: dict[str, Any] = {"id": "m1", "type": "message", "role": "assistant", "model": model, "content": []}
    text = json.dumps(arguments)
    use = {"type": "tool_use", "id": "c1", "name": tool, "input": {}}
    return events(
        MESSAGES,
        {"type": "message_start", "message": {**head, "usage": {"input_tokens": tokens, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": words}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": use},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": text[:4]}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": text[4:]}},
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": finish}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
        named=True,
    )


def _candidate(said: Said) -> dict[str, Any]:
    words, finish, model, tool, arguments, tokens = said
    parts = [{"text": words}, {"functionCall": {"name": tool, "args": arguments}}]
    candidate = {"content": {"parts": parts, "role": "model"}, "finishReason": finish, "index": 0}
    usage = {"promptTokenCount": tokens, "candidatesTokenCount": 5}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model}


def of_gemini(said: Said) -> RecordedResponse:
    return whole(GEMINI, _candidate(said))


def of_gemini_in_events(said: Said) -> RecordedResponse:
    return events(GEMINI, _candidate(said))


def of_ollama(said: Said) -> RecordedResponse:
    words, finish, model, tool, arguments, tokens = said
    call = {"function": {"name": tool, "arguments": arguments}}
    message = {"role": "assistant", "content": words, "tool_calls": [call]}
    counts = {"done": True, "done_reason": finish, "prompt_eval_count": tokens, "eval_count": 5}
    return lines(OLLAMA, {"model": model, "created_at": "2026-01-01T00:00:00Z", "message": message, **counts})


def of_cohere(said: Said) -> RecordedResponse:
    words, finish, _, tool, arguments, tokens = said
    call = {"id": "c1", "type": "function", "function": {"name": tool, "arguments": json.dumps(arguments)}}
    message = {"role": "assistant", "content": [{"type": "text", "text": words}], "tool_calls": [call]}
    usage = {"tokens": {"input_tokens": tokens, "output_tokens": 5}}
    return whole(COHERE, {"id": "x", "finish_reason": finish, "message": message, "usage": usage})


def of_bedrock(said: Said) -> RecordedResponse:
    words, finish, _, tool, arguments, tokens = said
    content = [{"text": words}, {"toolUse": {"toolUseId": "c1", "name": tool, "input": arguments}}]
    usage = {"inputTokens": tokens, "outputTokens": 5, "totalTokens": tokens + 5}
    message = {"message": {"role": "assistant", "content": content}}
    return whole(BEDROCK, {"output": message, "stopReason": finish, "usage": usage})


type Answering = Callable[[Said], RecordedResponse]

APIS: dict[str, tuple[RecordedRequest, Answering]] = {
    "a chat": (CHAT, a_chat),
    "a chat in chunks": (CHAT, a_chat_in_chunks),
    "a response": (RESPONSES, a_response),
    "a response in events": (RESPONSES, a_response_in_events),
    "a message": (MESSAGES, a_message),
    "a message in events": (MESSAGES, a_message_in_events),
    "gemini": (GEMINI, of_gemini),
    "gemini in events": (GEMINI, of_gemini_in_events),
    "ollama": (OLLAMA, of_ollama),
    "cohere": (COHERE, of_cohere),
    "bedrock": (BEDROCK, of_bedrock),
}
NO_VERSION = ("cohere", "bedrock")
"""APIs whose answers do not say from which model they are."""

each_api = pytest.mark.parametrize("api", APIS)

SAID = Said("It is sunny in Rome.", "stop", "m-2026-01", "weather", {"city": "Rome"}, 20)


def changed(api: str, **changes: Any) -> list[tuple[str, str]]:
    request, answering = APIS[api]
    return told(request, answering(SAID), answering(SAID._replace(**changes)))


@each_api
def test_other_words_are_a_likeness_and_no_drift(api: str) -> None:
    request, answering = APIS[api]
    found = drift.compare(Recording(request, answering(SAID)), answering(SAID._replace(words="Rome has a lot of sun.")))
    assert not found
    assert found.likeness is not None
    assert 0.2 < found.likeness < 0.9
    assert changed(api, arguments={"city": "Paris"}) == []


@each_api
def test_another_reason_for_the_end(api: str) -> None:
    findings = [each for each in changed(api, finish="length") if each[0] == DriftKind.FINISH]
    assert len(findings) == 1
    assert "length" in findings[0][1]


@each_api
def test_another_version_of_the_model(api: str) -> None:
    expected = [] if api in NO_VERSION else [("model", "m-2026-01 -> m-2026-09")]
    assert changed(api, model="m-2026-09") == expected


@each_api
def test_another_tool(api: str) -> None:
    assert ("tools", "weather -> forecast") in changed(api, tool="forecast")


@each_api
def test_arguments_of_another_shape(api: str) -> None:
    now = {"place": {"city": "Rome"}, "city": 1}
    expected = [("tools", "weather: city: text -> number"), ("tools", "weather: place came (object)")]
    assert changed(api, arguments=now) == expected


@each_api
def test_the_same_request_takes_other_tokens(api: str) -> None:
    request, answering = APIS[api]
    found = drift.compare(Recording(request, answering(SAID)), answering(SAID._replace(tokens=23)))
    if found.before.input is None:  # None are read of this API.
        assert not found
        return
    assert [(each.kind, each.text) for each in found.findings] == [(DriftKind.USAGE, "tokens of the request: 20 -> 23")]


# -- chunks and vectors ------------------------------------------------------------------------------------------------


def answer(**more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    return {"id": "x", "object": "chat.completion", "model": "m", "created": 1, "choices": [choice], **more}


def test_in_how_many_chunks_a_stream_comes_makes_no_difference() -> None:
    head = {"id": "x", "object": "chat.completion.chunk", "model": "m", "created": 1}

    def stream(*pieces: str) -> RecordedResponse:
        deltas = [{"role": "assistant"}, *({"content": piece} for piece in pieces)]
        chunks = [{**head, "choices": [{"index": 0, "delta": each, "finish_reason": None}]} for each in deltas]
        last = {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        return events(CHAT, *chunks, last, done=True)

    found = drift.compare(Recording(CHAT, stream("Hello, world")), stream("Hel", "lo, ", "world"))
    assert (found.findings, found.likeness) == ((), 1.0)


def test_vectors_have_a_length_and_are_near_or_not() -> None:
    request = of("/v1/embeddings", "/v1/embeddings", input="a")

    def vector(*numbers: float) -> RecordedResponse:
        data = [{"object": "embedding", "index": 0, "embedding": [*numbers]}]
        return whole(request, {"object": "list", "data": data, "model": "m"})

    near = drift.compare(Recording(request, vector(1.0, 0.0)), vector(1.0, 0.1))
    assert not near
    assert near.likeness is not None
    assert 0.99 < near.likeness < 1.0
    longer = told(request, vector(1.0, 0.0), vector(1.0, 0.0, 0.0))
    assert longer == [("shape", "data[].embedding: 2 numbers -> 3 numbers")]


# -- statuses ----------------------------------------------------------------------------------------------------------

GONE = {"error": {"message": "The model m is no more", "type": "invalid_request_error", "code": "model_not_found"}}


def test_an_error_in_place_of_an_answer_is_told_and_nothing_else() -> None:
    before, after = whole(CHAT, answer()), whole(CHAT, GONE, 404)
    assert told(CHAT, before, after) == [("status", "200 -> 404 model_not_found")]
    assert told(CHAT, after, before) == [("status", "404 model_not_found -> 200")]
    assert told(CHAT, after, after) == []


def test_another_error_is_one() -> None:
    other = {"error": {**GONE["error"], "code": "model_deprecated"}}
    assert told(CHAT, whole(CHAT, GONE, 404), whole(CHAT, other, 404)) == [
        ("status", "404 model_not_found -> 404 model_deprecated")
    ]


def test_texts_that_are_no_objects_are_compared_as_they_are() -> None:
    request = passed_on("https://api.openai.com/v1/audio/transcriptions")
    one, two = (recorded(request, text, "text/plain") for text in (b"Hello, world", b"Hello, wor1d"))
    found = drift.compare(Recording(request, one), two)
    assert not found
    assert found.likeness is not None
    assert found.likeness > 0.9


def test_as_json_it_has_all() -> None:
    found = drift.compare(Recording(chat(), a_chat(SAID)), a_chat(SAID._replace(tokens=23)))
    told_ = json.loads(json.dumps(found.as_json()))
    assert told_["drift"] == [{"kind": "usage", "text": "tokens of the request: 20 -> 23"}]
    assert told_["likeness"] == 1.0
    assert (told_["tokens"]["before"]["input"], told_["tokens"]["after"]["input"]) == (20, 23)


def hostile(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [{"content": value}]
    return value


@pytest.mark.parametrize(
    "elements",
    [[hostile(500)], [{"choices": "x", "candidates": 1, "content": {"a": 1}, "output": [1]}], [1, None, "a"]],
)
def test_whatever_a_recording_holds_it_is_compared(elements: Sequence[Any]) -> None:
    recording = Recording(passed_on("https://a.example"), RecordedResponse({"body": elements}, is_streaming=False))
    assert not drift.compare(recording, recording.response)
    assert drift.compare(recording, replace(recording.response, status=500))
