import ast
import inspect
import socket
from collections.abc import Iterator
from decimal import Decimal
from http.client import HTTPConnection, HTTPResponse
from itertools import pairwise

import pytest

import wiretape
from wiretape.metrics import counters as module
from wiretape.metrics import prometheus
from wiretape.metrics.counters import NUMBERS, Reason, SessionCounters
from wiretape.metrics.prometheus import FAMILIES, Page, Workers
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames

HERE = Address("127.0.0.1", 0)
STRANGE = 'a "quoted"\\ name\nwith a line'


@pytest.fixture
def ledger() -> SessionCounters:
    ledger = SessionCounters()
    for place, name in enumerate(NUMBERS, 1):
        setattr(ledger.of("default"), name, place)
    ledger.of("checkout").hits = 7
    ledger.of("checkout").saved_usd = Decimal("0.000123")
    return ledger


@pytest.fixture
def page(ledger: SessionCounters) -> Iterator[Page]:
    with Page(HERE, ledger.sessions, OwnNames()) as page:
        yield page


def ask(page: Page, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, str]:
    connection = HTTPConnection(page.address.host, page.address.port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read().decode()
    finally:
        connection.close()


def test_every_counter_is_on_the_page_under_a_name_of_its_own(page: Page) -> None:
    _, text = ask(page, "/metrics")
    for place, each in enumerate(NUMBERS, 1):
        name, help_text = FAMILIES[each]
        assert f'\n{name}_total{{session="default"}} {place:.1f}\n' in text
        assert f"# HELP {name}_total {help_text}\n# TYPE {name}_total counter\n" in text
    assert '\nwiretape_hits_total{session="checkout"} 7.0\n' in text
    assert '\nwiretape_saved_usd_total{session="checkout"} 0.000123\n' in text
    assert f'\nwiretape_build_info{{version="{wiretape.__version__}"}} 1.0\n' in text
    assert "python_info" not in text  # Nor anything else that is not about wiretape.


def test_the_help_is_what_the_counters_themselves_say() -> None:
    body = ast.parse(inspect.getsource(module)).body
    counters = next(each for each in body if isinstance(each, ast.ClassDef) and each.name == "Counters").body
    said = {
        one.target.id: text.value.value.replace("``", "")
        for one, text in pairwise(counters)
        if isinstance(one, ast.AnnAssign)
        and isinstance(one.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
    assert {name: text for name, (_, text) in FAMILIES.items()} == {name: said[name] for name in NUMBERS}


def test_what_is_written_can_be_read_again(page: Page, ledger: SessionCounters) -> None:
    ledger.of(STRANGE).misses = 3
    ledger.of(STRANGE).reasons = {Reason.SIZE: 2, Reason.ERROR: 1}
    ledger.of(STRANGE).rules = {"claude-code/date": 2, "call-ids": 1}
    assert prometheus.parse(ask(page, "/metrics")[1]) == ledger.sessions()


def test_a_page_shows_what_is_counted_now(page: Page, ledger: SessionCounters) -> None:
    ledger.of("default").hits = 123_456_789_012
    assert prometheus.parse(ask(page, "/metrics")[1])["default"].hits == 123_456_789_012


def test_a_reader_that_asks_for_openmetrics_gets_it(page: Page) -> None:
    answer, text = ask(page, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert (answer.getheader("content-type") or "").startswith("application/openmetrics-text")
    assert text.endswith("\n# EOF\n")


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/healthz", 200, "ok\n"),
        ("HEAD", "/healthz", 200, ""),
        ("GET", "/metrics?name=x", 200, None),
        ("HEAD", "/metrics", 200, ""),
        ("GET", "/", 404, None),
        ("GET", "/metrics/x", 404, None),
        ("POST", "/metrics", 501, None),
        ("DELETE", "/healthz", 501, None),
    ],
)
def test_two_paths_for_get_and_head(page: Page, method: str, path: str, status: int, body: str | None) -> None:
    answer, text = ask(page, path, method)
    assert answer.status == status
    assert body is None or text == body
    assert answer.getheader("server") == "wiretape"


@pytest.mark.parametrize(("up", "status"), [(2, 200), (0, 503)])
def test_with_workers_it_is_healthy_while_one_is_up(ledger: SessionCounters, up: int, status: int) -> None:
    with Page(HERE, ledger.sessions, OwnNames(), lambda: Workers(up, {"1": 0, "2": 5})) as page:
        assert ask(page, "/healthz")[0].status == status
        text = ask(page, "/metrics")[1]
    assert f"\nwiretape_workers {up:.1f}\n" in text
    assert '\nwiretape_worker_restarts_total{worker="2"} 5.0\n' in text


def test_a_reader_that_says_nothing_keeps_nobody_waiting(page: Page) -> None:
    with socket.create_connection((page.address.host, page.address.port)) as silent:
        assert ask(page, "/healthz")[0].status == 200
        silent.sendall(b"GET /hea")
        assert ask(page, "/healthz")[0].status == 200


def test_a_port_that_is_taken_is_an_error_at_once(page: Page, ledger: SessionCounters) -> None:
    with pytest.raises(OSError, match="in use"):
        Page(page.address, ledger.sessions, OwnNames())


def test_after_its_end_nobody_answers(ledger: SessionCounters) -> None:
    with Page(HERE, ledger.sessions, OwnNames()) as page:
        address = page.address
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.host, address.port)).close()


@pytest.mark.parametrize("text", ["", "<html></html>", "up 1\n", "wiretape_hits_total 3"])
def test_another_page_is_none_of_ours(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        prometheus.parse(text)
