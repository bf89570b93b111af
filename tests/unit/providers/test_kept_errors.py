"""What ``wiretape_record_errors`` keeps: each answer replays as it came, without its capture; verify faults none."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders import chat, tape_of
from wiretape.library import promotion, verify
from wiretape.policy import Mode
from wiretape.providers import wire
from wiretape.providers.wire import LiveResponse, UnrecordableError
from wiretape.recording import RecordedRequest, Recording, dumps, loads
from wiretape.recording.capture import kept
from wiretape.redaction import DEFAULT, recorded
from wiretape.store.directory import DirectoryStore

CHAT = chat("x")
STREAM = chat("x", stream=True)
CLAUDE = RecordedRequest("https://api.anthropic.com/v1/messages", {"model": "c", "stream": True}, "")
OLLAMA = RecordedRequest("http://localhost:11434/api/chat", {"model": "m", "stream": True}, "/api/chat")
RESPONSES = RecordedRequest("https://api.openai.com/v1/v1/responses", {"model": "m", "stream": True}, "/v1/responses")
MODELS = RecordedRequest("https://api.openai.com/v1/v1/models", {}, "/v1/models")

EVENTS, NDJSON, JSON, HTML = "text/event-stream", "application/x-ndjson", "application/json", "text/html"
CHUNK = b'data: {"id":"x","choices":[{"delta":{"content":"a"},"finish_reason":null,"index":0}]}\n\n'
LATE = b'data: {"error":{"message":"slow \xe2\x80\xa8 down","code":502},"user":"u"}\n\n'
START = b'event: message_start\ndata: {"type":"message_start","message":{"content":[]}}\n\n'
OVERLOADED = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n'
CREATED = b'event: response.created\ndata: {"response":{"id":"r"},"type":"response.created"}\n\n'
LINE = b'{"model":"m","done":false,"message":{"role":"assistant","content":"a"}}\n'
WHOLE = b'{"id":"x","choices":[],"created":1,"model":"m","object":"chat.completion"}'

MESSAGES = "application/vnd.amazon.eventstream"


def message(name: str, type_: str = "event") -> bytes:
    """A message as Bedrock sends it; nobody looks at its checksums."""
    texts = {":message-type": type_, f":{type_}-type": name, ":content-type": "application/json"}
    headers = b"\x05count\x04\0\0\0\x01"
    for key, value in texts.items():
        headers += bytes([len(key)]) + key.encode() + b"\x07" + len(value).to_bytes(2) + value.encode()
    payload = b'{"message":"x"}'
    sizes = (16 + len(headers) + len(payload)).to_bytes(4) + len(headers).to_bytes(4)
    return sizes + bytes(4) + headers + payload + bytes(4)


def came(
    body: bytes, status: int = 200, content_type: str = EVENTS, *, location: str = "", cut: bool = False
) -> LiveResponse:
    headers = (("content-type", content_type), *((("Location", location),) if location else ()))
    return LiveResponse(status, headers, (body,) if body else (), (1.0,) if body else (), not cut)


KEPT: dict[str, tuple[RecordedRequest, LiveResponse]] = {
    # An answer to an SDK, whatever it is: no exception.
    **{f"a whole one, {status}": (CHAT, came(WHOLE, status, JSON)) for status in (201, 203, 207, 299)},
    "a whole stream, 201": (STREAM, came(CHUNK + b"data: [DONE]\n\n", 201)),
    "an empty list of models, 203": (MODELS, came(b'{"object":"list","data":[]}', 203, JSON)),
    "accepted": (CHAT, came(b'{"reqId":"r1","status":"pending"}', 202, JSON)),
    "accepted, to be asked for elsewhere": (CHAT, came(b"{}", 202, JSON, location="/v1/later/r1")),
    "accepted, a list": (CHAT, came(b"[1, 2]", 202, JSON)),
    "accepted, no JSON": (STREAM, came(b"queued", 202, "text/plain")),
    "accepted, no text": (CHAT, came(b"\xff\x00", 202, "application/octet-stream")),
    "no content": (CHAT, came(b"", 204, "")),
    "a part": (CHAT, came(b'{"id":"x","cho', 206, JSON)),
    **{
        f"a redirect, {status}": (asked, came(b"<a>", status, HTML, location="https://eu.example.com/v1/x?a=b"))
        for status in (301, 302, 303, 307, 308)
        for asked in (CHAT, STREAM, CLAUDE, MODELS)
    },
    "a redirect without a body": (CLAUDE, came(b"", 307, "", location="../x")),
    # An error in the middle.
    "an error event": (STREAM, came(CHUNK + LATE)),
    "an error event and the end": (STREAM, came(CHUNK + CHUNK + LATE + b"data: [DONE]\n\n")),
    "an event called error": (STREAM, came(CHUNK + b'event: error\ndata: {"m":1}\n\n')),
    "an error that is no JSON": (STREAM, came(CHUNK + b"event: error\ndata: over\ndata: loaded\n\n")),
    "an error first": (STREAM, came(LATE)),
    "an error in a chunk": (STREAM, came(CHUNK + CHUNK.replace(b"data: {", b'data: {"error":{"code":502},'))),
    "an error event of the Responses API": (RESPONSES, came(CREATED + b'event: error\ndata: {"type":"error"}\n\n')),
    "an error event of Anthropic's": (CLAUDE, came(START + OVERLOADED)),
    "an error event of Anthropic's first": (CLAUDE, came(OVERLOADED)),
    "an error in a line": (OLLAMA, came(LINE + b'{"error":"boom"}\n', content_type=NDJSON)),
    "an error in an answer": (CHAT, came(b'{"error":{"message":"overloaded"}}', content_type=JSON)),
    "an error for a list of models": (MODELS, came(b'{"error":"no"}', content_type=JSON)),
    # Cut off.
    "a stream": (STREAM, came(CHUNK, cut=True)),
    "a stream in its first event": (STREAM, came(CHUNK[:20], cut=True)),
    "a stream that ended early": (STREAM, came(CHUNK)),
    "Anthropic's stream": (CLAUDE, came(START, cut=True)),
    "Anthropic's stream that ended early": (CLAUDE, came(START)),
    **{
        f"Anthropic's stream after {end} bytes": (CLAUDE, came(START[:end], cut=True))
        for end in range(1, len(START), 7)
    },
    **{
        f"Anthropic's stream in its error after {end} bytes": (CLAUDE, came(START + OVERLOADED[:end], cut=True))
        for end in (13, 14, 20, 30, 60)
    },
    "an error that is no JSON, without its end": (CLAUDE, came(START + b"event: error\ndata: overloaded")),
    "a stream that is closed where all but its last event came": (
        CLAUDE,
        replace(
            came(START + b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'), is_framed=False
        ),
    ),
    "lines": (OLLAMA, came(LINE, content_type=NDJSON, cut=True)),
    "an answer": (CHAT, came(WHOLE[:30], content_type=JSON, cut=True)),
    "an answer of Anthropic's": (CLAUDE, came(b'{"type":"mess', content_type=JSON, cut=True)),
    "speech": (replace(CLAUDE, url="https://api.openai.com/v1/audio/speech"), came(b"ID3\xff\xfb", cut=True)),
    "an error that is cut": (CHAT, came(b'{"error":{"mess', 500, JSON, cut=True)),
    # None of its endpoint.
    "a page with 200": (CHAT, came(b"<html>", content_type=HTML)),
    "a page called a stream": (STREAM, came(b"<html>\n\n")),
    "a stream with no event": (STREAM, came(b": waiting\n\ndata: [DONE]\n\n")),
    "a chat without choices": (CHAT, came(b'{"code":1211,"msg":"no such model"}', content_type=JSON)),
    "an error in a list": (CHAT, came(b'[{"error":{"code":503}}]', content_type=JSON)),
    "an error in a list of Gemini's": (CLAUDE, came(b'[{"candidates":[]},{"error":{"code":503}}]', content_type=JSON)),
    "an exception of Bedrock's": (
        CLAUDE,
        came(message("messageStart") + message("throttlingException", "exception"), content_type=MESSAGES),
    ),
    "an exception of Bedrock's first": (
        CLAUDE,
        came(message("validationException", "exception"), content_type=MESSAGES),
    ),
    **{
        f"Bedrock's stream after {end} bytes": (CLAUDE, came(message("messageStart")[:end], content_type=MESSAGES))
        for end in (5, 12, 40, 400)
    },
    "lines that say that more will come": (CLAUDE, came(b'{"is_finished":false}\n', content_type=NDJSON)),
    "an error in lines": (CLAUDE, came(b'{"a":1}\n{"error":"no"}\n', content_type=NDJSON)),
    "a list of models that is none": (MODELS, came(b'{"data":["m"]}', content_type=JSON)),
    "an event that is no JSON": (STREAM, came(CHUNK + b"data: {oops\n\n" + b"data: [DONE]\n\n")),
    "a list as an event": (STREAM, came(CHUNK + b'data: [{"error":1}]\n\n')),
    # Errors of HTTP, as gateways write them.
    **{
        f"{status}": (CHAT, came(b'{"error":{"message":"no"},"more":1}', status, JSON))
        for status in (401, 429, 503, 529)
    },
    "a page": (CHAT, came(b"<html>\xe2\x80\xa6", 502, "text/html; charset=utf-8")),
    "a page that is no UTF-8": (CHAT, came(b"<html>caf\xe9", 502, "text/html; charset=latin-1")),
    "a page called JSON": (CLAUDE, came(b"<html>", 529, JSON)),
    "nothing": (CHAT, came(b"", 500, "")),
}


def said(body: bytes) -> list[Any]:
    """The lines of a body, those of JSON as what they mean."""
    lines: list[Any] = []
    for line in body.split(b"\n"):
        head, mark, rest = line.partition(b"data: ")
        try:
            lines.append((head, mark, json.loads(rest or line)))
        except ValueError:
            lines.append(line)
    return lines


@pytest.mark.parametrize(("asked", "arrived"), KEPT.values(), ids=KEPT)
def test_what_is_kept_replays_as_it_came(asked: RecordedRequest, arrived: LiveResponse) -> None:
    made = Recording(asked, wire.response(asked, arrived, keep_errors=True))
    data = dumps(made)
    read = loads(data)
    assert dumps(read) == data
    assert verify.verify(made.name, data).faults == ()
    sent = wire.answer([read])
    assert (sent.status, sent.broken) == (arrived.status, not arrived.ended)
    assert said(sent.body) == said(b"".join(arrived.pieces))
    headers = dict(sent.headers)
    assert headers.get("location", "") == arrived.header("location")
    assert headers.get("content-type", "").partition(";")[0] == arrived.header("content-type").partition(";")[0]
    if arrived.status < 400:
        # To the SDK it was no exception, unless it failed after it had begun.
        assert made.response.error is None or made.response.is_partial
    elif not asked.passthrough:
        assert made.response.error


@pytest.mark.parametrize(("asked", "arrived"), KEPT.values(), ids=KEPT)
def test_none_of_it_is_kept_by_itself(asked: RecordedRequest, arrived: LiveResponse) -> None:
    with pytest.raises(UnrecordableError):
        wire.response(asked, arrived)


def test_a_stream_of_bedrocks_that_is_whole_is_an_answer() -> None:
    for body in (message("messageStart") + message("messageStop") + message("metadata"), message("chunk")):
        made = wire.response(CLAUDE, came(body, content_type=MESSAGES))
        assert wire.answer([loads(dumps(Recording(CLAUDE, made)))]).body == body


@pytest.mark.parametrize("asked", [STREAM, CLAUDE, OLLAMA])
def test_what_the_client_did_not_wait_for_is_no_failure_of_the_providers(asked: RecordedRequest) -> None:
    begun = came(LINE if asked is OLLAMA else CHUNK, cut=True)
    assert wire.response(asked, begun, keep_errors=True).broke_off
    with pytest.raises(UnrecordableError):
        wire.response(asked, replace(begun, is_abandoned=True), keep_errors=True)


@pytest.mark.parametrize("asked", [STREAM, CLAUDE, OLLAMA])
@pytest.mark.parametrize("body", [b"", b'{"error":', b'{"error":{"message":"slow"}}'])
def test_who_retries_leaves_when_it_has_seen_the_status(asked: RecordedRequest, body: bytes) -> None:
    left = replace(came(body, 429, JSON, cut=True), is_abandoned=True)
    sent = wire.answer([loads(dumps(Recording(asked, wire.response(asked, left, keep_errors=True))))])
    assert (sent.status, sent.body, sent.broken) == (429, body, False)


def test_a_failure_that_another_recorder_wrote_is_said_as_the_sdk_knows_it() -> None:
    made = wire.response(STREAM, came(CHUNK + LATE), keep_errors=True)
    assert made.error
    assert made.error["body"] == {"message": "slow \u2028 down", "code": 502}
    assert made.error["message"] == "slow \u2028 down"
    theirs = Recording(STREAM, replace(made, tail=()))
    said_last = json.loads(wire.answer([theirs]).chunks[-1].removeprefix(b"data: "))
    assert said_last == {"error": made.error["body"]}


KEY = "sk-" + "a1b2" * 10
HIDING: dict[str, tuple[RecordedRequest, LiveResponse]] = {
    "the tail": (STREAM, came(CHUNK + b'data: {"error":{"password":"hunter2hunter2","more":"KEY"}}\n\n')),
    "lines": (CLAUDE, came(START + b'event: error\ndata: {"type":"error","error":"KEY"}\n\n')),
    "a location": (CHAT, came(b"", 307, "", location="https://x.example.com/?sig=hunter2hunter2&key=KEY")),
    "an answer that is cut": (CHAT, came(b'{"error":"KEY', content_type=JSON, cut=True)),
    "what is around models": (MODELS, came(b'{"data":[],"next":"KEY"}', content_type=JSON)),
}


@pytest.mark.parametrize(("asked", "arrived"), HIDING.values(), ids=HIDING)
def test_no_secret_is_kept_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, asked: RecordedRequest, arrived: LiveResponse
) -> None:
    pieces = tuple(piece.replace(b"KEY", KEY.encode()) for piece in arrived.pieces)
    headers = tuple((name, value.replace("KEY", KEY)) for name, value in arrived.headers)
    arrived = replace(arrived, pieces=pieces, headers=headers)
    # One that is older than the rule is seen, and can be cleaned.
    old = Recording(asked, wire.response(asked, arrived, keep_errors=True))
    assert "a secret is in it" in verify.verify(old.name, dumps(old)).faults[0]
    cleaned = recorded.clean(old, DEFAULT)
    assert verify.verify(old.name, dumps(cleaned)).faults == ()
    tape = tape_of(DirectoryStore(tmp_path), "s", Mode.RECORD, keep_errors=True)
    tape.record(asked, arrived)
    assert tape.counters.recorded == 1
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*.json"))
    for text in (written, dumps(cleaned), repr(kept(headers, recorded.header)).encode(), caplog.text.encode()):
        assert KEY.encode() not in text
        assert b"hunter2" not in text


def test_it_is_promoted_as_all_else_is(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    tape = tape_of(store, "mine", Mode.RECORD, keep_errors=True)
    for number, (asked, arrived) in enumerate(KEPT.values()):
        # Each from a provider of its own: they are many requests.
        url = asked.url.replace("https://api.", f"https://api{number}.").replace(":11434", f":{number + 1}")
        tape.record(replace(asked, url=url), arrived)
    assert tape.counters.recorded == len(KEPT)
    plan = promotion.plan(store, "mine", "ours")
    assert plan.refusals == ()
    promotion.carry_out(store, plan)
    assert promotion.plan(store, "mine", "ours").steps == ()


@pytest.mark.parametrize("status", [204, 205, 304])
@pytest.mark.parametrize("asked", [CHAT, CLAUDE])
def test_an_answer_that_has_no_content_has_none_whatever_came(asked: RecordedRequest, status: int) -> None:
    """HTTP/2 can send it all the same."""
    made = Recording(asked, wire.response(asked, came(b'{"a":1}', status, JSON), keep_errors=True))
    assert verify.verify(made.name, dumps(made)).faults == ()
    assert wire.answer([made]).body == b""
