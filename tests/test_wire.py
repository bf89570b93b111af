"""Recordings as HTTP answers, and HTTP answers as recordings."""

import base64
import gzip
import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import brotli
import pytest
import zstandard

from wiretape import wire
from wiretape.recording import RecordedRequest, RecordedResponse, Recording, dumps, loads
from wiretape.sse import Decoder
from wiretape.wire import Answer, Arrived, Unrecordable, answer, error

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data"
SEEDS = sorted((ROOT / "recordings" / "default" / "responses").glob("*.json"))
CORPUS = sorted((ROOT.parent / "shared" / "corpus" / "2025-09").rglob("*.json"))

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
) -> Arrived:
    headers = (("Content-Type", content_type), *((("Content-Encoding", coding),) if coding else ()))
    return Arrived(status, headers, pieces, tuple(map(float, range(len(pieces)))), ended)


def response(asked: RecordedRequest, came: Arrived) -> RecordedResponse:
    """The way of a live answer: its coding undone, then read."""
    return wire.response(asked, wire.decoded(came))


def one_by_one(data: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in data]


def events(sent: Answer) -> list[str]:
    decoder = Decoder()
    return [event.data for event in decoder.feed(sent.body) + decoder.flush()]


CHAT = asked_for("/v1/chat/completions")
CHAT_STREAM = asked_for("/v1/chat/completions", stream=True)
EMBEDDINGS = asked_for("/v1/embeddings")
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


@pytest.mark.skipif(not CORPUS, reason="the corpus is not beside the checkout: ../shared/corpus/2025-09")
def test_the_corpus_replayed_is_recorded_to_the_same_bytes() -> None:
    for path in CORPUS:
        found = loads(path.read_bytes())
        sent = answer([found])
        again = response(found.request, arrived(*sent.chunks, content_type=dict(sent.headers)["content-type"]))
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


# -- lists of models ---------------------------------------------------------------------------------------------------


def model_list(*models: tuple[str, int]) -> Recording:
    data = [{"id": name, "created": created, "object": "model", "owned_by": "o"} for name, created in models]
    body = json.dumps({"object": "list", "data": data}).encode()
    return Recording(MODELS, response(MODELS, arrived(body, content_type="application/json")))


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


def test_base64_is_recorded_as_the_float32_that_it_holds() -> None:
    made = response(EMBEDDINGS, arrived(embeddings(BASE64), content_type="application/json"))
    (element,) = made.elements()
    assert element["__data__"]["data"][0]["embedding"] == [*FLOATS]
    assert list(element["__data__"]) == ["data", "model", "object", "usage"]


def test_numbers_and_base64_of_one_embedding_make_one_recording() -> None:
    both = [
        dumps(
            Recording(EMBEDDINGS, response(EMBEDDINGS, arrived(embeddings(embedding), content_type="application/json")))
        )
        for embedding in (BASE64, [*FLOATS])
    ]
    assert both[0] == both[1]


@pytest.mark.parametrize(("base64_wanted", "embedding"), [(True, BASE64), (False, [*FLOATS])])
def test_embeddings_go_out_in_the_form_that_was_asked_for(base64_wanted: bool, embedding: Any) -> None:
    recording = Recording(
        EMBEDDINGS, response(EMBEDDINGS, arrived(embeddings(BASE64), content_type="application/json"))
    )
    content = json.loads(answer([loads(dumps(recording))], base64_wanted=base64_wanted).body)
    assert content["data"] == [{"embedding": embedding, "index": 0, "object": "embedding"}]


# -- what cannot become a recording ------------------------------------------------------------------------------------

EVENT = b'data: {"id":"x","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
DONE = b"data: [DONE]\n\n"
SINGLE = b'{"id":"x","object":"chat.completion","choices":[]}'
JSON = "application/json"

UNRECORDABLE: dict[str, tuple[RecordedRequest, Arrived, str]] = {
    **{
        f"status {status}": (CHAT_STREAM, arrived(EVENT + DONE, status=status), f"status {status}")
        for status in (201, 301, 401, 403, 408, 409, 429, 500, 502, 503, 529)
    },
    "a stream without [DONE]": (CHAT_STREAM, arrived(EVENT), "broke off"),
    "a stream without [DONE] whose end was not seen": (CHAT_STREAM, arrived(EVENT, ended=False), "broke off"),
    "a stream cut within [DONE]": (CHAT_STREAM, arrived(EVENT + b"data: [DO"), "broke off"),
    "a stream whose [DONE] has no empty line": (CHAT_STREAM, arrived(EVENT + b"data: [DONE]"), "broke off"),
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
    "JSON in place of a stream": (CHAT_STREAM, arrived(SINGLE, content_type=JSON), "broke off"),
    "a single answer cut off": (CHAT, arrived(SINGLE[:20], content_type=JSON, ended=False), "broke off"),
    "a single answer whose end was not seen": (CHAT, arrived(SINGLE, content_type=JSON, ended=False), "broke off"),
    "a single answer that is not whole": (CHAT, arrived(SINGLE[:20], content_type=JSON), "not JSON"),
    "HTML": (CHAT, arrived(b"<html>gateway</html>", content_type="text/html"), "not JSON"),
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
    "a coding in two fields": (CHAT, arrived(gzip.compress(SINGLE), content_type=JSON, coding="br"), "body is not"),
    "models that are no list": (MODELS, arrived(b'{"data":{}}', content_type=JSON), "list of models"),
    "models that are text": (MODELS, arrived(b'{"data":["m"]}', content_type=JSON), "list of models"),
    "no models": (MODELS, arrived(b"{}", content_type=JSON), "list of models"),
    "embeddings that are no base64": (EMBEDDINGS, arrived(embeddings("%%%"), content_type=JSON), "base64"),
    "embeddings of 5 bytes": (EMBEDDINGS, arrived(embeddings("AAAAAAA="), content_type=JSON), "float32"),
    "embeddings that are a number": (EMBEDDINGS, arrived(b'{"data":5}', content_type=JSON), "embedding"),
}


@pytest.mark.parametrize(("asked", "came", "reason"), UNRECORDABLE.values(), ids=UNRECORDABLE)
def test_what_did_not_end_well_is_no_recording_and_says_why(asked: RecordedRequest, came: Arrived, reason: str) -> None:
    with pytest.raises(Unrecordable, match=reason) as raised:
        response(asked, came)
    assert str(raised.value)


@pytest.mark.parametrize("depth", [500, 1200])
def test_a_deep_answer_is_recorded_whole_or_is_no_recording(depth: int) -> None:
    failed: type[Exception] | None = None  # Only the type: pytest takes seconds for the traceback of a RecursionError.
    try:
        response(CHAT, arrived(b'{"a":' + b"[" * depth + b"]" * depth + b"}", content_type=JSON))
    except (Unrecordable, RecursionError) as e:
        failed = type(e)
    assert failed in (None, Unrecordable)


@pytest.mark.parametrize("end", range(0, len(EVENT + DONE), 3))
def test_a_stream_cut_anywhere_is_no_recording(end: int) -> None:
    with pytest.raises(Unrecordable):
        response(CHAT_STREAM, arrived((EVENT + DONE)[:end], ended=False))


@pytest.mark.parametrize(
    "tail", [b"", b"\n", b": bye\n\n", b'data: {"late":', b"data: x\n\n", b'data: {"error":1}\n\n', b"\r\n\r\n"]
)
@pytest.mark.parametrize("ended", [True, False])
def test_a_stream_with_done_is_whole_whatever_follows(tail: bytes, ended: bool) -> None:
    """Many clients close the connection as soon as they have read [DONE]."""
    made = response(CHAT_STREAM, arrived(EVENT + DONE + tail, ended=ended))
    assert len(made.elements()) == 1
    assert made.is_streaming


def test_a_stream_is_read_as_one_whatever_its_content_type() -> None:
    made = response(CHAT_STREAM, arrived(EVENT + DONE, content_type="application/octet-stream"))
    assert len(made.elements()) == 1


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
    with pytest.raises(Unrecordable, match="broke off"):
        response(CHAT_STREAM, arrived(b'{"error": {}}', status=400, content_type=JSON, ended=False))
