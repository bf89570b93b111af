"""What the tape keeps of hits: recalled without reading, and forgotten as soon as a file is another one."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from builders import RecordingTape, tape_of
from places import SHIPPED
from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.policy import Mode, Takes
from wiretape.providers import wire
from wiretape.recording import RecordedRequest, loads, request_hash
from wiretape.replay import pacing
from wiretape.store.base import RESPONSES, WIRE
from wiretape.store.directory import DirectoryStore
from wiretape.store.lru import LruCache
from wiretape.tape.hit import Hit
from wiretape.tape.hit_memory import CachedHit
from wiretape.tape.question import Question

ENDPOINT = "/v1/chat/completions"
ROOM = 1_000_000
KEY = ("POST", "https", b"digest")


class Watched(DirectoryStore):
    """A directory that counts what is asked of it, and can be away."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.is_quick = True
        self.reads = self.states = 0
        self.is_away = False

    def read(self, session: str, name: str, folder: str = RESPONSES) -> bytes | None:
        self.reads += 1
        self._check()
        return super().read(session, name, folder)

    def state(self, session: str, name: str, folder: str = RESPONSES) -> tuple[int, int, int] | None:
        self.states += 1
        self._check()
        return super().state(session, name, folder)

    def _check(self) -> None:
        if self.is_away:
            raise StoreUnavailableError("away")


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


class Clock:
    """The tape's clock: it stands until it is told to go on."""

    def __init__(self) -> None:
        self.moment = 1000.0

    def pass_by(self, seconds: float = 1.0) -> None:
        self.moment += seconds

    def monotonic(self) -> float:
        return self.moment


@pytest.fixture(name="clock", autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("wiretape.tape.hit_memory.time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def taped(store: DirectoryStore, **more: Any) -> RecordingTape:
    memory: LruCache[CachedHit] = LruCache(more.pop("memory", ROOM))
    return tape_of(store, "default", more.pop("mode", Mode.REPLAY), memory=memory, **more)


def request(content: str = "Hello", **more: Any) -> RecordedRequest:
    body = {"model": "m", "messages": [{"role": "user", "content": content}], **more}
    return RecordedRequest(f"https://api.openai.com/v1{ENDPOINT}", body, ENDPOINT)


HELLO = request()
NAME = request_hash(HELLO)[:12]


def came(text: str = "Hi") -> wire.LiveResponse:
    message = {"role": "assistant", "content": text}
    answer = {"id": "x", "choices": [{"index": 0, "finish_reason": "stop", "message": message}], "created": 1}
    return wire.LiveResponse(200, (("content-type", "application/json"),), (json.dumps(answer).encode(),), (1.0,), True)


def record(store: DirectoryStore, text: str = "Hi", asked: RecordedRequest = HELLO, **more: Any) -> None:
    tape = taped(store, mode=Mode.RECORD, **more)
    tape.record(asked, came(text))
    assert tape.counters.recorded == 1


def text_of(hit: Hit | None) -> str:
    assert hit
    text = json.loads(hit.answer.body)["choices"][0]["message"]["content"]
    assert isinstance(text, str)
    return text


def looked_up(tape: RecordingTape, key: object = KEY, asked: RecordedRequest = HELLO) -> Hit | None:
    return tape.lookup(Question(asked, key)) or tape.search(Question(asked, key))


# -- a hit is recalled -------------------------------------------------------------------------------------------------


def test_a_hit_is_recalled_without_reading(store: Watched, clock: Clock) -> None:
    record(store)
    tape = taped(store)
    assert tape.recall(KEY) is None
    hit = looked_up(tape)
    assert text_of(hit) == "Hi"
    store.reads = 0
    for _ in range(3):
        assert tape.recall(KEY) is hit
        assert tape.lookup(Question(HELLO, KEY)) is hit
        clock.pass_by()
    assert store.reads == 0


def test_for_a_moment_not_even_the_states_are_looked_at(store: Watched, clock: Clock) -> None:
    record(store)
    tape = taped(store)
    looked_up(tape)
    store.states = 0
    clock.pass_by(0.004)
    assert tape.recall(KEY)
    assert store.states == 0
    clock.pass_by(0.004)
    assert tape.recall(KEY)
    assert store.states > 0
    store.states = 0
    clock.pass_by(0.004)
    assert tape.recall(KEY)  # The look was a new one.
    assert store.states == 0


def test_the_moment_begins_before_the_files_are_read(store: Watched, clock: Clock) -> None:
    record(store)
    tape = taped(store)
    plain = store.read

    def slow(session: str, name: str, folder: str = RESPONSES) -> bytes | None:
        clock.pass_by(1)
        return plain(session, name, folder)

    store.read = slow  # type: ignore[method-assign]
    looked_up(tape)
    store.states = 0
    assert tape.recall(KEY)
    assert store.states > 0


def test_a_key_is_of_one_hit(store: Watched) -> None:
    record(store)
    record(store, "Bye", request("other"))
    tape = taped(store)
    assert text_of(looked_up(tape, "one")) == "Hi"
    assert text_of(looked_up(tape, "two", request("other"))) == "Bye"
    assert (text_of(tape.recall("one")), text_of(tape.recall("two")), tape.recall("three")) == ("Hi", "Bye", None)


def test_without_a_key_nothing_is_kept(store: Watched) -> None:
    record(store)
    tape = taped(store)
    assert tape.lookup(Question(HELLO))
    assert tape.recall(None) is None


def test_a_miss_is_not_kept(store: Watched) -> None:
    tape = taped(store)
    assert looked_up(tape) is None
    assert tape.recall(KEY) is None
    record(store)
    assert text_of(looked_up(tape)) == "Hi"


def test_a_recording_of_another_name_is_recalled_too(store: Watched, clock: Clock) -> None:
    record(store)
    store.path("default", NAME).rename(store.path("default", "my favourite"))
    tape = taped(store)
    hit = looked_up(tape)
    assert hit
    assert hit.name == "my favourite"
    store.reads = 0
    clock.pass_by()
    assert tape.recall(KEY) is hit
    assert store.reads == 0


@pytest.mark.parametrize("takes", [Takes.FIRST, Takes.LAST])
def test_of_several_takes_the_same_is_recalled(takes: Takes, store: Watched, clock: Clock) -> None:
    for text in ("one", "two"):
        record(store, text, takes=Takes.SEQUENCE)
    tape = taped(store, takes=takes)
    expected = "one" if takes is Takes.FIRST else "two"
    assert text_of(looked_up(tape)) == expected
    clock.pass_by()
    assert text_of(tape.recall(KEY)) == expected


def test_what_a_front_keeps_with_a_hit_is_there_when_it_is_recalled(store: Watched, clock: Clock) -> None:
    record(store)
    tape = taped(store)
    hit = looked_up(tape)
    assert hit
    assert hit.framed == {}
    hit.framed["here"] = b"bytes"
    clock.pass_by()
    recalled = tape.recall(KEY)
    assert recalled
    assert recalled.framed == {"here": b"bytes"}


def test_a_hit_has_its_times_and_its_label_when_it_is_recalled(store: Watched) -> None:
    record(store)
    tape = taped(store, pace=pacing.parse("1x"))
    looked_up(tape)
    hit = tape.recall(KEY)
    assert hit
    assert hit.leaving == (0.001,)
    assert hit.label == f"{ENDPOINT} m"


# -- what changes is noticed -------------------------------------------------------------------------------------------


def remove(store: Watched) -> None:
    store.remove("default", NAME)


def edit(store: Watched) -> None:
    path = store.path("default", NAME)
    path.write_text(path.read_text("utf-8").replace("Hi", "Good evening"), "utf-8")


def edit_in_place(store: Watched) -> None:
    """Another text of the same length in the same file."""
    path = store.path("default", NAME)
    path.write_text(path.read_text("utf-8").replace("Hi", "Yo"), "utf-8")
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))


def spoil(store: Watched) -> None:
    store.path("default", NAME).write_bytes(b"{")


def remove_all(store: Watched) -> None:
    (store.root / "default").rename(store.root / "elsewhere")


CHANGES: dict[str, tuple[Callable[[Watched], object], str]] = {
    "edited": (edit, "Good evening"),
    "edited in place": (edit_in_place, "Yo"),
    "replaced": (lambda store: record(store, "Hello again"), "Hello again"),
    "a new take": (lambda store: record(store, "a second", takes=Takes.SEQUENCE), "a second"),
    "removed": (remove, ""),
    "spoilt": (spoil, ""),
    "the session removed": (remove_all, ""),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("ask", ["recall first", "look up"])
def test_a_recording_that_has_changed_is_noticed(change: str, ask: str, store: Watched, clock: Clock) -> None:
    record(store)
    tape = taped(store)
    looked_up(tape)
    how, expected = CHANGES[change]
    how(store)
    clock.pass_by()
    if ask == "recall first":
        assert tape.recall(KEY) is None
    hit = looked_up(tape)
    assert (text_of(hit) if hit else "") == expected
    clock.pass_by()
    assert tape.recall(KEY) is hit


def test_the_last_take_that_is_removed_gives_way_to_the_one_before(store: Watched, clock: Clock) -> None:
    for text in ("one", "two", "three"):
        record(store, text, takes=Takes.SEQUENCE)
    tape = taped(store)
    assert text_of(looked_up(tape)) == "three"
    store.remove("default", f"{NAME}.3")
    clock.pass_by()
    assert tape.recall(KEY) is None
    assert text_of(looked_up(tape)) == "two"


def test_a_recording_of_another_name_that_has_changed_is_noticed(store: Watched, clock: Clock) -> None:
    record(store)
    path = store.path("default", NAME).rename(store.path("default", "my favourite"))
    tape = taped(store)
    looked_up(tape)
    path.write_text(path.read_text("utf-8").replace("Hi", "Good evening"), "utf-8")
    clock.pass_by()
    assert tape.recall(KEY) is None
    assert text_of(looked_up(tape)) == "Good evening"


def test_one_of_the_right_name_beside_one_of_another_is_noticed(store: Watched, clock: Clock) -> None:
    record(store)
    store.path("default", NAME).rename(store.path("default", "my favourite"))
    tape = taped(store)
    assert text_of(looked_up(tape)) == "Hi"
    record(store, "by its name")
    clock.pass_by()
    assert text_of(taped(store).lookup(Question(HELLO))) == "by its name"  # So a proxy says that starts now.
    assert text_of(looked_up(tape)) == "by its name"


def test_a_hit_is_forgotten_where_the_store_cannot_tell(store: Watched, clock: Clock) -> None:
    record(store)
    tape = taped(store)
    looked_up(tape)
    store.is_away = True
    assert tape.recall(KEY)  # Seen a moment ago.
    clock.pass_by()
    assert tape.recall(KEY) is None
    with pytest.raises(StoreUnavailableError):
        tape.lookup(Question(HELLO, KEY))
    store.is_away = False
    assert text_of(looked_up(tape)) == "Hi"
    clock.pass_by()
    assert tape.recall(KEY)


# -- captures ----------------------------------------------------------------------------------------------------------


def chunks(hit: Hit | None) -> tuple[bytes, ...]:
    assert hit
    return tuple(hit.answer.chunks)


def test_a_capture_that_has_changed_is_noticed(store: Watched, clock: Clock) -> None:
    record(store)
    tape = taped(store)
    (before,) = chunks(looked_up(tape))
    path = store.path("default", NAME, WIRE)
    content = json.loads(path.read_bytes())
    text = content["chunks"][0]["text"]
    content["chunks"] = [{"at": 1, "text": text[:5]}, {"at": 2, "text": text[5:]}]
    path.write_text(json.dumps(content), "utf-8")
    clock.pass_by()
    assert tape.recall(KEY) is None
    assert chunks(looked_up(tape)) == (before[:5], before[5:])


@pytest.mark.parametrize("change", ["removed", "spoilt", "added"])
def test_a_capture_that_comes_or_goes_is_noticed(change: str, store: Watched, clock: Clock) -> None:
    record(store)
    tape = taped(store)
    path = store.path("default", NAME, WIRE)
    data = path.read_bytes()
    if change == "added":
        path.unlink()
    with_it = path.exists()
    before = looked_up(tape)
    if change == "added":
        path.write_bytes(data)
    elif change == "removed":
        path.unlink()
    else:
        path.write_bytes(b"{")
    clock.pass_by()
    assert tape.recall(KEY) is None
    # Of the capture come the provider's own bytes, and the recording's without it.
    assert chunks(before) != chunks(looked_up(tape))
    assert (chunks(before) == (came().pieces[0],)) is with_it


def test_where_captures_are_not_wanted_they_may_change(store: Watched, clock: Clock) -> None:
    record(store)
    tape = taped(store, keep_captures=False)
    hit = looked_up(tape)
    store.remove("default", NAME, WIRE)
    clock.pass_by()
    assert tape.recall(KEY) is hit


# -- what is never kept ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("takes", [Takes.SEQUENCE, Takes.CYCLE])
def test_takes_that_have_their_turns_are_never_kept(takes: Takes, store: Watched) -> None:
    for text in ("one", "two"):
        record(store, text, takes=Takes.SEQUENCE)
    tape = taped(store, takes=takes)
    heard = []
    for _ in range(4):
        assert tape.recall(KEY) is None
        heard.append(text_of(looked_up(tape)))
    assert heard == (["one", "two", "two", "two"] if takes is Takes.SEQUENCE else ["one", "two"] * 2)


def test_a_list_of_models_is_never_kept(store: Watched) -> None:
    asked = RecordedRequest("https://api.openai.com/v1/v1/models", {}, "/v1/models")
    model = {"id": "a", "object": "model", "created": 1, "owned_by": "x"}

    def listed(name: str) -> wire.LiveResponse:
        body = json.dumps({"object": "list", "data": [{**model, "id": name}]}).encode()
        return wire.LiveResponse(200, (("content-type", "application/json"),), (body,), (1.0,), True)

    writer = taped(store, mode=Mode.RECORD)
    writer.record(asked, listed("a"))
    assert writer.counters.recorded == 1
    tape = taped(store)
    hit = looked_up(tape, KEY, asked)
    assert hit
    assert [each["id"] for each in json.loads(hit.answer.body)["data"]] == ["a"]
    assert tape.recall(KEY) is None
    name = store.path("default", hit.name)
    name.with_name("more.json").write_text(name.read_text("utf-8").replace('"a"', '"b"'), "utf-8")
    hit = looked_up(tape, KEY, asked)
    assert hit
    assert [each["id"] for each in json.loads(hit.answer.body)["data"]] == ["a", "b"]


# -- the bound ---------------------------------------------------------------------------------------------------------


def test_without_memory_nothing_is_kept(store: Watched) -> None:
    record(store)
    tape = taped(store, memory=0)
    assert looked_up(tape)
    assert tape.recall(KEY) is None


def test_what_was_not_asked_for_longest_goes_first(store: Watched) -> None:
    requests = [request(str(number)) for number in range(6)]
    for number, asked in enumerate(requests):
        record(store, str(number) * 10_000, asked)
    tape = taped(store, memory=100_000)  # Each takes twice its bytes and a little: there is room for four.
    for number in range(4):
        looked_up(tape, number, requests[number])
    assert tape.recall(0)
    for number in (4, 5):
        looked_up(tape, number, requests[number])
    assert [number for number in range(6) if tape.recall(number)] == [0, 3, 4, 5]


def test_an_answer_of_more_than_all_memory_is_served_and_not_kept(store: Watched) -> None:
    record(store, "x" * 100_000)
    tape = taped(store, memory=50_000)
    assert text_of(looked_up(tape)) == "x" * 100_000
    assert tape.recall(KEY) is None


def test_small_answers_are_bounded_too(store: Watched) -> None:
    record(store)
    tape = taped(store, memory=20_000)
    for number in range(50):
        looked_up(tape, number)
    assert 0 < sum(tape.recall(number) is not None for number in range(50)) < 5


# -- a store that is not quick -----------------------------------------------------------------------------------------


def test_of_a_store_that_is_not_quick_nothing_is_recalled_on_the_way_but_for_a_moment(
    store: Watched, clock: Clock
) -> None:
    record(store)
    store.is_quick = False
    tape = taped(store)
    hit = looked_up(tape)
    store.states = store.reads = 0
    assert tape.recall(KEY) is hit
    clock.pass_by()
    assert tape.recall(KEY) is None
    assert store.states == 0  # Who carries the traffic did not wait for it.
    assert tape.lookup(Question(HELLO, KEY)) is hit  # Looked at aside, and not read again.
    assert store.states > 0
    assert store.reads == 0
    assert tape.recall(KEY) is hit


def test_what_has_changed_in_a_store_that_is_not_quick_is_noticed(store: Watched, clock: Clock) -> None:
    record(store)
    store.is_quick = False
    tape = taped(store)
    looked_up(tape)
    edit(store)
    clock.pass_by()
    assert text_of(looked_up(tape)) == "Good evening"
    assert text_of(tape.recall(KEY)) == "Good evening"


def test_the_samples_are_recalled_as_they_were_looked_up(store: Watched, clock: Clock) -> None:
    shipped = SHIPPED
    tape = taped(DirectoryStore(shipped))
    paths = sorted(shipped.glob("default/responses/*.json"))
    assert paths
    for path in paths:
        hit = looked_up(tape, path.stem, loads(path.read_bytes()).request)
        assert hit
        clock.pass_by()
        assert tape.recall(path.stem) is hit


class Away(DirectoryStore):
    """As a bucket that can be asked for what it was asked before, and for nothing else."""

    is_away = True

    def state(self, session: str, name: str, folder: str = RESPONSES) -> tuple[int, int, int] | None:
        if self.is_away and name.endswith(".2"):
            raise StoreAwayError("the bucket does not answer")
        return super().state(session, name, folder)


def test_a_take_found_while_the_bucket_was_away_gives_way_to_the_next_one(tmp_path: Path) -> None:
    recording = tape_of(DirectoryStore(tmp_path), "s", Mode.RECORD, takes=Takes.SEQUENCE)
    recording.record(HELLO, came("first"))
    recording.record(HELLO, came("second"))
    store = Away(tmp_path)
    tape = tape_of(store, "s", Mode.REPLAY, memory=LruCache(1 << 20))
    assert text_of(tape.lookup(Question(HELLO, KEY))) == "first"  # It cannot be told whether there is another.
    assert tape.recall(KEY) is None
    store.is_away = False
    assert text_of(tape.lookup(Question(HELLO, KEY))) == "second"
    assert tape.recall(KEY)
