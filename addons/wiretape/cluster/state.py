"""What the coordinator knows: the counters of all workers, and whose turn it is among takes. No socket.

Every report is all that a worker has counted since its start, so that one that is lost or comes twice does no harm.
What a worker that was killed had counted after its last report is lost with it: half a second's worth.
"""

import threading
from collections.abc import Mapping

from wiretape.metrics.counters import Counters, added
from wiretape.replay.take_counters import LocalTurns


class ClusterState:
    """For any thread."""

    def __init__(self) -> None:
        self.turns = LocalTurns()
        self._lock = threading.Lock()
        self._past: dict[str, Counters] = {}
        self._latest: dict[int, tuple[str, Mapping[str, Counters]]] = {}

    def hello(self, worker: int, incarnation: str) -> None:
        """A worker has started, so the one before it in its place is at its end: what it counted stays counted."""
        with self._lock:
            former = self._latest.get(worker)
            if former and former[0] != incarnation:
                self._past = _sum((self._past, former[1]))
            if not former or former[0] != incarnation:
                self._latest[worker] = incarnation, {}

    def report(self, worker: int, incarnation: str, counters: Mapping[str, Counters]) -> None:
        """All that a worker has counted."""
        with self._lock:
            # What a former one had still to say is counted already, as far as it was known.
            if self._latest.get(worker, ("", {}))[0] == incarnation:
                self._latest[worker] = incarnation, counters

    def counters(self) -> dict[str, Counters]:
        """Those of all workers, living or dead, by session."""
        with self._lock:
            return _sum((self._past, *(counters for _, counters in self._latest.values())))


def _sum(parts: tuple[Mapping[str, Counters], ...]) -> dict[str, Counters]:
    sessions = dict.fromkeys(session for part in parts for session in part)
    return {session: added(part[session] for part in parts if session in part) for session in sessions}
