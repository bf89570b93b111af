"""What cannot be read is never taken for what is not there: by a look-up, by a search, by who records."""

import errno
import os
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import pytest

from builders import RecordingTape, came, chat, tape_of
from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.policy import Mode, Takes
from wiretape.providers import wire
from wiretape.recording import RecordedRequest, request_hash
from wiretape.store.base import RESPONSES, WIRE
from wiretape.store.directory import DirectoryStore
from wiretape.tape.hit import Hit
from wiretape.tape.question import Question

MODELS = "/v1/models"
ERRNOS = ["EIO", "EMFILE", "ENFILE", "EACCES", "ELOOP", "ENOTDIR", "ESTALE", "ENOTCONN", "ETIMEDOUT"]


class Failing(DirectoryStore):
    """A directory of which some files cannot be read, or their states not be told."""

    def __init__(self, root: Path, *, quick: bool = True) -> None:
        super().__init__(root)
        self.is_quick = quick
        self.fails: dict[tuple[str, str, str], OSError] = {}
        self.fails_states = False

    def break_(self, session: str, name: str, folder: str = RESPONSES, error: OSError | None = None) -> None:
        self.fails[session, name, folder] = error or OSError(errno.EIO, os.strerror(errno.EIO))

    def read(self, session: str, name: str, folder: str = RESPONSES) -> bytes | None:
        if problem := self.fails.get((session, name, folder)):
            raise problem
        return super().read(session, name, folder)

    def state(self, session: str, name: str, folder: str = RESPONSES) -> tuple[int, int, int] | None:
        problem = self.fails.get((session, name, folder))
        if problem and self.fails_states:
            raise problem
        return super().state(session, name, folder)


@pytest.fixture(name="store", params=["quick", "slow"])
def _store(request: pytest.FixtureRequest, tmp_path: Path) -> Failing:
    return Failing(tmp_path, quick=request.param == "quick")


def tape(store: Failing, mode: Mode = Mode.REPLAY, session: str = "top", **options: Any) -> RecordingTape:
    return tape_of(store, session, mode, **options)


def record(store: Failing, *texts: str, session: str = "top") -> None:
    recording = tape(store, Mode.RECORD, session)
    for text in texts:
        recording.record(chat(text), came(text))
    assert recording.counters.recorded == len(texts)


def name_of(text: str) -> str:
    return request_hash(chat(text))[:12]


def ask(of: RecordingTape, text: str, key: Hashable = None) -> Hit | None:
    hit = of.lookup(Question(chat(text), key))
    if hit is None and of.needs_search:
        hit = of.search(Question(chat(text), key))
    return hit


def said(hit: Hit | None) -> bytes:
    assert hit
    return b"".join(hit.answer.chunks)


@pytest.mark.parametrize("name", ERRNOS)
@pytest.mark.parametrize("states", [False, True])
def test_a_recording_that_cannot_be_read_is_not_missing_and_hides_no_other(
    store: Failing, name: str, *, states: bool
) -> None:
    record(store, "one", "two")
    number: int = getattr(errno, name)
    store.break_("top", name_of("one"), error=OSError(number, os.strerror(number)))
    store.fails_states = states
    playing = tape(store)
    for _ in range(2):
        with pytest.raises(OSError, match=r"\S"):
            ask(playing, "one")
        assert b"two" in said(ask(playing, "two"))
        with pytest.raises(OSError, match=r"\S"):
            ask(playing, "three")
    store.fails.clear()
    assert b"one" in said(ask(playing, "one"))


def test_a_search_that_has_seen_all_is_a_miss_and_one_that_has_not_is_none(store: Failing) -> None:
    record(store, "one", "two")
    playing = tape(store)
    assert ask(playing, "three") is None
    # It was read, and asks something else: that it cannot be read now does not matter.
    store.break_("top", name_of("one"))
    assert ask(playing, "three") is None
    store.write("top", "by-hand", store.path("top", name_of("two")).read_bytes(), replace=True)
    store.break_("top", "by-hand")
    with pytest.raises(StoreUnavailableError, match="by-hand"):
        ask(playing, "three")
    assert b"two" in said(ask(playing, "two"))
    store.fails.clear()
    for _ in range(100_000):  # A store that is not quick is read again aside.
        try:
            assert ask(playing, "three") is None
            break
        except StoreUnavailableError:
            pass
    else:
        raise AssertionError("it was never read again")


def test_a_capture_that_cannot_be_read_is_not_no_capture(store: Failing) -> None:
    record(store, "one")
    store.break_("top", name_of("one"), WIRE)
    with pytest.raises(OSError, match="Input/output"):
        ask(tape(store), "one")
    assert b"one" in said(ask(tape(store, keep_captures=False), "one"))


def test_another_take_is_not_served_instead(store: Failing) -> None:
    recording = tape(store, Mode.RECORD, takes=Takes.FIRST)
    for text in ("1", "2"):
        recording.record(chat("one"), came(text))
    assert b'"2"' in said(ask(tape(store), "one"))
    store.break_("top", f"{name_of('one')}.2")
    with pytest.raises(OSError, match=r"\S"):
        ask(tape(store), "one")
    store.fails_states = True
    with pytest.raises(OSError, match=r"\S"):
        ask(tape(store), "one")


def test_what_is_below_is_not_served_instead_and_is_served_where_it_is_another(store: Failing) -> None:
    record(store, "one")
    record(store, "one", "two", session="base")
    store.break_("top", name_of("one"))
    playing = tape(store, layers=("base",))
    with pytest.raises(OSError, match=r"\S"):
        ask(playing, "one")
    assert b"two" in said(ask(playing, "two"))
    with pytest.raises(OSError, match=r"\S"):
        ask(playing, "three")


def test_a_part_of_a_list_of_models_is_no_list(store: Failing) -> None:
    asked = RecordedRequest(f"https://api.openai.com/v1{MODELS}", {}, MODELS)
    data = b'{"object": "list", "data": [{"id": "%s", "object": "model", "created": 1, "owned_by": "o"}]}'
    recording = tape(store, Mode.RECORD)
    for model in (b"a", b"b"):
        answer = wire.LiveResponse(200, (("content-type", "application/json"),), (data % model,), (1.0,), True)
        recording.record(asked, answer)
    assert recording.counters.recorded == 2
    playing = tape(store)
    whole = playing.lookup(Question(asked)) or playing.search(Question(asked))
    assert all(model in said(whole) for model in (b'"a"', b'"b"'))
    store.break_("top", next(iter(store.scan("top"))))
    with pytest.raises(OSError, match=r"\S"):
        tape(store).search(Question(asked))


WRITING: dict[str, Callable[[Failing], None]] = {
    "the mark": lambda store: store.break_("top", "frozen", ".wiretape"),
    "what is there": lambda store: store.break_("top", name_of("one")),
}


@pytest.mark.parametrize("what", WRITING)
@pytest.mark.parametrize("mode", [Mode.RECORD, Mode.RECORD_IF_MISSING])
def test_nothing_is_written_over_what_cannot_be_read(
    store: Failing, what: str, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    record(store, "one")
    before = store.path("top", name_of("one")).read_bytes()
    WRITING[what](store)
    store.fails_states = True
    recording = tape(store, mode)
    recording.record(chat("one"), came("other"))
    assert recording.counters.unrecorded == 1
    assert "RECORDING LOST" in caplog.text
    assert store.path("top", name_of("one")).read_bytes() == before


def test_of_many_files_that_cannot_be_read_the_log_tells_some(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Failing(tmp_path)
    record(store, *(f"{number}" for number in range(20)))
    for number in range(20):
        store.break_("top", name_of(f"{number}"), error=StoreUnavailableError(f"{number}: Too many open files"))
    caplog.clear()
    for _ in range(3):
        with pytest.raises(StoreUnavailableError):
            ask(tape(store), "another")
    assert len(caplog.records) == 3 * 4
    assert "and in 17 more" in caplog.text


def test_while_a_bucket_is_away_a_capture_that_was_missing_is_missing(tmp_path: Path) -> None:
    store = Failing(tmp_path)
    record(store, "one")
    playing = tape(store)
    store.break_("top", name_of("one"), WIRE, StoreAwayError("away", was_absent=True))
    assert b"one" in said(ask(playing, "one"))
    store.break_("top", name_of("one"), WIRE, StoreAwayError("away"))
    with pytest.raises(StoreAwayError):
        ask(playing, "one")
