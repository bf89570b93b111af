"""What the coordinator knows: the counters of all workers, and the turns of takes. No socket.

Each report has everything that a worker has counted since its start, so a report that is lost, or comes twice, does no
harm. What a worker has counted after its last report is lost if it is killed: half a second's worth.
"""

import threading
from collections.abc import Mapping

from wiretape.metrics.counters import Counters, added
from wiretape.replay.take_counters import LocalTurns


class ClusterState:
    """The common state of all workers. For any thread."""

    def __init__(self) -> None:
        self.turns = LocalTurns()
        self._lock = threading.Lock()
        self._past: dict[str, Counters] = {}
        self._latest: dict[int, tuple[str, Mapping[str, Counters]]] = {}

    def hello(self, worker: int, incarnation: str) -> None:
        """Note that a worker has started. The one before it in its place has ended; what that counted stays counted."""
        with self._lock:
            former = self._latest.get(worker)
            if former and former[0] != incarnation:
                self._past = _sum((self._past, former[1]))
            if not former or former[0] != incarnation:
                self._latest[worker] = incarnation, {}

    def report(self, worker: int, incarnation: str, counters: Mapping[str, Counters]) -> None:
        """Note everything that a worker has counted."""
        with self._lock:
            # A late report of a worker that has ended is ignored: its last one before that is counted already.
            if self._latest.get(worker, ("", {}))[0] == incarnation:
                self._latest[worker] = incarnation, counters

    def counters(self) -> dict[str, Counters]:
        """Return the counters of all workers, living or dead, by session."""
        with self._lock:
            return _sum((self._past, *(counters for _, counters in self._latest.values())))


def _sum(parts: tuple[Mapping[str, Counters], ...]) -> dict[str, Counters]:
    sessions = dict.fromkeys(session for part in parts for session in part)
    return {session: added(part[session] for part in parts if session in part) for session in sessions}
