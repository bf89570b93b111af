"""What the proxy tells others about itself: the page of counters, and the coordinator of ``wiretape serve``.

Beside the traffic: between the addon, whose options say whether, and ``metrics`` and ``cluster``, which do it.
"""

import logging
from collections.abc import Callable

from wiretape.cluster.protocol import Order
from wiretape.cluster.worker import Membership, RemoteTurns, Reporter
from wiretape.metrics.counters import SessionCounters
from wiretape.metrics.prometheus import MissingPackageError, Page
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames
from wiretape.replay.take_counters import LocalTurns, Turns

logger = logging.getLogger(__name__)


class Reporting:
    """For the thread that carries the traffic."""

    def __init__(self, ledger: SessionCounters) -> None:
        self.turns: Turns = LocalTurns()
        """Those of all workers, where this is one of several."""
        self._ledger = ledger
        self._membership: Membership | None = None
        self._address: Address | None = None
        self._names = OwnNames()
        self._is_running = False
        self._page: Page | None = None
        self._reporter: Reporter | None = None

    def join(self, membership: Membership | None) -> None:
        """Be one of several workers, or none; before the start."""
        if membership != self._membership:
            self.turns = RemoteTurns(membership.path) if membership else LocalTurns()
        self._membership = membership

    def publish(self, address: Address | None, names: OwnNames) -> None:
        """Have the page there, or nowhere; it answers to these names."""
        if (address, names) != (self._address, self._names):
            self._close_page()
            self._address = address
            self._names = names
            self._open_page()

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
        self._is_running = True
        self._open_page()
        if self._reporter:
            self._reporter.start()

    def stop(self) -> None:
        """Tell what was counted to the end, and then nothing more."""
        self._is_running = False
        self._close_page()
        if self._reporter:
            self._reporter.close()
        self._reporter = None
        if isinstance(self.turns, RemoteTurns):
            self.turns.close()

    def _open_page(self) -> None:
        if self._is_running and self._address and self._page is None:
            try:
                self._page = Page(self._address, self._ledger.sessions, self._names)
            except (MissingPackageError, OSError) as e:
                # At its start mitmdump ends for it; a proxy that is up is not to go for a page.
                logger.error("wiretape_metrics: no page at %s: %s", self._address, e)
            else:
                logger.info("wiretape: counters at http://%s/metrics", self._page.address)

    def _close_page(self) -> None:
        if self._page:
            self._page.close()
        self._page = None
