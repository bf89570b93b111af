"""What is asked for while a proxy runs."""

import pytest

from wiretape.policy import Mode, Takes
from wiretape.replay.pacing import Pace
from wiretape.sessions import scopes
from wiretape.sessions.model import Session
from wiretape.sessions.scopes import Overrides, Scope, SessionOverride, TooManyError


def test_nothing_is_asked_for_at_first() -> None:
    asked = Overrides()
    assert not asked
    assert (asked.sessions, asked.scopes) == ({}, {})


def test_what_an_override_leaves_out_is_as_its_session_has_it() -> None:
    session = Session("checkout", ("base",), Mode.REPLAY, pace=Pace(factor=2.0), takes=Takes.FIRST, form="2026")
    assert SessionOverride().over(session) == session
    paced = SessionOverride(pace=Pace(), layers=(), match=("exact",)).over(session)
    assert paced == Session("checkout", (), Mode.REPLAY, pace=Pace(), takes=Takes.FIRST, form="2026", match=("exact",))


def test_what_is_of_a_test_alone_is_recorded_in_the_form_that_tells_it() -> None:
    session = Session("checkout", form="2025-09")
    assert Scope("1", "gw0", "checkout", "test_a").over(session) == session
    isolated = Scope("1", "gw0", "checkout", "test_a", is_isolated=True).over(session)
    assert (isolated.form, isolated.own_tests_only) == ("2026", True)


def test_a_client_has_one_scope_at_a_time() -> None:
    asked = Overrides().with_scope(Scope("1", "gw0", "a")).with_scope(Scope("2", "gw1", "a"))
    assert asked.scope("1") == Scope("1", "gw0", "a")
    asked = asked.with_scope(Scope("3", "gw0", "b"))
    assert asked.scope("1") is None
    assert [*asked.scopes.values()] == [Scope("3", "gw0", "b"), Scope("2", "gw1", "a")]
    assert asked.without_scope("1") == asked
    assert [*asked.without_scope("3").scopes] == ["gw1"]


def test_what_holds_for_a_session_is_taken_back() -> None:
    asked = Overrides().with_session("a", SessionOverride(Mode.LIVE)).with_session("b", SessionOverride())
    assert asked.without_session("b").without_session("nowhere").sessions == {"a": SessionOverride(Mode.LIVE)}


def test_there_are_not_more_than_there_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scopes, "_MOST", 1)
    asked = Overrides().with_scope(Scope("1", "gw0", "a")).with_session("a", SessionOverride())
    asked = asked.with_scope(Scope("2", "gw0", "a")).with_session("a", SessionOverride(Mode.LIVE))
    with pytest.raises(TooManyError, match="1 scopes already"):
        asked.with_scope(Scope("3", "gw1", "a"))
    with pytest.raises(TooManyError, match="1 sessions already"):
        asked.with_session("b", SessionOverride())


def test_each_id_is_another() -> None:
    assert len({scopes.new_id() for _ in range(100)}) == 100
