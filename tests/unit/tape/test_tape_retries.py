"""A failure that passes and what its retry got: both are recorded, and replayed in this order to who retries."""

import json
from pathlib import Path

import pytest

from builders import came as came_text
from builders import chat, tape_of
from wiretape.policy import Mode, Takes
from wiretape.providers.wire import LiveResponse
from wiretape.recording import RecordedRequest
from wiretape.store.directory import DirectoryStore
from wiretape.store.lru import LruCache
from wiretape.tape.question import Question
from wiretape.tape.take_writer import WrittenTakes

HELLO = chat("Hello")
CLAUDE = RecordedRequest("https://api.anthropic.com/v1/messages", {"model": "c"}, "")


def came(what: str) -> LiveResponse:
    """An answer by its status, or its text; ``cut`` is one that broke off."""
    if what == "cut":
        return LiveResponse(200, (("content-type", "text/event-stream"),), (b'data: {"id":',), (1.0,), False)
    if not what.isdecimal():
        return came_text(what)
    headers = (("content-type", "application/json"),)
    return LiveResponse(int(what), headers, (b'{"error": {"message": "no"}}',), (1.0,), True)


def recorded(root: Path, *runs: str, takes: Takes = Takes.LAST, asked: RecordedRequest = HELLO) -> None:
    """Each run is the answers that came in it, in order; a tape of its own writes each, as the writer has it."""
    for run in runs:
        written = WrittenTakes()
        for what in run.split():
            store = DirectoryStore(root)
            tape = tape_of(store, "s", Mode.RECORD, takes=takes, keep_errors=True, written=written)
            assert tape.record(asked, came(what))
            assert tape.counters.recorded == 1


def replayed(root: Path, times: int = 6, takes: Takes = Takes.LAST, asked: RecordedRequest = HELLO) -> str:
    """What somebody gets who asks so often."""
    tape = tape_of(DirectoryStore(root), "s", Mode.REPLAY, takes=takes, keep_errors=True, memory=LruCache(1 << 20))
    got = []
    for _ in range(times):
        hit = tape.recall("key") or tape.lookup(Question(asked, "key"))
        assert hit
        if hit.answer.broken:
            got.append("cut")
        elif hit.answer.status != 200:
            got.append(str(hit.answer.status))
        else:
            content = json.loads(hit.answer.body)
            got.append(content["choices"][0]["message"]["content"])
    return " ".join(got)


RUNS: dict[str, tuple[tuple[str, ...], str, int]] = {
    "a failure and its retry": (("429 a",), "429 a a a a a", 2),
    "equal failures": (("429 429 429 a",), "429 429 429 a a a", 4),
    "several": (("429 503 cut a",), "429 503 cut a a a", 4),
    "a failure for good": (("429 500",), "429 500 500 500 500 500", 2),
    "what stays replaces what stays": (("a b",), "b b b b b b", 1),
    "an error of the request stays": (("404 a",), "a a a a a a", 1),
    "and is what a retry may get": (("500 404",), "500 404 404 404 404 404", 2),
    "the same asked twice in a run": (("429 a b",), "429 b b b b b", 2),
    "it fails again in a run": (("429 a 503 b",), "503 b b b b b", 2),
    "it fails at last": (("a 503",), "503 503 503 503 503 503", 1),
    "another run replaces all of it": (("429 503 a", "b"), "b b b b b b", 1),
    "another run that fails too": (("429 503 a", "500 b"), "500 b b b b b", 2),
    "another run that fails more often": (("429 a", "429 429 429 b"), "429 429 429 b b b", 4),
    "runs that fail for good": (("429 429", "500", "500", "500 500"), "500 500 500 500 500 500", 2),
    "nobody retries with a key that is refused": (("401 403 a",), "a a a a a a", 1),
    "and what a retry gets may be that": (("500 401",), "500 401 401 401 401 401", 2),
    "a key that was refused in another run": (("401", "429 a"), "429 a a a a a", 2),
}


@pytest.mark.parametrize(("runs", "replay", "files"), RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("asked", [HELLO, CLAUDE], ids=["chat", "passthrough"])
def test_who_retries_gets_the_failures_then_what_stays(
    tmp_path: Path, asked: RecordedRequest, runs: tuple[str, ...], replay: str, files: int
) -> None:
    recorded(tmp_path, *runs, asked=asked)
    assert replayed(tmp_path, asked=asked) == replay
    # And no file is left of what was replaced, nor its capture.
    assert [len([*(tmp_path / "s" / folder).iterdir()]) for folder in ("responses", "wire")] == [files, files]


@pytest.mark.parametrize(
    ("takes", "replay"),
    [
        (Takes.FIRST, "429 a a a a a"),
        (Takes.LAST, "503 503 b b b b"),
        (Takes.SEQUENCE, "429 a 503 503 b b"),
        (Takes.CYCLE, "429 a 503 503 b 429"),
    ],
)
def test_what_is_played_of_several_takes(tmp_path: Path, takes: Takes, replay: str) -> None:
    recorded(tmp_path, "429 a 503 503 b", takes=Takes.SEQUENCE)
    assert replayed(tmp_path, takes=takes) == replay


def test_a_take_replaces_only_the_last_of_a_sequence(tmp_path: Path) -> None:
    recorded(tmp_path, "a b 429 c", takes=Takes.SEQUENCE)
    recorded(tmp_path, "d")
    assert replayed(tmp_path, takes=Takes.SEQUENCE) == "a b d d d d"


def test_what_was_recorded_in_place_of_a_list_of_models_is_no_part_of_it(tmp_path: Path) -> None:
    models = RecordedRequest("https://api.openai.com/v1/v1/models", {}, "/v1/models")
    recorded(tmp_path, "429", asked=models)
    tape = tape_of(DirectoryStore(tmp_path), "s", Mode.RECORD, keep_errors=True)
    hit = tape.search(Question(models))
    assert hit
    assert hit.answer.status == 429
    listed = b'{"object":"list","data":[{"id":"m"}]}'
    tape.record(models, LiveResponse(200, (("content-type", "application/json"),), (listed,), (1.0,), True))
    hit = tape_of(DirectoryStore(tmp_path), "s", Mode.REPLAY, keep_errors=True).search(Question(models))
    assert hit
    assert json.loads(hit.answer.body) == json.loads(listed)


def test_a_key_that_was_refused_and_then_was_not_is_replayed_to_nobody(tmp_path: Path) -> None:
    recorded(tmp_path, "401 429 a", takes=Takes.SEQUENCE)
    assert replayed(tmp_path) == "429 a a a a a"
