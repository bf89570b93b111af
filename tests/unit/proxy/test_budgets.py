"""Whether a session may still spend: it is told when what came before is added up; where that is unknown, it is not."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from builders import tape_of
from deciding import make_decider
from wiretape import config
from wiretape.call_log import places
from wiretape.call_log.call import Outcome
from wiretape.call_log.log import CallLog
from wiretape.metrics.counters import SessionCounters
from wiretape.policy import Mode
from wiretape.pricing.budget import Budget, Per
from wiretape.pricing.prices import Prices
from wiretape.pricing.spending import Spending, Spent
from wiretape.providers.usage import Usage
from wiretape.proxy import budgets
from wiretape.proxy.accounting import Accounting, Terms
from wiretape.proxy.admission import Grant
from wiretape.proxy.budgets import Account, Budgets
from wiretape.proxy.call_teller import CallTeller
from wiretape.proxy.open_call import OpenCall
from wiretape.store.directory import DirectoryStore
from wiretape.store.opening import StoreUrl

NOW = 1_795_824_000.0
FIVE = Budget(Decimal(5))
SESSIONS = config.loads("team.toml", '[session.s]\nbudget = "5 USD"\n').sessions()


class Rig:
    """A session that may spend five dollars, and the log that counts what it does."""

    def __init__(self, folder: Path) -> None:
        self.spending = Spending(folder / "spent.sqlite")
        self.decider = make_decider()
        self.teller: CallTeller = self.decider.teller
        self.budgets = Budgets(self.teller, lambda: NOW)
        self.budgets.spending = self.spending
        accounting = Accounting(SessionCounters(), lambda: NOW)
        accounting.use(Terms(Prices(), SESSIONS, self.spending))
        self.teller.log = CallLog(None, "run", accounting.price, account=accounting.add)
        self.grant = Grant(tape_of(DirectoryStore(folder), "s", Mode.RECORD))

    def close(self) -> None:
        assert self.teller.log
        self.teller.log.close()
        self.decider.close()

    def ended(self) -> OpenCall:
        """A call whose answer has ended, and that costs more than there is."""
        call = self.teller.open(self.grant, 0.0)
        call.outcome = Outcome.RECORDED
        call.is_over = True
        return call

    async def used_up(self, method: str = "POST", budget: Budget | None = FIVE) -> Account | None:
        return await self.budgets.used_up("s", budget, method)


@pytest.fixture(name="rig")
def _rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


@pytest.mark.parametrize(("spent", "is_used_up"), [("0", False), ("4.999", False), ("5", True), ("9", True)])
def test_a_budget_is_used_up_when_it_is_spent(spent: str, is_used_up: bool, rig: Rig) -> None:
    rig.spending.add("s", "", Decimal(spent))
    assert (asyncio.run(rig.used_up()) is not None) is is_used_up


def test_a_session_without_a_budget_and_what_costs_nothing_pass(rig: Rig) -> None:
    rig.spending.add("s", "", Decimal(9))
    assert asyncio.run(rig.used_up(budget=None)) is None
    assert [asyncio.run(rig.used_up(each)) for each in ("GET", "HEAD", "OPTIONS", "DELETE")] == [None] * 4
    assert asyncio.run(rig.used_up("")), "a conversation"


def test_a_budget_of_a_day_is_another_one_on_the_next(rig: Rig) -> None:
    daily = Budget(Decimal(5), Per.DAY)
    rig.spending.add("s", "2026-11-27", Decimal(9))
    assert asyncio.run(rig.used_up(budget=daily)) is None
    rig.spending.add("s", "2026-11-28", Decimal(9))
    assert asyncio.run(rig.used_up(budget=daily))


def test_who_asks_waits_until_answers_that_have_ended_are_added_up(rig: Rig) -> None:
    async def ask() -> tuple[bool, Account | None]:
        call = rig.ended()
        asking = asyncio.create_task(rig.used_up())
        await asyncio.sleep(0)
        is_waiting = not asking.done()
        call.usage = Usage(1, billed_usd="7")
        call.end()
        return is_waiting, await asking

    is_waiting, account = asyncio.run(ask())
    assert is_waiting
    assert account
    assert account.spent == Spent(Decimal(7))


def test_what_is_under_way_and_other_sessions_are_not_waited_for(rig: Rig) -> None:
    rig.teller.open(rig.grant, 0.0)
    other = rig.teller.open(Grant(tape_of(DirectoryStore(Path("nowhere")), "other", Mode.RECORD)), 0.0)
    other.is_over = True
    assert asyncio.run(rig.used_up()) is None


def test_where_it_cannot_be_told_nobody_may(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "_SETTLING", 0.0)
    rig.ended()
    with pytest.raises(OSError, match="is not known yet"):
        asyncio.run(rig.used_up())


def test_what_cannot_be_read_is_an_error(rig: Rig) -> None:
    rig.spending.file.write_bytes(b"no database" * 100)
    with pytest.raises(OSError, match=r"spent\.sqlite"):
        asyncio.run(rig.used_up())


TOLD = {
    Per.EVER: "the budget of session s is used up: 5.25 USD of 5 USD are spent, so nothing more is sent to a provider; "
    "recordings go on being served. To go on now: wiretape budget --reset s, or a higher budget in [session.s] of "
    "wiretape.toml",
    Per.DAY: "5.25 USD of 5 USD per day are spent, so nothing more is sent to a provider; recordings go on being "
    "served. It begins anew at midnight UTC. To go on now:",
    Per.WEEK: "It begins anew on Monday, UTC.",
    Per.MONTH: "It begins anew with the next month, UTC.",
}


@pytest.mark.parametrize(("per", "text"), TOLD.items())
def test_a_client_is_told_what_was_spent_and_what_to_do(per: Per, text: str) -> None:
    assert text in str(Account("s", Budget(Decimal(5), per), Spent(Decimal("5.25"))))
    unknown = str(Account("s", Budget(Decimal(5), per), Spent(Decimal("5.25"), 3)))
    assert "are spent (and 3 calls of unknown price), so" in unknown


def test_what_was_spent_is_kept_where_a_session_has_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    place = StoreUrl(str(tmp_path / "recordings"))
    assert budgets.spending(place, config.loads("team.toml", "").sessions(), Prices(), None) is None
    made = budgets.spending(place, SESSIONS, Prices(), None)
    assert made
    assert made.file == places.spent_file(str(tmp_path / "recordings"))
    assert budgets.spending(place, SESSIONS, Prices(), made) is made, "what is open stays"


def test_a_budget_without_prices_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiretape.pricing.installed.version", lambda: "")
    with pytest.raises(ValueError, match=r"session s has a budget, and no price is known: .*pip install"):
        budgets.spending(StoreUrl("recordings"), SESSIONS, Prices(), None)
