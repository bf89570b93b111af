"""What calls cost, added up: spent, saved or of no known price; and taken from the budget of a session."""

import logging
from decimal import Decimal
from pathlib import Path

import pytest

from wiretape import config
from wiretape.call_log.call import Call, Outcome
from wiretape.metrics.counters import SessionCounters
from wiretape.pricing.prices import Prices
from wiretape.pricing.spending import Spending, Spent
from wiretape.providers.usage import Usage
from wiretape.proxy.accounting import Accounting, Terms

NOW = 1_795_824_000.0  # 2026-11-28
SESSIONS = config.loads("team.toml", '[session.s]\nbudget = "5 USD per day"\n').sessions()
TOLD = Usage(10, output=5)


def call(outcome: Outcome, cost: str | None = "0.5", **more: object) -> Call:
    price = None if cost is None else Decimal(cost)
    return Call(NOW, "s", "record", outcome, cost_usd=price, usage=TOLD, **more)  # type: ignore[arg-type]


def silent(**more: object) -> Call:
    return Call(NOW, "s", "record", Outcome.RECORDED, **more)  # type: ignore[arg-type]


@pytest.fixture(name="counters")
def _counters() -> SessionCounters:
    return SessionCounters()


@pytest.fixture(name="spending")
def _spending(tmp_path: Path) -> Spending:
    return Spending(tmp_path / "spent.sqlite")


@pytest.fixture(name="accounting")
def _accounting(counters: SessionCounters, spending: Spending) -> Accounting:
    accounting = Accounting(counters, lambda: NOW)
    accounting.use(Terms(Prices(), SESSIONS, spending))
    return accounting


type Row = tuple[Call, str, str, int]

COUNTED: dict[str, Row] = {
    "recorded": (call(Outcome.RECORDED), "0.5", "0", 0),
    "passed": (call(Outcome.PASSED), "0.5", "0", 0),
    "lost": (call(Outcome.LOST), "0.5", "0", 0),
    "a hit": (call(Outcome.HIT), "0", "0.5", 0),
    "followed": (call(Outcome.FOLLOWED), "0", "0.5", 0),
    "a miss": (call(Outcome.MISS), "0", "0", 0),
    "refused": (call(Outcome.REFUSED), "0", "0", 0),
    "of no known price": (call(Outcome.RECORDED, None), "0", "0", 1),
    "a hit of no known price": (call(Outcome.HIT, None), "0", "0", 1),
    "a stream that tells no tokens": (silent(model="m", endpoint="/v1/chat/completions", status=200), "0", "0", 1),
    "no model": (silent(endpoint="/v1/models"), "0", "0", 0),
    "an error": (silent(model="m", status=429), "0", "0", 0),
    "tokens that are only counted": (silent(model="m", endpoint="/messages/count_tokens"), "0", "0", 0),
}


@pytest.mark.parametrize("row", COUNTED.values(), ids=COUNTED)
def test_as_what_a_call_is_counted(row: Row, accounting: Accounting, counters: SessionCounters) -> None:
    told, spent, saved, unpriced = row
    accounting.add(told, times=1)
    total = counters.total()
    assert (total.spent_usd, total.saved_usd, total.unpriced) == (Decimal(spent), Decimal(saved), unpriced)


def test_what_was_paid_is_taken_from_the_budget(accounting: Accounting, spending: Spending) -> None:
    for each in (call(Outcome.RECORDED), call(Outcome.HIT), call(Outcome.PASSED, "0.25"), call(Outcome.PASSED, None)):
        accounting.add(each, times=1)
    assert spending.all() == {("s", "2026-11-28"): Spent(Decimal("0.75"), 1)}


def test_a_session_without_a_budget_has_none_that_is_spent(accounting: Accounting, spending: Spending) -> None:
    accounting.use(Terms(Prices(), config.loads("team.toml", "").sessions(), spending))
    accounting.add(call(Outcome.RECORDED), times=1)
    assert spending.all() == {}


def test_a_price_that_is_not_known_is_said_once_for_each_model(
    accounting: Accounting, caplog: pytest.LogCaptureFixture
) -> None:
    for model in ("a", "a", "b"):
        accounting.add(call(Outcome.RECORDED, None, model=model, provider="openai"), times=1)
    said = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert [text.split(":")[1] for text in said] == [
        *(" no price is known for a at openai, so it counts as nothing",),
        " no price is known for b at openai, so it counts as nothing",
    ]


def test_a_file_that_fails_is_said_and_all_else_is_counted(
    accounting: Accounting, counters: SessionCounters, spending: Spending, caplog: pytest.LogCaptureFixture
) -> None:
    spending.file.write_bytes(b"no database" * 100)
    accounting.add(call(Outcome.RECORDED), times=1)
    accounting.add(call(Outcome.RECORDED), times=1)
    assert counters.total().spent_usd == 1
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_call_without_a_time_is_priced_for_now(accounting: Accounting) -> None:
    usage = Usage(1_000_000, output=0)
    assert accounting.price("deepseek", "deepseek-chat", usage, 0.0) == accounting.price(
        "deepseek", "deepseek-chat", usage, NOW
    )
