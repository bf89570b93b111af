"""Who asks the control API, and what it may: ``Authorization: Bearer TOKEN`` -> a ``Caller``. Values in, values out.

The tokens are the proxy's. A proxy without tokens is open, and its API is on this machine alone.

========  ===================================================================================
role      what it may, in the sessions that its token is good for
========  ===================================================================================
read      look: calls, counters, scopes, recordings
write     also begin, change and end scopes
admin     also say what holds for a session, and on the page take recordings over into it; with a token for all
          sessions, rewind the takes
========  ===================================================================================
"""

from dataclasses import dataclass

from wiretape.control.refusal import ApiError
from wiretape.sessions.model import Role
from wiretape.sessions.token_file import TokenFile
from wiretape.sessions.tokens import EVERY, TokenEntry


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    entries: tuple[TokenEntry, ...] | None = None
    """What its token is good for; None on a proxy that is open."""

    @property
    def is_anybody(self) -> bool:
        """Whether the proxy is open: whoever reaches it is let in."""
        return self.entries is None

    def may(self, role: Role, session: str) -> bool:
        """Return whether it may do in a session what a role may; in all sessions where that is ``*``."""
        if self.entries is None:
            return True
        return any(entry.allows(role, session) for entry in self.entries)

    def need(self, role: Role, session: str) -> None:
        """Raise ApiError where it may not."""
        if not self.may(role, session):
            where = "all sessions" if session == EVERY else f"session {session}"
            raise ApiError(403, "forbidden", f"this needs a token of the role {role} or more for {where}")


OPEN = Caller()


def caller(tokens: TokenFile | None, authorization: str | None) -> Caller:
    """Return who asks, by a request's ``Authorization`` header. Raises ApiError where that is nobody."""
    if tokens is None:
        return OPEN
    scheme, _, token = (authorization or "").partition(" ")
    try:
        entries = tokens.having(token.strip())
    except OSError as e:
        raise ApiError(503, "tokens_unavailable", f"the tokens cannot be read now: {e.strerror}") from e
    if scheme.lower() != "bearer" or not entries:
        raise ApiError(401, "unauthorized", "this needs a token of the proxy's: Authorization: Bearer TOKEN")
    return Caller(entries)
