"""The account of a scope: calls in, a value of JSON out."""

from decimal import Decimal
from typing import Any

from wiretape.call_log.call import Call, MissTold, Outcome
from wiretape.control.accounts import account
from wiretape.control.kept import KeptRecording
from wiretape.providers.usage import Usage
from wiretape.sessions.scopes import Scope

SCOPE = Scope("id", "gw0", "checkout", "test_a")


def call(outcome: Outcome, **more: Any) -> Call:
    return Call(0.0, "checkout", "replay", outcome, **more)


def kept(name: str, session: str = "checkout") -> KeptRecording:
    return KeptRecording(name, session, "/v1/x", "m", 1.0, "")


def told(*calls: Call, recordings: tuple[KeptRecording, ...] = ()) -> dict[str, Any]:
    return account(SCOPE, calls, recordings, is_open=False)


def test_each_outcome_is_counted() -> None:
    made = told(
        call(Outcome.HIT),
        call(Outcome.HIT),
        call(Outcome.FOLLOWED),
        call(Outcome.MISS, miss=MissTold("ab", "cd")),
        call(Outcome.RECORDED, recording="new"),
        call(Outcome.PASSED),
        call(Outcome.REFUSED),
        call(Outcome.FAULT),
        call(Outcome.LOST),
        call(Outcome.IGNORED),
    )
    numbers = {name: made[name] for name in ("calls", "hits", "passed", "refused", "faults", "lost")}
    assert numbers == {"calls": 10, "hits": 2, "passed": 1, "refused": 1, "faults": 1, "lost": 1}
    assert [each["miss"]["nearest"] for each in made["misses"]] == ["cd"]
    assert made["recorded"] == ["new"]
    assert (made["client"], made["session"], made["test_id"]) == ("gw0", "checkout", "test_a")


def test_what_a_provider_was_asked_for_is_spent_and_what_none_was_asked_for_is_saved() -> None:
    made = told(
        call(Outcome.RECORDED, cost_usd=Decimal("0.1"), usage=Usage(10, 5, 20)),
        call(Outcome.LOST, cost_usd=Decimal("0.2")),
        call(Outcome.PASSED, cost_usd=Decimal("0.01")),
        call(Outcome.HIT, cost_usd=Decimal("0.000000001"), usage=Usage(1, None, 2, 1)),
        call(Outcome.FOLLOWED, cost_usd=Decimal("1e-9")),
    )
    assert made["spent_usd"] == "0.31"
    assert Decimal(made["saved_usd"]) == Decimal("0.000000002")
    known = {name: number for name, number in made["tokens"].items() if number is not None}
    assert known == {"input": 11, "cached": 5, "output": 22, "reasoning": 1}


def test_what_is_not_known_is_none_and_not_nothing() -> None:
    made = told(call(Outcome.HIT), call(Outcome.RECORDED))
    assert (made["spent_usd"], made["saved_usd"]) == (None, None)
    assert {*made["tokens"].values()} == {None}


def test_unused_is_what_no_call_had_or_made() -> None:
    made = told(
        call(Outcome.HIT, recording="hit", recorded_in="checkout"),
        call(Outcome.HIT, recording="same-name", recorded_in="base"),
        call(Outcome.RECORDED, recording="new"),
        recordings=(kept("hit"), kept("same-name"), kept("new"), kept("left")),
    )
    assert [each["name"] for each in made["unused"]] == ["same-name", "left"]
