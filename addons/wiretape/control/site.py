"""What is served at one address: the page of counters, the control API, or both.

It says what the API is about, and not what it answers: a start has no need of that.
"""

from dataclasses import dataclass

from wiretape.control.backend import Backend
from wiretape.metrics.prometheus import CounterPage
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames


@dataclass(frozen=True, slots=True)
class Site:
    """What is served. Neither is there where it is None."""

    names: OwnNames
    """By which it may be asked for."""
    counters: CounterPage | None = None
    backend: Backend | None = None
    """What the API is about."""

    @property
    def is_healthy(self) -> bool:
        """Whether there is a process that carries traffic."""
        return self.counters is None or self.counters.is_healthy


def sites(
    names: OwnNames, counters: tuple[Address, CounterPage] | None, api: tuple[Address, Backend] | None
) -> dict[Address, Site]:
    """Return what is served where: where both are at the same address, that is one site."""
    if counters and api and counters[0] == api[0]:
        return {api[0]: Site(names, counters[1], api[1])}
    found = {}
    if api:
        found[api[0]] = Site(names, backend=api[1])
    if counters:
        found[counters[0]] = Site(names, counters=counters[1])
    return found
