"""When a stream is whole: a row for each endpoint, each cut at every byte."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from wiretape.providers import wire
from wiretape.providers.stream_ends import End
from wiretape.recording import RecordedRequest, Recording, dumps, loads

OPEN, COMPLETE, OVER = End


@dataclass(frozen=True)
class Row:
    """A stream, part for part, with how far it is after each."""

    asked: RecordedRequest
    parts: tuple[tuple[bytes, End], ...]
    content_type: str

    def cuts(self) -> Iterator[tuple[bytes, End]]:
        """Every beginning of it, with how far the stream is there."""
        before, end = b"", OPEN
        for part, after in self.parts:
            for size in range(len(part)):
                cut = part[:size]
                yield before + cut, _within(cut, end, after)
            before, end = before + part, after
        yield before, end


def _within(cut: bytes, before: End, after: End) -> End:
    """How far a stream is in the middle of a part."""
    if before is OVER:
        return OVER
    data = cut.partition(b"data:")[2] if not cut.startswith(b"{") else cut
    if not data.strip():
        return before
    is_whole = data.strip().startswith(b"[DONE]") or _is_json(data)
    return after if is_whole else OPEN


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def row(asked: RecordedRequest, *parts: tuple[bytes, End], content_type: str = "text/event-stream") -> Row:
    return Row(asked, parts, content_type)


def openai(endpoint: str, **body: Any) -> RecordedRequest:
    return RecordedRequest(f"https://api.openai.com/v1{endpoint}", {"model": "m", "stream": True, **body}, endpoint)


def passed_on(**body: Any) -> RecordedRequest:
    return RecordedRequest("https://api.example.com/v1/x", body, "")


def event(data: Any, name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def line(**data: Any) -> bytes:
    return json.dumps(data).encode() + b"\n"


def chunk(*choices: tuple[int, str | None]) -> bytes:
    each: list[dict[str, Any]] = [{"index": n, "delta": {}, "finish_reason": reason} for n, reason in choices]
    return event({"choices": each})


def named(type_: str, **more: Any) -> bytes:
    return event({"type": type_, **more}, type_)


def gemini(*reasons: str | None) -> bytes:
    return event({"candidates": [{"index": n, **({"finishReason": r} if r else {})} for n, r in enumerate(reasons)]})


CHAT = "/v1/chat/completions"
DONE = (b"data: [DONE]\n\n", OVER)
USAGE = event({"choices": [], "usage": {"total_tokens": 1}})
NDJSON = "application/x-ndjson"

ROWS = {
    "chat": row(openai(CHAT), (chunk((0, None)), OPEN), (chunk((0, "stop")), COMPLETE), (USAGE, COMPLETE), DONE),
    "chat, with what keeps it open": row(
        openai(CHAT),
        (b": hi\n\n", OPEN),
        (b"data:\n\n", OPEN),
        (chunk((0, "stop")), COMPLETE),
        (b"data: \n\n", COMPLETE),
        DONE,
    ),
    "chat of two choices": row(
        openai(CHAT, n=2),
        (chunk((0, None), (1, None)), OPEN),
        (chunk((1, "stop")), OPEN),
        (chunk((0, "length")), COMPLETE),
        DONE,
    ),
    "chat of two choices, one after the other": row(
        openai(CHAT, n=2), (chunk((0, "stop")), OPEN), (chunk((1, None)), OPEN), (chunk((1, "stop")), COMPLETE)
    ),
    "chat of a choice that was not asked for": row(
        openai(CHAT), (chunk((0, "stop")), COMPLETE), (chunk((1, None)), OPEN), (chunk((1, "stop")), COMPLETE)
    ),
    "chat with a reason that is empty": row(openai(CHAT), (chunk((0, "")), OPEN), (chunk((0, "stop")), COMPLETE)),
    "completions of two prompts": row(
        openai("/v1/completions", prompt=["a", "b"]), (chunk((0, "stop")), OPEN), (chunk((1, "stop")), COMPLETE), DONE
    ),
    "completions of tokens": row(openai("/v1/completions", prompt=[1, 2]), (chunk((0, "stop")), COMPLETE), DONE),
    "responses": row(
        openai("/v1/responses"),
        (named("response.created"), OPEN),
        (named("response.output_text.done"), OPEN),
        (named("response.completed", response={}), OVER),
        DONE,
    ),
    "responses that stop early": row(openai("/v1/responses"), (named("response.incomplete", response={}), OVER)),
    "Ollama's chat": row(
        RecordedRequest("http://localhost:11434/api/chat", {"stream": True}, "/api/chat"),
        (line(message={}, done=False), OPEN),
        (line(message={}, done=True), OVER),
        content_type=NDJSON,
    ),
    "Ollama's generate": row(
        RecordedRequest("http://localhost:11434/api/generate", {"stream": True}, "/api/generate"),
        (line(response="a", done=False), OPEN),
        (line(response="", done=True), OVER),
        content_type=NDJSON,
    ),
    "Ollama's pull": row(
        RecordedRequest("http://localhost:11434/api/pull", {"stream": True}, "/api/pull"),
        (line(status="pulling", total=1), OPEN),
        (line(status="success"), OVER),
        content_type=NDJSON,
    ),
    "chat whose reason is a word until it ends": row(
        openai(CHAT), (chunk((0, "null")), OPEN), (chunk((0, "stop")), COMPLETE), DONE
    ),
    "Anthropic": row(
        passed_on(),
        (named("message_start"), OPEN),
        (named("message_delta", delta={"stop_reason": None}), OPEN),
        (named("message_delta", delta={"stop_reason": "end_turn"}), COMPLETE),
        (named("message_stop"), OVER),
    ),
    "Gemini": row(passed_on(), (gemini(None), OPEN), (gemini("STOP"), OVER)),
    "Gemini's two candidates": row(
        passed_on(), (gemini(None, None), OPEN), (gemini("STOP", None), OPEN), (gemini("STOP", "STOP"), OVER)
    ),
    "a prompt that Gemini blocks": row(passed_on(), (event({"promptFeedback": {"blockReason": "SAFETY"}}), OVER)),
    "Gemini's feedback on a prompt that it takes": row(
        passed_on(), (event({"promptFeedback": {"safetyRatings": []}}), OPEN), (gemini("STOP"), OVER)
    ),
    "Gemini's interactions": row(
        passed_on(), (event({"event_type": "step.stop"}), OPEN), (event({"event_type": "interaction.completed"}), OVER)
    ),
    "responses that are passed on": row(
        passed_on(), (named("response.output_text.done"), OPEN), (named("response.completed"), OVER)
    ),
    "completions that are passed on": row(passed_on(), (chunk((0, None)), OPEN), (chunk((0, "stop")), COMPLETE), DONE),
    "speech": row(passed_on(), (named("speech.audio.delta"), OPEN), (named("speech.audio.done"), OVER)),
    "llama.cpp's own completions": row(
        passed_on(), (event({"content": "a", "stop": False}), OPEN), (event({"content": "", "stop": True}), COMPLETE)
    ),
    "a conversation of Mistral's": row(
        passed_on(),
        (named("conversation.response.started"), OPEN),
        (named("message.output.delta", content="a"), OPEN),
        (named("conversation.response.done"), COMPLETE),
    ),
    "Replicate": row(passed_on(), (b"event: output\ndata: Hi\n\n", OPEN), (event({}, "done"), COMPLETE)),
    "TGI": row(
        passed_on(),
        (event({"token": {"text": "a"}, "generated_text": None, "details": None}), OPEN),
        (event({"token": {"text": "b"}, "details": {"finish_reason": "length"}}), COMPLETE),
    ),
    "DashScope": row(
        passed_on(),
        (event({"output": {"choices": [{"finish_reason": "null"}]}}, "result"), OPEN),
        (event({"output": {"choices": [{"finish_reason": "null"}, {"finish_reason": "stop"}]}}, "result"), OPEN),
        (event({"output": {"choices": [{"finish_reason": "stop"}] * 2}}, "result"), COMPLETE),
    ),
    "watsonx": row(
        passed_on(),
        (event({"results": [{"generated_text": "a", "stop_reason": "not_finished"}]}, "message"), OPEN),
        (event({"results": [{"generated_text": "", "stop_reason": "eos_token"}]}, "message"), COMPLETE),
        (event({}, "close"), COMPLETE),
    ),
    "Llama's API": row(
        passed_on(),
        (event({"event": {"event_type": "progress"}}), OPEN),
        (event({"event": {"stop_reason": "stop"}}), COMPLETE),
    ),
    "images": row(
        passed_on(), (named("image_generation.partial_image"), OPEN), (named("image_generation.completed"), COMPLETE)
    ),
    "images, several": row(
        passed_on(),
        (named("image_edit.completed"), COMPLETE),
        (named("image_edit.partial_image"), OPEN),
        (named("image_edit.completed"), COMPLETE),
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_stream_cut_at_any_byte_is_whole_only_where_it_says_so(row: Row) -> None:
    for body, end in row.cuts():
        # Its end was seen by its framing; its connection was closed; its connection broke, or its proxy was killed.
        for ended, is_framed in ((True, True), (True, False), (False, True)):
            headers = (("content-type", row.content_type),)
            came = wire.LiveResponse(200, headers, (body,) if body else (), (0.0,) * bool(body), ended, is_framed)
            is_whole = end is OVER or (end is COMPLETE and ended and is_framed)
            assert (_why_not(row.asked, came) == "") is is_whole, (body, ended, is_framed)


def _why_not(asked: RecordedRequest, came: wire.LiveResponse) -> str:
    """Why an answer is no recording; empty where it is one."""
    try:
        made = wire.response(asked, came)
    except wire.UnrecordableError as e:
        why = str(e)
    else:
        assert made.is_streaming
        return ""
    assert "broke off" in why or "empty" in why
    return why


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_stream_that_is_whole_without_its_last_bytes_is_recorded_as_the_whole_one(row: Row) -> None:
    """Without its marker, its last empty line, its last line end; and what is recorded replays to itself."""
    body = b"".join(part for part, _ in row.parts)
    made = [recorded(row, cut) for cut in (body, body.rstrip(b"\n"), body.rstrip(b"\n") + b"\n")]
    assert made[0] == made[1] == made[2]
    found = loads(made[0])
    sent = wire.answer([found])
    assert recorded(row, sent.body) == made[0]


def recorded(row: Row, body: bytes) -> bytes:
    came = wire.LiveResponse(200, (("content-type", row.content_type),), (body,), (0.0,), True)
    return dumps(Recording(row.asked, wire.response(row.asked, came)))
