"""What the proxy tells others about itself: the page of counters, the control API, the coordinator of ``wiretape serve``.

Beside the traffic: between the addon, whose options say whether, and ``control`` and ``cluster``, which do it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from wiretape.cluster.worker import Membership, RemoteTurns, Reporter
from wiretape.control.api import Api
from wiretape.control.backend import Backend
from wiretape.control.server import WebServer
from wiretape.control.site import Site, sites
from wiretape.metrics.counters import SessionCounters
from wiretape.metrics.prometheus import CounterPage, MissingPackageError
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames
from wiretape.replay.take_counters import LocalTurns, Turns

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Appearance:
    """How the proxy itself is met: by its page of counters, its API, its coordinator, and who asks for it by name."""

    page: Address | None = None
    """Where the page of counters is, if anywhere."""
    control: Address | None = None
    """Where the control API is, if anywhere."""
    membership: Membership | None = None
    """Which worker of several this is, if one."""
    names: OwnNames = OwnNames()  # noqa: RUF009  it never changes


class Reporting:
    """For the thread that carries the traffic."""

    def __init__(self, ledger: SessionCounters, backend: Backend) -> None:
        """``backend``: what the control API is about."""
        self.turns: Turns = LocalTurns()
        """Those of all workers, where this is one of several."""
        self._ledger = ledger
        self._api = Api(backend)
        self._appearance = Appearance()
        self._is_running = False
        self._servers: list[WebServer] = []
        self.control_url = ""
        """Where the control API is, once it is up; empty where it is nowhere."""
        self._reporter: Reporter | None = None

    def join(self, membership: Membership | None) -> None:
        """Be one of several workers, or none; before the start."""
        if membership != self._appearance.membership:
            self.turns = RemoteTurns(membership.path) if membership else LocalTurns()

    def publish(self, appearance: Appearance) -> None:
        """Be met so from now on."""
        if appearance != self._appearance:
            self._close_servers()
            self._appearance = appearance
            self._open_servers()

    def start(self, on_lost: Callable[[], None]) -> None:
        """Tell that the proxy is up. ``on_lost`` is called from another thread when nobody is left to tell."""
        self._is_running = True
        self._open_servers()
        if self._appearance.membership:
            self._reporter = Reporter(self._appearance.membership, self._ledger.sessions, on_lost)
            self._reporter.start()

    def stop(self) -> None:
        """Tell what was counted to the end, and then nothing more."""
        self._is_running = False
        self._close_servers()
        if self._reporter:
            self._reporter.close()
        self._reporter = None
        if isinstance(self.turns, RemoteTurns):
            self.turns.close()

    def _open_servers(self) -> None:
        if not self._is_running or self._servers:
            return
        appearance = self._appearance
        try:
            counters = (appearance.page, CounterPage(self._ledger.sessions)) if appearance.page else None
        except MissingPackageError as e:
            logger.error("wiretape_metrics: no page at %s: %s", appearance.page, e)
            counters = None
        api = (appearance.control, self._api) if appearance.control else None
        for address, site in sites(appearance.names, counters, api).items():
            self._open(address, site)

    def _open(self, address: Address, site: Site) -> None:
        try:
            server = WebServer(address, site)
        except (MissingPackageError, OSError) as e:
            # At its start mitmdump ends for it; a proxy that is up is not to go for a page.
            said = "wiretape_control: no API" if site.api else "wiretape_metrics: no page"
            logger.error("%s at %s: %s", said, address, e)
            return
        self._servers.append(server)
        if site.counters:
            logger.info("wiretape: counters at %s/metrics", server.url)
        if site.api:
            self.control_url = server.url
            logger.info("wiretape: control API at %s", server.url)

    def _close_servers(self) -> None:
        for server in self._servers:
            server.close()
        self._servers = []
        self.control_url = ""
