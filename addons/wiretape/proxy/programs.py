"""Which known programs are at work in which session, by what their requests call them. Beside ``decide``.

A row of a preset's ``ignore_requests`` holds for a session from the first request of its program on: see ``ignoring``.
"""

from collections.abc import Collection

from wiretape.providers.ignoring import IgnoredRequests

_SESSIONS = 1000
"""Sessions that are remembered. Clients name sessions, and must not fill the memory."""


class ProgramsAtWork:
    """Remembers. For the thread that carries the traffic."""

    def __init__(self) -> None:
        self._by_session: dict[str, frozenset[str]] = {}

    def see(self, session: str, client: str, known: IgnoredRequests) -> None:
        """A request has come. ``client`` is its User-Agent."""
        names = known.of_client(client)
        if not names:
            return
        before = self._by_session.get(session)
        if before is None and len(self._by_session) >= _SESSIONS:
            return
        self._by_session[session] = names if before is None else before | names

    def of(self, session: str) -> Collection[str]:
        """Return the names of those that are at work in a session."""
        return self._by_session.get(session, ())
