"""The page of counters and the coordinator: begun with the proxy, moved where the option says, gone at the end."""

import logging
from typing import Any

import pytest

from wiretape.metrics.counters import SessionCounters
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames
from wiretape.proxy import reporting
from wiretape.proxy.reporting import Reporting
from wiretape.replay.take_counters import LocalTurns

HERE = Address("127.0.0.1", 0)


class Page:
    """In the place of the page: those that are open."""

    opened: list["Page"] = []  # noqa: RUF012

    def __init__(self, address: Address, sessions: Any, names: OwnNames) -> None:
        if address.port == 1:
            raise OSError("it is taken")
        self.address = address
        self.names = names
        Page.opened.append(self)

    def close(self) -> None:
        Page.opened.remove(self)


@pytest.fixture(autouse=True)
def _page(monkeypatch: pytest.MonkeyPatch) -> None:
    Page.opened.clear()
    monkeypatch.setattr(reporting, "Page", Page)


def told() -> list[tuple[int, OwnNames]]:
    return [(each.address.port, each.names) for each in Page.opened]


def test_the_page_is_there_while_the_proxy_is_up() -> None:
    made = Reporting(SessionCounters())
    names = OwnNames(("a",))
    made.publish(Address("127.0.0.1", 9000), names)
    assert told() == [], "the proxy is not up yet"
    made.start()
    assert told() == [(9000, names)]
    made.publish(Address("127.0.0.1", 9000), names)
    made.publish(Address("127.0.0.1", 9001), names)
    assert told() == [(9001, names)]
    made.publish(None, names)
    assert told() == []
    made.publish(HERE, OwnNames())
    made.stop()
    made.stop()
    assert told() == []


def test_a_page_that_cannot_be_had_is_an_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    made = Reporting(SessionCounters())
    made.publish(Address("127.0.0.1", 1), OwnNames())
    with caplog.at_level(logging.ERROR):
        made.start()
    assert "wiretape_metrics: no page at 127.0.0.1:1: it is taken" in caplog.text
    made.stop()


def test_a_proxy_by_itself_counts_takes_itself() -> None:
    made = Reporting(SessionCounters())
    made.join(None)
    assert made.greet(lambda: None, lambda _: "") is None
    assert isinstance(made.turns, LocalTurns)
    assert made.turns.next("s", "a") == 0
