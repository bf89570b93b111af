"""What is served at one address: the page of counters, the control API, or both.

It says what the API is about, and not what it answers: a start has no need of that.
"""

from dataclasses import dataclass, replace

from wiretape.control.backend import Backend
from wiretape.metrics.prometheus import CounterPage
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames
from wiretape.web.source import PageSource


@dataclass(frozen=True, slots=True)
class Site:
    """What is served. What is None is not there."""

    names: OwnNames
    """By which it may be asked for."""
    counters: CounterPage | None = None
    backend: Backend | None = None
    """What the API is about."""
    page: PageSource | None = None
    """What there is to look at in a browser."""

    @property
    def is_healthy(self) -> bool:
        """Whether there is a process that carries traffic."""
        return self.counters is None or self.counters.is_healthy


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where what is. Several may be at one address; what is None is nowhere."""

    counters: Address | None = None
    api: Address | None = None
    page: Address | None = None


def sites(
    names: OwnNames, addresses: Addresses, counters: CounterPage | None, backend: Backend | None
) -> dict[Address, Site]:
    """Return what is served where: what is at one address is one site. Where the page is, so is the API."""
    found: dict[Address, Site] = {}
    if addresses.api:
        found[addresses.api] = Site(names, backend=backend)
    if addresses.page:
        found[addresses.page] = Site(names, backend=backend, page=backend)
    if addresses.counters and counters:
        there = found.get(addresses.counters, Site(names))
        found[addresses.counters] = replace(there, counters=counters)
    return found
