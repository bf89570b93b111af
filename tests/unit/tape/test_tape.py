"""The heart: which request is a hit, which answer becomes a recording, what the counters and the log say."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from places import SHIPPED
from taping import tape_of
from wiretape.exceptions import StoreUnavailableError
from wiretape.matching.request import recorded
from wiretape.metrics.counters import Counters
from wiretape.policy import Mode, Takes, parse_mode, parse_takes
from wiretape.providers import wire
from wiretape.providers.table import load
from wiretape.recording import RecordedRequest, loads, request_hash
from wiretape.store.directory import DirectoryStore
from wiretape.store.lru import LruCache
from wiretape.tape.tape import CachedHit, Hit, Tape, conflict_resolver

SEEDS = sorted((SHIPPED / "default" / "responses").glob("*.json"))
ENDPOINT = "/v1/chat/completions"

each_seed = pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
recording_modes = pytest.mark.parametrize("mode", [Mode.RECORD, Mode.RECORD_IF_MISSING])

Taped = Callable[..., Tape]


@pytest.fixture(name="taped")
def _taped(tmp_path: Path) -> Taped:
    """Tapes over one store."""

    def make(mode: Mode = Mode.REPLAY, session: str = "default", **more: Any) -> Tape:
        return tape_of(DirectoryStore(tmp_path), session, mode, **more)

    return make


def folder(tape: Tape) -> Path:
    return Path(tape.location) / "responses"


def files(tape: Tape) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder(tape).iterdir()} if folder(tape).exists() else {}


def request(content: str = "Hello", *, host: str = "api.openai.com", **more: Any) -> RecordedRequest:
    body = {"model": "m", "messages": [{"role": "user", "content": content}], **more}
    return RecordedRequest(f"https://{host}/v1{ENDPOINT}", body, ENDPOINT)


def arrived(
    *pieces: bytes, status: int = 200, content_type: str = "application/json", coding: str = "", ended: bool = True
) -> wire.LiveResponse:
    headers = (("content-type", content_type), *((("content-encoding", coding),) if coding else ()))
    return wire.LiveResponse(status, headers, pieces, tuple(map(float, range(len(pieces)))), ended)


def came(text: str = "Hi", *, status: int = 200, ended: bool = True) -> wire.LiveResponse:
    message = {"role": "assistant", "content": text}
    answer = {"id": "x", "choices": [{"index": 0, "finish_reason": "stop", "message": message}], "created": 1}
    return arrived(json.dumps(answer).encode(), status=status, ended=ended)


def text_of(hit: Hit | None) -> str:
    assert hit
    text = json.loads(hit.answer.body)["choices"][0]["message"]["content"]
    assert isinstance(text, str)
    return text


def name_of(asked: RecordedRequest) -> str:
    return f"{request_hash(asked)[:12]}.json"


HELLO = request()


def found(tape: Tape, asked: RecordedRequest) -> Hit | None:
    """As who asks it does: under a name of its own, then under any."""
    return tape.lookup(asked) or tape.search(asked)


# -- modes -------------------------------------------------------------------------------------------------------------


def test_a_mode_by_its_name() -> None:
    assert [parse_mode(name) for name in ("live", "record", "replay", "record-if-missing")] == [
        *(Mode.LIVE, Mode.RECORD, Mode.REPLAY, Mode.RECORD_IF_MISSING)
    ]


@pytest.mark.parametrize("text", ["", "Replay", "record_if_missing", "playback", " live"])
def test_no_mode_is_an_error_that_names_the_modes(text: str) -> None:
    with pytest.raises(ValueError, match="live, record, replay, record-if-missing") as raised:
        parse_mode(text)
    assert repr(text) in str(raised.value)


# -- hits --------------------------------------------------------------------------------------------------------------


@each_seed
@pytest.mark.parametrize("name", ["", "renamed-by-hand"])
def test_a_seed_is_a_hit(taped: Taped, path: Path, name: str) -> None:
    tape = taped()
    folder(tape).mkdir(parents=True)
    (folder(tape) / f"{name or path.stem}.json").write_bytes(path.read_bytes())
    seed = loads(path.read_bytes())
    hit = found(tape, seed.request)
    assert hit
    assert hit.name == (name or path.stem)
    assert hit.answer.body == wire.answer([seed]).body
    usage = seed.response.elements()[-1]["__data__"]["usage"]
    assert hit.tokens == usage["completion_tokens"]


@recording_modes
def test_what_is_recorded_is_a_hit(taped: Taped, mode: Mode) -> None:
    tape = taped(mode)
    assert found(tape, HELLO) is None
    tape.record(HELLO, came("Hi"))
    assert set(files(tape)) == {name_of(HELLO)}
    assert text_of(found(tape, HELLO)) == "Hi"
    assert text_of(found(taped(Mode.REPLAY), HELLO)) == "Hi"


@pytest.mark.parametrize(
    "other",
    [
        request("Hello "),
        request("Hello", temperature=0.7000001),
        request("Hello", temperature=1),
        request("Hello", host="api.cerebras.ai"),
        request("Hello", stream=True),
        replace(HELLO, url="https://api.openai.com/v1/v1/embeddings", endpoint="/v1/embeddings"),
    ],
)
def test_a_near_miss_is_a_miss(taped: Taped, other: RecordedRequest) -> None:
    tape = taped(Mode.RECORD)
    tape.record(HELLO, came())
    tape.record(request("Hello", temperature=0.7), came())
    tape.record(request("Hello", temperature=1.0), came())
    assert found(tape, other) is None


def test_a_recording_of_another_request_under_the_right_name_is_no_hit(taped: Taped) -> None:
    tape = taped(Mode.RECORD)
    tape.record(request("forged"), came("forged"))
    (folder(tape) / name_of(request("forged"))).rename(folder(tape) / name_of(HELLO))
    assert found(taped(Mode.REPLAY), HELLO) is None
    assert text_of(found(taped(Mode.REPLAY), request("forged"))) == "forged"


@recording_modes
def test_a_recording_of_another_request_is_never_overwritten(taped: Taped, mode: Mode) -> None:
    tape = taped(Mode.RECORD)
    tape.record(request("forged"), came("forged"))
    (folder(tape) / name_of(request("forged"))).rename(folder(tape) / name_of(HELLO))
    before = files(tape)
    tape = taped(mode)
    tape.record(HELLO, came("Hi"))
    after = files(tape)
    assert after.items() > before.items()
    assert len(after) == 2
    assert text_of(found(tape, HELLO)) == "Hi"
    assert text_of(found(tape, request("forged"))) == "forged"
    tape.record(HELLO, came("Hi"))
    assert files(tape) == after


@recording_modes
def test_two_hosts_with_one_hash_have_a_recording_each(taped: Taped, mode: Mode) -> None:
    tape = taped(mode)
    other = request(host="api.cerebras.ai")
    assert name_of(other) == name_of(HELLO)
    tape.record(HELLO, came("openai"))
    tape.record(other, came("cerebras"))
    assert text_of(found(tape, HELLO)) == "openai"
    assert text_of(found(tape, other)) == "cerebras"
    assert len(files(tape)) == 2


def test_sessions_are_apart(taped: Taped) -> None:
    taped(Mode.RECORD, "one").record(HELLO, came("one"))
    assert text_of(found(taped(session="one"), HELLO)) == "one"
    assert found(taped(session="two"), HELLO) is None


def test_a_recording_that_appears_while_the_proxy_runs_is_a_hit(taped: Taped) -> None:
    tape = taped(Mode.REPLAY)
    assert found(tape, HELLO) is None
    taped(Mode.RECORD).record(HELLO, came("Hi"))
    assert text_of(found(tape, HELLO)) == "Hi"
    (folder(tape) / name_of(HELLO)).unlink()
    assert found(tape, HELLO) is None


def test_lists_of_models_are_served_as_one(taped: Taped) -> None:
    tape = taped(Mode.RECORD)
    asked = RecordedRequest("https://api.openai.com/v1/v1/models", {}, "/v1/models")
    for ids in (["b", "c"], ["a", "b"], ["b", "c"]):
        body = json.dumps({"object": "list", "data": [{"id": each, "object": "model"} for each in ids]}).encode()
        tape.record(asked, arrived(body))
    assert len(files(tape)) == 2
    assert all(name.startswith(f"models-{request_hash(asked)[:12]}-") for name in files(tape))
    hit = found(taped(), asked)
    assert hit
    assert [model["id"] for model in json.loads(hit.answer.body)["data"]] == ["a", "b", "c"]


MODELS = RecordedRequest("https://api.openai.com/v1/models", {}, "/v1/models")


def list_of(*ids: str) -> wire.LiveResponse:
    return arrived(json.dumps({"object": "list", "data": [{"id": each, "object": "model"} for each in ids]}).encode())


def ids_of(tape: Tape, test_id: str | None) -> list[str] | None:
    hit = found(tape, replace(MODELS, test_id=test_id))
    return [model["id"] for model in json.loads(hit.answer.body)["data"]] if hit else None


@recording_modes
def test_a_list_of_models_is_the_tests_that_asked(taped: Taped, mode: Mode) -> None:
    recording = taped(mode, form="2026")
    for test_id, *ids in (("a", "x", "y"), ("b", "x", "y"), ("b", "z"), ("c", "z"), ("a", "x", "y")):
        recording.record(replace(MODELS, test_id=test_id), list_of(*ids))
    tape = taped()
    assert [ids_of(tape, test) for test in "abcd"] == [["x", "y"], ["x", "y", "z"], ["z"], None]
    assert ids_of(tape, None) == ["x", "y", "z"]
    assert len(files(recording)) == 4
    # What is for all answers those for whom there is nothing.
    recording.record(MODELS, list_of("y"))
    assert [ids_of(tape, test) for test in ("a", "d", None)] == [["x", "y"], ["y"], ["y"]]


def test_a_list_that_waited_for_its_store_takes_the_place_of_nobodys(taped: Taped) -> None:
    recording = taped(Mode.RECORD, form="2026")
    for test_id in ("a", "b"):
        recording.record(replace(MODELS, test_id=test_id), list_of("x"))
    (first, a), (second, b) = sorted(files(recording).items(), key=lambda each: len(each[0]))
    settle = conflict_resolver(lambda _: (Mode.RECORD, Takes.LAST))
    names = first.removesuffix(".json"), second.removesuffix(".json")
    assert (settle("s", names[0], b, a), settle("s", names[1], b, a)) == (names[1], None)


@pytest.mark.parametrize("asks_for_base64", [True, False])
def test_who_asks_for_base64_gets_base64(taped: Taped, asks_for_base64: bool) -> None:
    """The SDKs ask for it on their own: the one for Node decodes it without looking, and gets nonsense from numbers."""
    route = load({}).route("POST", "https", "api.openai.com", 443, "/v1/embeddings")
    assert route
    form = {"encoding_format": "base64"} if asks_for_base64 else {"encoding_format": "float"}
    asked = recorded(route, json.dumps({"input": "i", "model": "m", **form}).encode())
    embedding: Any = "AACAPwAAAMA=" if asks_for_base64 else [1.0, -2.0]
    content = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": embedding}], "model": "m"}
    taped(Mode.RECORD).record(asked, arrived(json.dumps(content).encode()))
    hit = found(taped(), asked)
    assert hit
    assert json.loads(hit.answer.body)["data"][0]["embedding"] == embedding


@pytest.mark.parametrize("recorded_as_base64", [True, False])
def test_who_does_not_ask_for_base64_gets_numbers(taped: Taped, recorded_as_base64: bool) -> None:
    route = load({}).route("POST", "https", "api.openai.com", 443, "/v1/embeddings")
    assert route
    plain = recorded(route, b'{"input": "i", "model": "m"}')
    base64 = recorded(route, b'{"input": "i", "model": "m", "encoding_format": "base64"}')
    embedding: Any = "AACAPwAAAMA=" if recorded_as_base64 else [1.0, -2.0]
    content = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": embedding}], "model": "m"}
    taped(Mode.RECORD).record(base64 if recorded_as_base64 else plain, arrived(json.dumps(content).encode()))
    for asked, wanted in ((plain, [1.0, -2.0]), (base64, "AACAPwAAAMA=")):
        hit = found(taped(), asked)
        assert hit
        assert json.loads(hit.answer.body)["data"][0]["embedding"] == wanted


def test_a_recording_edited_by_hand_is_served_as_edited(taped: Taped) -> None:
    tape = taped(Mode.RECORD)
    tape.record(HELLO, came("Hi"))
    path = folder(tape) / name_of(HELLO)
    path.write_bytes(path.read_bytes().replace(b'"Hi"', b'"Edited"'))
    assert text_of(found(tape, HELLO)) == "Edited"


# -- broken files ------------------------------------------------------------------------------------------------------


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-300])


BREAK: dict[str, Callable[[Path], object]] = {
    "truncated": truncate,
    "without its last byte but one": lambda path: path.write_bytes(path.read_bytes()[:-2]),
    "empty": lambda path: path.write_bytes(b""),
    "of a merge": lambda path: path.write_bytes(b"<<<<<<< HEAD\n" + path.read_bytes()),
    "without a response": lambda path: path.write_bytes(b'{"request": {}}'),
    "of random bytes": lambda path: path.write_bytes(bytes(range(256))),
}


@pytest.mark.parametrize("damage", BREAK.values(), ids=BREAK)
def test_a_broken_recording_is_a_miss_and_an_error_that_names_the_file(
    taped: Taped, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], object]
) -> None:
    taped(Mode.RECORD).record(HELLO, came())
    tape = taped(Mode.REPLAY)
    path = folder(tape) / name_of(HELLO)
    damage(path)
    assert found(tape, HELLO) is None
    assert any(str(path) in record.getMessage() for record in caplog.records if record.levelno == logging.ERROR)
    assert str(path) in str(tape.explain(HELLO))


@pytest.mark.parametrize("damage", BREAK.values(), ids=BREAK)
@recording_modes
def test_a_broken_recording_is_recorded_anew(taped: Taped, mode: Mode, damage: Callable[[Path], object]) -> None:
    taped(Mode.RECORD).record(HELLO, came("first"))
    tape = taped(mode)
    damage(folder(tape) / name_of(HELLO))
    assert found(tape, HELLO) is None
    tape.record(HELLO, came("second"))
    assert text_of(found(tape, HELLO)) == "second"
    assert set(files(tape)) == {name_of(HELLO)}


def test_a_broken_recording_hides_no_sound_one_of_another_name(taped: Taped) -> None:
    tape = taped(Mode.RECORD)
    tape.record(HELLO, came("Hi"))
    path = folder(tape) / name_of(HELLO)
    (folder(tape) / "by-hand.json").write_bytes(path.read_bytes())
    truncate(path)
    assert text_of(found(taped(), HELLO)) == "Hi"


def element(name: str, data: Any) -> dict[str, Any]:
    return {"__type__": name, "__data__": data}


CHUNK = "openai.types.chat.chat_completion_chunk.ChatCompletionChunk"
SINGLE = "openai.types.chat.chat_completion.ChatCompletion"

# Response bodies that loads() takes and no recorder writes.
ODD: dict[str, tuple[Any, bool]] = {
    "no fields": (element(SINGLE, {}), False),
    "choices that are a number": (element(SINGLE, {"choices": 3, "usage": 7}), False),
    "choices of text": (element(SINGLE, {"choices": ["x", None, [1]], "usage": {"completion_tokens": "x"}}), False),
    "a message that is a list": (element(SINGLE, {"choices": [{"message": [1], "logprobs": 3}]}), False),
    "an unknown class": (element("no.such.Class", {"usage": None}), False),
    "a class of another endpoint": (element("openai.types.model.Model", {"id": 1}), False),
    "elements for a single answer": ([element(SINGLE, {"id": "x"}), element(SINGLE, {})], False),
    "an empty stream": ([], True),
    "chunks with odd values": ([element(CHUNK, {"choices": {"a": 1}, "usage": []}), element(CHUNK, {})], True),
    "half a surrogate pair": ([element(CHUNK, {"id": "\ud83d", "type": "\ud83d"})], True),
    "a huge number": ([element(CHUNK, {"id": 10**400})], True),
}


@pytest.mark.parametrize(("body", "streaming"), ODD.values(), ids=ODD)
def test_a_recording_written_by_hand_never_makes_a_lookup_fail(taped: Taped, body: Any, streaming: bool) -> None:
    """Whatever fails there, the front has no answer: in replay none may come from the provider."""
    tape = taped(Mode.RECORD)
    tape.record(HELLO, came())
    path = folder(tape) / name_of(HELLO)
    content = json.loads(path.read_bytes())
    content["response"] = {"body": body, "is_streaming": streaming}
    path.write_text(json.dumps(content, indent=2))
    hit = found(taped(), HELLO)
    assert hit is None or (hit.answer.status == 200 and hit.answer.body)


MODELS = RecordedRequest("https://api.openai.com/v1/models", {}, "/v1/models")
TAGS = RecordedRequest("http://localhost:11434/api/tags", {}, "/api/tags")


@pytest.mark.parametrize(
    "data", [{}, {"id": None}, {"id": 3}, {"models": 5}, {"models": [3]}, {"models": [{}]}], ids=repr
)
@pytest.mark.parametrize("asked", [MODELS, TAGS], ids=["models", "tags"])
def test_a_list_of_models_written_by_hand_never_makes_a_lookup_fail(
    taped: Taped, asked: RecordedRequest, data: dict[str, Any]
) -> None:
    tape = taped()
    folder(tape).mkdir(parents=True)
    class_ = "openai.types.model.Model" if asked is MODELS else "ollama._types.ListResponse"
    asking = {"method": "POST", "url": asked.url, "headers": {}, "body": {}, "endpoint": asked.endpoint, "model": ""}
    answering = {"body": [element(class_, data)], "is_streaming": False}
    for name in ("one", "two"):
        (folder(tape) / f"{name}.json").write_text(json.dumps({"request": asking, "response": answering}))
    hit = found(tape, asked)
    assert hit is None or hit.answer.status == 200


def test_what_goes_over_no_http_is_passed_over_in_silence(taped: Taped, caplog: pytest.LogCaptureFixture) -> None:
    tape = taped(Mode.RECORD, form="2026")
    tape.record(HELLO, came())
    for name, asked in (("tool", {"provider": "p", "tool_name": "t", "kwargs": {}}), ("sdk", {"url": "vertexai:///x"})):
        content = {"test_id": None, "request": asked, "response": {"body": {}, "is_streaming": False}}
        (folder(tape) / f"{name}.json").write_text(json.dumps(content, indent=2))
    assert found(taped(), request("another")) is None
    assert found(taped(), HELLO)
    assert [each.getMessage() for each in caplog.records if each.levelno > logging.INFO] == []


# -- ids that the form 2026 has replaced -------------------------------------------------------------------------------

RESPONSES = "/v1/responses"


def step(text: str, **more: Any) -> RecordedRequest:
    return RecordedRequest(f"https://api.openai.com/v1{RESPONSES}", {"model": "m", "input": text, **more}, RESPONSES)


def answer_of(id_: str) -> wire.LiveResponse:
    return arrived(json.dumps({"id": id_, "object": "response", "status": "completed", "output": []}).encode())


def id_of(hit: Hit | None) -> str:
    assert hit
    return str(json.loads(hit.answer.body)["id"])


@pytest.mark.parametrize(
    "goes_on",
    [
        lambda id_: step("two", previous_response_id=id_),
        lambda id_: step("two", input=[{"type": "item_reference", "id": id_}, {"role": "user", "content": "rec-1"}]),
        lambda id_: RecordedRequest(f"https://api.openai.com/v1/responses/{id_}", {}, "", "GET"),
        lambda id_: RecordedRequest(f"https://api.openai.com/v1/responses/{id_}/cancel?x=1", {"id": id_}, ""),
    ],
    ids=["previous", "nested", "url", "both"],
)
@pytest.mark.parametrize("keeps", [True, False], ids=["captures", "none"])
def test_who_goes_on_from_an_answer_is_found(
    tmp_path: Path, goes_on: Callable[[str], RecordedRequest], keeps: bool
) -> None:
    store = DirectoryStore(tmp_path)
    live = tape_of(store, "below", Mode.RECORD, form="2026")
    for number in "AB":
        live.record(step(number), answer_of(f"resp_{number}"))
        live.record(goes_on(f"resp_{number}"), answer_of(f"resp_{number}2"))
    tape = tape_of(store, "s", Mode.REPLAY, layers=("below",), keep_captures=keeps)
    for number in "AB":
        first = id_of(found(tape, step(number)))
        assert first.startswith("resp_" if keeps else "rec-")
        hit = found(tape, goes_on(first))
        assert hit
        assert hit.name == found_name(tape, goes_on(f"resp_{number}"))
    assert found(tape, goes_on("rec-000000000000")) is None


def found_name(tape: Tape, asked: RecordedRequest) -> str:
    hit = found(tape, asked)
    assert hit
    return hit.name


@pytest.mark.parametrize(("takes", "wanted"), [("last", "resp_2"), ("first", "resp_1")])
def test_of_several_takes_the_id_of_the_one_that_is_played_goes_first(tmp_path: Path, takes: str, wanted: str) -> None:
    store = DirectoryStore(tmp_path)
    live = tape_of(store, "s", Mode.RECORD, form="2026", takes=parse_takes("sequence"))
    for number in "12":
        live.record(step("one"), answer_of(f"resp_{number}"))
        live.record(step("two", previous_response_id=f"resp_{number}"), answer_of("x"))
    tape = tape_of(store, "s", Mode.REPLAY, takes=parse_takes(takes), keep_captures=False)
    second = found_name(tape, step("two", previous_response_id=id_of(found(tape, step("one")))))
    assert second == found_name(tape, step("two", previous_response_id=wanted))
    (folder(live) / f"{second}.json").unlink()
    other = found_name(tape, step("two", previous_response_id=id_of(found(tape, step("one")))))
    assert other != second


@pytest.mark.parametrize(("store", "is_kept"), [(None, True), (True, True), (False, False)])
def test_an_id_that_no_provider_keeps_is_not_kept_here(tmp_path: Path, store: bool | None, is_kept: bool) -> None:
    tape = tape_of(DirectoryStore(tmp_path), "s", Mode.RECORD, form="2026")
    tape.record(step("one", **({} if store is None else {"store": store})), answer_of("resp_1"))
    tape.record(HELLO, came())
    said = [loads(data).extra["id_normalization_mapping"] for data in files(tape).values()]
    assert sorted(map(len, said)) == [0, int(is_kept)]


# -- recording ---------------------------------------------------------------------------------------------------------


def test_record_replaces(taped: Taped) -> None:
    tape = taped(Mode.RECORD)
    tape.record(HELLO, came("first"))
    tape.record(HELLO, came("second"))
    assert text_of(found(tape, HELLO)) == "second"
    assert set(files(tape)) == {name_of(HELLO)}
    assert tape.counters.recorded == 2


def test_record_if_missing_keeps_the_first(taped: Taped) -> None:
    tape = taped(Mode.RECORD_IF_MISSING)
    tape.record(HELLO, came("first"))
    before = files(tape)
    tape.record(HELLO, came("second"))
    assert text_of(found(tape, HELLO)) == "first"
    assert files(tape) == before


ABOUT_THE_REQUEST = (400, 404, 405, 410, 413, 415, 422)
DEPENDS = (401, 402, 403, 407, 408, 409, 425, 429, 460, 498, 499, 500, 502, 503, 504, 529)


@pytest.mark.parametrize("asked", [HELLO, RecordedRequest("https://api.anthropic.com/v1/messages", {}, "")])
def test_what_depends_on_who_asks_or_when_is_no_answer_to_the_next(taped: Taped, asked: RecordedRequest) -> None:
    error = b'{"error": {"message": "slow down"}}'
    memory: LruCache[CachedHit] = LruCache(1 << 20)
    for status in (*ABOUT_THE_REQUEST, *DEPENDS):
        session = f"s{status}"
        asking = taped(Mode.RECORD_IF_MISSING, session, keep_errors=True, memory=memory)
        asking.record(asked, arrived(error, status=status))
        # In the memory of all of them it is for those who replay.
        kept = taped(Mode.REPLAY, session, keep_errors=True, memory=memory).lookup(asked, "key")
        assert kept
        assert (kept.answer.status, kept.answer.body) == (status, error)
        hits = [asking.lookup(asked, "key"), asking.recall("key"), asking.search(asked, "key")]
        hits.append(taped(Mode.RECORD_IF_MISSING, f"{session}-above", layers=(session,)).search(asked))
        assert [hit is not None for hit in hits] == [status in ABOUT_THE_REQUEST] * 4, status


OF_WHO_ASKS = {
    "Gemini's key": {
        "error": {
            "code": 400,
            "message": "API key not valid. Please pass a valid API key.",
            "status": "INVALID_ARGUMENT",
            "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}],
        }
    },
    "Gemini's country": {"error": {"message": "User location is not supported", "status": "FAILED_PRECONDITION"}},
    "Anthropic's credit": {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "Your credit balance is too low to access the API."},
    },
    "OpenAI's limit": {
        "error": {"message": "Billing hard limit has been reached", "code": "billing_hard_limit_reached"}
    },
    "OpenAI's organization": {"error": {"message": "Your organization must be verified to stream this model."}},
    "xAI's key": {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***eb."},
    "DashScope's account": {"code": "Arrearage", "message": "Access denied, your account is not in good standing."},
}


@pytest.mark.parametrize("body", OF_WHO_ASKS.values(), ids=OF_WHO_ASKS)
@pytest.mark.parametrize("asked", [HELLO, RecordedRequest("https://api.anthropic.com/v1/messages", {}, "")])
def test_a_400_that_is_about_who_asks_is_no_answer_to_the_next(
    taped: Taped, asked: RecordedRequest, body: dict[str, Any]
) -> None:
    answer = arrived(json.dumps(body).encode(), status=400)
    plain = taped(Mode.RECORD_IF_MISSING, "plain")
    plain.record(asked, answer)
    assert plain.search(asked) is None
    keeping = taped(Mode.RECORD_IF_MISSING, "keeping", keep_errors=True)
    keeping.record(asked, answer)
    assert keeping.search(asked) is None
    assert taped(Mode.REPLAY, "keeping", keep_errors=True).lookup(asked)


def test_a_400_that_repeats_what_was_sent_is_about_the_request(taped: Taped) -> None:
    said = f"messages.0.content: {'x' * 500} is an invalid api key a word?"
    tape = taped(Mode.RECORD_IF_MISSING)
    tape.record(HELLO, arrived(json.dumps({"error": {"message": said, "code": "invalid_value"}}).encode(), status=400))
    assert tape.lookup(HELLO)


@pytest.mark.parametrize("takes", Takes)
def test_the_answer_after_them_is_a_take_and_stays(taped: Taped, takes: Takes) -> None:
    asking = taped(Mode.RECORD_IF_MISSING, takes=takes, keep_errors=True)
    broken_off = arrived(b'data: {"choices": []}\n\n', content_type="text/event-stream", ended=False)
    streamed = request(stream=True)
    for _ in range(2):  # The same one again is not kept twice.
        asking.record(HELLO, arrived(b'{"error": "slow"}', status=429))
        asking.record(HELLO, arrived(b'{"error": "down"}', status=503))
        asking.record(streamed, broken_off)
    assert (asking.lookup(HELLO), asking.lookup(streamed)) == (None, None)
    for text in ("Hi", "Late"):
        asking.record(HELLO, came(text))
    base = name_of(HELLO).removesuffix(".json")
    takes_of_it = sorted(name for name in files(asking) if name.startswith(base))
    assert takes_of_it == [f"{base}{take}.json" for take in (".2", ".3", "")]
    assert [text_of(asking.lookup(HELLO)) for _ in range(3)] == ["Hi"] * 3
    in_turn = taped(Mode.REPLAY, takes=Takes.SEQUENCE, keep_errors=True)
    assert [in_turn.lookup(HELLO).answer.status for _ in range(4)] == [429, 503, 200, 200]  # type: ignore[union-attr]


def test_of_those_that_depend_not_more_are_kept_than_of_use(taped: Taped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiretape.tape.tape._PASSING", 3)
    asking = taped(Mode.RECORD_IF_MISSING, keep_errors=True)
    for number in range(5):
        asking.record(HELLO, arrived(b'{"error": "%d"}' % number, status=500))
    assert len(files(asking)) == 3
    asking.record(HELLO, came("Hi"))
    assert text_of(asking.lookup(HELLO)) == "Hi"


def test_an_answer_that_waited_for_its_store_comes_after_them(taped: Taped) -> None:
    tape, names = taped(Mode.RECORD, takes=Takes.SEQUENCE, keep_errors=True), name_of(HELLO)
    for each in (arrived(b"{}", status=429), came("Hi")):
        tape.record(HELLO, each)
    error, answer = files(tape)[names], files(tape)[names.replace(".json", ".2.json")]
    settle = conflict_resolver(lambda _: (Mode.RECORD_IF_MISSING, Takes.LAST))
    base = names.removesuffix(".json")
    assert settle("s", base, answer, error) == f"{base}.2"
    assert [settle("s", base, *each) for each in ((error, answer), (answer, answer), (error, error))] == [None] * 3


@pytest.mark.parametrize(("waited", "written"), [("", ".2"), (".2", ".3"), (".9", ".10")])
def test_a_take_that_waited_for_its_store_and_finds_another_in_its_place_comes_after_it(
    taped: Taped, waited: str, written: str
) -> None:
    """Another proxy has written while the bucket was away."""
    tape, name = taped(Mode.RECORD, takes=Takes.SEQUENCE), name_of(HELLO).removesuffix(".json")
    tape.record(HELLO, came("theirs"))
    tape.record(HELLO, came("ours"))
    theirs, ours = (files(tape)[f"{name}{take}.json"] for take in ("", ".2"))
    for takes in (Takes.SEQUENCE, Takes.CYCLE, Takes.FIRST):
        settle = conflict_resolver(lambda _, takes=takes: (Mode.RECORD, takes))  # type: ignore[misc]
        assert settle("s", f"{name}{waited}", ours, theirs) == f"{name}{written}"
    # Where there is but one take, there is no other name for it.
    assert conflict_resolver(lambda _: (Mode.RECORD, Takes.LAST))("s", f"{name}{waited}", ours, theirs) is None
    missing = conflict_resolver(lambda _: (Mode.RECORD_IF_MISSING, Takes.SEQUENCE))
    assert missing("s", f"{name}{waited}", ours, theirs) is None


@recording_modes
def test_the_same_content_is_not_written_again(taped: Taped, mode: Mode) -> None:
    tape = taped(mode)
    tape.record(HELLO, came("Hi"))
    path = folder(tape) / name_of(HELLO)
    before = path.stat()
    taped(mode).record(HELLO, came("Hi"))
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


@each_seed
def test_a_seed_recorded_again_is_the_same_file(taped: Taped, path: Path) -> None:
    seed = loads(path.read_bytes())
    tape = taped(Mode.RECORD)
    sent = wire.answer([seed])
    tape.record(seed.request, arrived(*sent.chunks, content_type="text/event-stream"))
    assert files(tape) == {path.name: path.read_bytes()}


LOST: dict[str, wire.LiveResponse] = {
    "an error of the server": came(status=500),
    "a rate limit": came(status=429),
    "a wrong key": came(status=401),
    "cut off": came(ended=False),
    "not JSON": arrived(b"<html>", content_type="text/html"),
    "an unknown coding": arrived(b"\xff\x06", coding="snappy"),
}


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST)
@recording_modes
def test_what_did_not_end_well_is_not_recorded_counted_and_said(
    taped: Taped, caplog: pytest.LogCaptureFixture, mode: Mode, answer: wire.LiveResponse
) -> None:
    tape = taped(mode)
    tape.record(HELLO, answer)
    assert files(tape) == {}
    assert (tape.counters.recorded, tape.counters.unrecorded) == (0, 1)
    (said,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert ENDPOINT in said.getMessage()


def test_what_did_not_end_well_leaves_the_recording_that_is_there(taped: Taped) -> None:
    tape = taped(Mode.RECORD)
    tape.record(HELLO, came("first"))
    before = files(tape)
    for answer in LOST.values():
        tape.record(HELLO, answer)
    assert files(tape) == before


@pytest.mark.parametrize("text", ["hello", "AKIA" + "Q3D4E5F6G7H2J3K4"])
def test_an_answer_from_which_something_was_taken_out_is_said(
    text: str, taped: Taped, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    tape = taped(Mode.RECORD)
    tape.record(HELLO, came(text))
    assert tape.counters.recorded == 1
    assert ("taken out of the answer" in caplog.text) is (text != "hello")
    assert "AKIA" not in caplog.text


def test_a_disk_that_fails_is_loud_and_raises_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "recordings").write_bytes(b"a file in the folder's place")
    tape = tape_of(DirectoryStore(tmp_path / "recordings"), "default", Mode.RECORD)
    tape.record(HELLO, came())
    assert (tape.counters.recorded, tape.counters.unrecorded) == (0, 1)
    (said,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "RECORDING LOST" in said.getMessage()
    assert ENDPOINT in said.getMessage()
    with pytest.raises(StoreUnavailableError):
        found(tape, HELLO)


def test_an_error_of_our_own_is_loud_and_raises_nothing(
    taped: Taped, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a bug of ours")

    monkeypatch.setattr(DirectoryStore, "write", broken)
    tape = taped(Mode.RECORD)
    tape.record(HELLO, came())
    assert tape.counters.unrecorded == 1
    assert "RECORDING LOST" in caplog.text
    assert "a bug of ours" in caplog.text


def test_the_log_names_the_session_where_it_is_not_the_default_one(
    taped: Taped, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for session, ending in (("default", ""), ("checkout", " (session checkout)")):
        tape = taped(Mode.RECORD, session)
        tape.record(HELLO, came())
        tape.record(HELLO, came(status=500))
        recorded, not_recorded = [record.getMessage() for record in caplog.records]
        assert recorded.startswith("recorded ")
        assert not_recorded.startswith("not recorded: ")
        assert recorded.endswith(ending)
        assert not_recorded.endswith(ending)
        assert ("session" in recorded + not_recorded) == bool(ending)
        caplog.clear()


def test_the_counters(taped: Taped) -> None:
    tape = taped(Mode.RECORD_IF_MISSING)
    tape.record(HELLO, came())
    tape.record(request("other"), came(status=500))
    assert (tape.counters.recorded, tape.counters.unrecorded) == (1, 1)
    summary = Counters(hits=2, misses=1, recorded=1, unrecorded=1).summary()
    assert "2 hits" in summary
    assert "1 miss" in summary
    assert "1 recorded" in summary
    assert "NOT recorded" in summary
    assert "NOT" not in Counters().summary()


# -- misses ------------------------------------------------------------------------------------------------------------


def test_a_miss_is_explained(taped: Taped, tmp_path: Path) -> None:
    taped(Mode.RECORD, "team").record(request("Hello", temperature=0.5), came())
    tape = taped(Mode.REPLAY, "team")
    asked = request("Hello", temperature=0.7)
    message = tape.explain(asked).text
    assert request_hash(asked)[:12] in message
    assert name_of(request("Hello", temperature=0.5)).removesuffix(".json") in message
    assert "temperature: 0.7 here, 0.5 in the recording" in message
    assert "wiretape_mode=record-if-missing" in message
    assert "team" in message
    assert str(tmp_path) in message


def test_a_miss_with_nothing_recorded_is_explained(taped: Taped) -> None:
    told = taped().explain(HELLO)
    assert request_hash(HELLO)[:12] in told.text
    assert str(told) == f"{told.hash}: There is no recording of this endpoint at all."


def test_explaining_counts_and_writes_nothing(taped: Taped) -> None:
    tape = taped()
    tape.explain(HELLO)
    assert tape.counters == Counters()
    assert files(tape) == {}


def test_what_is_of_this_request_and_does_not_answer_is_told(taped: Taped) -> None:
    asked = replace(HELLO, test_id="tests/a.py::one")
    taped(Mode.RECORD, form="2026").record(asked, came())
    tape = taped(Mode.REPLAY)
    other = replace(HELLO, test_id="tests/b.py::two")
    assert found(tape, other) is None
    told = str(tape.explain(other))
    assert "for test tests/a.py::one alone, and this one is for test tests/b.py::two" in told
    (path,) = folder(tape).iterdir()
    path.write_bytes(path.read_bytes()[:-300])
    assert found(tape, asked) is None
    assert f"{path} is there, and cannot be served: not JSON" in str(tape.explain(asked))


def test_a_stream_that_broke_off_is_told(taped: Taped) -> None:
    asked = request(stream=True)
    chunk = {"id": "x", "choices": [{"index": 0, "delta": {"content": "Hi"}}], "created": 1}
    cut = arrived(f"data: {json.dumps(chunk)}\n\n".encode(), content_type="text/event-stream", ended=False)
    taped(Mode.RECORD, keep_errors=True).record(asked, cut)
    tape = taped(Mode.REPLAY)
    assert found(tape, asked) is None
    assert "its stream broke off: wiretape_record_errors serves it" in str(tape.explain(asked))


def test_another_session_that_has_it_is_named_to_who_may_know(taped: Taped) -> None:
    taped(Mode.RECORD, "main").record(HELLO, came())
    tape = taped(Mode.REPLAY, "checkout")
    assert found(tape, HELLO) is None
    told = tape.explain(HELLO).text
    assert "Session main has a recording of this request" in told
    assert "wiretape session promote main --into checkout" in told
    assert "main" not in tape.explain(HELLO, is_open=False).text


def test_the_nearest_may_be_in_a_layer(taped: Taped) -> None:
    taped(Mode.RECORD, "base").record(HELLO, came())
    tape = taped(Mode.REPLAY, "top", layers=("base",))
    name = name_of(HELLO).removesuffix(".json")
    assert tape.explain(request("Hello!")).nearest == f"base/{name}"


def test_where_there_is_none_at_all_what_is_broken_is_told(taped: Taped) -> None:
    tape = taped(Mode.REPLAY)
    folder(tape).mkdir(parents=True)
    (folder(tape) / "abc.json").write_text("{}")
    assert found(tape, HELLO) is None
    assert f"{folder(tape)}/abc.json: no request" in str(tape.explain(HELLO))
