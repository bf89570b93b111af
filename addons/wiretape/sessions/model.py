"""Sessions: their names, what credentials ask for, and what the configuration and a role allow.

Text in, values out. A session is one set of recordings, a folder below the root of the store. What is in it is the
business of the store.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import unquote

from wiretape import redaction
from wiretape.policy import Freshness, Mode, Takes, parse_mode
from wiretape.replay.pacing import Pace

if TYPE_CHECKING:
    from wiretape.pricing.budget import Budget

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
TOKEN_PREFIX = "wt_"  # noqa: S105  a token begins with it, and is secret behind it
"""Every token begins with this."""

_SHOWN = 80
"""How many characters of a wrong value an error repeats."""


def check_name(name: str) -> str:
    """Return the name itself, if it is one. Otherwise raise ValueError.

    The name of a session becomes part of a path.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no session name: 1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or a digit"
        )
    if redaction.DEFAULT.spans(name):
        # It would become the name of a folder, a label of the counters, a word in the log.
        raise ValueError("the name of a session looks like a key: choose another name")
    return name


# -- what is asked -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RequestedSession:
    """What the user part of proxy credentials asks for."""

    name: str
    mode: Mode | None = None
    """None where it names no mode: then the mode of the session holds."""

    def __str__(self) -> str:
        """Return it as a client writes it."""
        if self.mode:
            return f"{self.name}+{self.mode}"
        return self.name


def parse_user(user: str) -> RequestedSession:
    """Parse ``checkout`` or ``checkout+replay``: the user part of proxy credentials, or the value of the header.

    It may still be percent-encoded: some clients send it as it stands in the URL of the proxy. Raises ValueError, which
    names the right forms, and repeats nothing that may be a token.
    """
    # Ruby decodes it as a form, in which a plus is a blank. No name has a blank.
    decoded = unquote(user).replace(" ", "+")
    name, plus, mode = decoded.partition("+")
    try:
        if plus:
            return RequestedSession(check_name(name), parse_mode(mode))
        return RequestedSession(check_name(name))
    except ValueError as e:
        # It may be a token: http://TOKEN:@proxy and http://TOKEN@proxy are easily written.
        is_token = TOKEN_PREFIX in decoded or len(decoded) > _SHOWN
        problem = "not a session's name (a token goes behind the colon)"
        if not is_token:
            problem = str(e)
        raise ValueError(
            f"the user of the proxy is SESSION or SESSION+MODE, such as checkout or checkout+replay: {problem}"
        ) from None


# -- what is configured ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Session:
    """What the configuration says about one session. A field that is None leaves it to the option of the proxy."""

    name: str
    layers: tuple[str, ...] = ()
    """The sessions directly below it; the first one is looked into first."""
    mode: Mode | None = None
    """The mode of clients that ask for none."""
    modes: tuple[Mode, ...] | None = None
    """The modes that the session may be in, and that may be asked for; None where the proxy decides."""
    pace: Pace | None = None
    takes: Takes | None = None
    form: str | None = None
    frozen: bool = False
    """Whether the configuration freezes it. The store may do so, too."""
    budget: "Budget | None" = None
    """What it may spend; None for as much as it likes."""
    freshness: Freshness | None = None
    """How old its recordings may be; None for any age."""
    match: tuple[str, ...] | None = None
    """When a request is the same as a recorded one, as the option ``wiretape_match`` has it."""
    own_tests_only: bool = False
    """Whether no recording answers but those of the very test that asks: in a scope that is isolated."""
    words: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)
    """The keys and values as the configuration has them, for people."""


class Sessions:
    """The sessions of a configuration. Any other session has the defaults."""

    def __init__(self, sessions: Mapping[str, Session] | None = None) -> None:
        self._sessions = dict(sessions or {})

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the configuration, in its order."""
        return tuple(self._sessions)

    def get(self, name: str) -> Session:
        """Return a session, whether the configuration names it or not."""
        return self._sessions.get(name) or Session(name)

    def changed(self, sessions: Iterable[Session]) -> "Sessions":
        """Return these, with some in the place of those of the same names."""
        return Sessions({**self._sessions, **{session.name: session for session in sessions}})

    def order(self, name: str, most: int | None = None) -> tuple[str, ...]:
        """Return where a look-up goes: the session, then those below it, depth first, each once. At
        most ``most`` sessions.
        """
        order: dict[str, None] = {}
        waiting = [name]
        while waiting and len(order) != most:
            each = waiting.pop()
            if each not in order:
                order[each] = None
                waiting.extend(reversed(self.get(each).layers))
        return tuple(order)

    def above(self, name: str) -> tuple[str, ...]:
        """Return the sessions that stand on this one, directly or not."""
        directly: dict[str, list[str]] = {}
        for each, session in self._sessions.items():
            for below in session.layers:
                directly.setdefault(below, []).append(each)
        above: set[str] = set()
        waiting = [name]
        while waiting:
            for each in directly.get(waiting.pop(), ()):
                if each not in above:
                    above.add(each)
                    waiting.append(each)
        return tuple(each for each in self._sessions if each in above and each != name)


# -- what is allowed ---------------------------------------------------------------------------------------------------


class Role(StrEnum):
    """What a token allows."""

    READ = "read"
    """Only to replay."""
    WRITE = "write"
    """Every mode that the session allows."""
    ADMIN = "admin"
    """The same as ``write``; it is for those who look after the sessions."""


def parse_role(text: str) -> Role:
    """Return the role with this name. Raises ValueError, which names the roles."""
    try:
        return Role(text)
    except ValueError as e:
        raise ValueError(f"{text!r} is no role: the roles are {', '.join(Role)}") from e


class Refused(Exception):  # noqa: N818  nothing is wrong: it may not be done
    """What was asked for is not allowed. The reason is a sentence for the client."""


RECORDING = (Mode.RECORD, Mode.RECORD_IF_MISSING)
"""The modes in which recordings are written."""


def effective_mode(
    requested: RequestedSession, session: Session, default: Mode, role: Role | None, *, frozen: bool
) -> Mode:
    """Return the mode in which a request is served. Raises Refused.

    ``default`` is the option of the proxy, for sessions without a mode of their own. ``role`` is None on a proxy
    without tokens, which is open. ``frozen`` is what the store says, beside what the configuration says.

    A mode that was asked for is granted or refused, never exchanged. A mode that nobody asked for gives way where it
    can: a client that may only read, and every client of a frozen session that would record, gets ``replay``. So a
    proxy URL without a mode goes on to work on the day on which a session is frozen. ``live`` stays in a frozen
    session, because it writes nothing.
    """
    mode = requested.mode or session.mode or default
    allowed = session.modes or tuple(Mode)
    problem = ""
    if mode not in allowed:
        problem = f"allows {_listed(allowed)}, not {mode}"
    elif role is Role.READ and mode is not Mode.REPLAY:
        problem = f"may only be replayed with this token, whose role is {Role.READ}: {mode} needs {Role.WRITE}"
    elif (frozen or session.frozen) and mode in RECORDING:
        problem = f"is frozen: nothing is recorded in it, so {mode} is refused"
    if not problem:
        return mode
    if requested.mode is None and mode in allowed and Mode.REPLAY in allowed:
        return Mode.REPLAY
    raise Refused(f"session {session.name} {problem}")


def _listed(modes: tuple[Mode, ...]) -> str:
    return " and ".join(filter(None, (", ".join(modes[:-1]), modes[-1])))
