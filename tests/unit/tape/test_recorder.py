"""Which answer becomes a recording, what it replaces, and what the counters and the log say."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from builders import (
    ENDPOINT,
    HELLO,
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
from wiretape.exceptions import StoreUnavailableError
from wiretape.metrics.counters import Counters
from wiretape.policy import Mode, Takes
from wiretape.providers import wire
from wiretape.recording import RecordedRequest, loads
from wiretape.store.directory import DirectoryStore
from wiretape.store.lru import LruCache
from wiretape.tape.conflicts import conflict_resolver
from wiretape.tape.hit_memory import CachedHit
from wiretape.tape.question import Question


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
        kept = taped(Mode.REPLAY, session, keep_errors=True, memory=memory).lookup(Question(asked, "key"))
        assert kept
        assert (kept.answer.status, kept.answer.body) == (status, error)
        hits = [asking.lookup(Question(asked, "key")), asking.recall("key"), asking.search(Question(asked, "key"))]
        hits.append(taped(Mode.RECORD_IF_MISSING, f"{session}-above", layers=(session,)).search(Question(asked)))
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
    assert plain.search(Question(asked)) is None
    keeping = taped(Mode.RECORD_IF_MISSING, "keeping", keep_errors=True)
    keeping.record(asked, answer)
    assert keeping.search(Question(asked)) is None
    assert taped(Mode.REPLAY, "keeping", keep_errors=True).lookup(Question(asked))


def test_a_400_that_repeats_what_was_sent_is_about_the_request(taped: Taped) -> None:
    said = f"messages.0.content: {'x' * 500} is an invalid api key a word?"
    tape = taped(Mode.RECORD_IF_MISSING)
    tape.record(HELLO, arrived(json.dumps({"error": {"message": said, "code": "invalid_value"}}).encode(), status=400))
    assert tape.lookup(Question(HELLO))


@pytest.mark.parametrize("takes", Takes)
def test_the_answer_after_them_is_a_take_and_stays(taped: Taped, takes: Takes) -> None:
    asking = taped(Mode.RECORD_IF_MISSING, takes=takes, keep_errors=True)
    broken_off = arrived(b'data: {"choices": []}\n\n', content_type="text/event-stream", ended=False)
    streamed = chat(stream=True)
    for _ in range(2):  # The same one again is not kept twice.
        asking.record(HELLO, arrived(b'{"error": "slow"}', status=429))
        asking.record(HELLO, arrived(b'{"error": "down"}', status=503))
        asking.record(streamed, broken_off)
    assert (asking.lookup(Question(HELLO)), asking.lookup(Question(streamed))) == (None, None)
    for text in ("Hi", "Late"):
        asking.record(HELLO, came(text))
    base = name_of(HELLO).removesuffix(".json")
    takes_of_it = sorted(name for name in files(asking) if name.startswith(base))
    assert takes_of_it == [f"{base}{take}.json" for take in (".2", ".3", "")]
    assert [text_of(asking.lookup(Question(HELLO))) for _ in range(3)] == ["Hi"] * 3
    in_turn = taped(Mode.REPLAY, takes=Takes.SEQUENCE, keep_errors=True)
    assert [in_turn.lookup(Question(HELLO)).answer.status for _ in range(4)] == [429, 503, 200, 200]  # type: ignore[union-attr]


def test_of_those_that_depend_not_more_are_kept_than_of_use(taped: Taped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiretape.tape.take_writer._PASSING", 3)
    asking = taped(Mode.RECORD_IF_MISSING, keep_errors=True)
    for number in range(5):
        asking.record(HELLO, arrived(b'{"error": "%d"}' % number, status=500))
    assert len(files(asking)) == 3
    asking.record(HELLO, came("Hi"))
    assert text_of(asking.lookup(Question(HELLO))) == "Hi"


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
    tape.record(chat("other"), came(status=500))
    assert (tape.counters.recorded, tape.counters.unrecorded) == (1, 1)
    summary = Counters(hits=2, misses=1, recorded=1, unrecorded=1).summary()
    assert "2 hits" in summary
    assert "1 miss" in summary
    assert "1 recorded" in summary
    assert "NOT recorded" in summary
    assert "NOT" not in Counters().summary()
