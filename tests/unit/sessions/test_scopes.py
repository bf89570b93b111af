"""What is asked for while a proxy runs."""

from wiretape.policy import Mode
from wiretape.sessions.scopes import Overrides, Scope, SessionOverride


def test_nothing_is_asked_for_at_first() -> None:
    asked = Overrides()
    assert (asked.sessions, asked.scopes) == ({}, {})


def test_what_a_scope_leaves_out_is_as_its_session_has_it() -> None:
    scope = Scope("1", "gw0", "checkout", override=SessionOverride(mode=Mode.REPLAY))
    assert scope.override == SessionOverride(Mode.REPLAY, None, None, None, None, None)
