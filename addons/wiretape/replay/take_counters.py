"""Whose turn it is among the takes of a request. Beside ``tape.lookup``: counts, and knows no recording."""

import threading
from typing import Protocol

_COUNTED = 100_000
"""Requests that are counted: of more, those that came longest ago are counted from the start again."""


class Turns(Protocol):
    """Counts how often a request was answered, by the session that asked. For any thread."""

    def next(self, session: str, identity: str) -> int:
        """Return how often it was answered before, and count it once more."""

    def rewind(self) -> None:
        """Begin anew, everywhere."""


class TurnsOfScope:
    """Those of one scope: each request has its first turn in it, whatever others have asked."""

    def __init__(self, turns: Turns, scope_id: str) -> None:
        self._turns = turns
        self._scope_id = scope_id

    def next(self, session: str, identity: str) -> int:
        """As ``Turns.next``."""
        # No session's name has a blank.
        return self._turns.next(f"{session} in {self._scope_id}", identity)

    def rewind(self) -> None:
        """As ``Turns.rewind``."""
        self._turns.rewind()


class LocalTurns:
    """Those of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._played: dict[tuple[str, str], int] = {}

    def next(self, session: str, identity: str) -> int:
        """As ``Turns.next``."""
        with self._lock:
            # The last one in the table is the one that came last.
            played = self._played.pop((session, identity), 0)
            self._played[session, identity] = played + 1
            if len(self._played) > _COUNTED:
                del self._played[next(iter(self._played))]
        return played

    def rewind(self) -> None:
        """As ``Turns.rewind``."""
        with self._lock:
            self._played.clear()
