import ast
import inspect
import sys
from decimal import Decimal
from itertools import pairwise

import pytest

import wiretape
from wiretape.metrics import counters as module
from wiretape.metrics import prometheus
from wiretape.metrics.counters import NUMBERS, Reason, SessionCounters
from wiretape.metrics.prometheus import FAMILIES, CounterPage, MissingPackageError, Workers

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
def page(ledger: SessionCounters) -> CounterPage:
    return CounterPage(ledger.sessions)


def text_of(page: CounterPage, accept: str = "") -> str:
    return page.text(accept)[0].decode()


def test_every_counter_is_on_the_page_under_a_name_of_its_own(page: CounterPage) -> None:
    text = text_of(page)
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


def test_what_is_written_can_be_read_again(page: CounterPage, ledger: SessionCounters) -> None:
    ledger.of(STRANGE).misses = 3
    ledger.of(STRANGE).reasons = {Reason.SIZE: 2, Reason.ERROR: 1}
    ledger.of(STRANGE).rules = {"claude-code/date": 2, "call-ids": 1}
    assert prometheus.parse(text_of(page)) == ledger.sessions()


def test_a_page_shows_what_is_counted_now(page: CounterPage, ledger: SessionCounters) -> None:
    ledger.of("default").hits = 123_456_789_012
    assert prometheus.parse(text_of(page))["default"].hits == 123_456_789_012


def test_a_reader_that_asks_for_openmetrics_gets_it(page: CounterPage) -> None:
    text, content_type = page.text("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith(b"\n# EOF\n")
    assert page.text()[1].startswith("text/plain; version=")


@pytest.mark.parametrize(("up", "is_healthy"), [(2, True), (0, False)])
def test_with_workers_it_is_healthy_while_one_is_up(ledger: SessionCounters, up: int, is_healthy: bool) -> None:
    page = CounterPage(ledger.sessions, lambda: Workers(up, {"1": 0, "2": 5}))
    assert page.is_healthy is is_healthy
    assert f"\nwiretape_workers {up:.1f}\n" in text_of(page)
    assert '\nwiretape_worker_restarts_total{worker="2"} 5.0\n' in text_of(page)


def test_without_workers_the_process_itself_is_healthy(page: CounterPage) -> None:
    assert page.is_healthy


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, ledger: SessionCounters) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(MissingPackageError, match="pip install prometheus-client"):
        CounterPage(ledger.sessions)


@pytest.mark.parametrize("text", ["", "<html></html>", "up 1\n", "wiretape_hits_total 3"])
def test_another_page_is_none_of_ours(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        prometheus.parse(text)
