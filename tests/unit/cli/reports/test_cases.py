"""Of calls that are the same it is said once."""

from decimal import Decimal

import pytest

from told_calls import call, miss
from wiretape.call_log.call import Outcome
from wiretape.cli.reports import cases


def test_calls_that_are_the_same_are_one_case() -> None:
    hit = call(recording="a", cost_usd=Decimal("0.25"))
    run = cases.gathered([hit, miss(), miss(at=1_700_000_001.0), hit, miss(session="other")])
    assert [(case.call.session, case.call.outcome, case.count) for case in run.cases] == [
        ("default", "hit", 2),
        ("default", "miss", 2),
        ("other", "miss", 1),
    ]
    assert run.cases[1].seconds == 0.5
    assert run.calls == 5
    assert run.outcomes == {"hit": 2, "miss": 3}
    assert (run.spent, run.saved) == (None, Decimal("0.50"))
    assert [case.call.session for case in run.failures] == ["default", "other"]


def test_what_was_paid_is_spent_whatever_became_of_it() -> None:
    paid = [call(outcome, cost_usd=Decimal(1)) for outcome in (Outcome.RECORDED, Outcome.PASSED, Outcome.LOST)]
    assert cases.gathered([*paid, call(Outcome.FOLLOWED, cost_usd=Decimal(2))]).spent == 3


def test_why_a_case_is_a_failure() -> None:
    lost = call(Outcome.LOST, why=("RECORDING LOST: no space left", "and more"))
    (missed, other) = cases.gathered([miss(), lost]).failures
    assert (missed.reason, missed.explanation) == ("messages[0].content: a here, b", "All of it.\nIn lines.")
    assert other.reason == "RECORDING LOST: no space left; and more"
    assert other.explanation == "RECORDING LOST: no space left\nand more"
    (refused,) = cases.gathered([call(Outcome.REFUSED)]).failures
    assert refused.reason == refused.explanation == "it was refused"


def test_there_is_an_end_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "MOST", 2)
    run = cases.gathered(call(recording=str(number)) for number in range(5))
    assert (len(run.cases), run.left_out, run.calls) == (2, 3, 5)
