"""What is asked for while a proxy runs: scopes of clients, and what holds for a session until further notice. Values.

A scope is a part of what one client does, such as one test: from its begin to its end the requests of that client are
in it, whichever connection they come over. Its client is the user of the proxy's URL: that of
``http://gw0@127.0.0.1:8080`` is ``gw0``. What a scope leaves out is as its session has it, and what an override leaves
out is as it is configured.

Of values JSON is made here; ``wiretape.config.overrides`` makes values of JSON, and says what is wrong with it.

    {"client": "gw0", "session": "checkout", "test_id": "test_pay", "pace": "2x", "id": "8c0fa52ed7b1a3c9"}
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from wiretape.policy import Mode, Takes
from wiretape.replay.faults import FaultRule
from wiretape.replay.pacing import Pace
from wiretape.sessions.model import Session

_FORM_OF_TESTS = "2026"

_MOST = 1000
"""Scopes, and sessions with an override, that there can be at a time."""


def new_id() -> str:
    """Return an id for a scope, which no other has."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class SessionOverride:
    """What holds for a session, whatever is configured. A field that is None leaves it."""

    mode: Mode | None = None
    pace: Pace | None = None
    takes: Takes | None = None
    layers: tuple[str, ...] | None = None
    match: tuple[str, ...] | None = None
    """As the option ``wiretape_match`` has it."""
    faults: tuple[FaultRule, ...] = ()
    """Beside those that are configured."""

    def over(self, session: Session) -> Session:
        """Return a session with this in force."""
        return replace(
            session,
            mode=self.mode or session.mode,
            pace=self.pace or session.pace,
            takes=self.takes or session.takes,
            layers=session.layers if self.layers is None else self.layers,
            match=self.match or session.match,
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as a value of JSON, without what it leaves as it is."""
        told: dict[str, Any] = {}
        if self.mode is not None:
            told["mode"] = str(self.mode)
        if self.pace is not None:
            told["pace"] = str(self.pace)
        if self.takes is not None:
            told["takes"] = str(self.takes)
        if self.layers is not None:
            told["layers"] = [*self.layers]
        if self.match is not None:
            told["match"] = [*self.match]
        if self.faults:
            told["faults"] = [dict(rule.entry) for rule in self.faults]
        return told


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of what one client does."""

    id: str
    client: str
    session: str
    test_id: str = ""
    is_isolated: bool = False
    """Whether it has recordings of its own, which are of this test alone: its ``test_id`` is a part of each request."""
    override: SessionOverride = field(default_factory=SessionOverride)

    def over(self, session: Session) -> Session:
        """Return its session with what holds in it."""
        session = self.override.over(session)
        if not self.is_isolated:
            return session
        # The other forms cannot tell of which test a recording is. And what is made of it must not hang on whether
        # another test has recorded the same before.
        return replace(session, form=_FORM_OF_TESTS, own_tests_only=True)

    def as_json(self) -> dict[str, Any]:
        """Return it as a value of JSON, without what it leaves as it is."""
        told: dict[str, Any] = {"id": self.id, "client": self.client, "session": self.session}
        if self.test_id:
            told["test_id"] = self.test_id
        if self.is_isolated:
            told["isolated"] = True
        return told | self.override.as_json()


class TooManyError(ValueError):
    """There are as many scopes, or overrides, as there can be."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """All that was asked for: one value, swapped whole."""

    sessions: Mapping[str, SessionOverride] = field(default_factory=dict)
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    """By their clients: one has one at a time."""

    def __bool__(self) -> bool:
        return bool(self.sessions or self.scopes)

    def scope(self, scope_id: str) -> Scope | None:
        """Return the scope of an id, or None."""
        return next((scope for scope in self.scopes.values() if scope.id == scope_id), None)

    def with_scope(self, scope: Scope) -> Self:
        """Return these and a scope, in place of one that its client has. Raises TooManyError."""
        scopes = {**self.scopes, scope.client: scope}
        if len(scopes) > _MOST:
            raise TooManyError(f"there are {_MOST} scopes already: end some of them")
        return replace(self, scopes=scopes)

    def without_scope(self, scope_id: str) -> Self:
        """Return these without the scope of an id."""
        scopes = {client: scope for client, scope in self.scopes.items() if scope.id != scope_id}
        return replace(self, scopes=scopes)

    def with_session(self, name: str, override: SessionOverride) -> Self:
        """Return these and what holds for a session, in place of what held. Raises TooManyError."""
        sessions = {**self.sessions, name: override}
        if len(sessions) > _MOST:
            raise TooManyError(f"there are overrides for {_MOST} sessions already: take some of them back")
        return replace(self, sessions=sessions)

    def without_session(self, name: str) -> Self:
        """Return these without what holds for a session: that is as it is configured then."""
        return replace(self, sessions={each: held for each, held in self.sessions.items() if each != name})

    def as_json(self) -> dict[str, Any]:
        """Return all as a value of JSON."""
        return {
            "sessions": {name: override.as_json() for name, override in self.sessions.items()},
            "scopes": [scope.as_json() for scope in self.scopes.values()],
        }
