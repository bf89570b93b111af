"""Whatever somebody sends or writes: twice as much of it takes twice as long, and not four times.

A table of every parser and pattern with the inputs that are worst for it. Each is doubled twice.
"""

import contextlib
import gc
import itertools
import json
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import brotli
import pytest
import zstandard

from builders import chat, chat_body, route
from server_reading import read as reading_patiently
from server_reading import reading as reading_of_a_server
from wiretape import config, recording
from wiretape.cli import authority
from wiretape.cli.doctor import languages
from wiretape.cluster import protocol
from wiretape.codecs import (
    body_form,
    content_coding,
    eventstream,
    http1,
    json_text,
    multipart,
    ndjson,
    printable,
    sse,
    toml_text,
    units,
)
from wiretape.codecs.wildcards import Wildcard
from wiretape.config import overrides
from wiretape.config.places import line_of
from wiretape.library import answer_pieces, compare, drift, transcript, verify
from wiretape.matching import aliases, outline, reduction, request, varying
from wiretape.matching.bindings import Binding, Bindings
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.rules import Kind, MatchRule, Places, Replacement, Unordered
from wiretape.metrics import prometheus
from wiretape.network import address, cors
from wiretape.pricing import budget
from wiretape.providers import base, bedrock, routing, schemas, sdk_errors, wire
from wiretape.providers.asked_model import model_of
from wiretape.providers.ignoring import IgnoredRequests, Program
from wiretape.proxy.layers import connect
from wiretape.recording import RecordedRequest, RecordedResponse, Recording, capture, who_asked
from wiretape.redaction.recorded import header as clean_header
from wiretape.replay import pacing
from wiretape.replay.faults import Fault, FaultQuery, FaultRule
from wiretape.sessions import access, tokens
from wiretape.sessions import model as session_model
from wiretape.store import freezing, opening
from wiretape.tape import mismatch

MEASURABLE = 0.001
"""Seconds of processor time from which noise does not matter."""

LARGEST = 1 << 17
RATIO = 3.0
TRIES = 4

CHAT = route()
MESSAGES = route("/v1/messages", "api.anthropic.com")
FORM = "multipart/form-data; boundary=B"


def in_pieces(make: Callable[[], Any], size: int) -> Callable[[bytes], None]:
    def feed(data: bytes) -> None:
        decoder = make()
        for start in range(0, len(data), size):
            decoder.feed(data[start : start + size])
        if hasattr(decoder, "flush"):
            decoder.flush()

    return feed


def in_order(body: bytes) -> bytes:
    return b"POST /v1 HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def read_form(body: bytes) -> None:
    multipart.parse(body, FORM)


def part(more: bytes) -> bytes:
    return b"--B\r\nContent-Disposition: form-data" + more + b"\r\n\r\n1\r\n--B--\r\n"


def prompt(text: Any) -> bytes:
    return json.dumps(chat_body(text)).encode()


def arrived(*pieces: bytes, content_type: str = "text/event-stream", status: int = 200) -> wire.LiveResponse:
    return wire.LiveResponse(status, (("content-type", content_type),), pieces, (0.0,) * len(pieces), ended=True)


def answered(endpoint: str, stream: bool) -> Callable[[bytes], None]:
    wanted = RecordedRequest(f"https://x{endpoint}", {"stream": stream}, endpoint)

    def response(body: bytes) -> None:
        wire.response(wanted, arrived(body))

    return response


def passed_on(body: bytes) -> None:
    wire.response(RecordedRequest("https://x/v1/messages", {}, ""), arrived(body))


def bound(body: bytes) -> None:
    values = [Binding("home", "/home/a", "/b", is_path=True), Binding("id", "aaa", "b", is_path=False)]
    Bindings(values).rewrite(wire.HttpResponse(200, (), (body,)))


def chunk(**delta: Any) -> dict[str, Any]:
    data = {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": None}], "object": "x"}
    return {"__type__": "openai.types.chat.chat_completion_chunk.ChatCompletionChunk", "__data__": data}


def made(chunks: int) -> Recording:
    return Recording(chat("hi"), RecordedResponse([chunk(content="a")] * chunks, is_streaming=True))


def text_delta(text: str) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": text}}]}


def call_delta(index: int) -> dict[str, Any]:
    return {"choices": [{"delta": {"tool_calls": [{"index": index, "function": {"arguments": "{}"}}]}}]}


def captured(chunks: int) -> bytes:
    each = [{"at": 1, "text": "x"}] * chunks
    return json.dumps({"recording": "sha256:x", "status": 200, "headers": [], "chunks": each}).encode()


def error(message: str) -> dict[str, Any]:
    return {"status_code": 400, "message": f"Error code: 400 - {message}", "body": message}


def as_json(body: bytes) -> None:
    body_form.of("application/json", body)


def in_one_chunk(body: bytes) -> capture.Capture:
    return capture.Capture("x", 200, (), (body,), (0.0,))


BEDROCK_CHUNK = eventstream.encode(b"", b'{"bytes":"e30="}')


def refused(parse: Callable[[str], Any]) -> Callable[[str], None]:
    def tried(text: str) -> None:
        with contextlib.suppress(ValueError):
            parse(text)

    return tried


def model_asked(path: str) -> None:
    model_of(RecordedRequest(f"https://x{path}", {}, ""))


def usage_of(elements: Sequence[Mapping[str, Any]]) -> None:
    base.named("").usage(elements)


CALLED = {"function": {"name": "f", "arguments": "{}"}}


def drifted(answer: Any) -> None:
    response = RecordedResponse(answer, is_streaming=False, status=200)
    drift.compare(Recording(RecordedRequest("https://a.example/v1/x", {}, ""), response), response)


def matching(pattern: str) -> Callable[[str], None]:
    rule = FaultRule({"model": Wildcard(pattern)}, 1.0, 0, frozenset(), Fault())

    def match(model: str) -> None:
        rule.matches(FaultQuery("default", "openai", ("/v1/x",), model, "0"))

    return match


def keep_headers(headers: Sequence[tuple[str, str]]) -> object:
    return capture.kept(headers, clean_header)


def providers(*hosts: str) -> routing.Providers:
    listed = json.dumps(hosts)
    own = '[endpoints.own]\n"POST /{a}/{b}:{c}/x" = { kind = "http" }\n'
    own += f'[[provider]]\nhosts = {listed}\nendpoints = ["own"]\nskip = ["/*a*a*a*a*a*b"]\nignore = ["/*a:*a:*b"]\n'
    return config.loads("own.toml", own).providers()


ANYWHERE = routing.Route("x", "https://api.openai.com", routing.Endpoint(routing.OTHER, "POST", ""), "/x")
ASKED_FOR = {"access-control-request-method": "POST"}
STARRED = providers("*a*a*a*a*a*a*a*a*b", "*.*.*.*.*.*.x:1")
PLACED = providers("api.example.com")


def routed(path: str) -> None:
    PLACED.route("POST", "https", "api.example.com", 443, path)


IGNORED = IgnoredRequests([Program.parse("agent", (), ("POST api.example.com/*a*a*a*a*b",))])


def no_row(text: str) -> None:
    with contextlib.suppress(ValueError):
        Program.parse("agent", (), (text,))


def as_authority(pem: bytes) -> None:
    """Read what a proxy gives as its CA, of any size."""
    with contextlib.suppress(ValueError):
        authority.parse(pem)


def error_of_ours(place: str) -> None:
    wire.error(400, "no", "lost", replace(ANYWHERE, base=f"https://{place}"))


def diamonds(height: int) -> str:
    return "".join(
        f'[session.{name}{level}]\nlayers = ["a{level + 1}", "b{level + 1}"]\n'
        for level in range(height)
        for name in "ab"
    )


def walked(known: session_model.Sessions) -> None:
    known.order("a0")
    known.above(f"a{len(known.names) // 2 - 1}")


def known(height: int) -> session_model.Sessions:
    each = {f"{name}{level}": (f"a{level + 1}", f"b{level + 1}") for level in range(height) for name in "ab"}
    return session_model.Sessions({name: session_model.Session(name, layers) for name, layers in each.items()})


def missed(pair: tuple[RecordedRequest, RecordedRequest]) -> None:
    mismatch.explain(pair[0], [mismatch.NearRecording("a", pair[1])] * 3, "")
    outline.Outlines({"a": outline.outline(pair[1])}).nearest(outline.outline(pair[0]), 3)


def varied(text: str) -> None:
    varying.varying(f"{text}1", f"{text.replace('1', '2')}2")


PRESENT = itertools.count()
RULES = reduction.reducer(
    (
        *BUILT_IN,
        MatchRule("kinds", kinds=tuple(Kind), unordered=tuple(Unordered)),
        MatchRule("cwd", replace=(Replacement(r"cwd: (\S+)", name="cwd"),)),
        MatchRule("inside", ignore=("$.messages[*].content.a", "$..id")),
    )
)
WHERE = Places(cwd=("/home/a/proj",), home=("/home/a",), tmp=("/tmp/x1",))


def reduced(content: Any) -> None:
    # It is another one each time: what was searched once is remembered.
    RULES.reduce(chat([{"type": "text", "text": str(next(PRESENT))}, *content]), WHERE)


def reduced_text(text: str) -> None:
    reduced([{"type": "text", "text": f"{text} {next(PRESENT)}"}])


def reduced_calls(count: int) -> None:
    mark = next(PRESENT)
    calls = [{"id": f"{mark} {number}", "function": {}} for number in range(count)]
    results = [{"role": "tool", "tool_call_id": each["id"], "content": "x"} for each in reversed(calls)]
    messages = [{"role": "assistant", "tool_calls": calls}, *results]
    tools = [{"name": f"f{number}"} for number in range(count, 0, -1)]
    RULES.reduce(RecordedRequest("https://x", {"messages": messages, "tools": tools}, "/v1/chat/completions"), WHERE)


def parsed(text: str) -> None:
    read = config.loads("x.toml", text)
    read.sessions()
    read.faults(["openai"])
    read.providers()
    tokens.loads("x.toml", text)


def placed(text: str) -> None:
    line_of(text, ("z", 1, "y"))


def asked_for(value: Any) -> None:
    for make in (overrides.scope, lambda each, known: overrides.session_override(each, "a", known)):
        with contextlib.suppress(ValueError):
            make(value, KNOWN)
    with contextlib.suppress(ValueError):
        overrides.loads(json.dumps({"sessions": {"a": value}, "scopes": []}), KNOWN)


KNOWN = overrides.Known.of(config.Configuration())


type Case = tuple[Callable[[Any], object], Callable[[int], Any]]
"""What is called, and its input of a size."""

CASES: Mapping[str, Case] = {
    # what comes over the wire
    "sse: a line without end, byte by byte": (in_pieces(sse.SseDecoder, 1), lambda n: b"data: " + b"x" * n),
    "sse: a line without end, in pieces": (in_pieces(sse.SseDecoder, 1024), lambda n: b"data: " + b"x" * n),
    "sse: one CR after the other, whole": (in_pieces(sse.SseDecoder, 1 << 30), lambda n: b"\r" * n),
    "sse: one CR after the other, byte by byte": (in_pieces(sse.SseDecoder, 1), lambda n: b"\r" * n),
    "sse: lines that end in CR, whole": (in_pieces(sse.SseDecoder, 1 << 30), lambda n: b"data: x\r" * n),
    "sse: lines that end in CR, in pieces": (in_pieces(sse.SseDecoder, 100), lambda n: b"data: x\r" * n),
    "sse: events that end in CR, whole": (in_pieces(sse.SseDecoder, 1 << 30), lambda n: b"data: {}\r\r" * n),
    "sse: events that end in CR LF, whole": (in_pieces(sse.SseDecoder, 1 << 30), lambda n: b"data: {}\r\n\r\n" * n),
    "sse: events in pieces of two bytes": (in_pieces(sse.SseDecoder, 2), lambda n: b"data: {}\n\n" * n),
    "sse: an event of many lines": (in_pieces(sse.SseDecoder, 65536), lambda n: b"data:\n" * n + b"\n"),
    "sse: one line, then a long one byte by byte": (in_pieces(sse.SseDecoder, 1), lambda n: b"a\n" + b"x" * n + b"\r"),
    "sse: half a byte order mark": (in_pieces(sse.SseDecoder, 1), lambda n: b"\xef\xbb" * n),
    "sse: encoding many lines": (sse.encode, lambda n: b"\n" * n),
    "form: what is blank": (as_json, lambda n: b" \n" * n),
    "form: comments before an event": (as_json, lambda n: b": x\n" * n),
    "form: names before an event": (as_json, lambda n: b"event: x\r\n" * n + b"data"),
    "form: a line of braces, then another": (as_json, lambda n: b"{" * n + b"\n{"),
    "form: line ends behind a value": (as_json, lambda n: b"{}" + b"\n" * n),
    "capture: embeddings that are none": (
        lambda body: wire.captured(made(1), in_one_chunk(body), "x", base64_wanted=True),
        lambda n: b'"embedding"   ' * n,
    ),
    "ndjson: a line without end, byte by byte": (in_pieces(ndjson.NdjsonDecoder, 1), lambda n: b"x" * n),
    "ndjson: empty lines": (in_pieces(ndjson.NdjsonDecoder, 65536), lambda n: b"\n" * n),
    "ndjson: lines in pieces of three bytes": (in_pieces(ndjson.NdjsonDecoder, 3), lambda n: b"{}\n" * n),
    "http1: a body byte by byte": (in_pieces(http1.Reader, 1), lambda n: in_order(b"x" * n)),
    "http1: a target byte by byte": (in_pieces(http1.Reader, 1), lambda n: b"GET /" + b"x" * min(n, 1 << 16)),
    "http1: headers": (in_pieces(http1.Reader, 1 << 16), lambda n: b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * n),
    "http1: a header without end": (in_pieces(http1.Reader, 100), lambda n: b"GET / HTTP/1.1\r\na: " + b"b" * n),
    "coding: br of nothing but zeros": (
        lambda body: content_coding.decode([body], "br"),
        lambda n: brotli.compress(bytes(n * 8), quality=1),
    ),
    "coding: gzip of nothing but zeros": (
        lambda body: content_coding.decode([body], "gzip"),
        lambda n: zlib.compress(bytes(n * 8), wbits=31),
    ),
    "coding: empty members of gzip": (
        lambda body: content_coding.decode([body], "gzip"),
        lambda n: zlib.compress(b"", wbits=31) * n,
    ),
    "coding: empty frames of zstd": (
        lambda body: content_coding.decode([body], "zstd"),
        lambda n: zstandard.compress(b"") * n,
    ),
    "coding: pieces of a byte": (
        lambda body: content_coding.decode([body[at : at + 1] for at in range(len(body))], "deflate"),
        lambda n: zlib.compress(bytes(range(256)) * (n // 64 + 1), 0),
    ),
    "coding: codings": (lambda text: content_coding.plain(b"x", text, 9), lambda n: "gzip, " * n),
    "coding: codings that a client accepts": (
        lambda text: content_coding.is_accepted("gzip", text),
        lambda n: "gzip;q=0.0,x," * n,
    ),
    "coding: a weight": (
        lambda text: content_coding.is_accepted("gzip", text),
        lambda n: "gzip;q" + " " * n + "=0." + "0" * n,
    ),
    "patience: a head, byte by byte": (
        lambda data: reading_patiently(reading_of_a_server(), data, 1),
        lambda n: b"HTTP/1.1 103 Early Hints\r\nx: " + b"y" * n,
    ),
    "patience: heads that go before": (
        lambda data: reading_patiently(reading_of_a_server(), data, 1 << 20),
        lambda n: b"\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" * n,
    ),
    "coding: codings that are none": (lambda text: content_coding.plain(b"x", text, 9), lambda n: "identity," * n),
    "multipart: parts": (
        read_form,
        lambda n: b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * n + b"--B--\r\n",
    ),
    "multipart: semicolons and spaces": (read_form, lambda n: part(b";  " * n + b'; name="a"')),
    "multipart: spaces": (read_form, lambda n: part(b";" + b" " * n + b'; name="a"')),
    "multipart: names": (read_form, lambda n: part(b'; name="a' * n)),
    "multipart: backslashes": (read_form, lambda n: part(b'; name="' + b"\\" * n)),
    "multipart: headers of a part": (read_form, lambda n: part(b'; name="a"' + b"\r\na: b" * n)),
    "multipart: nearly the boundary": (
        lambda body: multipart.parse(body, f"multipart/form-data; boundary={'-' * 60}B"),
        lambda n: b"\r\n" + b"-" * n,
    ),
    "multipart: blanks behind the boundary": (read_form, lambda n: b"--B" + b" " * n + b"x"),
    "multipart: nearly a delimiter": (read_form, lambda n: b"\n--Bx" * n),
    "multipart: nearly the last one": (read_form, lambda n: b"--B\r\n" + b"\r\n--B-- x" * n),
    "multipart: a head of lines that go on": (read_form, lambda n: part(b"\r\n " * n + b"; name=a")),
    "multipart: percent signs": (read_form, lambda n: part(b"; name*=utf-8''" + b"%4" * n)),
    "multipart: boundaries": (lambda text: multipart.parse(b"x", text), lambda n: 'boundary="' * n),
    "multipart: a boundary and spaces": (lambda text: multipart.parse(b"x", text), lambda n: "boundary" + " " * n),
    # what is asked for while a proxy runs
    "overrides: a long name": (asked_for, lambda n: {"client": "a" * n}),
    "overrides: unknown keys": (asked_for, lambda n: {f"k{number}": 1 for number in range(n)}),
    "overrides: a pace": (asked_for, lambda n: {"client": "a", "pace": "1" * n + ".x"}),
    "overrides: words": (asked_for, lambda n: {"client": "a", "match": ["auto"] * n}),
    "overrides: layers": (asked_for, lambda n: {"layers": [f"s{number}" for number in range(n)]}),
    "overrides: faults": (asked_for, lambda n: {"client": "a", "faults": [{"delay": "1" * 100}] * (n // 10)}),
    "overrides: one fault": (asked_for, lambda n: {"client": "a", "faults": [{"status": 429, "nth": [1] * n}]}),
    # JSON
    "json: digits": (json_text.loads, lambda n: b"1" * n),
    "json: digits and a point": (json_text.loads, lambda n: b"1." + b"1" * n),
    "json: numbers beyond 64 bits": (json_text.loads, lambda n: b"[" + b"18446744073709551616," * n + b"1]"),
    "json: brackets": (json_text.loads, lambda n: b"[" * n),
    "json: brackets that end": (json_text.loads, lambda n: b"[" * n + b"]" * n),
    "json: objects that end": (json_text.loads, lambda n: b'{"a":' * n + b"1" + b"}" * n),
    "json: side by side and as deep as may be": (
        json_text.loads,
        lambda n: b"[" + b",".join([b"[" * 250 + b"]" * 250] * (n // 500 + 1)) + b"]",
    ),
    "json: backslashes": (json_text.loads, lambda n: b'"' + b"\\\\" * n + b'"'),
    "json: half pairs": (json_text.loads, lambda n: b'["' + b"\\ud800" * n + b'"]'),
    "json: the same key": (json_text.loads, lambda n: b"{" + b'"a":1,' * n + b'"a":1}'),
    "json: spaces": (json_text.loads, lambda n: b" " * n),
    "json: not UTF-8": (json_text.loads, lambda n: b'"' + b"\xff" * n + b'"'),
    # requests
    "request: a long prompt": (lambda body: request.recorded(CHAT, body), lambda n: prompt("hello " * n)),
    "request: many keys": (
        lambda body: request.recorded(CHAT, body),
        lambda n: json.dumps({f"k{number}": 1 for number in range(n)}).encode(),
    ),
    "request: a query": (
        lambda query: request.identity(request.recorded(replace(CHAT, path=query), prompt("hi"))),
        lambda n: "?" + "a=%41&b&" * n,
    ),
    "beside the model: a path": (
        lambda path: IGNORED.ignores("POST", "api.example.com", path, (), is_providers=True),
        lambda n: "/a" * n + "?" * n,
    ),
    "beside the model: a row": (no_row, lambda n: "POST " + "a" * n + "?"),
    "error of ours: names of hosts": (error_of_ours, lambda n: "a.googleapis.com" * n),
    "error of ours: names of other hosts": (error_of_ours, lambda n: "bedrock" + "-x.amazonaws.com" * n),
    "error of ours: paths": (error_of_ours, lambda n: "a/v1/messages:generateContent/api/chat" * n + "x"),
    "request: a form": (
        lambda body: request.recorded(MESSAGES, body, FORM),
        lambda n: b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * n + b"--B--\r\n",
    ),
    "request: parts of any kind": (
        lambda body: request.recorded(ANYWHERE, body, "multipart/related; boundary=B"),
        lambda n: b"--B\r\n\r\n1\r\n" * n + b"--B--",
    ),
    "request: boundaries": (
        lambda text: request.recorded(ANYWHERE, b"x", f"multipart/related; {text}"),
        lambda n: 'boundary="' * n,
    ),
    "a preflight: names": (
        lambda text: cors.permission({"origin": "null", "access-control-request-headers": text} | ASKED_FOR),
        lambda n: "a, " * n + ";",
    ),
    "rules: dates": (reduced_text, lambda n: "é 2026-11-27 10:12:13 " * n),
    "rules: a directory": (reduced_text, lambda n: "/home/a/proj/x " * n),
    "rules: parts of a path": (reduced_text, lambda n: "/home/a/proj" * n),
    "rules: directories": (reduced_text, lambda n: "".join(f"cwd: /d{number}\n" for number in range(n))),
    "rules: digits": (reduced_text, lambda n: "1" * n),
    "rules: points": (reduced_text, lambda n: "1." * n),
    "rules: hex digits": (reduced_text, lambda n: "a1" * n),
    "rules: colons": (reduced_text, lambda n: "10:" * n),
    "rules: json in a string": (reduced_text, lambda n: '{"a":' * n),
    "rules: texts": (reduced, lambda n: [{"type": "text", "text": f"{n} {number}"} for number in range(n)]),
    "rules: any depth": (
        lambda count: RULES.reduce(chat([{"id": each, "text": [each]} for each in range(count)]), WHERE),
        lambda n: n,
    ),
    "rules: calls": (reduced_calls, lambda n: n),
    "request: identity": (lambda each: request.identity(replace(each)), lambda n: chat(["a"] * n)),
    "name: a long prompt": (lambda each: recording.request_name(each, "2025-09"), lambda n: chat("hello " * n)),
    **{
        f"name in the form 2026: {name}": (
            lambda each: recording.request_name(each, "2026"),
            lambda n, text=text: chat(text * n),  # type: ignore[misc]
        )
        for name, text in {
            "digits": "7",
            "digits and a decimal": "1.23456 " + "7",
            "minus and digits": "-7",
            "minuses": "-",
            "points": ".",
            "digits and points": "1.",
            "decimals": "1.23456 ",
            "decimals without a space": "1.23456.",
        }.items()
    },
    "name in the form 2026: digits before a decimal": (
        lambda each: recording.request_name(each, "2026"),
        lambda n: chat("7" * n + ".12345"),
    ),
    **{
        f"name in the form 2026: {name}": (
            lambda each: recording.request_name(each, "2026"),
            lambda n, text=text: chat(text * (n // len(text))),  # type: ignore[misc]
        )
        for name, text in {
            "blanks before attributes that never come": ", ",
            "rows of blanks": " " * 64 + "attributes:",
            "attributes that are not closed": "attributes: {",
            "attributes without a brace": "attributes: attributes:",
            "closed attributes": ",  attributes: {a}",
            "scores without a number": "score:  \n",
            "a score of many digits": "score: " + "1" * 64,
            "documents without an id": "document_id: 53cc83a4-3e38-412d-90c3-d9e4b6cb8b6",
            "citations that are not closed": "<|53cc83a4-3e38-412d-90c3-d9e4b6cb8b62<|",
        }.items()
    },
    "name in the form 2026: one score of digits": (
        lambda each: recording.request_name(each, "2026"),
        lambda n: chat("score:" + " " * n + "1" * n),
    ),
    "name in the form 2026: one row of blanks and attributes": (
        lambda each: recording.request_name(each, "2026"),
        lambda n: chat(" " * n + "attributes:" + " " * n),
    ),
    "ids to go on from": (
        lambda each: list(aliases.readings(each, lambda id_: [id_])),
        lambda n: RecordedRequest(
            "https://h/" + "rec-0123456789ab/" * (n // 17), {"x": ["rec-0123456789a"] * (n // 20)}, ""
        ),
    ),
    "name in the form 2026: digits after a point": (
        lambda each: recording.request_name(each, "2026"),
        lambda n: chat("0." + "7" * n),
    ),
    "route: a path": (routed, lambda n: "/" * n),
    "route: a segment": (routed, lambda n: "/" + "a" * n),
    "route: colons": (routed, lambda n: "/a/b" + ":c" * n),
    "route: a query": (routed, lambda n: "/a/b:c/x?" + "key=a&" * n),
    "route: hosts with stars": (lambda host: STARRED.knows(host, 443), lambda n: "a" * n),
    "route: hosts with points": (lambda host: STARRED.knows(host, 1), lambda n: "." * n),
    "fault: a model with stars": (matching("*a*a*a*a*a*a*a*a*b"), lambda n: "a" * n),
    "fault: a model that nearly fits": (matching("*" + "a" * 50 + "b*c"), lambda n: "a" * n),
    "a pattern of stars": (lambda text: Wildcard(text).matches("a" * 1000), lambda n: "*" * n),
    "a pattern as long as the name": (lambda text: Wildcard(f"*{text}b*").matches(text * 2), lambda n: "a" * n),
    # answers
    "answer: events": (
        answered("/v1/chat/completions", stream=True),
        lambda n: b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n' * n + b"data: [DONE]\n\n",
    ),
    "answer: lines": (
        answered("/api/chat", stream=True),
        lambda n: b'{"message":{"content":"a"}}\n' * n + b'{"done":true}\n',
    ),
    "answer: a list of models": (
        answered("/v1/models", stream=False),
        lambda n: json.dumps({"data": [{"id": "a"}] * n}).encode(),
    ),
    "answer: embeddings in base64": (
        answered("/v1/embeddings", stream=False),
        lambda n: json.dumps({"data": [{"embedding": "AAAA" * n}]}).encode(),
    ),
    "answer: numbers too large to be floats": (
        answered("/v1/embeddings", stream=False),
        lambda n: b'{"data":[{"embedding":[' + b"1" * 400 + b"," + b"1," * n + b"1]}]}",
    ),
    "answer passed on: CR alone": (passed_on, lambda n: b"data: [DONE]\r\r" * n),
    "answer passed on: text": (passed_on, lambda n: b"data: x\n" * n + b"\ndata: [DONE]\n\n"),
    "bindings: a value that is nearly there, again and again": (bound, lambda n: b"aaaa" * n),
    "bindings: a value that is there, again and again": (bound, lambda n: b"/home/a " * n),
    "bindings: texts of JSON": (bound, lambda n: b'{"a": "' + b'{\\"/home/a\\": 1}' * n + b'"}'),
    "bindings: backslashes": (bound, lambda n: b'{"a": "' + b"\\\\" * n + b'/home/a"}'),
    "bindings: deltas": (bound, lambda n: b'data: {"text": "/home/"}\n\ndata: {"text": "a "}\n\n' * n),
    "bindings: names": (bound, lambda n: b"{" + b'"/home/a":1,' * n + b'"b":"/home/a"}'),
    "an error": (lambda body: sdk_errors.describe(400, body), lambda n: prompt(["a"] * n)),
    "a stream of Bedrock's: messages": (
        lambda body: [*eventstream.messages(body)],
        lambda n: b"\0\0\0\x10\0\0\0\0" + bytes(8) + (b"\0\0\0\x10\0\0\0\0" + bytes(8)) * (n // 16),
    ),
    "a stream of Bedrock's: a message of headers": (
        lambda body: [*eventstream.messages(body)],
        lambda n: (16 + n * 3).to_bytes(4) + (n * 3).to_bytes(4) + bytes(4) + b"\x01a\0" * n + bytes(4),
    ),
    "an error: about who asks": (who_asked.is_meant, lambda n: {"error": [{"message": "api key " * 60}] * n}),
    "a recorded error: brackets": (sdk_errors.answer, lambda n: error("(" * n)),
    "a recorded error: minuses": (sdk_errors.answer, lambda n: error("-" * n + "1")),
    "a recorded error: a dict": (sdk_errors.answer, lambda n: error("{'a': 'b'}" * n)),
    "a recorded error: names": (sdk_errors.answer, lambda n: error("[" + "nan," * n + "inf]")),
    "a recorded error: quotes": (sdk_errors.answer, lambda n: error("'" * n)),
    "shapes: fill": (
        lambda value: schemas.fill("ChatCompletion", value),
        lambda n: {"choices": [{"message": {"content": "a"}}] * n},
    ),
    "shapes: strip": (
        lambda value: schemas.strip("ChatCompletion", value),
        lambda n: {"choices": [{"message": {"content": None}}] * n},
    ),
    "replay: chunks": (lambda each: wire.answer([each]), made),
    "replay: tokens": (wire.tokens, made),
    "pace": (lambda count: pacing.schedule(pacing.Pace(rate=5.0), count, (), count), lambda n: n),
    # recordings
    "recording: read": (recording.loads, lambda n: recording.dumps(made(n // 16 + 1))),
    "recording: its request alone": (recording.read_request, lambda n: recording.dumps(made(n // 256 + 1))),
    "recording: commas and spaces": (
        recording.read_request,
        lambda n: b'{"request": {' + b",  " * n + b'\n  "response": {',
    ),
    "recording: a comma and spaces": (
        recording.read_request,
        lambda n: b'{"request": {}' + b"," + b" " * n + b'x\n  "response": {',
    ),
    "recording: as text": (transcript.text, made),
    "answer: pieces of one text": (answer_pieces.messages, lambda size: [text_delta("a few words ")] * size),
    "answer: pieces of many calls": (answer_pieces.messages, lambda size: [call_delta(each) for each in range(size)]),
    "recording: verified": (
        lambda data: verify.verify("x", data),
        lambda n: recording.dumps(made(n // 64 + 1)),
    ),
    "capture: chunks": (capture.loads, captured),
    "capture: headers": (
        keep_headers,
        lambda n: [("x-ratelimit-" + "a" * n, "b")],
    ),
    "capture: a header that is nearly kept": (
        keep_headers,
        lambda n: [("x-ratelimit-" + "user" * n, "b")],
    ),
    "capture: base64": (
        capture.loads,
        lambda n: json.dumps({"recording": "", "status": 200, "headers": [], "chunks": [{"base64": "A" * n}]}).encode(),
    ),
    "differences of two sessions": (lambda text: compare._cut(text, 0), lambda n: "a" * n),
    "miss: prompts that differ at the end": (missed, lambda n: (chat("a" * n + "b"), chat("a" * n + "c"))),
    "miss: messages": (missed, lambda n: (chat(["a"] * n), chat(["b"] * n))),
    "miss: a long key": (missed, lambda n: (chat({"k" * n: {"k" * n: [1] * (n // 8)}}), chat("a"))),
    "miss: lines": (missed, lambda n: (chat("a\nb\n" * n), chat("b\na\nc\n" * n))),
    "miss: one long line": (missed, lambda n: (chat("ab " * n), chat("ba" * n))),
    "miss: members": (
        missed,
        lambda n: (chat({str(k): k for k in range(n // 8)}), chat({str(-k): k for k in range(n // 8)})),
    ),
    "miss: deep": (
        missed,
        lambda n: (chat(json.loads("[" * 100 + "1," * n + "1" + "]" * 100)), chat("a")),
    ),
    "miss: JSON in a text": (
        missed,
        lambda n: (chat(json.dumps([*range(n // 8)])), chat(json.dumps([*range(-n // 8, 0)]))),
    ),
    "miss: what is nearly JSON": (missed, lambda n: (chat("[" * n + "1"), chat("[" * n + "2"))),
    "miss: labels": (varied, lambda n: "a=1, " * (n // 8) + "b"),
    "miss: a label without end": (varied, lambda n: "a" + "_-" * n + "="),
    "miss: what is nearly a mark": (varied, lambda n: "\0" * n + "x"),
    # what a proxy gives as its CA
    "authority: beginnings of certificates": (as_authority, lambda n: b"-----BEGIN CERTIFICATE-----\n" * n),
    "authority: one without end": (as_authority, lambda n: b"-----BEGIN CERTIFICATE-----\n" + b"A" * n),
    "doctor: blank lines of an ini": (languages.cainfo, lambda n: " \n" * n),
    "doctor: a path that ends nowhere": (languages.cainfo, lambda n: "curl.cainfo=" + "x " * n + '"x'),
    # configurations, credentials, addresses
    "sessions: diamonds": (lambda text: config.loads("x", text).sessions(), diamonds),
    "sessions: diamonds, walked": (walked, known),
    "sessions: a pile": (
        lambda text: config.loads("x", text).sessions(),
        lambda n: "".join(f'[session.c{each}]\nlayers = ["c{each + 1}"]\n' for each in range(n)),
    ),
    "sessions: a circle": (
        lambda text: config.loads("x", text).sessions(),
        lambda n: "".join(f'[session.c{each}]\nlayers = ["c{(each + 1) % n}"]\n' for each in range(n)),
    ),
    "places: keys": (placed, lambda n: "[[a.b]]\nc.d = [1,\n2]\n" * n),
    "places: quotes": (placed, lambda n: "a = '" + '"' * n),
    "places: long texts without end": (placed, lambda n: '"""a' * n),
    "places: long texts of another kind": (placed, lambda n: "'''a" * n),
    "places: backslashes": (placed, lambda n: '"' + "\\" * n),
    "toml: brackets": (lambda text: toml_text.loads("x", text), lambda n: "a = " + "[" * n),
    "toml: a key of many parts": (lambda text: toml_text.loads("x", text), lambda n: "a." * n + "b = 1"),
    "toml: a key of quoted parts": (lambda text: toml_text.loads("x", text), lambda n: '"a" . ' * n + "b = 1"),
    "toml: nearly a key of many parts": (lambda text: toml_text.loads("x", text), lambda n: '"' + "a.b " * n + '"'),
    "toml: a table of many parts": (lambda text: toml_text.loads("x", text), lambda n: "[" + "a." * n + "b]"),
    "toml: quotes": (lambda text: toml_text.loads("x", text), lambda n: "a = '" + '"' * n),
    "toml: digits": (lambda text: toml_text.loads("x", text), lambda n: "a = " + "1" * n),
    "toml: too long": (lambda text: toml_text.loads("x", text), lambda n: "#" * n * 4),
    "config: empty tables": (parsed, lambda n: "# a comment\n" * n),
    "config: hosts": (
        providers,
        lambda n: ":" * n,
    ),
    "budget: digits": (refused(budget.parse), lambda n: "1" * n),
    "budget: spaces": (refused(budget.parse), lambda n: "5" + " " * n),
    "model: a URL of many": (model_asked, lambda n: "/models/" * n),
    "model: a long one": (model_asked, lambda n: "/model/" + "a%3A" * n),
    "usage: elements without any": (usage_of, lambda n: [{"choices": [], "usage": None}] * n),
    "usage: elements with one that is none": (usage_of, lambda n: [{"usage": {"completion_tokens": "x"}}] * n),
    "usage: a list of modalities": (
        usage_of,
        lambda n: [{"usageMetadata": {"candidatesTokenCount": 1, "promptTokensDetails": [{"modality": "TEXT"}] * n}}],
    ),
    "Bedrock: chunks": (lambda body: [*bedrock.elements(body)], lambda n: BEDROCK_CHUNK * n),
    "size: digits": (units.parse_size, lambda n: "1" * n),
    "drift: chunks": (lambda recording: drift.compare(recording, recording.response), made),
    "drift: members": (drifted, lambda n: {str(each): each for each in range(n)}),
    "drift: calls of tools": (drifted, lambda n: {"choices": [{"message": {"tool_calls": [CALLED] * n}}]}),
    "drift: vectors": (drifted, lambda n: {"embedding": [[0.5] * 3] * n}),
    "age: digits": (units.parse_age, lambda n: "1" * n),
    "size: spaces": (units.parse_size, lambda n: "1" + " " * n),
    "pace: digits": (pacing.parse, lambda n: "1" * n),
    "pace: digits and a point": (pacing.parse, lambda n: "1." + "1" * n),
    "address: digits": (address.parse, lambda n: "a:" + "1" * n),
    "address: brackets": (address.parse, lambda n: "[" * n + "]:1"),
    "connect: a port": (
        connect.read_connect,
        lambda n: b"CONNECT a:" + b"1" * min(n, 16000) + b" HTTP/1.1\r\n\r\n",
    ),
    "credentials": (access.basic, lambda n: "Basic " + "QUFB" * n),
    "credentials: spaces": (access.basic, lambda n: "Basic" + " " * n),
    "user: percent": (session_model.parse_user, lambda n: "%41" * n),
    "user: percent and nothing": (session_model.parse_user, lambda n: "%" * n),
    "user: plus": (session_model.parse_user, lambda n: "a+" * n),
    "url of a bucket": (opening.bucket_url, lambda n: "s3://a/" + "b/" * n),
    "scheme of a bucket": (opening.is_url, lambda n: "a" * n),
    "printable: commands of a terminal": (printable.lines, lambda n: "\x1b[2J" * n),
    "printable: a line": (printable.line, lambda n: "a\n" * n),
    "messages: a line without end": (in_pieces(protocol.MessageDecoder, 256), lambda n: b"x" * n),
    "messages: lines": (
        in_pieces(protocol.MessageDecoder, 256),
        lambda n: protocol.encode(protocol.Next("a", "b")) * n,
    ),
    "metrics": (prometheus.parse, lambda n: 'wiretape_hits_total{session="a"} 1\n' * n),
    "metrics: backslashes": (prometheus.parse, lambda n: 'a{session="' + "\\" * n),
    "a mark": (lambda store: freezing.mark(store, "default"), lambda n: _Marked(b"[" * n)),
}


class _Marked:
    """A store whose sessions are frozen, in somebody's own words."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, *_: str) -> bytes:
        return self._data


@pytest.fixture(autouse=True)
def _without_garbage() -> Iterator[None]:
    """Keep the collector of garbage out of the times: it walks through all that other tests have left."""
    gc.disable()
    yield
    gc.enable()


def seconds(function: Callable[[Any], object], value: Any) -> float:
    """The least processor time of this thread that it takes."""
    least = float("inf")
    for _ in range(2):
        started = time.thread_time()
        with contextlib.suppress(ValueError, http1.Unusual, wire.UnrecordableError):  # Refused: as quickly.
            function(value)
        least = min(least, time.thread_time() - started)
        if least > 5 * MEASURABLE:
            break
    return least


LEAST: Mapping[str, int] = {
    # To look through memory for a byte takes next to nothing.
    **dict.fromkeys(
        (
            "sse: one CR after the other, whole",
            "sse: lines that end in CR, whole",
            "sse: events that end in CR, whole",
        ),
        1 << 16,
    ),
    # Fewer are remembered to be harmless.
    "request: many keys": 1 << 13,
}
"""Sizes from which it would show."""


def series(function: Callable[[Any], object], make: Callable[[int], Any], size: int) -> Iterator[float]:
    """The times of a size, of its double and of that again, from the size on of which the first can be measured."""
    while (first := seconds(function, make(size))) < MEASURABLE and size < LARGEST:
        size *= 2 if first > MEASURABLE / 4 else 4
    yield first
    for factor in (2, 4):
        yield seconds(function, make(size * factor))


@pytest.mark.parametrize("case", CASES)
def test_twice_as_much_takes_twice_as_long(case: str) -> None:
    function, make = CASES[case]
    measured: list[list[float]] = []
    for _ in range(TRIES):
        times = [*series(function, make, LEAST.get(case, 64))]
        measured.append(times)
        # Memory comes in pages: a single doubling may cost more. What is quadratic takes 16 times as long. A first time
        # that cannot be measured at the largest size counts as the least that can.
        if times[-1] < RATIO**2 * max(times[0], MEASURABLE):
            return
    pytest.fail(f"{case}: {measured}")
