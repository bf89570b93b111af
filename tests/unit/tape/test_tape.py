"""Which request is a hit: under the name that its recording has, and under any other."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders import (
    HELLO,
    RecordingTape,
    Taped,
    arrived,
    came,
    chat,
    each_seed,
    files,
    folder,
    found,
    name_of,
    recording_modes,
    tape_of,
    text_of,
)
from wiretape.matching.request import recorded
from wiretape.policy import Mode, Takes, parse_takes
from wiretape.providers import wire
from wiretape.providers.table import load
from wiretape.recording import RecordedRequest, loads, request_hash
from wiretape.replay import pacing
from wiretape.store.directory import DirectoryStore
from wiretape.tape.conflicts import conflict_resolver
from wiretape.tape.hit import Hit


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
        chat("Hello "),
        chat("Hello", temperature=0.7000001),
        chat("Hello", temperature=1),
        chat("Hello", host="api.cerebras.ai"),
        chat("Hello", stream=True),
        replace(HELLO, url="https://api.openai.com/v1/v1/embeddings", endpoint="/v1/embeddings"),
    ],
)
def test_a_near_miss_is_a_miss(taped: Taped, other: RecordedRequest) -> None:
    tape = taped(Mode.RECORD)
    tape.record(HELLO, came())
    tape.record(chat("Hello", temperature=0.7), came())
    tape.record(chat("Hello", temperature=1.0), came())
    assert found(tape, other) is None


def test_a_recording_of_another_request_under_the_right_name_is_no_hit(taped: Taped) -> None:
    tape = taped(Mode.RECORD)
    tape.record(chat("forged"), came("forged"))
    (folder(tape) / name_of(chat("forged"))).rename(folder(tape) / name_of(HELLO))
    assert found(taped(Mode.REPLAY), HELLO) is None
    assert text_of(found(taped(Mode.REPLAY), chat("forged"))) == "forged"


@recording_modes
def test_a_recording_of_another_request_is_never_overwritten(taped: Taped, mode: Mode) -> None:
    tape = taped(Mode.RECORD)
    tape.record(chat("forged"), came("forged"))
    (folder(tape) / name_of(chat("forged"))).rename(folder(tape) / name_of(HELLO))
    before = files(tape)
    tape = taped(mode)
    tape.record(HELLO, came("Hi"))
    after = files(tape)
    assert after.items() > before.items()
    assert len(after) == 2
    assert text_of(found(tape, HELLO)) == "Hi"
    assert text_of(found(tape, chat("forged"))) == "forged"
    tape.record(HELLO, came("Hi"))
    assert files(tape) == after


@recording_modes
def test_two_hosts_with_one_hash_have_a_recording_each(taped: Taped, mode: Mode) -> None:
    tape = taped(mode)
    other = chat(host="api.cerebras.ai")
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


def ids_of(tape: RecordingTape, test_id: str | None) -> list[str] | None:
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


def streamed(*words: str) -> tuple[bytes, ...]:
    choices: list[dict[str, Any]] = [
        {"index": 0, "delta": {"content": word}, "finish_reason": None} for word in words[:-1]
    ]
    choices.append({"index": 0, "delta": {"content": words[-1]}, "finish_reason": "stop"})
    common: dict[str, Any] = {"id": "x", "object": "chat.completion.chunk", "created": 1}
    chunks = [{**common, "choices": [each]} for each in choices]
    return (*(b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks), b"data: [DONE]\n\n")


@pytest.mark.parametrize("is_longer", [False, True], ids=["a word is another", "a word more"])
def test_a_recording_edited_by_hand_keeps_its_times_while_it_has_as_many_chunks(taped: Taped, is_longer: bool) -> None:
    asked = chat(stream=True)
    at = (20.0, 50.0, 900.0, 901.0)
    headers = (("content-type", "text/event-stream"),)
    tape = taped(Mode.RECORD)
    assert tape.record(asked, wire.LiveResponse(200, headers, streamed("One", " two", " three"), at, True))
    (path,) = folder(tape).iterdir()
    content = json.loads(path.read_bytes())
    body = content["response"]["body"]
    body[1]["__data__"]["choices"][0]["delta"]["content"] = " edited"
    if is_longer:
        body.insert(1, body[0])
    path.write_text(json.dumps(content, indent=2) + "\n")
    hit = found(taped(Mode.REPLAY, pace=pacing.parse("recorded")), asked)
    assert hit
    assert b" edited" in hit.answer.body
    assert len(hit.answer.chunks) == len(at) + is_longer
    wanted = pacing.schedule(pacing.parse("recorded"), len(at) + is_longer, () if is_longer else at, hit.tokens)
    assert hit.leaving == wanted
    assert is_longer or hit.leaving == (0.02, 0.05, 0.9, 0.901)


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
    assert found(taped(), chat("another")) is None
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


def found_name(tape: RecordingTape, asked: RecordedRequest) -> str:
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
