"""Sessions: their names, what a proxy's credentials ask of them, what the configuration and a role allow.

Between who asks and the tape: text in, values out. A session is one set of recordings, a folder below the store's
root. What is in it is the store's business.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote

from wiretape import redaction
from wiretape.policy import Mode, Takes, parse_mode
from wiretape.replay.pacing import Pace

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
TOKEN_PREFIX = "wt_"  # noqa: S105  a token begins with it, and is secret behind it
"""What every token begins with."""

_SHOWN = 80
"""Characters of a wrong value that an error repeats."""


def check_name(name: str) -> str:
    """The name itself, where it is one.

    Raises ValueError where not: a session's name becomes part of a path.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no session name: 1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or a digit"
        )
    if redaction.DEFAULT.spans(name):
        # It would be a folder's name, a label of the counters, a word in the log.
        raise ValueError("the name of a session looks like a key: choose another name")
    return name


# -- what is asked -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RequestedSession:
    """What the user part of proxy credentials asks for."""

    name: str
    mode: Mode | None = None
    """None where it names none: then the session's own."""

    def __str__(self) -> str:
        """As a client writes it."""
        if self.mode:
            return f"{self.name}+{self.mode}"
        return self.name


def parse_user(user: str) -> RequestedSession:
    """``checkout`` or ``checkout+replay``: the user part of proxy credentials, or the header's value.

    It may still be percent-encoded: some clients send it as it stands in the URL of the proxy. Raises ValueError, which
    names the right forms, and repeats nothing that may be a token.
    """
    # Ruby decodes it as a form, in which + is a blank; no name has one.
    decoded = unquote(user).replace(" ", "+")
    name, plus, mode = decoded.partition("+")
    try:
        return RequestedSession(check_name(name), parse_mode(mode) if plus else None)
    except ValueError as e:
        # http://TOKEN:@proxy and http://TOKEN@proxy are easily written.
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
    """What the configuration says of one session. None stands for the proxy's own option."""

    name: str
    layers: tuple[str, ...] = ()
    """The sessions directly below it, the first first."""
    mode: Mode | None = None
    """The mode of who asks for none."""
    modes: tuple[Mode, ...] | None = None
    """Those that it can be in, and that can be asked for; None where it says nothing: then the proxy does."""
    pace: Pace | None = None
    takes: Takes | None = None
    form: str | None = None
    frozen: bool = False
    """By the configuration; the store may say so too."""
    words: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)
    """The same as the configuration has it, (key, value), for people."""


class Sessions:
    """The sessions of a configuration; any other has the defaults."""

    def __init__(self, sessions: Mapping[str, Session] | None = None) -> None:
        self._sessions = dict(sessions or {})

    @property
    def names(self) -> tuple[str, ...]:
        """Those that the configuration names, in its order."""
        return tuple(self._sessions)

    def get(self, name: str) -> Session:
        """A session, whether the configuration names it or not."""
        return self._sessions.get(name) or Session(name)

    def order(self, name: str, most: int | None = None) -> tuple[str, ...]:
        """Where a look-up goes: the session, then those below it, depth first, each once; ``most`` at most."""
        found: dict[str, None] = {}
        waiting = [name]
        while waiting and len(found) != most:
            each = waiting.pop()
            if each not in found:
                found[each] = None
                waiting.extend(reversed(self.get(each).layers))
        return tuple(found)

    def above(self, name: str) -> tuple[str, ...]:
        """The sessions that stand on this one, directly or not."""
        directly: dict[str, list[str]] = {}
        for each, session in self._sessions.items():
            for below in session.layers:
                directly.setdefault(below, []).append(each)
        found: set[str] = set()
        waiting = [name]
        while waiting:
            for each in directly.get(waiting.pop(), ()):
                if each not in found:
                    found.add(each)
                    waiting.append(each)
        return tuple(each for each in self._sessions if each in found and each != name)


# -- what is allowed ---------------------------------------------------------------------------------------------------


class Role(StrEnum):
    """What a token is good for."""

    READ = "read"
    """Replay alone."""
    WRITE = "write"
    """Every mode that the session allows."""
    ADMIN = "admin"
    """As ``write``; it is for whoever looks after the sessions."""


def parse_role(text: str) -> Role:
    """A role by its name. Raises ValueError, which names the right ones."""
    try:
        return Role(text)
    except ValueError as e:
        raise ValueError(f"{text!r} is no role: the roles are {', '.join(Role)}") from e


class Refused(Exception):  # noqa: N818  nothing is wrong: it may not be done
    """What was asked for is not allowed; the reason is a sentence for who asked."""


RECORDING = (Mode.RECORD, Mode.RECORD_IF_MISSING)
"""The modes in which something is written."""


def effective_mode(
    asked: RequestedSession, session: Session, default: Mode, role: Role | None, *, frozen: bool
) -> Mode:
    """The mode in which a request is served. Raises Refused.

    ``default`` is the proxy's option, for sessions that have no mode of their own; ``role`` is None on a proxy without
    tokens, which is open; ``frozen`` is what the store says, beside what the configuration says.

    A mode that is asked for is got or refused, never exchanged. One that nobody asked for gives way where it can: who
    may only read, and everybody in a frozen session that would record, gets ``replay``, so that a proxy URL without a
    mode goes on to work on the day on which a session is frozen. ``live`` stays in a frozen session: it writes nothing.
    """
    mode = asked.mode or session.mode or default
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
    if asked.mode is None and mode in allowed and Mode.REPLAY in allowed:
        return Mode.REPLAY
    raise Refused(f"session {session.name} {problem}")


def _listed(modes: tuple[Mode, ...]) -> str:
    return " and ".join(filter(None, (", ".join(modes[:-1]), modes[-1])))
