"""How much a session may spend."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from wiretape.pricing import budget
from wiretape.pricing.budget import Budget, Per

RIGHT = {
    "5 USD": Budget(Decimal(5)),
    "5USD": Budget(Decimal(5)),
    "0.5 usd": Budget(Decimal("0.5")),
    "0 USD": Budget(Decimal(0)),
    "12.345678 USD per day": Budget(Decimal("12.345678"), Per.DAY),
    "5 USD per week": Budget(Decimal(5), Per.WEEK),
    "5 USD per month": Budget(Decimal(5), Per.MONTH),
}


@pytest.mark.parametrize(("text", "value"), RIGHT.items())
def test_what_a_budget_is(text: str, value: Budget) -> None:
    assert budget.parse(text) == value
    assert budget.parse(str(value).replace("12.35", "12.345678")) == value


@pytest.mark.parametrize(
    "text", ["", "5", "5 EUR", "$5", "-5 USD", "1e3 USD", "5 USD per year", "\u0665 USD", "9" * 10 + " USD"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match='is no budget: it is "5 USD", or "5 USD per day", per week or per month'):
        budget.parse(text)


def test_a_period_has_a_name() -> None:
    at = datetime(2026, 11, 28, 23, 59, tzinfo=UTC).timestamp()
    assert [each.name_at(at) for each in Per] == ["", "2026-11-28", "2026-W48", "2026-11"]
    assert Per.DAY.name_at(at + 60) == "2026-11-29"
