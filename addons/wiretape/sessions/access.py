"""Who comes in, into which session and in which mode: a client's credentials -> access, or why there is none.

Before everything else that a request meets. Values in, values out; the file of the tokens is looked at, and nothing of
what a client has sent is ever part of an error.
"""

import base64
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from urllib.parse import unquote

from wiretape.policy import Mode
from wiretape.sessions.model import (
    RECORDING,
    Refused,
    RequestedSession,
    Session,
    Sessions,
    check_name,
    effective_mode,
    parse_user,
)
from wiretape.sessions.tokens import TokenEntry


class Checks(Protocol):
    """Knows tokens: ``tokenfile.TokenFile``."""

    def check(self, session: str, token: str) -> TokenEntry | None:
        """The entry of a token that is good for a session."""


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody's credentials have opened."""

    session: Session
    mode: Mode
    by: str = ""
    """The token's name; empty on a proxy that is open."""


class AccessDeniedError(Exception):
    """Somebody stays outside; the reason is a sentence for him."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        """407 where a right token would help, 403 where it would not, 413 where the request is too large; 500 where
        nobody comes in, 503 where that cannot be told now."""


_parse_user = lru_cache(1024)(parse_user)


class AccessPolicy:
    """Decides for one proxy."""

    def __init__(
        self,
        sessions: Sessions,
        default: str,
        mode: Mode,
        *,
        insists: bool = False,
        tokens: Checks | None = None,
        askable: Collection[Mode] = tuple(Mode),
        asks: bool = False,
    ) -> None:
        """``default`` is the session of who names none, ``mode`` the mode of sessions that have none of their own.

        With ``insists`` the default session is in that mode whatever the configuration says of it: somebody chose it.
        ``askable`` are the modes that credentials may ask for in a session that names none of its own.
        With ``asks`` who names no session is asked for one, and gets nothing without it.
        Raises ValueError where the default session does not allow it. Without ``tokens`` the proxy is open.
        """
        self.sessions = sessions
        self.mode = mode
        self._tokens = tokens
        self._askable = askable
        self._asks = asks
        self._default = RequestedSession(default, mode if insists else None)
        try:
            effective_mode(self._default, sessions.get(default), mode, None, frozen=False)
        except Refused as e:
            raise ValueError(str(e)) from e

    def default(self) -> Access:
        """What somebody gets who sends nothing, on a proxy that is open; unless the session is frozen."""
        return self._access(self._default, None, lambda _: False)

    def admit(self, credentials: str | None, is_frozen: Callable[[str], bool]) -> Access:
        """What somebody gets who has sent ``USER:TOKEN``, or nothing. Raises Denied.

        Whatever is wrong with a token, and with the session that it is shown for, it takes as long.
        """
        user, _, token = (credentials or "").partition(":")
        asked = self._default
        problem = ""
        if user:
            try:
                asked = _parse_user(user)
            except ValueError as e:
                # Whether the token is good is asked of the session that is named: then it is told what else is wrong.
                problem = str(e)
                asked = _named(user) or self._default
        try:
            entry = None
            if self._tokens:
                entry = self._tokens.check(asked.name, token)
        except OSError as e:
            raise AccessDeniedError(503, f"the tokens cannot be read now: {e}") from e
        if self._tokens and entry is None:
            raise AccessDeniedError(407, "needs a token for the session: HTTPS_PROXY=http://SESSION:TOKEN@HOST:PORT")
        if self._asks and not user:
            raise AccessDeniedError(
                407, "names no session, and is asked for one (wiretape_ask): HTTPS_PROXY=http://SESSION@HOST:PORT"
            )
        if problem or (problem := self._unaskable(asked)):
            raise AccessDeniedError(403, problem)
        return self._access(asked, entry, is_frozen)

    def is_good(self, credentials: str) -> bool:
        """Whether these have a token that opens their session, whatever can be done in it."""
        user, _, token = credentials.partition(":")
        try:
            asked = _parse_user(user) if user else self._default
        except ValueError:
            return False
        return self._tokens is None or self._tokens.check(asked.name, token) is not None

    def _unaskable(self, asked: RequestedSession) -> str:
        """Why the mode that credentials ask for is not theirs to choose; empty where it is."""
        session = self.sessions.get(asked.name)
        usual = session.mode or self.mode
        if asked is self._default or asked.mode in (None, usual) or session.modes or asked.mode in self._askable:
            return ""
        return (
            f"session {asked.name} is in mode {usual}, and nobody can ask for {asked.mode}: whoever runs the proxy "
            f"can allow it with wiretape_modes, or with modes of [session.{asked.name}]"
        )

    def _access(self, asked: RequestedSession, entry: TokenEntry | None, is_frozen: Callable[[str], bool]) -> Access:
        session = self.sessions.get(asked.name)
        role = None
        if entry:
            role = entry.role
        wanted = asked.mode or session.mode or self.mode
        try:
            frozen = wanted in RECORDING and is_frozen(asked.name)
            mode = effective_mode(asked, session, self.mode, role, frozen=frozen)
        except Refused as e:
            raise AccessDeniedError(403, str(e)) from e
        return Access(session, mode, entry.name if entry else "")


def _named(user: str) -> RequestedSession | None:
    """The session that is named in credentials in which something else is wrong, such as the mode."""
    try:
        return RequestedSession(check_name(re.split("[+ ]", unquote(user), maxsplit=1)[0]))
    except ValueError:
        return None


def basic(header: str) -> str | None:
    """Return ``USER:TOKEN`` of a ``Proxy-Authorization`` header, or None where it has another scheme (RFC 7617).

    It raises nothing, whatever the header is.
    """
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except ValueError:  # No base64, or no UTF-8; of a header beyond ASCII b64decode says just this.
        return None
