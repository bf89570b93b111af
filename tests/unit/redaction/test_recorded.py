"""Every place in which a secret can stand, with one of each kind of the table: none is written, all of it replays."""

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from builders import RecordingTape, tape_of
from delta_forms import cut, messages, read_messages
from drawn import draw, parts
from wiretape.codecs import eventstream
from wiretape.library import verify
from wiretape.matching import request
from wiretape.policy import Mode
from wiretape.providers import wire
from wiretape.providers.routing import Endpoint, Route
from wiretape.recording import RecordedRequest, RecordedResponse, Recording, capture
from wiretape.recording.capture import Capture
from wiretape.redaction import DEFAULT, REDACTED, bodies, recorded
from wiretape.redaction.detectors import DETECTORS
from wiretape.redaction.forms import FORMS, Form
from wiretape.redaction.recorded import header as clean_header
from wiretape.sessions.model import Role, check_name
from wiretape.sessions.tokens import Tokens
from wiretape.store.base import WIRE
from wiretape.store.directory import DirectoryStore
from wiretape.tape.question import Question

CHAT = "/v1/chat/completions"
SDK = Route("x", "https://api.openai.com/v1", Endpoint("sdk", "POST", CHAT), "/chat/completions")
HTTP = Route("x", "https://api.anthropic.com", Endpoint("http", "POST", ""), "/v1/messages")


def forms(seed: int) -> list[str]:
    """One key of each form, as it stands by itself."""
    return [form.starts[0] + draw(form.examples[0], seed) for form in FORMS]


def in_context(seed: int) -> list[tuple[str, str]]:
    """Texts in which secrets are known by what is around them, each with its secret."""
    # The number of a webhook is no secret, and would make another request of it.
    examples = [example for each in DETECTORS for example in each.examples if "/webhooks/" not in example]
    return [parts(example, seed) for example in examples]


ALL = [*((key, key) for key in forms(1)), *in_context(1)]
"""A text with a secret in it, and the secret."""


@cache
def lines(seed: int) -> str:
    return "\n\n".join([*forms(seed), *(text for text, _ in in_context(seed))])


@cache
def keys(seed: int) -> str:
    return " , ".join(forms(seed))


def body(**members: Any) -> bytes:
    return json.dumps({"model": "m", "stream": True, "messages": [], **members}).encode()


def multipart(seed: int, *, content: str = "x", name: str = "a.txt", field: str = "x") -> tuple[bytes, str]:
    sent = httpx.Request("POST", "https://x", files={"file": (name, content)}, data={"prompt": field})
    return sent.read(), sent.headers["content-type"]


type Ask = Callable[[int], RecordedRequest]
"""The request with secrets of this seed."""


def sdk(make: Callable[[int], bytes]) -> Ask:
    return lambda seed: request.recorded(SDK, make(seed))


def form(**places: Callable[[int], str]) -> Ask:
    def ask(seed: int) -> RecordedRequest:
        sent, content_type = multipart(seed, **{name: make(seed) for name, make in places.items()})
        return request.recorded(HTTP, sent, content_type)

    return ask


def at(path: Callable[[int], str]) -> Ask:
    return lambda seed: request.recorded(Route("x", HTTP.base, HTTP.endpoint, path(seed)), b"{}")


REQUESTS: dict[str, Ask] = {
    "prompt": sdk(lambda seed: body(messages=[{"role": "user", "content": lines(seed)}])),
    "tool": sdk(lambda seed: body(tools=[{"function": {"description": lines(seed), "parameters": {}}}])),
    "name of a member": sdk(lambda seed: body(metadata={keys(seed): "x"})),
    "arguments": sdk(
        lambda seed: body(messages=[{"tool_calls": [{"function": {"arguments": json.dumps({"text": lines(seed)})}}]}])
    ),
    "base64 of JSON": sdk(
        lambda seed: body(data=f"data:application/json;base64,{encoded(json.dumps({'text': lines(seed)}))}")
    ),
    "base64 in lines": sdk(lambda seed: body(data=base64.encodebytes(lines(seed).encode()).decode())),
    "percent-encoded": sdk(lambda seed: body(data=f"see https://x.example/?q={quote(keys(seed), safe='')}&n=1")),
    "JSON in JSON in base64": sdk(
        lambda seed: body(data=json.dumps({"a": encoded(json.dumps({"b": json.dumps({"text": lines(seed)})}))}))
    ),
    "field of a form": form(field=lines),
    "file of a form": form(content=lines),
    "JSON lines in a file": form(
        content=lambda seed: "".join(json.dumps({"body": text}) + "\n" for text in lines(seed).split("\n\n"))
    ),
    "name of a file": form(name=lambda seed: keys(seed) + ".txt"),
    "text that is no JSON": lambda seed: request.recorded(HTTP, lines(seed).encode(), "text/plain"),
    "path": at(lambda seed: f"/v1/{forms(seed)[0]}/x/{forms(seed)[1]}"),
    "query": at(lambda seed: f"/v1/x?{'&'.join(f'a{n}={quote(key)}' for n, key in enumerate(forms(seed)))}"),
    "query by its names": at(lambda seed: f"/v1/x?sig=whatever{seed}&access-token=word{seed}word&n=1"),
    "test": lambda seed: request.recorded(SDK, body(), test_id=f"test_x[{keys(seed)}]"),
}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(name="tape")
def _tape(tmp_path: Path) -> RecordingTape:
    return tape_of(DirectoryStore(tmp_path), "main", Mode.RECORD, form="2026")


def written(tape: RecordingTape) -> str:
    """The recording and its capture, sound."""
    (name,) = tape.store.scan("main")
    data = tape.store.read("main", name) or b""
    kept = tape.store.read("main", name, WIRE) or b""
    assert verify.verify(name, data).faults == ()
    assert verify.verify_capture(kept) == ()
    return (data + kept).decode()


def holds(text: str) -> list[str]:
    """The kinds of secrets that a text still has, plain, cut or in base64."""
    return [known for known, secret in ALL if secret[4:] in text or encoded(secret)[:-4] in text]


def came(*pieces: bytes, status: int = 200, content_type: str = "application/json") -> wire.LiveResponse:
    headers = (("content-type", content_type),)
    return wire.LiveResponse(status, headers, pieces, tuple(float(at) for at in range(len(pieces))), True)


def events(*values: Any) -> tuple[bytes, ...]:
    return (*(f"data: {json.dumps(each)}\n\n".encode() for each in values), b"data: [DONE]\n\n")


ORIGIN = capture.origin("ci", datetime(2026, 1, 31, tzinfo=UTC), "curl/8", 1.0, clean=DEFAULT.text)
HI = events({"id": "x", "created": 1, "choices": [{"index": 0, "delta": {"content": "hi"}}]})


@pytest.mark.parametrize("place", REQUESTS)
def test_a_request_is_written_without_and_found_with_another_key(place: str, tape: RecordingTape) -> None:
    asked = REQUESTS[place](1)
    answer = came(*HI, content_type="text/event-stream")
    tape.record(asked, answer if not asked.passthrough else came(b'{"ok": true}'), ORIGIN)
    assert tape.counters.recorded == 1
    assert holds(written(tape)) == []
    replaying = tape_of(tape.store, "main", Mode.REPLAY, form="2026")
    assert replaying.lookup(Question(asked))
    assert replaying.lookup(Question(REQUESTS[place](2)))


def deltas(text: str) -> list[str]:
    return [text[start : start + 3] for start in range(0, len(text), 3)]


def chat(**delta: Any) -> dict[str, Any]:
    return {"id": "x", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta}]}


def chat_call(piece: str) -> dict[str, Any]:
    return chat(tool_calls=[{"index": 0, "function": {"arguments": piece}}])


def anthropic(piece: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}}


STOP = {"type": "message_stop"}
SOME = "\n\n".join([*forms(1), *(text for text, _ in in_context(1))][::6])
STREAMS: dict[str, tuple[Route, tuple[bytes, ...]]] = {
    "chat": (SDK, events(*(chat(content=piece) for piece in deltas(lines(1))))),
    "reasoning": (SDK, events(*(chat(reasoning_content=piece) for piece in deltas(SOME)))),
    "arguments": (SDK, events(*map(chat_call, deltas(json.dumps({"text": SOME, "n": 1}))))),
    "partial JSON": (HTTP, events(*map(anthropic, deltas(json.dumps({"text": SOME}))), STOP)),
    "base64": (SDK, events(*(chat(content=piece) for piece in deltas(encoded(SOME))))),
}


@pytest.mark.parametrize("place", STREAMS)
def test_a_streamed_answer_keeps_its_chunks_and_times(place: str, tape: RecordingTape) -> None:
    route, pieces = STREAMS[place]
    asked = request.recorded(route, body())
    answer = came(*pieces, content_type="text/event-stream")
    tape.record(asked, answer, ORIGIN)
    assert holds(written(tape)) == []
    hit = tape_of(tape.store, "main", Mode.REPLAY, form="2026").lookup(Question(asked))
    assert hit
    assert hit.answer.at == answer.at
    assert len(hit.answer.chunks) == len(pieces)
    assert all(hit.answer.chunks)
    assert holds("".join(said(chunk) for chunk in hit.answer.chunks)) == []


def said(chunk: bytes) -> str:
    text = ""

    def walk(value: Any) -> None:
        nonlocal text
        if isinstance(value, dict):
            for name, item in value.items():
                if name in ("content", "reasoning_content", "arguments", "partial_json") and isinstance(item, str):
                    text += item
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    if chunk.startswith(b"data: {"):
        walk(json.loads(chunk[6:]))
    return text


@pytest.mark.parametrize(
    ("route", "answer"),
    [
        (SDK, came(json.dumps({"error": {"message": lines(1)}}).encode(), status=400)),
        (SDK, came(lines(1).encode(), status=404)),
        (HTTP, came(json.dumps({"content": [{"type": "tool_use", "input": {"text": lines(1)}}]}).encode())),
        (HTTP, came(json.dumps({"error": {"password": "opensesame", "message": lines(1)}}).encode(), status=400)),
        (HTTP, came(lines(1).encode(), content_type="text/plain")),
        (HTTP, came(*(lines(1).encode()[start : start + 5] for start in range(0, 11_000, 5)), content_type="text/vtt")),
    ],
)
def test_an_answer_in_one_piece_and_an_error(route: Route, answer: wire.LiveResponse, tape: RecordingTape) -> None:
    asked = request.recorded(route, json.dumps({"model": "m", "messages": []}).encode())
    tape.record(asked, answer, ORIGIN)
    text = written(tape)
    assert holds(text) == []
    assert "opensesame" not in text
    assert REDACTED in text


def test_a_header_that_is_kept_and_who_asked() -> None:
    headers = [("openai-model", keys(1)), ("x-ratelimit-reset", "1s"), ("Fireworks-Token-Note", "x")]
    kept = capture.kept(headers, clean_header)
    made = capture.origin(forms(1)[0], datetime(2026, 1, 31, tzinfo=UTC), f"app {forms(1)[1]}", 1.0, clean=DEFAULT.text)
    text = capture.dumps(Capture("sha256:0", 200, kept, (b"x",), (1.0,), made)).decode()
    assert holds(text) == []
    assert dict(kept)["x-ratelimit-reset"] == "1s"
    assert made.by == REDACTED
    assert made.client == f"app {REDACTED}"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_url_with_a_key(form: Form) -> None:
    for example in form.examples:
        key = form.starts[0] + draw(example)
        for path in ("/v1/{}/x", "/v1/x?a={}", "/v1/x?n=1&q=a+{}#z"):
            route = Route("x", HTTP.base, HTTP.endpoint, path.format(quote(key, safe="")))
            url = request.recorded(route, b"{}").url
            assert url.startswith(HTTP.base + path.partition("{}")[0] + REDACTED)
            assert key[len(form.starts[0]) :] not in url


def test_an_image_and_look_alikes_stay_the_very_same_object() -> None:
    image = base64.b64encode(bytes(range(256)) * 2000).decode()
    alike = [text for form in FORMS for text in map(draw, form.look_alikes)]
    value = {"image_url": {"url": f"data:image/png;base64,{image}"}, "texts": alike, "json": json.dumps({"a": alike})}
    assert DEFAULT.clean(value) is value
    stream = events(*(chat(content=piece) for piece in deltas("\n".join(alike))))
    assert bodies.cleaned(stream, DEFAULT) == stream


@pytest.mark.parametrize("seed", [1, 2])
def test_names_of_tokens_and_sessions_are_no_keys(seed: int) -> None:
    for key in forms(seed):
        if re.fullmatch(r"[A-Za-z0-9._@-]{1,64}", key):
            with pytest.raises(ValueError, match="choose another") as caught:
                Tokens().create("main", Role.WRITE, key)
            assert key not in str(caught.value)
    with pytest.raises(ValueError, match="looks like a key"):
        check_name("dapi" + "0123456789abcdef" * 2)
    check_name("checkout-2026.1")


def test_a_stream_of_messages_that_is_recorded_as_its_bytes_is_cleaned_too() -> None:
    key = forms(1)[0]
    stream = b"".join(messages([{"delta": {"text": piece}} for piece in cut(f"the key is {key}.")]))
    body = {"base64": base64.b64encode(stream).decode()}
    old = RecordedResponse(body, is_streaming=False, content_type=eventstream.MEDIA_TYPE)
    new = recorded.response(old, DEFAULT)
    said = [each["delta"]["text"] for each in read_messages(base64.b64decode(new.body["base64"]))]
    assert "".join(said) == f"the key is {REDACTED}."
    assert recorded.response(new, DEFAULT) is new
    asked = RecordedRequest("https://x", {}, "")
    for response, places in ((old, ["response.body"]), (new, [])):
        found = recorded.findings({"response": {}}, Recording(asked, response), DEFAULT)
        assert [each.path for each in found] == places
