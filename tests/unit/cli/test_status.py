import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import pytest

from controlling import told
from forked import wiretape
from wiretape.cli.status import NoAnswerError, fetch
from wiretape.control.server import WebServer
from wiretape.control.site import Site
from wiretape.metrics.counters import SessionCounters
from wiretape.metrics.prometheus import CounterPage
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames


@pytest.fixture
def ledger() -> SessionCounters:
    ledger = SessionCounters()
    ledger.of("checkout").hits = 1234
    ledger.of("default").misses = 2
    return ledger


@pytest.fixture
def page(ledger: SessionCounters) -> Iterator[WebServer]:
    with WebServer(Address("127.0.0.1", 0), Site(OwnNames(), CounterPage(ledger.sessions))) as page:
        yield page


def status(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    # A proxy of the environment would be asked for its own counters, through itself.
    proxies = {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}
    return wiretape("status", *arguments, env={**proxies, **(env or {})})


def test_a_table_with_a_row_for_each_session_and_their_sum(page: WebServer) -> None:
    shown = status("--url", f"http://{page.address}")
    assert shown.returncode == 0, shown.stderr
    rows = [line.split() for line in shown.stdout.splitlines()]
    assert [row[:3] for row in rows[1:]] == [["checkout", "1,234", "0"], ["default", "0", "2"], ["total", "1,234", "2"]]


@pytest.mark.parametrize("url", ["http://{}/metrics", "http://{}/", "{}"])
def test_for_programs_all_of_it_whatever_way_the_page_is_named(
    page: WebServer, ledger: SessionCounters, url: str
) -> None:
    shown = status("--json", "--url", url.format(page.address))
    told = {
        "sessions": {session: asdict(counters) for session, counters in ledger.sessions().items()},
        "total": asdict(ledger.total()),
    }
    assert json.loads(shown.stdout) == json.loads(json.dumps(told, default=str))


def test_the_control_api_tells_the_same(tmp_path: Path, ledger: SessionCounters) -> None:
    ledger.of("checkout").rules["today"] = 3
    with told(tmp_path, ledger=ledger) as proxy:
        with WebServer(Address("127.0.0.1", 0), Site(OwnNames(), backend=proxy)) as server:
            assert fetch(server.url) == ledger.sessions()
            shown = status("--json", env={"WIRETAPE_CONTROL": server.url})
        assert json.loads(shown.stdout)["total"]["hits"] == 1234


def test_where_nobody_answers_it_says_so(page: WebServer) -> None:
    page.close()
    shown = status("--url", f"http://{page.address}")
    assert shown.returncode == 2
    assert f"nothing answers at http://{page.address}" in shown.stderr
    assert "wiretape_metrics=PORT" in shown.stderr


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://", "http://127.0.0.1:x"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    shown = status("--url", url)
    assert shown.returncode == 2
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "http://[::1", "[/b]\x1b[31m", "file:///x"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(NoAnswerError, match="is no address of a page"):
        fetch(url)
