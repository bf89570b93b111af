"""A recording that is older than its session allows: it answers and that is said, it does not, or it is asked anew."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from builders import RecordingTape, came, chat, files, tape_of, text_of
from wiretape.policy import Freshness, Mode, OnExpiry, Takes
from wiretape.recording import RecordedRequest
from wiretape.recording.capture import Origin
from wiretape.store.directory import DirectoryStore
from wiretape.store.lru import LruCache
from wiretape.tape.ages import Ages
from wiretape.tape.background import StillReadingError
from wiretape.tape.expiry import ExpiredError
from wiretape.tape.hit import Hit
from wiretape.tape.question import Question

DAY = 86_400.0
MADE = Origin("", "2026-01-01T00:00:00Z", "", "1", 1.0)
MADE_AT = 1_767_225_600.0
POLL = RecordedRequest("https://api.openai.com/v1/videos/v1", {}, "", "GET", moves_on=True)


class Clock:
    """Seconds since 1970, as far as a test has let them go on."""

    def __init__(self) -> None:
        self.now = MADE_AT + 10 * DAY

    def __call__(self) -> float:
        return self.now


class Rig:
    """Tapes on one folder, with one clock."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.store = DirectoryStore(folder)
        self.ages = Ages(self.store, self.clock)

    def tape(self, mode: Mode, freshness: Mapping[str, Freshness], session: str = "main", **more: Any) -> RecordingTape:
        return tape_of(self.store, session, mode, freshness=freshness, ages=self.ages, **more)


@pytest.fixture(name="rig")
def _rig(tmp_path: Path) -> Rig:
    tape_of(DirectoryStore(tmp_path), "main", Mode.RECORD).record(chat("Hi"), came("old"), MADE)
    return Rig(tmp_path)


def expires(on_expiry: OnExpiry, days: float = 5, session: str = "main") -> dict[str, Freshness]:
    return {session: Freshness(days * DAY, on_expiry)}


def ask(tape: RecordingTape, request: RecordedRequest | None = None, key: object = None) -> Hit | None:
    """Ask as a front does, which waits where commits are being read."""
    question = Question(request or chat("Hi"), key)
    while True:
        try:
            return tape.lookup(question) or tape.search(question)
        except StillReadingError as e:
            e.done.result(60)


@pytest.mark.parametrize("mode", [Mode.REPLAY, Mode.RECORD_IF_MISSING])
def test_with_warn_it_answers_and_that_is_said_once(mode: Mode, rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    tape = rig.tape(mode, expires(OnExpiry.WARN))
    assert [text_of(ask(tape)), text_of(ask(tape))] == ["old", "old"]
    (said,) = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert said.startswith("expired: ")
    assert "is 10 days old, and session main allows 5 days: it answers all the same" in said
    assert tape.counters.expired == 1


@pytest.mark.parametrize("mode", [Mode.REPLAY, Mode.RECORD_IF_MISSING])
def test_with_fail_it_does_not_answer(mode: Mode, rig: Rig) -> None:
    tape = rig.tape(mode, expires(OnExpiry.FAIL))
    for _ in range(2):
        with pytest.raises(ExpiredError, match=r"is 10 days old, and session main allows 5 days \(max_age\)") as raised:
            ask(tape)
        assert not raised.value.is_asked_anew
    assert tape.counters.expired == 1


def test_with_rerecord_it_is_asked_anew_where_somebody_can_be_asked(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ExpiredError) as raised:
        ask(rig.tape(Mode.RECORD_IF_MISSING, expires(OnExpiry.RERECORD)))
    assert raised.value.is_asked_anew
    assert f"{raised.value.replaces}.json" in files(rig.tape(Mode.REPLAY, {}))
    rig.ages.is_news("nothing")
    for mode, is_offline in ((Mode.REPLAY, False), (Mode.RECORD_IF_MISSING, True)):
        assert text_of(ask(rig.tape(mode, expires(OnExpiry.RERECORD), is_offline=is_offline))) == "old"


def test_what_is_young_enough_answers_until_it_expires_from_memory_too(rig: Rig, monkeypatch: Any) -> None:
    monkeypatch.setattr("wiretape.tape.hit_memory._TRUSTED", 0.0)
    tape = rig.tape(Mode.REPLAY, expires(OnExpiry.FAIL, days=11), memory=LruCache(1_000_000))
    assert text_of(ask(tape, key="k")) == "old"
    assert text_of(tape.recall("k")) == "old"
    rig.clock.now += 2 * DAY
    assert tape.recall("k") is None
    with pytest.raises(ExpiredError, match="12 days old"):
        ask(tape, key="k")


def test_what_says_nothing_of_itself_is_as_its_layer_says(rig: Rig) -> None:
    layered: dict[str, Any] = {"session": "checkout", "layers": ("main",)}
    with pytest.raises(ExpiredError) as raised:
        ask(rig.tape(Mode.RECORD_IF_MISSING, expires(OnExpiry.RERECORD), **layered))
    assert raised.value.replaces == "", "the layer stays as it is"
    lenient = expires(OnExpiry.FAIL) | expires(OnExpiry.FAIL, days=50, session="checkout")
    assert text_of(ask(rig.tape(Mode.REPLAY, lenient, **layered))) == "old"


def test_of_what_nobody_knows_the_age_nothing_expires_and_that_is_said_once(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    for text in ("one", "two"):
        tape_of(rig.store, "main", Mode.RECORD, keep_captures=False).record(chat(text), came(text))
    tape = rig.tape(Mode.REPLAY, expires(OnExpiry.FAIL))
    assert [text_of(ask(tape, chat(each))) for each in ("one", "two")] == ["one", "two"]
    (said,) = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert "has neither capture nor commit: it does not expire" in said


def test_one_state_of_what_moves_on_is_not_asked_anew(rig: Rig) -> None:
    tape_of(rig.store, "main", Mode.RECORD).record(POLL, came("queued"), MADE)
    assert ask(rig.tape(Mode.RECORD_IF_MISSING, expires(OnExpiry.RERECORD)), POLL)


@pytest.mark.parametrize("takes", [*Takes])
def test_the_answer_takes_the_place_of_what_has_expired(takes: Takes, rig: Rig) -> None:
    """Of several takes the one that has expired is replaced, whichever it is."""
    recorder = tape_of(rig.store, "main", Mode.RECORD, takes=Takes.SEQUENCE)
    recorder.record(chat("Hi"), came("second"), MADE)
    now = Origin("", "2026-01-11T00:00:00Z", "", "1", 1.0)
    tape = rig.tape(Mode.RECORD_IF_MISSING, expires(OnExpiry.RERECORD), takes=takes)
    answers: list[str] = []
    for number in range(3):
        try:
            answers.append(text_of(ask(tape)))
        except ExpiredError as e:
            answers.append("expired")
            tape.recorder.record(chat("Hi"), came(f"new {number}"), now, e.replaces)
    assert answers[0] == "expired"
    assert "old" not in answers
    assert "second" not in answers
    assert answers[-1].startswith("new")
    assert len(files(tape)) == 2
    assert tape.counters.unrecorded == 0


def test_what_has_another_name_is_removed_when_its_place_is_taken(rig: Rig) -> None:
    tape = rig.tape(Mode.RECORD_IF_MISSING, expires(OnExpiry.RERECORD), form="2026")
    with pytest.raises(ExpiredError) as raised:
        ask(tape)
    assert tape.recorder.record(chat("Hi"), came("new"), MADE, raised.value.replaces)
    (name,) = files(tape)
    assert len(name) > 64, "it has the name of its form"
    assert [each.name for each in (rig.store.root / "main" / "wire").iterdir()] == [name]


def test_a_failure_takes_no_place(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    tape = rig.tape(Mode.RECORD_IF_MISSING, expires(OnExpiry.RERECORD), keep_errors=True)
    before = files(tape)
    with pytest.raises(ExpiredError) as raised:
        ask(tape)
    assert tape.recorder.record(chat("Hi"), came("no", status=429), MADE, raised.value.replaces)
    assert files(tape) == before
    assert "what has expired stays" in caplog.text


def test_the_same_answer_again_is_young_all_the_same(rig: Rig) -> None:
    tape = rig.tape(Mode.RECORD_IF_MISSING, expires(OnExpiry.RERECORD))
    before = files(tape)
    with pytest.raises(ExpiredError) as raised:
        ask(tape)
    now = Origin("", "2026-01-11T00:00:00Z", "", "1", 1.0)
    assert tape.recorder.record(chat("Hi"), came("old"), now, raised.value.replaces)
    assert files(tape) == before
    assert text_of(ask(tape)) == "old"
