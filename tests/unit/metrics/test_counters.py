"""What is counted, by session and all together."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from decimal import Decimal

import pytest

from wiretape.metrics import counters as counting
from wiretape.metrics.counters import NUMBERS, OTHERS, Counters, Reason, SessionCounters, added


def test_each_session_has_counters_of_its_own() -> None:
    ledger = SessionCounters()
    ledger.of("one").hits += 2
    ledger.of("two").hits += 1
    ledger.of("two").connections += 3
    assert ledger.of("one") is ledger.of("one")
    assert ledger.sessions() == {"one": Counters(hits=2), "two": Counters(hits=1, connections=3)}


def test_the_total_is_the_sum_and_a_value_of_its_own() -> None:
    ledger = SessionCounters()
    assert ledger.total() == Counters()
    ledger.of("one").bytes, ledger.of("two").bytes = 5, 7
    total = ledger.total()
    assert total == Counters(bytes=12)
    total.bytes = 0
    assert ledger.total().bytes == 12


def _counted(step: int) -> Counters:
    counters = Counters(reasons={Reason.SIZE: step}, rules={"a": step})
    for number, name in enumerate(NUMBERS, 1):
        setattr(counters, name, number * step)
    return counters


def test_every_counter_is_added_up() -> None:
    assert {*NUMBERS, "reasons", "rules"} == {each.name for each in fields(Counters)}
    assert added([_counted(1), _counted(1)]) == _counted(2)
    assert added([]) == Counters()


def test_a_hit_by_rules_is_counted_once_and_with_each_rule() -> None:
    counters = Counters(hits=3)
    counters.hit_by_rules(["today"])
    counters.hit_by_rules(["call-ids", "today"])
    assert (counters.hits_by_rules, counters.rules) == (2, {"today": 2, "call-ids": 1})
    assert counters.summary().startswith(
        "3 hits (0 tokens served from recordings), 2 of them by rules (today, call-ids), "
    )
    assert "by rules" not in Counters(hits=3).summary()


def test_what_is_not_recorded_is_counted_by_its_reason() -> None:
    counters = Counters()
    for reason in (Reason.SIZE, Reason.ERROR, Reason.ERROR):
        counters.not_recorded(reason)
    assert counters.unrecorded == 3
    assert counters.summary().endswith(
        "3 answers NOT recorded (2 with an error, or a status that is not kept, 1 too large)"
    )


def test_who_names_ever_new_sessions_fills_no_memory() -> None:
    ledger = SessionCounters()
    for number in range(3000):
        ledger.of(f"s{number}").misses += 1
    assert len(ledger.sessions()) <= 1001
    assert ledger.sessions()[OTHERS].misses == 3000 - (len(ledger.sessions()) - 1)
    # Who had one keeps it, and nothing is lost.
    ledger.of("s0").misses += 1
    assert ledger.sessions()["s0"].misses == 2
    assert ledger.total().misses == 3001


def test_threads_that_come_together_share_one() -> None:
    ledger = SessionCounters()
    with ThreadPoolExecutor(8) as pool:
        found = [*pool.map(ledger.of, [f"s{number // 8}" for number in range(800)])]
    assert len({id(each) for each in found}) == 100


COSTS = {
    "": Counters(hits=3),
    "spent 0.42 USD": Counters(spent_usd=Decimal("0.42")),
    "saved 1.10 USD": Counters(saved_usd=Decimal("1.1")),
    "spent 0.42 USD, saved 1.10 USD (and 1 call of unknown price)": Counters(
        spent_usd=Decimal("0.42"), saved_usd=Decimal("1.1"), unpriced=1
    ),
    "3 calls of unknown price": Counters(unpriced=3),
}


@pytest.mark.parametrize(("words", "counters"), COSTS.items())
def test_what_was_spent_and_saved_is_told_where_there_is_any(words: str, counters: Counters) -> None:
    assert counters.told_costs == words
    assert counters.summary().endswith(f", {words}" if words else "sent to providers")


def test_sums_of_money_are_exact() -> None:
    ledger = SessionCounters()
    for _ in range(10):
        ledger.of("a").spent_usd += Decimal("0.1")
    ledger.of("b").spent_usd += Decimal("1e-12")
    assert ledger.total().spent_usd == Decimal("1.000000000001")


def test_counters_are_json_and_the_same_again() -> None:
    counters = Counters(hits=3, spent_usd=Decimal("0.000000000123"), reasons={Reason.LOST: 1}, rules={"today": 2})
    value = json.loads(json.dumps(counting.as_json(counters)))
    assert value["spent_usd"] == "1.23E-10"
    assert counting.from_json(value) == counters
    assert counting.from_json({"hits": 1}) == Counters(hits=1)


@pytest.mark.parametrize("value", [{"spent_usd": "NaN"}, {"hits": "x"}, {"reasons": {"none": 1}}])
def test_what_are_no_counters_is_an_error(value: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        counting.from_json(value)
