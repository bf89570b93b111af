"""Sessions that record what they have no recording of, until requests that missed are there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import chat, name_of
from controlling import Told, configured, told
from harness import wait_until
from wiretape.call_log.call import Outcome
from wiretape.control import miss_recording
from wiretape.control.kept import KeptRecordings
from wiretape.control.miss_recording import MissRecording
from wiretape.control.overriding import NotInForceError
from wiretape.control.scopes import Scopes
from wiretape.policy import Mode, Takes
from wiretape.recording.model import request_name
from wiretape.sessions.access import AccessPolicy
from wiretape.sessions.model import Session
from wiretape.sessions.scopes import SessionOverride
from wiretape.store.freezing import Frozen, freeze

ASKED = chat("What is new?")
TAKES = SessionOverride(takes=Takes.FIRST, mode=Mode.LIVE)
POLICY = AccessPolicy(
    configured(frozen=Session("frozen", frozen=True), fixed=Session("fixed", modes=(Mode.REPLAY,))),
    "default",
    Mode.REPLAY,
    askable=(Mode.REPLAY,),
)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(miss_recording, "_EVERY", 0.01)


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Told]:
    with told(tmp_path, policy_=POLICY) as proxy:
        yield proxy


@pytest.fixture
def recording(proxy: Told) -> Iterator[MissRecording]:
    made = MissRecording(proxy, Scopes(proxy, KeptRecordings()))
    yield made
    made.end("default")


def mode(proxy: Told) -> Mode | None:
    return proxy.overriding.overrides.sessions.get("default", SessionOverride()).mode


@pytest.mark.parametrize("form", ["2025-09", "2026"])
def test_a_session_records_until_the_request_is_there(proxy: Told, recording: MissRecording, form: str) -> None:
    recording.begin("default", ASKED)
    assert mode(proxy) is Mode.RECORD_IF_MISSING
    proxy.tell(Outcome.RECORDED, recording=name_of(chat("Another")))
    proxy.tell(Outcome.RECORDED, session="another", recording=request_name(ASKED, form))
    proxy.tell(Outcome.MISS, recording="")
    assert recording.is_waiting("default")
    proxy.tell(Outcome.RECORDED, recording=f"{request_name(ASKED, form)}.2")
    wait_until(lambda: not recording.is_waiting("default"))
    wait_until(lambda: not proxy.overriding.overrides, timeout=60)


def test_it_waits_for_all_that_was_asked_for(proxy: Told, recording: MissRecording) -> None:
    other = chat("Another")
    recording.begin("default", ASKED)
    recording.begin("default", other)
    waiting = recording._waiting["default"]
    proxy.tell(Outcome.RECORDED, recording=name_of(other))
    wait_until(lambda: len(waiting.wanted) == 1)
    assert mode(proxy) is Mode.RECORD_IF_MISSING
    proxy.tell(Outcome.RECORDED, recording=name_of(ASKED))
    wait_until(lambda: mode(proxy) is None)


def test_what_held_before_holds_again(proxy: Told, recording: MissRecording) -> None:
    overriding = proxy.overriding
    overriding.apply(overriding.overrides.with_session("default", TAKES))
    recording.begin("default", ASKED)
    held = overriding.overrides.sessions["default"]
    assert (held.mode, held.takes) == (Mode.RECORD_IF_MISSING, Takes.FIRST)
    recording.end("default")
    assert overriding.overrides.sessions["default"] == TAKES
    recording.end("default")


def test_an_override_of_others_stays(proxy: Told, recording: MissRecording) -> None:
    recording.begin("default", ASKED)
    overriding = proxy.overriding
    overriding.apply(overriding.overrides.with_session("default", SessionOverride(mode=Mode.REPLAY)))
    recording.end("default")
    assert mode(proxy) is Mode.REPLAY


def test_nobody_waits_for_ever(proxy: Told, recording: MissRecording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(miss_recording, "_LONGEST", 0.0)
    recording.begin("default", ASKED)
    wait_until(lambda: not recording.is_waiting("default"))
    wait_until(lambda: mode(proxy) is None)


def test_what_is_not_in_force_is_told(proxy: Told, recording: MissRecording) -> None:
    proxy.overriding.fails_with = NotInForceError("worker 2 does not answer")
    with pytest.raises(OSError, match="worker 2 does not answer"):
        recording.begin("default", ASKED)
    assert not recording.is_waiting("default")
    proxy.overriding.fails_with = None


def test_why_a_session_cannot_record(proxy: Told, recording: MissRecording) -> None:
    freeze(proxy.store(), "marked", Frozen())
    for session, why in (("frozen", "frozen"), ("marked", "frozen"), ("fixed", "does not allow record-if-missing")):
        for is_anybody in (True, False):
            assert why in recording.refusal(session, is_anybody=is_anybody)
    assert "wiretape_modes" in recording.refusal("default", is_anybody=True)
    assert recording.refusal("default", is_anybody=False) == ""
