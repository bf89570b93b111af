"""What a usage costs by the prices of a model: no token twice, none forgotten, and nothing made up."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from wiretape.pricing.rates import Period, Rates, Tier, rates_at
from wiretape.providers.usage import Usage

FREE = Rates(input=Decimal(0), output=Decimal(0))
CHEAP = Rates(input=Decimal(2), output=Decimal(10))
CLAUDE = Rates(
    input=Decimal(3),
    cached=Decimal("0.3"),
    cache_write=Decimal("3.75"),
    cache_write_1h=Decimal(6),
    output=Decimal(15),
)
VOICE = Rates(
    input=Decimal(2),
    input_audio=Decimal(40),
    input_image=Decimal(4),
    output=Decimal(10),
    output_audio=Decimal(80),
    output_image=Decimal(30),
    reasoning=Decimal(5),
)

COSTS: dict[str, tuple[Rates, Usage, str | None]] = {
    "input and output": (CHEAP, Usage(1000, output=100), "0.003"),
    "an input alone": (CHEAP, Usage(1000), "0.002"),
    "a cache without a price of its own": (CHEAP, Usage(1000, 900, 100), "0.003"),
    "a cache that was read: once, and cheaper": (CLAUDE, Usage(1000, 900, 10), "0.00072"),
    "a cache that was written": (CLAUDE, Usage(1000, cache_write=900, output=10), "0.003825"),
    "a part of it for an hour": (CLAUDE, Usage(1000, cache_write=900, cache_write_1h=400, output=10), "0.004725"),
    "an hour that costs as all writing": (
        Rates(input=Decimal(1), cache_write=Decimal(2), output=Decimal(1)),
        Usage(10, cache_write=10, cache_write_1h=10),
        "0.00002",
    ),
    "an hour without a price for writing": (CHEAP, Usage(10, cache_write=10, cache_write_1h=10), "0.00002"),
    "heard, seen and spoken": (
        VOICE,
        Usage(100, output=100, input_audio=50, input_image=20, output_audio=60, output_image=10, reasoning=20),
        "0.00744",
    ),
    "what was thought is within what was written": (CHEAP, Usage(0, output=100, reasoning=90), "0.001"),
    "parts that are more than the whole": (CLAUDE, Usage(100, 90, 0, cache_write=90), "0.0000645"),
    "no tokens": (CHEAP, Usage(0, output=0), "0"),
    "each request": (Rates(Decimal(1), output=Decimal(1), request=Decimal("0.005")), Usage(1, output=1), "0.005002"),
    "what runs here": (FREE, Usage(1000, 10, 1000), "0"),
    "what runs here and does not say what it read": (FREE, Usage(output=1000), "0"),
    "a very small price": (Rates(Decimal("0.0375"), output=Decimal(1)), Usage(1, output=0), "0.0000000375"),
    "nothing is told": (CHEAP, Usage(), None),
    "the input is not told": (CHEAP, Usage(output=100), None),
    "the input has no price": (Rates(output=Decimal(1)), Usage(1, output=1), None),
    "the output has no price": (Rates(input=Decimal(1)), Usage(1, output=1), None),
}


@pytest.mark.parametrize(("rates", "usage", "cost"), COSTS.values(), ids=COSTS)
def test_what_a_usage_costs(rates: Rates, usage: Usage, cost: str | None) -> None:
    assert rates.cost(usage) == (None if cost is None else Decimal(cost))


ONE, TWO, THREE = (Rates(input=Decimal(each)) for each in (1, 2, 3))
NOON = datetime(2026, 3, 13, 12, tzinfo=UTC).timestamp()
DAY = 86_400


def periods(*rates: tuple[Rates, date | None, tuple[time, time] | None]) -> list[Period]:
    return [Period((Tier(0, each),), since, hours) for each, since, hours in rates]


MOMENTS = {
    "one for all": (periods((ONE, None, None)), NOON, ONE),
    "from a day on": (periods((ONE, None, None), (TWO, date(2026, 3, 13), None)), NOON, TWO),
    "before that day": (periods((ONE, None, None), (TWO, date(2026, 3, 13), None)), NOON - DAY, ONE),
    "before all days": (periods((ONE, date(2027, 1, 1), None)), NOON, ONE),
    "within hours": (periods((ONE, None, None), (TWO, None, (time(9), time(13)))), NOON, TWO),
    "after these": (periods((ONE, None, None), (TWO, None, (time(9), time(12)))), NOON, ONE),
    "over midnight": (periods((ONE, None, None), (TWO, None, (time(16), time(13)))), NOON, TWO),
    "not over midnight": (periods((ONE, None, None), (TWO, None, (time(16), time(9)))), NOON, ONE),
}


@pytest.mark.parametrize(("prices", "at", "rates"), MOMENTS.values(), ids=MOMENTS)
def test_what_holds_when(prices: list[Period], at: float, rates: Rates) -> None:
    assert rates_at(prices, at, 10) == rates


@pytest.mark.parametrize(("tokens", "rates"), [(0, ONE), (200, ONE), (201, TWO), (500, TWO), (501, THREE)])
def test_more_tokens_of_input_have_another_price_for_all_of_them(tokens: int, rates: Rates) -> None:
    prices = [Period((Tier(0, ONE), Tier(200, TWO), Tier(500, THREE)))]
    assert rates_at(prices, NOON, tokens) == rates
