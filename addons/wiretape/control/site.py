"""What is served at one address: the page of counters, the control API, or both."""

from dataclasses import dataclass

from wiretape.control.api import Api
from wiretape.metrics.prometheus import CounterPage
from wiretape.network.dns_rebinding import OwnNames


@dataclass(frozen=True, slots=True)
class Site:
    """What is served. Neither is there where it is None."""

    names: OwnNames
    """By which it may be asked for."""
    counters: CounterPage | None = None
    api: Api | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether there is a process that carries traffic."""
        return self.counters is None or self.counters.is_healthy
