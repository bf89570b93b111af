"""Whether two answers say the same."""

import json
from typing import Any

import pytest

from builders import arrived, chat, route
from wiretape.matching import request as matching
from wiretape.providers import wire
from wiretape.providers.gist import gist
from wiretape.recording import RecordedRequest, Recording, make

ASKED = chat("Hello", stream=True)


def streamed(*deltas: dict[str, Any], id_: str = "a", **more: Any) -> Recording:
    """Return the recording of a stream of these pieces."""
    chunks = [
        {"id": id_, "object": "chat.completion.chunk", "created": 1, "choices": [{"index": 0, "delta": each}], **more}
        for each in deltas
    ]
    chunks[-1]["choices"][0]["finish_reason"] = "stop"
    events = [f"data: {json.dumps(each)}\n\n" for each in chunks]
    live = arrived("".join([*events, "data: [DONE]\n\n"]).encode(), content_type="text/event-stream")
    return make(ASKED, wire.response(ASKED, live), "2025-09")


def call(arguments: str, id_: str | None = None, name: str | None = None) -> dict[str, Any]:
    """Return a piece of a tool call."""
    return {"tool_calls": [{"index": 0, "id": id_, "function": {"name": name, "arguments": arguments}}]}


def said(*texts: str) -> list[dict[str, Any]]:
    return [{"content": text} for text in texts]


SAME: dict[str, tuple[Recording, Recording]] = {
    "another id": (streamed(*said("Hello")), streamed(*said("Hello"), id_="b")),
    "cut elsewhere": (streamed(*said("Hel", "lo")), streamed(*said("H", "el", "lo"))),
    "other usage": (streamed(*said("Hi"), system_fingerprint="x"), streamed(*said("Hi"), system_fingerprint="y")),
    "another id of a call": (
        streamed(call("", "call_1", "cat"), call('{"a":'), call("1}")),
        streamed(call("", "call_2", "cat"), call('{"a":1}')),
    ),
}

OTHER: dict[str, tuple[Recording, Recording]] = {
    "other words": (streamed(*said("Hello")), streamed(*said("Hallo"))),
    "more words": (streamed(*said("ha")), streamed(*said("ha", "ha"))),
    "other arguments": (streamed(call("{}", "call_1", "cat")), streamed(call('{"a":1}', "call_1", "cat"))),
    "another tool": (streamed(call("{}", "call_1", "cat")), streamed(call("{}", "call_1", "rm"))),
    "no words": (streamed(*said("Hello")), streamed(call("{}", "call_1", "cat"))),
}


@pytest.mark.parametrize(("one", "two"), SAME.values(), ids=SAME)
def test_what_differs_from_call_to_call_is_no_difference(one: Recording, two: Recording) -> None:
    assert gist(one) == gist(two)


@pytest.mark.parametrize(("one", "two"), OTHER.values(), ids=OTHER)
def test_what_is_said_is(one: Recording, two: Recording) -> None:
    assert gist(one) != gist(two)


def messages() -> RecordedRequest:
    body = json.dumps({"model": "claude", "messages": [{"role": "user", "content": "Hi"}]}).encode()
    return matching.recorded(route("/v1/messages", "api.anthropic.com"), body, "application/json")


def anthropic(*texts: str, id_: str = "msg_1") -> Recording:
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {"id": id_, "usage": {"input_tokens": 3}}}]
    deltas = [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": t}} for t in texts]
    events += [*deltas, {"type": "message_stop"}]
    lines = "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events)
    request = messages()
    return make(request, wire.response(request, arrived(lines.encode(), content_type="text/event-stream")), "2025-09")


def test_a_stream_that_is_kept_as_it_was_sent() -> None:
    assert gist(anthropic("Hel", "lo")) == gist(anthropic("H", "ello", id_="msg_2"))
    assert gist(anthropic("Hello")) != gist(anthropic("Hallo"))


def refused(status: int, message: str) -> Recording:
    asked = chat("Hello")
    body = json.dumps({"error": {"message": message}}).encode()
    return make(asked, wire.response(asked, arrived(body, status=status), keep_errors=True), "2025-09")


def test_errors() -> None:
    assert gist(refused(400, "no")) == gist(refused(400, "no"))
    assert gist(refused(400, "no")) != gist(refused(400, "never"))
    assert gist(refused(400, "no")) != gist(refused(404, "no"))
