"""The faults in force: which sets a request meets, and what each of them counts."""

from typing import Any

import pytest

from wiretape.proxy import fault_sets
from wiretape.proxy.fault_sets import FaultSets
from wiretape.replay import fault_config
from wiretape.replay.faults import Fault, FaultQuery, FaultRule, Faults
from wiretape.replay.take_counters import LocalTurns
from wiretape.sessions.scopes import Overrides, Scope, SessionOverride

QUERY = FaultQuery("a", "openai", ("/v1/chat/completions",), "m", "0")


def rules(*entries: dict[str, Any]) -> tuple[FaultRule, ...]:
    return fault_config.parse(entries, ("openai",))


def scope(scope_id: str, *entries: dict[str, Any]) -> Scope:
    return Scope(scope_id, f"gw{scope_id}", "a", override=SessionOverride(faults=rules(*entries)))


def status(fault: Fault | None) -> int:
    return fault.status.code if fault and fault.status else 0


TURNS = LocalTurns()


@pytest.fixture(autouse=True)
def _turns() -> None:
    TURNS.rewind()


def drawn(sets: FaultSets, of: Scope | None) -> int:
    return status(fault_sets.draw(sets.of("a", of), QUERY))


def test_the_nearest_fault_is_met_and_all_are_counted() -> None:
    sets = FaultSets()
    sets.configured = Faults(rules({"status": 500}))
    mine = scope("0", {"status": 429, "nth": 1})
    sets.use(Overrides({"a": SessionOverride(faults=rules({"status": 503, "nth": 2}))}).with_scope(mine), TURNS)
    assert [drawn(sets, mine) for _ in range(3)] == [429, 503, 500]
    assert drawn(sets, None) == 500
    assert [len(sets.of("b", None)), len(sets.of("a", None)), len(sets.of("a", mine))] == [1, 2, 3]
    TURNS.rewind()
    assert drawn(sets, mine) == 429


def test_what_was_asked_for_is_counted_over_all_workers_and_what_is_configured_in_each() -> None:
    workers = [FaultSets(), FaultSets()]
    mine = scope("0", {"status": 429, "nth": 1})
    for sets in workers:
        sets.configured = Faults(rules({"status": 500, "nth": 2}))
        sets.use(Overrides().with_scope(mine), TURNS)
    assert [drawn(sets, mine) for sets in (*workers, *workers)] == [429, 0, 500, 500]
    workers[0].rewind()
    assert [drawn(sets, mine) for sets in (workers[0], workers[0])] == [0, 500]


def test_each_scope_counts_by_itself() -> None:
    sets = FaultSets()
    one, two = scope("0", {"status": 429, "nth": 1}), scope("1", {"status": 429, "nth": 1})
    sets.use(Overrides().with_scope(one).with_scope(two), TURNS)
    assert [drawn(sets, one), drawn(sets, one), drawn(sets, two)] == [429, 0, 429]


def test_what_stays_goes_on_counting_when_others_come_and_go() -> None:
    sets = FaultSets()
    one = scope("0", {"status": 429, "nth": 2})
    sets.use(Overrides().with_scope(one), TURNS)
    assert drawn(sets, one) == 0
    sets.use(Overrides({"b": SessionOverride()}).with_scope(scope("0", {"status": 429, "nth": 2})), TURNS)
    assert drawn(sets, one) == 429
    sets.use(Overrides().with_scope(scope("0", {"status": 503, "nth": 1})), TURNS)
    assert drawn(sets, one) == 503, "other faults count from the start"
    sets.use(Overrides(), TURNS)
    assert not sets.has_any
    assert sets.of("a", one) == ()
