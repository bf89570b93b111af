"""What one of several workers tells the coordinator of ``wiretape serve``.

Beside the traffic: between the addon, whose options say whether, and ``cluster``, which does it.
"""

from collections.abc import Callable

from wiretape.cluster.protocol import Order
from wiretape.cluster.worker import Membership, RemoteTurns, Reporter
from wiretape.metrics.counters import SessionCounters
from wiretape.replay.take_counters import LocalTurns, Turns


class Reporting:
    """For the thread that carries the traffic."""

    def __init__(self, ledger: SessionCounters) -> None:
        self.turns: Turns = LocalTurns()
        """Those of all workers, where this is one of several."""
        self._ledger = ledger
        self._membership: Membership | None = None
        self._reporter: Reporter | None = None

    def join(self, membership: Membership | None) -> None:
        """Be one of several workers, or none; before the start."""
        if membership != self._membership:
            self.turns = RemoteTurns(membership.path) if membership else LocalTurns()
        self._membership = membership

    def greet(self, on_lost: Callable[[], None], carry_out: Callable[[Order], str]) -> Order | None:
        """Tell the coordinator, where there is one, that this worker is about to serve; return what is in force.

        ``on_lost`` is called from another thread when nobody is left to tell; so is ``carry_out``, when the coordinator
        tells this worker to do something.
        """
        if self._membership is None:
            return None
        self._reporter = Reporter(self._membership, self._ledger.sessions, on_lost, carry_out)
        return self._reporter.join()

    def start(self) -> None:
        """Tell that the proxy is up."""
        if self._reporter:
            self._reporter.start()

    def stop(self) -> None:
        """Tell what was counted to the end, and then nothing more."""
        if self._reporter:
            self._reporter.close()
        self._reporter = None
        if isinstance(self.turns, RemoteTurns):
            self.turns.close()
