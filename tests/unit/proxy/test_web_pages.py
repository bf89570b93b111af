"""The page of counters and the control API: begun with the proxy, moved where the options say, gone at the end."""

import logging
from typing import Any

import pytest

from wiretape.control.site import Site
from wiretape.metrics import prometheus
from wiretape.metrics.counters import SessionCounters
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames
from wiretape.proxy import web_pages
from wiretape.proxy.web_pages import WebPages

HERE = Address("127.0.0.1", 9000)
THERE = Address("127.0.0.1", 9001)
TAKEN = Address("127.0.0.1", 1)
NAMES = OwnNames(("a",))


class Server:
    """In the place of a server: those that are open."""

    opened: list["Server"] = []  # noqa: RUF012

    def __init__(self, address: Address, site: Site) -> None:
        if address == TAKEN:
            raise OSError("it is taken")
        self.url = f"http://{address}"
        self.site = site
        Server.opened.append(self)

    def close(self) -> None:
        Server.opened.remove(self)


@pytest.fixture(autouse=True)
def _server(monkeypatch: pytest.MonkeyPatch) -> None:
    Server.opened.clear()
    monkeypatch.setattr(web_pages, "WebServer", Server)


def made() -> WebPages:
    backend: Any = object()
    return WebPages(SessionCounters(), backend)


def there() -> list[tuple[str, bool, bool]]:
    """Where something is, and whether that has counters, and an API."""
    return [(each.url, bool(each.site.counters), bool(each.site.backend)) for each in Server.opened]


def test_they_are_there_while_the_proxy_is_up() -> None:
    pages = made()
    pages.publish(HERE, THERE, NAMES)
    assert there() == [], "the proxy is not up yet"
    pages.start()
    assert there() == [(f"http://{THERE}", False, True), (f"http://{HERE}", True, False)]
    assert pages.control_url == f"http://{THERE}"
    assert all(each.site.names is NAMES for each in Server.opened)
    first = [*Server.opened]
    pages.publish(HERE, THERE, NAMES)
    assert Server.opened == first, "nothing has changed"
    pages.publish(None, None, NAMES)
    assert there() == []
    assert pages.control_url == ""
    pages.publish(THERE, None, OwnNames())
    assert there() == [(f"http://{THERE}", True, False)]
    pages.stop()
    pages.stop()
    assert there() == []


def test_at_one_address_they_are_one_server() -> None:
    pages = made()
    pages.publish(HERE, HERE, NAMES)
    pages.start()
    assert there() == [(f"http://{HERE}", True, True)]


@pytest.mark.parametrize(
    ("page", "control", "said"),
    [
        (TAKEN, None, "wiretape_metrics: no page at 127.0.0.1:1: it is taken"),
        (None, TAKEN, "wiretape_control: no API at 127.0.0.1:1: it is taken"),
    ],
)
def test_what_cannot_be_had_is_an_error_in_the_log(
    page: Address | None, control: Address | None, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    pages = made()
    pages.publish(page, control, NAMES)
    with caplog.at_level(logging.ERROR):
        pages.start()
    assert said in caplog.text


def test_without_the_package_the_api_is_there_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(prometheus, "find_spec", lambda _: None)
    pages = made()
    pages.publish(HERE, THERE, NAMES)
    pages.start()
    assert there() == [(f"http://{THERE}", False, True)]
    assert "pip install prometheus-client" in caplog.text
