"""The prices of the package ``genai-prices``, of the extra ``cost``. The one module that knows it, and imports it late.

It takes half a second of processor time to import and to read: whoever only replays, and has no new model, is not to
pay that (``memory``). Its prices become values of ours, which cost as it does: ``tests`` compare them with its own.
Source: https://github.com/pydantic/genai-prices
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from wiretape.pricing.rates import Period, Rates, Tier

_KINDS: Mapping[str, str] = {
    "input": "input_mtok",
    "cached": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "output": "output_mtok",
    "reasoning": "output_reasoning_mtok",
    "input_audio": "input_audio_mtok",
    "output_audio": "output_audio_mtok",
    "input_image": "input_image_mtok",
    "output_image": "output_image_mtok",
    "request": "requests_kcount",
}
"""Our names of prices -> those of the library."""


def find(provider: str, model: str, tier: str) -> Sequence[Period]:
    """Return the prices of a model, by the library's names; none where it knows none, or is not there.

    ``tier`` is how it was served, as the answer says.
    """
    try:
        import genai_prices
    except ImportError:
        return ()
    try:
        info = genai_prices.calc_price(genai_prices.Usage(), model, provider_id=provider).model
    except (LookupError, ValueError):
        return ()
    prices = info.prices if isinstance(info.prices, list) else [info]
    overrides = _overrides(info, tier)
    return [_period(getattr(each, "constraint", None), {**vars(each.prices), **overrides}) for each in prices]


def _overrides(info: Any, tier: str) -> dict[str, Any]:
    """Return the prices that hold for a tier in place of those that hold for all."""
    found: dict[str, Any] = {}
    for variant in info.price_variants or ():
        if tier and variant.when == {"service_tier": tier}:
            found = {**vars(variant.prices), **found}
    return {name: price for name, price in found.items() if price is not None}


def _period(constraint: Any, prices: Mapping[str, Any]) -> Period:
    given = {ours: prices[theirs] for ours, theirs in _KINDS.items() if prices.get(theirs) is not None}
    bounds = {tier.start for price in given.values() for tier in getattr(price, "tiers", ())}
    tiers = tuple(Tier(above, _rates(given, above)) for above in sorted({0, *bounds}))
    since: date | None = getattr(constraint, "start_date", None)
    begin: time | None = getattr(constraint, "start_time", None)
    if begin is None:
        return Period(tiers, since)
    return Period(tiers, since, (_in_utc(begin), _in_utc(constraint.end_time)))


def _rates(given: Mapping[str, Any], above: int) -> Rates:
    """Return what holds for more than so many tokens of input."""
    prices: dict[str, Decimal] = {}
    for name, price in given.items():
        tiers = getattr(price, "tiers", None)
        if tiers is None:
            prices[name] = price
        else:
            prices[name] = next((tier.price for tier in reversed(tiers) if tier.start <= above), price.base)
    if "request" in prices:
        prices["request"] = prices["request"].scaleb(-3)
    if "output" not in prices and "input" in prices:
        # What models draw or speak is all that they write; others write nothing, as those of embeddings.
        prices["output"] = prices.get("output_image") or prices.get("output_audio") or Decimal(0)
    return Rates(**prices)


def _in_utc(moment: time) -> time:
    if moment.tzinfo is None:
        return moment
    return datetime.combine(date(2000, 1, 1), moment).astimezone(UTC).time()
