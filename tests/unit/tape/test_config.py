"""What holds for all sessions becomes what holds for one, by what it says of its own."""

import pytest

from wiretape.policy import Mode, Takes
from wiretape.replay.pacing import INSTANT, Pace
from wiretape.sessions.model import Session
from wiretape.tape.config import DEFAULT_CONFIG, TapeConfig

FOR_ALL = TapeConfig(takes=Takes.FIRST, form="2026", pace=Pace(factor=2.0), keep_captures=False, keep_errors=True)


def test_a_session_that_says_nothing_has_what_holds_for_all() -> None:
    config = FOR_ALL.for_session(Session("own"), Mode.REPLAY, ("below",))
    assert config == TapeConfig(
        "own", Mode.REPLAY, ("below",), Takes.FIRST, "2026", Pace(factor=2.0), keep_captures=False, keep_errors=True
    )


def test_a_session_has_what_it_says() -> None:
    said = Session("own", takes=Takes.CYCLE, form="2025-09", pace=INSTANT)
    config = FOR_ALL.for_session(said, Mode.RECORD, ())
    assert (config.takes, config.form, config.pace) == (Takes.CYCLE, "2025-09", INSTANT)
    assert (config.keep_captures, config.keep_errors) == (False, True)


@pytest.mark.parametrize("mode", Mode)
def test_somebody_is_asked_again_where_somebody_can_be(mode: Mode) -> None:
    can_ask = mode is Mode.RECORD_IF_MISSING
    assert TapeConfig(mode=mode).asks_again is can_ask
    assert TapeConfig(mode=mode).only_lasting is can_ask
    assert not TapeConfig(mode=mode, is_offline=True).asks_again
    assert TapeConfig(mode=mode, is_offline=True).only_lasting is can_ask


def test_nothing_said_is_the_default() -> None:
    assert DEFAULT_CONFIG.for_session(Session("default"), DEFAULT_CONFIG.mode, ()) == DEFAULT_CONFIG
