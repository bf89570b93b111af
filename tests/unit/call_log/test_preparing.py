"""Calls are made ready to be written: their price, no secrets, no text that is too long."""

from dataclasses import replace
from decimal import Decimal

import pytest

from wiretape.call_log.call import Call, MissTold, Outcome
from wiretape.call_log.preparing import CallTemplate, Preparer
from wiretape.providers.usage import Usage

SECRET = "sk-proj-" + "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA" * 2
HIT = Call(5.5, "s", "replay", Outcome.HIT, "a call", "openai", model="m", usage=Usage(output=7))


def price(provider: str, model: str, usage: Usage, at: float) -> Decimal | None:
    return Decimal("0.000001") * (usage.output or 0) if (provider, model, at) == ("openai", "m", 5.5) else None


def test_it_has_its_run_and_its_price() -> None:
    prepared = Preparer("r", price).of(HIT)
    assert prepared
    assert prepared.call == replace(HIT, run="r", cost_usd=Decimal("0.000007"))
    assert prepared.entry.what[:6] == ("r", "s", "", "hit", "", "")
    other = Preparer("r", price).of(replace(HIT, model="n"))
    assert other
    assert other.call.cost_usd is None


def test_of_a_template_it_is_done_once_for_a_log() -> None:
    made = []

    def make() -> Call:
        made.append(1)
        return HIT

    template = CallTemplate(make)
    one = Preparer("one", None)
    assert one.of_template(template) is one.of_template(template)
    other = Preparer("other", None).of_template(template)
    assert other
    assert other.call.run == "other"
    assert len(made) == 2


def test_what_cannot_be_made_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    preparer = Preparer("r", lambda *_: Decimal(1 // 0))
    assert [preparer.of(HIT), preparer.of(HIT)] == [None, None]
    assert caplog.text.count("a call cannot be told") == 1


def test_no_secret_is_left_in_it() -> None:
    miss = MissTold(difference=f"{SECRET} here", text=f"all: {SECRET}")
    told = Call(0.0, "s", "replay", Outcome.MISS, f"GET /{SECRET}", SECRET, SECRET, SECRET, why=(SECRET,), miss=miss)
    prepared = Preparer("r", None).of(replace(told, client=SECRET, test_id=SECRET, scope=SECRET))
    assert prepared
    assert SECRET[:20] not in str(prepared.call) + str(prepared.entry.what)
    assert prepared.call.miss
    assert prepared.call.miss.text.startswith("all: ")


def test_what_is_no_secret_stays_as_it_is() -> None:
    told = replace(
        HIT,
        session="checkout",
        endpoint="/v1/chat/completions",
        model="accounts/fireworks/models/llama-v3p1-8b-instruct",
        client="gw0",
        scope="0198c2f4-1111-7222-8333-444455556666",
        test_id="tests/unit/test_checkout.py::TestCheckout::test_total[eur-2 items-0x1F]",
        recording="e99f14805360b0a1e2c3d4f5061728394a5b6c7d8e9f00112233445566778899",
        recorded_in="base",
        rules=("call-ids", "codex/date"),
        why=("fault: delay of 1 s",),
        usage=Usage(1, 2, 3, 4, model="gpt-5-2025-08-07"),
    )
    prepared = Preparer("2026-11-28T07:00:00Z-4711-0a1b2c", None).of(told)
    assert prepared
    assert prepared.call == replace(told, run="2026-11-28T07:00:00Z-4711-0a1b2c")


def test_texts_are_cut() -> None:
    prepared = Preparer("r", None).of(replace(HIT, request="x" * 10**6, why=("y",) * 1000))
    assert prepared
    assert len(prepared.call.request) < 10_000
    assert len(prepared.call.why) < 100
    assert len(prepared.entry.what.told) < 20_000


def test_half_a_surrogate_pair_costs_no_call_its_place() -> None:
    prepared = Preparer("r", None).of(replace(HIT, model="\ud800日本"))
    assert prepared
    assert prepared.call.model == "?日本"
    prepared.entry.what.told.encode()
