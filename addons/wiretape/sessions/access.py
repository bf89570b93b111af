"""Who comes in, into which session and in which mode: the credentials of a client -> access, or why there is none.

This comes before everything else that happens to a request. Values in, values out: only the file of the tokens is
looked at, and no error repeats anything that a client has sent.

The user part of the credentials is ``SESSION`` or ``SESSION+MODE``, the password part is a token. What is checked, in
this order, and the status of the error:

    the tokens can be read                        503
    the token is good for the session             407    also where the user part cannot be parsed
    a session is named, where that is required    407
    the user part can be parsed                   403
    the mode may be asked for                     403
    the session, its role and its state allow it  403

So a client without a good token learns nothing about a session, not even whether there is one; and a wrong token takes
as long to refuse as a token of another session. A proxy without tokens is open: then the second check always passes.

The mode is the one that the credentials ask for, else that of the session, else that of the proxy. A mode that was
asked for is never exchanged for another one (``model.effective_mode``).

While a scope is open for the user of the credentials (``scopes``), its session is the one that counts, for the token
too, and its mode is as one that was asked for. A scope without a mode leaves that to the credentials.

Example: ``checkout+replay:wt_...`` opens the session *checkout* for replay alone.
"""

import base64
import copy
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol, Self
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
from wiretape.sessions.scopes import Overrides, Scope
from wiretape.sessions.tokens import TokenEntry


class Checks(Protocol):
    """Knows the tokens. ``token_file.TokenFile`` does."""

    def check(self, session: str, token: str) -> TokenEntry | None:
        """Return the entry of a token that is good for a session, or None."""


@dataclass(frozen=True, slots=True)
class Access:
    """What credentials have opened."""

    session: Session
    """With what holds for it now, in the scope too."""
    mode: Mode
    by: str = ""
    """The name of the token; empty on a proxy that is open."""
    client: str = ""
    """The user that the credentials name, without a mode; empty where they name none."""
    scope: Scope | None = None
    """The one that is open for the client."""


class AccessDeniedError(Exception):
    """Access is refused. The reason is a sentence for the client."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        """407 where a right token would help, 403 where it would not; 413 where the request is too large; 500 where
        nobody is let in at all, and 503 where it cannot be told now.
        """


_parse_user = lru_cache(1024)(parse_user)


class AccessPolicy:
    """Decides for one proxy."""

    def __init__(
        self,
        sessions: Sessions,
        default: str,
        mode: Mode,
        *,
        mode_is_explicit: bool = False,
        tokens: Checks | None = None,
        askable: Collection[Mode] = tuple(Mode),
        asks: bool = False,
    ) -> None:
        """``default`` is the session of clients that name none; ``mode`` is the mode of sessions without one of their
        own.

        With ``mode_is_explicit``, the user has chosen that mode: the default session is in it whatever the
        configuration says. ``askable`` are the modes that credentials may ask for in a session that lists none itself.
        With ``asks``, a client has to name a session. Without ``tokens``, the proxy is open. Raises ValueError where
        the default session does not allow the mode.
        """
        self.sessions = sessions
        self.mode = mode
        self._tokens = tokens
        self._askable = askable
        self._asks = asks
        self._scopes: Mapping[str, Scope] = {}
        self._default = RequestedSession(default)
        if mode_is_explicit:
            self._default = RequestedSession(default, mode)
        try:
            effective_mode(self._default, sessions.get(default), mode, None, frozen=False)
        except Refused as e:
            raise ValueError(str(e)) from e

    def overridden(self, overrides: Overrides) -> Self:
        """Return the same policy with all in force that was asked for since the proxy has started."""
        policy = copy.copy(self)
        changed = [override.over(self.sessions.get(name)) for name, override in overrides.sessions.items()]
        policy.sessions = self.sessions.changed(changed)
        policy._scopes = overrides.scopes
        override = overrides.sessions.get(self._default.name)
        if override and override.mode:
            policy._default = RequestedSession(self._default.name)
        return policy

    def default(self) -> Access:
        """Return the access of a client that sends nothing, to a proxy that is open and a session that
        is not frozen.
        """
        return self._access(self._default, None, None, lambda _: False)

    def admit(self, credentials: str | None, is_frozen: Callable[[str], bool]) -> Access:
        """Return the access of a client that has sent ``USER:TOKEN``, or nothing. Raises AccessDeniedError.

        It takes as long whatever is wrong with the token, or with the session that it is shown for.
        """
        user, _, token = (credentials or "").partition(":")
        requested = self._default
        problem = ""
        if user:
            try:
                requested = _parse_user(user)
            except ValueError as e:
                # The token is checked for the session that is named. Only then the client is told what is wrong.
                problem = str(e)
                requested = _named(user) or self._default
        client = requested.name if user else ""
        scope = self._scopes.get(client)
        requested = _in_scope(requested, scope)
        try:
            entry = None
            if self._tokens:
                entry = self._tokens.check(requested.name, token)
        except OSError as e:
            raise AccessDeniedError(503, f"the tokens cannot be read now: {e}") from e
        if self._tokens and entry is None:
            raise AccessDeniedError(407, "needs a token for the session: HTTPS_PROXY=http://SESSION:TOKEN@HOST:PORT")
        if self._asks and not user:
            raise AccessDeniedError(
                407, "names no session, and is asked for one (wiretape_ask): HTTPS_PROXY=http://SESSION@HOST:PORT"
            )
        problem = problem or self._unaskable(requested)
        if problem:
            raise AccessDeniedError(403, problem)
        access = self._access(requested, entry, scope, is_frozen)
        return replace(access, client=client, scope=scope)

    def refusal(self, name: str, mode: Mode) -> str:
        """Return why a client may not ask for a session in a mode, whatever its token is; empty where it may."""
        return self._unaskable(RequestedSession(name, mode))

    def is_good(self, credentials: str) -> bool:
        """Tell whether credentials have a token that opens their session, whatever may be done in it."""
        user, _, token = credentials.partition(":")
        requested = self._default
        if user:
            try:
                requested = _parse_user(user)
            except ValueError:
                return False
            requested = _in_scope(requested, self._scopes.get(requested.name))
        return self._tokens is None or self._tokens.check(requested.name, token) is not None

    def _unaskable(self, requested: RequestedSession) -> str:
        """Return why the client may not ask for its mode; empty where it may."""
        session = self.sessions.get(requested.name)
        usual = session.mode or self.mode
        if (
            requested is self._default
            or requested.mode in (None, usual)
            or session.modes
            or requested.mode in self._askable
        ):
            return ""
        return (
            f"session {requested.name} is in mode {usual}, and nobody can ask for {requested.mode}: whoever runs the "
            f"proxy can allow it with wiretape_modes, or with modes of [session.{requested.name}]"
        )

    def _access(
        self,
        requested: RequestedSession,
        entry: TokenEntry | None,
        scope: Scope | None,
        is_frozen: Callable[[str], bool],
    ) -> Access:
        session = self.sessions.get(requested.name)
        if scope:
            session = scope.over(session)
        role = None
        by = ""
        if entry:
            role = entry.role
            by = entry.name
        wanted = requested.mode or session.mode or self.mode
        try:
            frozen = wanted in RECORDING and is_frozen(requested.name)
            mode = effective_mode(requested, session, self.mode, role, frozen=frozen)
        except Refused as e:
            raise AccessDeniedError(403, str(e)) from e
        return Access(session, mode, by)


def _in_scope(requested: RequestedSession, scope: Scope | None) -> RequestedSession:
    """Return what is asked for by a client for which a scope may be open."""
    if scope is None:
        return requested
    return RequestedSession(scope.session, scope.override.mode or requested.mode)


def _named(user: str) -> RequestedSession | None:
    """Return the session that is named in credentials in which something else is wrong, such as the mode."""
    try:
        return RequestedSession(check_name(re.split("[+ ]", unquote(user), maxsplit=1)[0]))
    except ValueError:
        return None


def basic(header: str) -> str | None:
    """Return ``USER:TOKEN`` of a ``Proxy-Authorization`` header, or None where it has another scheme (RFC 7617).

    It never raises, whatever the header is.
    """
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except ValueError:  # It is not base64 or not UTF-8. For a header beyond ASCII, b64decode raises just this.
        return None
