"""The page of counters and the control API of one process: they are where its options say, while it is up.

Beside the traffic: between the addon and ``control``, which serves them.
"""

import logging

from wiretape.control.backend import Backend
from wiretape.control.server import WebServer
from wiretape.control.site import Site, sites
from wiretape.metrics.counters import SessionCounters
from wiretape.metrics.prometheus import CounterPage, MissingPackageError
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames

logger = logging.getLogger(__name__)


class WebPages:
    """For the thread that carries the traffic."""

    def __init__(self, ledger: SessionCounters, backend: Backend) -> None:
        """``backend``: what the control API is about."""
        self._ledger = ledger
        self._backend = backend
        self._page: Address | None = None
        self._control: Address | None = None
        self._names = OwnNames()
        self._is_running = False
        self._servers: list[WebServer] = []
        self.control_url = ""
        """Where the control API is, once it is up; empty where it is nowhere."""

    def publish(self, page: Address | None, control: Address | None, names: OwnNames) -> None:
        """Have the page and the API there, or nowhere; they answer to these names."""
        if (page, control, names) != (self._page, self._control, self._names):
            self._close()
            self._page = page
            self._control = control
            self._names = names
            self._open()

    def start(self) -> None:
        """Answer from now on."""
        self._is_running = True
        self._open()

    def stop(self) -> None:
        """Answer nothing more."""
        self._is_running = False
        self._close()

    def _open(self) -> None:
        if not self._is_running or self._servers:
            return
        api = (self._control, self._backend) if self._control else None
        for address, site in sites(self._names, self._counters(), api).items():
            self._serve(address, site)

    def _counters(self) -> tuple[Address, CounterPage] | None:
        if self._page is None:
            return None
        try:
            return self._page, CounterPage(self._ledger.sessions)
        except MissingPackageError as e:
            logger.error("wiretape_metrics: no page at %s: %s", self._page, e)
            return None

    def _serve(self, address: Address, site: Site) -> None:
        try:
            server = WebServer(address, site)
        except (MissingPackageError, OSError) as e:
            # At its start mitmdump ends for it; a proxy that is up is not to go for a page.
            said = "wiretape_control: no API" if site.backend else "wiretape_metrics: no page"
            logger.error("%s at %s: %s", said, address, e)
            return
        self._servers.append(server)
        if site.counters:
            logger.info("wiretape: counters at %s/metrics", server.url)
        if site.backend:
            self.control_url = server.url
            logger.info("wiretape: control API at %s", server.url)

    def _close(self) -> None:
        for server in self._servers:
            server.close()
        self._servers = []
        self.control_url = ""
