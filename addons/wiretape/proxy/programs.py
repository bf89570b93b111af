"""Which known programs are at work in which session, by what their requests call them. Beside ``decide``.

A row of a preset's ``ignore_requests`` may hold for a session from the first request of its program on: see
``ignoring``. The program that ``wiretape run`` runs is at work from the start.
"""

from wiretape.providers.ignoring import IgnoredRequests

_SESSIONS = 1000
"""Sessions that are remembered. Clients name sessions, and must not fill the memory."""


class ProgramsAtWork:
    """Remembers. For the thread that carries the traffic."""

    def __init__(self, command: str = "") -> None:
        """``command``: the name of the only one that goes through this proxy, where that is known."""
        self._command = command
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

    def of(self, session: str, known: IgnoredRequests) -> frozenset[str]:
        """Return the names of those that are at work in a session."""
        seen = self._by_session.get(session, frozenset())
        return seen | known.of_command(self._command) if self._command else seen
