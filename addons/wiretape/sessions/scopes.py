"""What is asked for while a proxy runs: scopes of clients, and what holds for a session until further notice. Values.

A scope is a part of what one client does, such as one test: from its begin to its end the requests of that client are
in it, whichever connection they come over. Its client is the user of the proxy's URL: that of
``http://gw0@127.0.0.1:8080`` is ``gw0``. What a scope leaves out is as its session has it, and what an override leaves
out is as it is configured.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from wiretape.policy import Mode, Takes
from wiretape.replay.faults import Faults
from wiretape.replay.pacing import Pace


@dataclass(frozen=True, slots=True)
class SessionOverride:
    """What holds for a session, whatever is configured. A field that is None leaves it."""

    mode: Mode | None = None
    pace: Pace | None = None
    takes: Takes | None = None
    layers: tuple[str, ...] | None = None
    match: tuple[str, ...] | None = None
    """As the option ``wiretape_match`` has it."""
    faults: Faults | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of what one client does."""

    id: str
    client: str
    session: str
    test_id: str = ""
    is_isolated: bool = False
    """Whether what is recorded in it is of this test alone: its ``test_id`` is a part of each request then."""
    override: SessionOverride = field(default_factory=SessionOverride)


@dataclass(frozen=True, slots=True)
class Overrides:
    """All that was asked for: one value, swapped whole."""

    sessions: Mapping[str, SessionOverride] = field(default_factory=dict)
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    """By their clients: one has one at a time."""
