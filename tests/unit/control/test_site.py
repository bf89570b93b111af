"""What is served where: one server for one address."""

from typing import Any

from wiretape.control.site import Addresses, Site, sites
from wiretape.metrics.counters import SessionCounters
from wiretape.metrics.prometheus import CounterPage
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames

HERE = Address("127.0.0.1", 1)
THERE = Address("127.0.0.1", 2)
NAMES = OwnNames()


def test_at_one_address_there_is_one_site() -> None:
    counters = CounterPage(SessionCounters().sessions)
    api: Any = object()

    def served(addresses: Addresses) -> dict[Address, Site]:
        return sites(NAMES, addresses, counters, api)

    assert served(Addresses(HERE, HERE)) == {HERE: Site(NAMES, counters, api)}
    assert served(Addresses(HERE, THERE)) == {HERE: Site(NAMES, counters), THERE: Site(NAMES, backend=api)}
    assert served(Addresses(api=THERE)) == {THERE: Site(NAMES, backend=api)}
    assert served(Addresses(HERE)) == {HERE: Site(NAMES, counters)}
    assert served(Addresses(HERE, HERE, HERE)) == {HERE: Site(NAMES, counters, api, api)}
    assert served(Addresses(page=HERE)) == {HERE: Site(NAMES, None, api, api)}, "it asks the API for calls"
    assert served(Addresses()) == {}
