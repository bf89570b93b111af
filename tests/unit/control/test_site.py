"""What is served where: one server for one address."""

from typing import Any

from wiretape.control.site import Site, sites
from wiretape.metrics.counters import SessionCounters
from wiretape.metrics.prometheus import CounterPage
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames

HERE = Address("127.0.0.1", 1)
THERE = Address("127.0.0.1", 2)
NAMES = OwnNames()


def test_at_one_address_there_is_one_site() -> None:
    page = CounterPage(SessionCounters().sessions)
    api: Any = object()
    assert sites(NAMES, (HERE, page), (HERE, api)) == {HERE: Site(NAMES, page, api)}
    assert sites(NAMES, (HERE, page), (THERE, api)) == {HERE: Site(NAMES, page), THERE: Site(NAMES, backend=api)}
    assert sites(NAMES, None, (THERE, api)) == {THERE: Site(NAMES, backend=api)}
    assert sites(NAMES, (HERE, page), None) == {HERE: Site(NAMES, page)}
    assert sites(NAMES, None, None) == {}
