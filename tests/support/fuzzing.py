"""Inputs by chance for everything that reads what others have sent or written: none may end in another error than ours.

``python tests/support/fuzzing.py --inputs 1000000 --seed 1`` tries so many and tells of each reader the slowest input; the
tests try fewer. An input is a sample that was changed: bytes of it, or the values of its JSON.
"""  # noqa: E501

import argparse
import contextlib
import copy
import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from builders import TABLE, chat, route
from wiretape import config, policy, recording
from wiretape.cluster import protocol
from wiretape.codecs import (
    content_coding,
    http1,
    http_fields,
    json_text,
    multipart,
    ndjson,
    printable,
    sse,
    toml_text,
    units,
)
from wiretape.config.places import line_of
from wiretape.library import compare, transcript, verify
from wiretape.matching import request
from wiretape.metrics import prometheus
from wiretape.network import address
from wiretape.providers import base, sdk_errors, wire
from wiretape.proxy import framing
from wiretape.proxy.layers import connect
from wiretape.recording import (
    RecordedRequest,
    capture,
)
from wiretape.recording.capture import Origin
from wiretape.redaction.recorded import header as clean_header
from wiretape.replay import faults, pacing
from wiretape.replay.faults import Fault, FaultQuery
from wiretape.replay.pacing import Pace
from wiretape.sessions import access, tokens
from wiretape.sessions import model as session_model
from wiretape.store import opening
from wiretape.tape import mismatch
from wiretape.tape.hit import Hit

SECONDS = 0.25
"""Of processor time, for an input of some thousand bytes: a hundred times what any takes."""

ENDPOINTS = sorted(base.names())


def one_of[T](data: bytes, choices: Sequence[T]) -> T:
    """One of these, and for the same input the same."""
    return choices[sum(data[:64]) % len(choices)]


# -- what is called ----------------------------------------------------------------------------------------------------


def fed(make: Callable[[], Any]) -> Callable[[bytes], None]:
    """Whole, and in pieces, which must come to the same."""

    def feed(data: bytes) -> None:
        whole, pieces = make(), make()
        once = whole.feed(data) + whole.flush()
        parts = [each for start in range(0, len(data), 7) for each in pieces.feed(data[start : start + 7])]
        assert once == parts + pieces.flush()

    return feed


def read_head(data: bytes) -> None:
    with contextlib.suppress(http1.Unusual):
        http1.Reader().feed(data)
    connect.read_connect(data)


def read_request(data: bytes) -> None:
    """A request to an endpoint of some kind, and all that is made of one."""
    path, host = one_of(data, (("/v1/chat/completions", "api.openai.com"), ("/v1/messages", "api.anthropic.com")))
    with contextlib.suppress(ValueError):
        use_request(request.recorded(route(path, host), data, "application/json", "a test"))


def read_form(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        multipart.parse(data, "multipart/form-data; boundary=B")
    with contextlib.suppress(ValueError):
        multipart.parse(b"--B\r\n\r\n--B--", data.decode("latin-1"))


def use_request(asked: RecordedRequest) -> None:
    for form in policy.FORMS:
        recording.request_name(asked, form)
    request.identity(asked)
    request.endpoint(asked)
    assert printable.line(asked.label) == asked.label
    text = mismatch.explain(asked, [mismatch.NearRecording("a\x1b", chat("Hi"))], "how").text
    assert printable.lines(text) == text


def read_answer(data: bytes) -> None:
    """A live answer of some endpoint, streamed or not, or an error."""
    endpoint = one_of(data, (*ENDPOINTS, ""))
    stream = one_of(data[1:], (True, False))
    status = one_of(data[2:], (200, 400))
    asked = RecordedRequest(f"https://x{endpoint or '/v1/messages'}", {"stream": stream}, endpoint)
    headers = (("content-type", "text/event-stream" if stream else "application/json"),)
    arrived = wire.LiveResponse(status, headers, (data,), (0.0,), ended=True)
    with contextlib.suppress(wire.UnrecordableError):
        response = wire.response(asked, arrived, keep_errors=True)
        for form in policy.FORMS:
            recording.loads(recording.dumps(recording.make(asked, response, form)))


def read_coded(data: bytes) -> None:
    name = one_of(data, ("gzip", "deflate", "br", "zstd", "br, gzip"))
    with contextlib.suppress(content_coding.CodingError):
        content_coding.decode([data[:10], data[10:]], name, 1 << 20)


def read_recording(data: bytes) -> None:
    """Whatever is a recording can be used in every way."""
    verify.verify("x", data)
    with contextlib.suppress(ValueError):
        use_request(recording.read_request(data))
    try:
        found = recording.loads(data)
    except ValueError:
        return
    use_request(found.request)
    play(wire.answer([found], base64_wanted=one_of(data, (False, True))), wire.tokens(found))
    wire.answer([found, found])
    assert isinstance(found.name, str)
    assert printable.lines(transcript.text(found)) is not None
    compare._take("x", data, found)
    again = recording.make(found.request, found.response, one_of(data, policy.FORMS))
    written = recording.dumps(again)
    assert recording.dumps(recording.loads(written)) == written


def read_capture(data: bytes) -> None:
    """Whatever is a capture can be played, and is one answer and no more."""
    verify.verify_capture(data)
    try:
        found = capture.loads(data)
    except ValueError:
        return
    assert list(found.at) == sorted(found.at)
    assert capture.kept(found.headers, clean_header) == found.headers
    again = capture.loads(capture.dumps(found))
    assert (again.headers, again.status, again.chunks) == (found.headers, found.status, found.chunks)
    made = recording.loads(SAMPLES["recording"][0])
    answer = wire.captured(made, replace(found, recording="x"), "x", base64_wanted=False)
    if answer:
        play(answer, 5)


def play(answer: wire.HttpResponse, tokens_: int) -> None:
    for pace in (Pace(), Pace(factor=1.0), Pace(factor=1e-9), Pace(rate=3.0), Pace(rate=1e-9)):
        leaving = pacing.schedule(pace, len(answer.chunks), answer.at, tokens_)
        assert all(0 <= moment <= pacing.LONGEST for moment in leaving)
    hit = Hit("x", answer, (0.0,) * len(answer.chunks), tokens_, sum(map(len, answer.chunks)))
    for version in ("HTTP/1.1", "HTTP/2.0"):
        check_head(framing.of_hit(hit, version))
    framing.of_faulted_hit(hit, Fault(after=1, ending=faults.Ending.RESET, garble=1), "HTTP/1.1")


def check_head(planned: framing.FramedAnswer) -> None:
    head = planned.head
    assert http_fields.is_status(head.status_code)
    for name, value in head.headers.fields:
        assert not set(name + value) & set(b"\r\n\0")
    framing = [name for name in ("content-length", "transfer-encoding") if name in head.headers]
    assert len(framing) <= 1
    if head.status_code in http_fields.UNFRAMED:
        assert not framing
    if head.status_code in http_fields.EMPTY:
        assert not b"".join(planned.body.chunks)
    if "content-length" in head.headers:
        assert int(head.headers["content-length"]) == sum(map(len, planned.body.chunks))


def read_config(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for read in (
        lambda: toml_text.loads("x", text),
        lambda: config.loads("x", text).sessions(),
        lambda: config.loads("x", text).faults(["openai"]).draw(FaultQuery("a", "openai", ("/v1/x",), "m", "0")),
        lambda: config.loads("x", text).providers().route("POST", "https", "api.example.com", 443, "/v1/a/b:c"),
        lambda: config.loads("x", text).redaction(),
        lambda: config.loads("x", text).tunnels(),
        lambda: line_of(text, ("session", "a", "mode")),
        lambda: tokens.loads("x", text),
    ):
        with contextlib.suppress(ValueError):
            read()


def read_words(data: bytes) -> None:
    """Everything that is a word of an option, a URL or a header."""
    text = data.decode("utf-8", "surrogateescape")
    for read in (
        address.parse,
        units.parse_size,
        pacing.parse,
        session_model.parse_user,
        session_model.check_name,
        opening.bucket_url,
        opening.is_url,
        access.basic,
        prometheus.parse,
    ):
        with contextlib.suppress(ValueError):
            read(text)
    TABLE.route("POST", "https", text[:50], 443, f"/{text}")
    TABLE.knows(text, 443)
    shown = printable.line(text)
    assert shown.isprintable() or all(char.isprintable() or ord(char) > 127 for char in shown)
    assert "\n" not in shown


def read_messages(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        protocol.MessageDecoder().feed(data)


def read_error(data: bytes) -> None:
    try:
        value = json_text.loads(data)
    except ValueError:
        return
    if isinstance(value, dict):
        sdk_errors.answer(value)


# -- samples -----------------------------------------------------------------------------------------------------------

_CHUNK = {
    "__type__": "openai.types.chat.chat_completion_chunk.ChatCompletionChunk",
    "__data__": {
        "id": "c",
        "choices": [
            {
                "delta": {"content": "hi", "tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{}"}}]},
                "finish_reason": None,
                "index": 0,
                "logprobs": {"content": [{"token": "hi", "bytes": [104], "logprob": -1e-05, "top_logprobs": []}]},
            }
        ],
        "created": 1,
        "model": "m",
        "object": "chat.completion.chunk",
        "usage": {"completion_tokens": 2, "prompt_tokens": 1, "total_tokens": 3},
    },
}


def recorded(endpoint: str, body: Any, *, streaming: bool = False, **more: Any) -> bytes:
    asked = {
        "method": "POST",
        "url": f"https://x/v1{endpoint}",
        "headers": {},
        "body": {"model": "m", "messages": [{"role": "user", "content": "1.23456789"}], "stream": streaming},
        "endpoint": endpoint,
        "model": "m",
    }
    return dumped({"request": asked, "response": {"body": body, "is_streaming": streaming, **more}})


def sent(response: dict[str, Any]) -> bytes:
    asked = {"test_id": "a", "url": "https://x/v1/messages", "method": "POST", "payload": {"model": "m"}}
    return dumped({"test_id": "a", "request": asked, "response": response, "id_normalization_mapping": {}})


def dumped(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def element(name: str, data: Any) -> dict[str, Any]:
    return {"__type__": name, "__data__": data}


_EMBEDDING = element(
    "openai.types.create_embedding_response.CreateEmbeddingResponse",
    {"data": [{"embedding": [0.5, 1], "index": 0, "object": "embedding"}], "model": "m", "object": "list"},
)
_EVENT = element(
    "openai.types.responses.response_completed_event.ResponseCompletedEvent",
    {"type": "response.completed", "response": {"id": "r", "output": [{"type": "message", "content": []}]}},
)
_FAULTY = {"category": "provider_sdk", "provider": "openai", "type": "BadRequestError", "status_code": 400}

SAMPLES: Mapping[str, Sequence[bytes]] = {
    "recording": (
        recorded("/v1/chat/completions", [_CHUNK], streaming=True),
        recorded("/v1/embeddings", _EMBEDDING),
        recorded("/v1/models", [element("openai.types.model.Model", {"id": "a", "created": 1, "object": "model"})]),
        recorded("/api/tags", element("ollama._types.ListResponse", {"models": [{"model": "a", "size": 1}]})),
        recorded("/api/chat", [element("ollama._types.ChatResponse", {"message": {"content": "a"}})], streaming=True),
        recorded("/v1/responses", [_EVENT], streaming=True),
        recorded(
            "/v1/chat/completions",
            None,
            is_exception=True,
            exception_data={
                **_FAULTY,
                "message": "Error code: 400 - {'error': {'message': 'a'}}",
                "body": {"message": "a"},
            },
        ),
        recorded("/v1/chat/completions", [_CHUNK], streaming=True, is_exception=True, exception_data=_FAULTY),
        sent(
            {
                "status": 200,
                "body": ["event: a", "data: {}", "", 'data: {"usage": {"output_tokens": 1}}', ""],
                "is_streaming": True,
            }
        ),
        sent({"status": 200, "body": {"usage": {"output_tokens": 1}}, "is_streaming": False}),
        sent({"status": 200, "content_type": "text/plain", "body": "words", "is_streaming": False}),
        sent({"status": 204, "content_type": "audio/mpeg", "body": {"base64": "AAAA"}, "is_streaming": False}),
    ),
    "capture": (
        capture.dumps(
            capture.Capture(
                "sha256:x",
                200,
                (("content-type", "text/event-stream"), ("x-ratelimit-limit", "5")),
                (b"data: {}\n\n", b"\xff", b"data: [DONE]\n\n"),
                (1.0, 2.0, 2.5),
                Origin("ci", "2026-01-31T12:00:00Z", "curl/8.5.0", "0.1.0", 12.5),
            )
        ),
    ),
    "answer": (
        b'data: {"id":"c","choices":[{"delta":{"content":"hi"},"index":0}]}\n\ndata: [DONE]\n\n',
        b'event: message_stop\r\ndata: {"type":"message_stop"}\r\n\r\n',
        b'{"model":"m","message":{"content":"a"},"created_at":"2026-01-31T12:00:00.123456789Z"}\n{"done":true}\n',
        b'{"id":"c","choices":[{"message":{"content":"hi","tool_calls":[]},"index":0}],"usage":{"total_tokens":1}}',
        b'{"object":"list","data":[{"embedding":"AACAPw==","index":0}],"model":"m"}',
        b'{"object":"list","data":[{"id":"a","created":1}],"models":[{"model":"a","size":1.5}]}',
        b'{"error":{"message":"no","type":"invalid_request_error"}}',
        b'data: {"type":"response.completed","response":{"output":[{"type":"message"}]}}\n\n',
    ),
    "request": (
        b'{"model":"m","messages":[{"role":"user","content":"12.345678 and -0.00001"}],"stream":true,"tools":[{}]}',
        b'{"model":"m","input":["a",1],"encoding_format":"base64","extra_body":{"top_k":4}}',
    ),
    "form": (
        b'--B\r\nContent-Disposition: form-data; name="a"; filename="b"\r\nContent-Type: x/y\r\n\r\n1\r\n--B--\r\n',
    ),
    "head": (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: api.openai.com\r\ncontent-length: 2\r\n\r\n{}",
        b"CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\nProxy-Authorization: Basic YTpi\r\n\r\n",
    ),
    "coded": (
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03K\xc4\x02\x00\xe3\xb2\xf4\xcd\x08\x00\x00\x00",
        b"x\x9cKL\x84\x01\x00\x13\xb8\x03\x09",
        b"\x1b\x07\x00\x00\x24\xc2\x62\x00\x28",
        b"\x28\xb5\x2f\xfd\x24\x08\x41\x00\x00aaaaaaaa\x00\x00\x00\x00",
    ),
    "config": (
        b'[session.a]\nlayers = ["b"]\nmode = "replay"\npace = "2x"\n[session.b]\nmodes = ["replay", "live"]\n',
        b'[[fault]]\nmodel = "a*b*c"\nshare = 0.5\nstatus = 429\nretry_after = 3\nbody = { a = 1 }\n',
        b'[[fault]]\nendpoint = "*"\nnth = [1, 2]\ncut = 3\nhow = "end"\ndelay = "300ms"\n',
        b'[endpoints.x]\n"POST /{a}/b:{c}" = { kind = "http" }\n'
        b'[[provider]]\nname = "x"\nhosts = ["*.example.com:443"]\nbase = "/v1"\nendpoints = ["x"]\n',
    ),
    "words": (
        b"127.0.0.1:8080",
        b"128MB",
        b"50tps,ttft=300ms",
        b"team+replay",
        b"s3://bucket/prefix",
        b"Basic YTpi",
        b"/%41?key=a",
    ),
    "messages": (
        protocol.encode(protocol.Hello(1, "x")),
        protocol.encode(protocol.Next("a", "b")),
        b'{"kind":"report","counters":{"a":{"hits":1}}}\n',
    ),
}

READERS: Mapping[str, tuple[Callable[[bytes], None], str]] = {
    "sse": (fed(sse.SseDecoder), "answer"),
    "ndjson": (fed(ndjson.NdjsonDecoder), "answer"),
    "heads": (read_head, "head"),
    "requests": (read_request, "request"),
    "forms": (read_form, "form"),
    "answers": (read_answer, "answer"),
    "codings": (read_coded, "coded"),
    "recordings": (read_recording, "recording"),
    "captures": (read_capture, "capture"),
    "errors": (read_error, "recording"),
    "configurations": (read_config, "config"),
    "words": (read_words, "words"),
    "messages": (read_messages, "messages"),
}
"""What reads, and which samples it is for."""

SHARES = {
    "sse": 8,
    "ndjson": 8,
    "heads": 8,
    "forms": 8,
    "errors": 6,
    "messages": 10,
    "codings": 2,
    "captures": 2,
}
"""How often each has its turn: what is quick has more of them."""


# -- chance ------------------------------------------------------------------------------------------------------------

ODD: Sequence[Any] = (
    None,
    True,
    False,
    0,
    -1,
    10**30,
    -(10**400),
    1e308,
    float("nan"),
    float("inf"),
    -float("inf"),
    "",
    "a\r\nb: c",
    "\x1b]0;a\x07",
    "\ud800",
    "日本",
    "x" * 300,
    "Infinity",
    "__type__",
    [],
    [[]],
    [None],
    ["a", 1],
    {},
    {"a": []},
    {"__type__": "x", "__data__": {}},
    {"__type__": [], "__data__": 5},
    {"base64": "!"},
    {"models": [1]},
    {"models": 5},
)
_TOKENS: Sequence[bytes] = (
    *(b"\r", b"\n", b"\r\n\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b'"', b"\\", b"[", b"{", b"}", b"]", b":", b","),
    *(b"*", b"%", b"=", b".", b"9" * 30, b"1e999", b"NaN", b"Infinity", b"\\ud800", b"\x1b[2J", b"--B", b"data:"),
    *(b"[" * 300, b'{"a":' * 300),
)


def changed_bytes(data: bytes, chance: random.Random) -> bytes:
    made = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.randrange(len(made) + 1)
        end = min(len(made), place + chance.choice((1, 1, 2, 8, 40)))
        match chance.randrange(6):
            case 0:
                made[place:place] = chance.choice(_TOKENS)
            case 1:
                del made[place:end]
            case 2:
                made[place:end] = chance.choice(_TOKENS)
            case 3:
                made[place:place] = made[place:end] * chance.choice((1, 3, 20))
            case 4:
                made[place:end] = chance.randbytes(end - place)
            case _:
                made[place:] = b""
    return bytes(made)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container, and a key in it."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        keys = list(each) if isinstance(each, dict) else range(len(each))
        for key in keys:
            yield each, key
            if isinstance(each[key], dict | list):
                waiting.append(each[key])


def changed_values(data: bytes, chance: random.Random) -> bytes:
    """The JSON with some of its values replaced, moved, doubled or taken away."""
    value = json.loads(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        found = [*places(value)]
        if not found:
            break
        container, key = chance.choice(found)
        odd = copy.deepcopy(chance.choice(ODD))
        match chance.randrange(5):
            case 0:
                del container[key]
            case 1:
                other, place = chance.choice(found)
                with contextlib.suppress(LookupError):  # It was taken away.
                    container[key] = copy.deepcopy(other[place])
            case 2 if isinstance(container, dict):
                container[str(chance.choice(ODD))[:40]] = odd
            case 3 if isinstance(container, list):
                container.insert(key, odd)
            case _:
                container[key] = odd
    return json.dumps(value).encode()


def changed(sample: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.6:
        with contextlib.suppress(ValueError):
            return changed_values(sample, chance)
    return changed_bytes(sample, chance)


@dataclass(slots=True)
class Found:
    """What came of one reader."""

    inputs: int = 0
    slowest: float = 0.0
    input: bytes = b""
    """The one that took longest."""


def run(inputs: int, seed: int) -> dict[str, Found]:
    """Try so many inputs. An input that raises what it may not, or takes too long, is in the error."""
    chance = random.Random(seed)
    found = {name: Found() for name in READERS}
    names = [name for name in READERS for _ in range(SHARES.get(name, 1))]
    logging.disable(logging.CRITICAL)
    try:
        for number in range(inputs):
            name = names[number % len(names)]
            read, samples = READERS[name]
            data = changed(chance.choice(SAMPLES[samples]), chance)
            started = time.thread_time()
            try:
                read(data)
            except Exception as e:
                raise AssertionError(f"{name}: {type(e).__name__}: {e}: {data[:5000]!r}") from e
            took = time.thread_time() - started
            if took > SECONDS:
                raise AssertionError(f"{name}: {took:.2f} s: {data[:5000]!r}")
            each = found[name]
            each.inputs += 1
            if took > each.slowest:
                each.slowest, each.input = took, data
    finally:
        logging.disable(logging.NOTSET)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    started = time.monotonic()
    found = run(given.inputs, given.seed)
    for name, each in found.items():
        print(
            f"{name:16} {each.inputs:9,} inputs, the slowest {each.slowest * 1000:6.1f} ms of {len(each.input):,} bytes"
        )
    print(f"{given.inputs:,} inputs, seed {given.seed}, {time.monotonic() - started:.0f} s: no error that is not ours")


if __name__ == "__main__":
    main()
