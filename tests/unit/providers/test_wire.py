"""Recordings as HTTP answers, and HTTP answers as recordings."""

import base64
import gzip
import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import brotli
import pytest
import zstandard

from builders import TABLE
from places import DATA, SHIPPED, corpus
from wiretape.codecs.sse import SseDecoder
from wiretape.providers import routing, wire
from wiretape.providers.wire import HttpResponse, LiveResponse, UnrecordableError, answer, error
from wiretape.recording import RecordedRequest, RecordedResponse, Recording, capture, dumps, loads
from wiretape.recording.capture import Capture

SEEDS = sorted((SHIPPED / "default" / "responses").glob("*.json"))
CORPUS = corpus("2025-09")

each_seed = pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)


def asked_for(endpoint: str, *, stream: bool = False) -> RecordedRequest:
    body = {} if endpoint == "/v1/models" else {"model": "m", **({"stream": True} if stream else {})}
    return RecordedRequest(f"https://api.openai.com/v1{endpoint}", body, endpoint)


def arrived(
    *pieces: bytes,
    status: int = 200,
    content_type: str = "text/event-stream",
    coding: str = "",
    ended: bool = True,
) -> LiveResponse:
    headers = (("Content-Type", content_type), *((("Content-Encoding", coding),) if coding else ()))
    return LiveResponse(status, headers, pieces, tuple(map(float, range(len(pieces)))), ended)


def response(asked: RecordedRequest, came: LiveResponse) -> RecordedResponse:
    """The way of a live answer: its coding undone, then read."""
    return wire.response(asked, wire.decoded(came))


def one_by_one(data: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in data]


def events(sent: HttpResponse) -> list[str]:
    decoder = SseDecoder()
    return [event.data for event in decoder.feed(sent.body) + decoder.flush()]


CHAT = asked_for("/v1/chat/completions")
CHAT_STREAM = asked_for("/v1/chat/completions", stream=True)
EMBEDDINGS = asked_for("/v1/embeddings")
EMBEDDINGS_IN_BASE64 = replace(EMBEDDINGS, base64_wanted=True)
MODELS = asked_for("/v1/models")

# -- there and back ----------------------------------------------------------------------------------------------------


@each_seed
def test_a_seed_replayed_is_recorded_to_the_same_bytes(path: Path) -> None:
    seed = loads(path.read_bytes())
    sent = answer([seed])
    again = response(seed.request, arrived(*sent.chunks, content_type=dict(sent.headers)["content-type"]))
    assert dumps(Recording(seed.request, again)) == path.read_bytes()


@pytest.mark.parametrize(
    ("coding", "encode"),
    [("gzip", gzip.compress), ("br", brotli.compress), ("zstd", zstandard.compress)],
    ids=["gzip", "br", "zstd"],
)
@each_seed
def test_a_seed_in_a_coding_in_bytes_is_recorded_to_the_same_bytes(
    path: Path, coding: str, encode: Callable[[bytes], bytes]
) -> None:
    seed = loads(path.read_bytes())
    again = response(seed.request, arrived(*one_by_one(encode(answer([seed]).body)), coding=coding))
    assert dumps(Recording(seed.request, again)) == path.read_bytes()


def test_the_corpus_replayed_is_recorded_to_the_same_bytes() -> None:
    for path in CORPUS:
        found = loads(path.read_bytes())
        sent = answer([found])
        came = arrived(*sent.chunks, status=sent.status, content_type=dict(sent.headers)["content-type"])
        again = wire.response(found.request, came, keep_errors=True)
        assert dumps(Recording(found.request, again)) == path.read_bytes(), path


@pytest.mark.parametrize("split", [lambda data: [data], one_by_one], ids=["whole", "byte by byte"])
def test_a_stream_as_providers_send_it_becomes_the_golden_recording(split: Callable[[bytes], Sequence[bytes]]) -> None:
    golden = (DATA / "chat.json").read_bytes()
    asked = loads(golden).request
    made = response(asked, arrived(*split((DATA / "chat.sse").read_bytes())))
    assert dumps(Recording(asked, made)) == golden


# -- going out ---------------------------------------------------------------------------------------------------------


@each_seed
def test_a_stream_goes_out_event_by_event_and_ends_in_done(path: Path) -> None:
    seed = loads(path.read_bytes())
    sent = answer([seed])
    assert sent.status == 200
    assert dict(sent.headers)["content-type"].startswith("text/event-stream")
    assert len(sent.chunks) == len(seed.response.elements()) + 1
    assert all(chunk.startswith(b"data: ") and chunk.endswith(b"\n\n") for chunk in sent.chunks)
    assert sent.chunks[-1] == b"data: [DONE]\n\n"
    assert sent.body.count(b"[DONE]") == 1
    assert b"".join(sent.chunks) == sent.body
    assert [json.loads(data)["id"] for data in events(sent)[:-1]] == [
        element["__data__"]["id"] for element in seed.response.elements()
    ]


@each_seed
def test_an_answer_says_nothing_of_its_length_nor_of_a_coding(path: Path) -> None:
    names = {name.lower() for name, _ in answer([loads(path.read_bytes())]).headers}
    assert names.isdisjoint({"content-encoding", "content-length", "transfer-encoding", "set-cookie"})


def test_the_nulls_of_the_class_do_not_go_out_but_the_providers_do() -> None:
    chunk = (
        '{"id":"x","object":"chat.completion.chunk","created":1,"model":"m",'
        '"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}],"vendor":null}'
    )
    body = f"data: {chunk}\n\ndata: [DONE]\n\n".encode()
    sent = answer([Recording(CHAT_STREAM, response(CHAT_STREAM, arrived(body)))])
    assert json.loads(events(sent)[0]) == json.loads(chunk)


def test_a_single_answer_is_json() -> None:
    body = b'{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[],"usage":{"total_tokens":1}}'
    sent = answer([Recording(CHAT, response(CHAT, arrived(body, content_type="application/json")))])
    assert sent.status == 200
    assert dict(sent.headers)["content-type"] == "application/json"
    assert json.loads(sent.body) == json.loads(body)


@pytest.mark.parametrize(
    "value",
    [
        "123456789012345678901234567890",
        "18446744073709551616",
        "-9223372036854775809",
        "1e-07",
        "0.1",
        "1.0",
        "-0.0",
        "5e-324",
        "1.7976931348623157e308",
        '"\\ud83d"',
        '"\\ud83d\\ude00\\u0000\\u2028\\r\\n"',
        "null",
        "[[],{}]",
    ],
)
def test_odd_values_come_and_go_unchanged(value: str) -> None:
    event = f'{{"id":"x","choices":[],"odd":{value}}}'
    made = response(CHAT_STREAM, arrived(f"data: {event}\n\ndata: [DONE]\n\n".encode()))
    recording = loads(dumps(Recording(CHAT_STREAM, made)))
    assert json.dumps(recording.response.elements()[0]["__data__"]["odd"]) == json.dumps(json.loads(value))
    replayed = json.loads(events(answer([recording]))[0])
    assert json.dumps(replayed["odd"]) == json.dumps(json.loads(value))


def test_an_unknown_class_is_served_as_it_is_kept() -> None:
    element = {"__type__": "openai.types.future.Thing", "__data__": {"id": "x", "usage": None}}
    sent = answer([Recording(CHAT, RecordedResponse(element, is_streaming=False))])
    assert json.loads(sent.body) == {"id": "x", "usage": None}


@pytest.mark.parametrize(("status", "message"), [(404, "no recording"), (502, 'with "quotes"\nand é \ud83d')])
def test_an_error_of_ours_has_the_providers_form_and_is_not_retried(status: int, message: str) -> None:
    sent = error(status, message, "recording_not_found")
    assert sent.status == status
    assert dict(sent.headers) == {"content-type": "application/json", "x-should-retry": "false"}
    assert json.loads(sent.body) == {
        "error": {"message": message, "type": "recording_not_found", "code": "recording_not_found", "param": None}
    }


OPENAI_FORM = {"error": {"message": "no", "type": "lost", "code": "lost", "param": None}}
ANTHROPIC_FORM = {"type": "error", "error": {"type": "lost", "message": "no"}}
GEMINI_FORM = {"error": {"code": 400, "message": "no", "status": "lost"}}
OLLAMA_FORM = {"error": "no", "code": "lost"}
PLAIN_FORM = {"message": "no", "code": "lost"}

FORMS: Sequence[tuple[str, Any]] = [
    ("POST https://api.openai.com/v1/chat/completions", OPENAI_FORM),
    ("POST https://api.openai.com/v1/threads/t/messages", OPENAI_FORM),
    ("GET https://api.openai.com/v1/files", OPENAI_FORM),
    ("POST https://llm.example/x", OPENAI_FORM),
    ("POST https://api.anthropic.com/v1/messages", ANTHROPIC_FORM),
    ("POST https://api.anthropic.com/v1/messages/count_tokens", ANTHROPIC_FORM),
    ("GET https://api.anthropic.com/v1/files", ANTHROPIC_FORM),
    ("POST https://api.anthropic.com/v1/chat/completions", OPENAI_FORM),  # So the SDK is OpenAI's.
    ("POST https://api.fireworks.ai/inference/v1/messages", ANTHROPIC_FORM),
    ("POST https://api.deepseek.com/anthropic/v1/messages", ANTHROPIC_FORM),
    ("POST https://generativelanguage.googleapis.com/v1beta/models/m:generateContent?key=k", GEMINI_FORM),
    ("GET https://generativelanguage.googleapis.com/v1beta/files", GEMINI_FORM),
    ("POST https://generativelanguage.googleapis.com/v1beta/openai/chat/completions", OPENAI_FORM),
    ("POST https://generativelanguage.googleapis.com/v1beta/openai/images/generations", OPENAI_FORM),
    ("POST https://gateway.example/v1/models/m:streamGenerateContent", GEMINI_FORM),
    ("POST http://localhost:11434/api/chat", OLLAMA_FORM),
    ("POST http://localhost:11434/api/embeddings", OLLAMA_FORM),
    ("DELETE http://localhost:11434/api/delete", OLLAMA_FORM),
    ("POST http://localhost:11434/v1/messages", ANTHROPIC_FORM),
    ("POST https://ollama.com/api/chat", OLLAMA_FORM),
    ("POST https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/converse", PLAIN_FORM),
    ("POST https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1/chat/completions", OPENAI_FORM),
    ("POST https://api.cohere.com/v2/chat", PLAIN_FORM),
    ("POST https://api.cohere.com/compatibility/v1/chat/completions", OPENAI_FORM),
]


@pytest.mark.parametrize(("line", "form"), FORMS)
def test_an_error_of_ours_is_one_of_the_api_that_was_asked(line: str, form: Any) -> None:
    method, _, url = line.partition(" ")
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    asked = (method, parts.scheme, parts.hostname or "", port, f"{parts.path}?{parts.query}")
    sent = error(400, "no", "lost", TABLE.route(*asked) or routing.elsewhere(*asked))
    assert json.loads(sent.body) == form
    assert (sent.status, dict(sent.headers)["x-should-retry"]) == (400, "false")


# -- lists of models ---------------------------------------------------------------------------------------------------


def model_list(*models: tuple[str, int]) -> Recording:
    data = [{"id": name, "created": created, "object": "model", "owned_by": "o"} for name, created in models]
    body = json.dumps({"object": "list", "data": data}).encode()
    return Recording(MODELS, response(MODELS, arrived(body, content_type="application/json")))


@pytest.mark.parametrize("word", [b"\xff", b"\xe2\x82", b"\xed\xa0\x80"])
def test_what_is_no_text_in_a_stream_never_becomes_another_text(word: bytes) -> None:
    chat = b'data: {"id": "x", "choices": [{"index": 0, "delta": {"content": "%s"}, "finish_reason": "stop"}]}\n\n'
    for asked, body in (
        (asked_for("/v1/chat/completions", stream=True), chat % word + b"data: [DONE]\n\n"),
        (RecordedRequest("https://x/v1/messages", {}, ""), b"data: %s\n\nevent: message_stop\ndata: {}\n\n" % word),
        (
            asked_for("/v1/chat/completions"),
            b'{"id": "x", "choices": [{"index": 0, "message": {"content": "%s"}}]}' % word,
        ),
        (RecordedRequest("https://x/v1/messages", {}, ""), b'{"content": "%s"}' % word),
    ):
        recorded = response(asked, arrived(body, content_type="text/event-stream"))
        made = Recording(asked, recorded)
        assert b"fffd" not in dumps(made)
        assert loads(dumps(made)) == made
        again = answer([made])
        assert response(asked, LiveResponse(200, again.headers, again.chunks, again.at, True)) == recorded
        if not asked.endpoint and body.startswith(b"data:"):
            assert again.body == body


def test_one_list_of_models_keeps_its_order() -> None:
    content = json.loads(answer([model_list(("b", 1), ("a", 2))]).body)
    assert content["object"] == "list"
    assert [model["id"] for model in content["data"]] == ["b", "a"]
    assert content["data"][0] == {"id": "b", "created": 1, "object": "model", "owned_by": "o"}


def test_several_lists_of_models_are_one_their_union_sorted_by_id() -> None:
    lists = [model_list(("c", 1), ("a", 1)), model_list(("b", 2), ("a", 1)), model_list()]
    content = json.loads(answer(lists).body)
    assert [model["id"] for model in content["data"]] == ["a", "b", "c"]


def test_an_empty_list_of_models() -> None:
    assert json.loads(answer([model_list()]).body) == {"object": "list", "data": []}


# -- embeddings --------------------------------------------------------------------------------------------------------

FLOATS = struct.unpack("<6f", struct.pack("<6f", 0.1, -1.0, 0.0, 1e-40, 3.4e38, -0.0023064255))


def embeddings(embedding: Any) -> bytes:
    item = {"object": "embedding", "index": 0, "embedding": embedding}
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return json.dumps({"object": "list", "data": [item], "model": "m", "usage": usage}).encode()


BASE64 = base64.b64encode(struct.pack("<6f", *FLOATS)).decode()


def with_embedding(embedding: Any, asked: RecordedRequest = EMBEDDINGS_IN_BASE64) -> Recording:
    """The recording of an answer, written and read."""
    made = response(asked, arrived(embeddings(embedding), content_type="application/json"))
    return loads(dumps(Recording(asked, made)))


def test_base64_is_recorded_as_the_float32_that_it_holds() -> None:
    (element,) = with_embedding(BASE64).response.elements()
    assert element["__data__"]["data"][0]["embedding"] == [*FLOATS]
    assert list(element["__data__"]) == ["data", "model", "object", "usage"]


def test_numbers_and_base64_of_one_embedding_make_one_recording() -> None:
    assert with_embedding(BASE64) == with_embedding([*FLOATS]) == with_embedding([*FLOATS], EMBEDDINGS)


@pytest.mark.parametrize(("base64_wanted", "embedding"), [(True, BASE64), (False, [*FLOATS])])
def test_embeddings_go_out_in_the_form_that_was_asked_for(base64_wanted: bool, embedding: Any) -> None:
    content = json.loads(answer([with_embedding(BASE64)], base64_wanted=base64_wanted).body)
    assert content["data"] == [{"embedding": embedding, "index": 0, "object": "embedding"}]


BYTES = bytes(range(0, 256, 5))
IN_BASE64 = base64.b64encode(BYTES).decode()
NAN = struct.pack("<2f", float("nan"), float("inf"))


@pytest.mark.parametrize(
    ("output_dtype", "raw", "numbers"),
    [
        ("float", struct.pack("<6f", *FLOATS), [*FLOATS]),
        (None, struct.pack("<6f", *FLOATS), [*FLOATS]),
        ("int8", BYTES, [*struct.unpack(f"<{len(BYTES)}b", BYTES)]),
        ("binary", BYTES, [*struct.unpack(f"<{len(BYTES)}b", BYTES)]),
        ("uint8", BYTES, [*BYTES]),
        ("ubinary", BYTES, [*BYTES]),
    ],
)
def test_what_base64_holds_is_told_by_the_type_that_was_asked_for(
    output_dtype: str | None, raw: bytes, numbers: list[float]
) -> None:
    asked = replace(EMBEDDINGS_IN_BASE64, body={"model": "m", "extra_body": {"output_dtype": output_dtype}})
    text = base64.b64encode(raw).decode()
    found = with_embedding(text, asked)
    as_numbers = json.loads(answer([found]).body)["data"][0]["embedding"]
    assert json.dumps(as_numbers) == json.dumps(numbers)  # Bytes have no fraction.
    assert json.loads(answer([found], base64_wanted=True).body)["data"][0]["embedding"] == text


@pytest.mark.parametrize(
    ("asked", "embedding"),
    [
        (EMBEDDINGS, BASE64),
        (replace(EMBEDDINGS, body={"model": "m", "extra_body": {"embedding_type": "base64"}}), BASE64),
        (replace(EMBEDDINGS_IN_BASE64, body={"extra_body": {"output_dtype": "float16"}}), IN_BASE64),
        (replace(EMBEDDINGS_IN_BASE64, body={"extra_body": {"output_dtype": ["int8"]}}), IN_BASE64),
        (EMBEDDINGS_IN_BASE64, "%%%"),
        (EMBEDDINGS_IN_BASE64, "AAAAAAA="),
        (EMBEDDINGS_IN_BASE64, "é"),
        (EMBEDDINGS_IN_BASE64, None),
        (EMBEDDINGS_IN_BASE64, [0.1, "x"]),
        (EMBEDDINGS_IN_BASE64, [0.1]),
        (replace(EMBEDDINGS_IN_BASE64, body={"extra_body": {"output_dtype": "int8"}}), [0.5, 1.0]),
        (replace(EMBEDDINGS_IN_BASE64, body={"extra_body": {"output_dtype": "int8"}}), [1000.0]),
    ],
)
@pytest.mark.parametrize("base64_wanted", [True, False])
def test_what_is_no_base64_of_a_known_type_stays_as_it_came(
    asked: RecordedRequest, embedding: Any, base64_wanted: bool
) -> None:
    content = json.loads(answer([with_embedding(embedding, asked)], base64_wanted=base64_wanted).body)
    assert content["data"][0]["embedding"] == embedding


def test_float32_that_is_no_number_comes_back_as_the_same_bytes() -> None:
    text = base64.b64encode(NAN).decode()
    assert json.loads(answer([with_embedding(text)], base64_wanted=True).body)["data"][0]["embedding"] == text


@pytest.mark.parametrize(
    ("asked_then", "came", "asks_now", "gets"),
    [
        (True, BASE64, True, None),
        (True, BASE64, False, [*FLOATS]),
        (True, [*FLOATS], True, None),
        (True, [*FLOATS], False, None),
        (False, BASE64, True, None),
        (False, BASE64, False, None),
        (False, [*FLOATS], True, BASE64),
        (False, [*FLOATS], False, None),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_who_asks_for_embeddings_as_was_asked_then_gets_what_came(
    asked_then: bool, came: Any, asks_now: bool, gets: Any, size: int
) -> None:
    """``gets``: None for the very bytes that came."""
    body = embeddings(came)
    found = with_embedding(came, EMBEDDINGS_IN_BASE64 if asked_then else EMBEDDINGS)
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    beside = Capture("x", 200, (), pieces, [0.0] * len(pieces), base64_wanted=asked_then)
    sent = wire.captured(found, capture.loads(capture.dumps(beside)), "x", base64_wanted=asks_now)
    if gets is None:
        assert sent
        assert sent.body == body
    else:
        assert sent is None
        content = json.loads(answer([found], base64_wanted=asks_now).body)
        assert content["data"][0]["embedding"] == gets


# -- what cannot become a recording ------------------------------------------------------------------------------------

EVENT = b'data: {"id":"x","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
DONE = b"data: [DONE]\n\n"
SINGLE = b'{"id":"x","object":"chat.completion","choices":[]}'
JSON = "application/json"
OLLAMA = RecordedRequest("http://localhost:11434/api/chat", {"model": "m", "stream": True}, "/api/chat")

UNRECORDABLE: dict[str, tuple[RecordedRequest, LiveResponse, str]] = {
    **{
        f"status {status}": (CHAT_STREAM, arrived(EVENT + DONE, status=status), f"status {status}")
        for status in (201, 301, 401, 403, 408, 409, 429, 500, 502, 503, 529)
    },
    "a stream without [DONE]": (CHAT_STREAM, arrived(EVENT), "broke off"),
    "a stream without [DONE] whose end was not seen": (CHAT_STREAM, arrived(EVENT, ended=False), "broke off"),
    "a stream cut within [DONE]": (CHAT_STREAM, arrived(EVENT + b"data: [DO"), "broke off"),
    "an empty stream": (CHAT_STREAM, arrived(DONE), "empty"),
    "an empty body for a stream": (CHAT_STREAM, arrived(), "broke off"),
    "only comments": (CHAT_STREAM, arrived(b": keep-alive\n\n" + DONE), "empty"),
    "an error event": (CHAT_STREAM, arrived(EVENT + b'data: {"error":{"message":"x"}}\n\n' + DONE), "holds an error"),
    "an event called error": (
        CHAT_STREAM,
        arrived(EVENT + b'event: error\ndata: {"m":1}\n\n' + DONE),
        "holds an error",
    ),
    "an event of type error": (CHAT_STREAM, arrived(EVENT + b'data: {"type":"error"}\n\n' + DONE), "holds an error"),
    "an error as text": (CHAT_STREAM, arrived(b'data: {"error":"overloaded"}\n\n' + DONE), "holds an error"),
    "an event that is not JSON": (CHAT_STREAM, arrived(EVENT + b"data: {oops\n\n" + DONE), "not JSON"),
    "an event that is no object": (CHAT_STREAM, arrived(EVENT + b"data: [1]\n\n" + DONE), "not a JSON object"),
    "JSON in place of a stream, cut off": (CHAT_STREAM, arrived(SINGLE, content_type=JSON, ended=False), "broke off"),
    "a stream in place of JSON, cut off": (CHAT, arrived(EVENT), "broke off"),
    "HTML in place of a stream": (CHAT_STREAM, arrived(b"<html></html>", content_type="text/html"), "broke off"),
    "a stream where there is none": (EMBEDDINGS, arrived(EVENT + DONE), "no form is known"),
    "a line of a stream in place of an answer": (
        OLLAMA,
        arrived(b'{"message":{"content":"a"},"done":false}\n', content_type=JSON),
        "broke off",
    ),
    "a single answer cut off": (CHAT, arrived(SINGLE[:20], content_type=JSON, ended=False), "broke off"),
    "a single answer whose end was not seen": (CHAT, arrived(SINGLE, content_type=JSON, ended=False), "broke off"),
    "a single answer that is not whole": (CHAT, arrived(SINGLE[:20], content_type=JSON), "not JSON"),
    "HTML": (CHAT, arrived(b"<html>gateway</html>", content_type="text/html"), "not JSON"),
    "no choices": (CHAT, arrived(b'{"detail":"overloaded"}', content_type=JSON), "no choices"),
    "choices that are none": (CHAT, arrived(b'{"choices":null,"base_resp":{}}', content_type=JSON), "no choices"),
    "an empty single answer": (CHAT, arrived(content_type=JSON), "not JSON"),
    "a list": (CHAT, arrived(b"[]", content_type=JSON), "not a JSON object"),
    "null": (CHAT, arrived(b"null", content_type=JSON), "not a JSON object"),
    "an error with status 200": (
        CHAT,
        arrived(b'{"error":{"message":"overloaded","code":502}}', content_type=JSON),
        "error",
    ),
    "nested too deeply": (CHAT, arrived(b'{"a":' * 100_000, content_type=JSON), "not JSON"),
    "a gzip body cut off": (CHAT, arrived(gzip.compress(SINGLE)[:30], content_type=JSON, coding="gzip"), "not JSON"),
    "a gzip stream cut off": (CHAT_STREAM, arrived(gzip.compress(EVENT + DONE)[:40], coding="gzip"), "broke off"),
    "no gzip": (CHAT, arrived(SINGLE, content_type=JSON, coding="gzip"), "body is not"),
    "an unknown coding": (CHAT, arrived(b"\xff\x06\0\0sNaPpY", content_type=JSON, coding="snappy"), "snappy"),
    "a coding in two fields": (
        CHAT,
        arrived(gzip.compress(SINGLE, mtime=1), content_type=JSON, coding="br"),
        "body is not",
    ),
    "models that are no list": (MODELS, arrived(b'{"data":{}}', content_type=JSON), "list of models"),
    "models that are text": (MODELS, arrived(b'{"data":["m"]}', content_type=JSON), "list of models"),
    "no models": (MODELS, arrived(b"{}", content_type=JSON), "list of models"),
    "embeddings that are a number": (EMBEDDINGS, arrived(b'{"data":5}', content_type=JSON), "embedding"),
}


@pytest.mark.parametrize(("asked", "came", "reason"), UNRECORDABLE.values(), ids=UNRECORDABLE)
def test_what_did_not_end_well_is_no_recording_and_says_why(
    asked: RecordedRequest, came: LiveResponse, reason: str
) -> None:
    with pytest.raises(UnrecordableError, match=reason) as raised:
        response(asked, came)
    assert str(raised.value)


@pytest.mark.parametrize("depth", [500, 1200])
def test_a_deep_answer_is_recorded_whole_or_is_no_recording(depth: int) -> None:
    failed: type[Exception] | None = None  # Only the type: pytest takes seconds for the traceback of a RecursionError.
    try:
        response(CHAT, arrived(b'{"a":' + b"[" * depth + b"]" * depth + b"}", content_type=JSON))
    except (UnrecordableError, RecursionError) as e:
        failed = type(e)
    assert failed in (None, UnrecordableError)


@pytest.mark.parametrize(
    "tail", [b"", b"\n", b": bye\n\n", b'data: {"late":', b"data: x\n\n", b'data: {"error":1}\n\n', b"\r\n\r\n"]
)
@pytest.mark.parametrize("ended", [True, False])
def test_a_stream_with_done_is_whole_whatever_follows(tail: bytes, ended: bool) -> None:
    """Many clients close the connection as soon as they have read [DONE]."""
    made = response(CHAT_STREAM, arrived(EVENT + DONE + tail, ended=ended))
    assert len(made.elements()) == 1
    assert made.is_streaming


# -- what came, and not what was asked ---------------------------------------------------------------------------------

COMPLETION = b'{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"content":"a"}}]}'
OLLAMA_LINES = b'{"message":{"content":"a"},"done":false}\n{"message":{"content":""},"done":true}\n'
MESSAGE = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
ANTHROPIC = RecordedRequest("https://api.anthropic.com/v1/messages", {"model": "m"}, "")
STREAM = "text/event-stream"

CAME: dict[str, tuple[RecordedRequest, bytes, str, bool]] = {
    "JSON": (CHAT, COMPLETION, JSON, False),
    "JSON, whose type says that it is a stream": (CHAT, COMPLETION, STREAM, False),
    "JSON without a type": (CHAT, COMPLETION, "", False),
    "JSON as bytes": (CHAT, b"\xef\xbb\xbf\r\n " + COMPLETION, "application/octet-stream", False),
    "JSON over several lines": (CHAT, json.dumps(json.loads(COMPLETION), indent=2).encode(), STREAM, False),
    "JSON with the end of a stream behind it": (CHAT, COMPLETION + b"\ndata: [DONE]\n\n", STREAM, False),
    "JSON with the end of a stream at its brace": (CHAT, COMPLETION + b"data: [DONE]", JSON, False),
    "a stream": (CHAT, EVENT + DONE, STREAM, True),
    "a stream, whose type says that it is JSON": (CHAT, EVENT + DONE, JSON, True),
    "a stream without a type": (CHAT, EVENT + DONE, "", True),
    "a stream as text": (CHAT, b": hello\r\n\r\nid: 1\nevent: x\n" + EVENT + DONE, "text/plain", True),
    "a stream as bytes": (CHAT, b"\xef\xbb\xbf\n" + EVENT + DONE, "application/octet-stream", True),
    "events of responses with the marker of others": (
        asked_for("/v1/responses"),
        b'data: {"type":["x"]}\n\ndata: {"type":"response.output_text.delta"}\n\n' + DONE,
        STREAM,
        True,
    ),
    "lines": (OLLAMA, OLLAMA_LINES, "application/x-ndjson", True),
    "lines, whose type says that they are JSON": (OLLAMA, OLLAMA_LINES, JSON, True),
    "lines, whose type says that they are a stream": (OLLAMA, OLLAMA_LINES, STREAM, True),
    "a line": (OLLAMA, OLLAMA_LINES.splitlines()[1], "application/x-ndjson", True),
    "a line that is all": (OLLAMA, OLLAMA_LINES.splitlines()[1], JSON, False),
    "a stream of Anthropic": (ANTHROPIC, MESSAGE, STREAM, True),
    "a stream of Anthropic, whose type says that it is JSON": (ANTHROPIC, MESSAGE, JSON, True),
    "JSON of Anthropic": (ANTHROPIC, b'{"type":"message"}', JSON, False),
    "JSON of Anthropic, whose type says that it is a stream": (ANTHROPIC, b'{"type":"message"}', STREAM, False),
    "a list of Gemini": (ANTHROPIC, b'[{"candidates":[]}\n,\r\n{"candidates":[]}]', JSON, False),
    "text": (ANTHROPIC, b"data: is what this text begins with", "text/plain", False),
    "subtitles": (ANTHROPIC, b"WEBVTT\n\n00:00.000 --> 00:01.000\nHi\n", "text/vtt", False),
    "lines of an unknown API": (ANTHROPIC, b'{"a":1}\n{"a":2}\n', JSON, False),
}


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize(("asked", "body", "content_type", "is_streaming"), CAME.values(), ids=CAME)
def test_an_answer_is_what_came_and_not_what_was_asked(
    asked: RecordedRequest, body: bytes, content_type: str, is_streaming: bool, streamed: bool
) -> None:
    asked = replace(asked, body={**asked.body, "stream": streamed})
    for pieces in ([body], one_by_one(body)):
        made = response(asked, arrived(*pieces, content_type=content_type))
        assert made.is_streaming is is_streaming
        found = loads(dumps(Recording(asked, made)))
        sent = answer([found])
        again = response(asked, arrived(*sent.chunks, content_type=dict(sent.headers)["content-type"]))
        assert (again.body, again.is_streaming) == (found.response.body, is_streaming)


# -- errors with status 200 --------------------------------------------------------------------------------------------

ERRORS: dict[str, tuple[RecordedRequest, bytes]] = {
    "an error": (CHAT, b'{"error":{"message":"x"}}'),
    "as a text": (CHAT, b'{"error":"x"}'),
    "beside an id": (CHAT, b'{"id":"x","object":"chat.completion","choices":[],"error":{"code":502}}'),
    "of a choice": (CHAT, b'{"id":"x","choices":[{"index":0,"error":{"code":502},"message":{"content":""}}]}'),
    "as the reason of a choice": (CHAT, b'{"id":"x","choices":[{"index":0,"finish_reason":"error"}]}'),
    "called so": (CHAT, b'{"object":"error","message":"x","type":"invalid_request_error"}'),
    "in a list": (CHAT, b'[{"error":{"code":429}}]'),
    "of a response": (asked_for("/v1/responses"), b'{"id":"r","status":"failed","error":{"code":"server_error"}}'),
    "of a conversation": (ANTHROPIC, b'data: {"type":"conversation.response.error","message":"x"}\n\n' + DONE),
    "of embeddings": (EMBEDDINGS, b'{"error":{"message":"x"}}'),
    "of models": (MODELS, b'{"error":{"message":"x"}}'),
    "of Ollama": (OLLAMA, b'{"error":"x"}'),
    "in a line": (OLLAMA, OLLAMA_LINES.splitlines(keepends=True)[0] + b'{"error":"x"}\n'),
    "in the last line, without its end": (OLLAMA, OLLAMA_LINES.splitlines(keepends=True)[0] + b'{"error":"x"}'),
    "in an event": (CHAT, EVENT + b'data: {"error":{"message":"x"}}\n\n' + DONE),
    "in the last event, without its end": (CHAT, EVENT + b'data: {"error":{"message":"x"}}'),
    "in an event with a name": (CHAT, EVENT + b"event: error\ndata: overloaded\n\n" + DONE),
    "in a choice of an event": (CHAT, EVENT + b'data: {"choices":[{"index":0,"error":{"code":502}}]}\n\n' + DONE),
    "as the reason in an event": (
        CHAT,
        EVENT + b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}\n\n' + DONE,
    ),
    "as an event of responses": (
        asked_for("/v1/responses"),
        b'data: {"type":"response.failed","response":{"status":"failed"}}\n\n',
    ),
    "as an event of responses, by its name": (
        asked_for("/v1/responses"),
        b'event: response.failed\ndata: {"response":{"status":"failed"}}\n\n',
    ),
    "of a run": (ANTHROPIC, b'event: thread.run.failed\ndata: {"id":"r"}\n\nevent: done\ndata: [DONE]\n\n'),
    "of Cloudflare": (ANTHROPIC, b'{"success":false,"errors":[{"code":7003}],"result":null}'),
    "in an event of Cloudflare": (ANTHROPIC, b'data: {"success":false,"errors":[{"code":7003}]}\n\n' + DONE),
    "of MiniMax": (CHAT, b'{"base_resp":{"status_code":1008,"status_msg":"no balance"},"choices":null}'),
    "in an event of MiniMax": (CHAT, EVENT + b'data: {"base_resp":{"status_code":1008}}\n\n' + DONE),
    "of Anthropic": (ANTHROPIC, b'{"type":"error","error":{"type":"overloaded_error"}}'),
    "in an event of Anthropic": (ANTHROPIC, b'event: error\ndata: {"type":"error"}\n\n' + MESSAGE),
    "after the end": (ANTHROPIC, MESSAGE + b'event: error\ndata: {"type":"error"}\n\n'),
    "in an element of Gemini's list": (ANTHROPIC, b'[{"candidates":[]},\n{"error":{"code":429}}]'),
    "in an event of Gemini": (ANTHROPIC, b'data: {"error":{"code":503}}\n\n'),
    "in an interaction": (ANTHROPIC, b'data: {"event_type":"error","error":{"code":"x"}}\n\n'),
    "in a line of an unknown API": (ANTHROPIC, b'{"a":1}\n{"error":"x"}\n'),
}


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("content_type", [JSON, STREAM, ""])
@pytest.mark.parametrize(("asked", "body"), ERRORS.values(), ids=ERRORS)
def test_an_error_anywhere_in_an_answer_is_one(
    asked: RecordedRequest, body: bytes, content_type: str, streamed: bool
) -> None:
    asked = replace(asked, body={**asked.body, "stream": streamed})
    with pytest.raises(UnrecordableError, match="holds an error"):
        response(asked, arrived(body, content_type=content_type))


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("POST", b'{"id":"x","error":{"code":null,"message":null,"param":null}}'),
        ("POST", b'{"results":[{"error":"in the text that was asked about"}]}'),
        ("POST", b'{"type":"tool_result_error","content":"overerror"}'),
        ("POST", b'[[0.1,0.2],{"label":"error"}]'),
        ("GET", b'{"id":"job","status":"failed","error":{"code":"x"}}'),
    ],
)
def test_what_tells_of_an_error_is_none(method: str, body: bytes) -> None:
    made = response(replace(ANTHROPIC, method=method), arrived(body, content_type=JSON))
    assert made.body == json.loads(body)


@pytest.mark.parametrize("null", [b"null", b"false", b'""'])
def test_an_error_member_that_is_empty_is_no_error(null: bytes) -> None:
    made = response(CHAT_STREAM, arrived(b'data: {"id":"x","choices":[],"error":' + null + b"}\n\n" + DONE))
    assert len(made.elements()) == 1


@pytest.mark.parametrize("status", [400, 404, 422])
def test_an_error_that_lies_in_the_request_is_replayed_with_its_status_and_body(status: int) -> None:
    body = b'{"error": {"message": "It\'s \\"no\\" model", "type": "invalid_request_error", "param": null, "code": 7}}'
    made = response(CHAT_STREAM, arrived(body, status=status, content_type=JSON))
    sent = answer([loads(dumps(Recording(CHAT_STREAM, made)))])
    assert sent.status == status
    assert dict(sent.headers)["content-type"] == "application/json"
    assert json.loads(sent.body) == json.loads(body)


def test_an_error_whose_end_was_not_seen_is_no_recording() -> None:
    with pytest.raises(UnrecordableError, match="broke off"):
        response(CHAT_STREAM, arrived(b'{"error": {}}', status=400, content_type=JSON, ended=False))
