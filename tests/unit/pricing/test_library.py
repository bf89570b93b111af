"""The prices of ``genai-prices``: what a usage costs by our values is what it costs by its own."""

import sys
from datetime import UTC, datetime
from decimal import Decimal

import genai_prices
import pytest

from wiretape.pricing import library
from wiretape.pricing.rates import rates_at
from wiretape.providers.usage import Usage

AT = datetime(2026, 4, 1, 12, tzinfo=UTC)

MODELS = [
    ("openai", "gpt-4o-2024-08-06"),
    ("openai", "gpt-5-20250807"),
    ("openai", "text-embedding-3-small"),
    ("openai", "ft:gpt-4o-mini-2024-07-18:org::abc"),
    ("anthropic", "claude-sonnet-4-5-20250929"),
    ("anthropic", "claude-opus-4-6"),
    ("google", "gemini-2.5-pro"),
    ("fireworks", "accounts/fireworks/models/llama-v3p1-8b-instruct"),
    ("cerebras", "llama-3.3-70b"),
    ("openrouter", "anthropic/claude-sonnet-4.5"),
    ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("deepseek", "deepseek-chat"),
    ("azure", "gpt-4o"),
    ("litellm", "claude-sonnet-4-5"),
]
USAGES = [
    Usage(1000, output=50),
    Usage(1000, 900, 50, 20),
    Usage(1000, 300, 50, cache_write=600, cache_write_1h=200),
    Usage(300_000, 100_000, 5_000),
]


def theirs(usage: Usage) -> genai_prices.Usage:
    kept = usage.cache_write_1h or None
    return genai_prices.Usage(
        input_tokens=usage.input,
        cache_read_tokens=usage.cached,
        cache_write_tokens=usage.cache_write,
        cache_write_1h_tokens=kept,
        output_tokens=usage.output,
        output_reasoning_tokens=usage.reasoning,
    )


@pytest.mark.parametrize(("provider", "model"), MODELS)
def test_a_usage_costs_what_the_library_says(provider: str, model: str) -> None:
    prices = library.find(provider, model, "")
    for usage in USAGES:
        right = genai_prices.calc_price(
            theirs(usage), model, provider_id=provider, genai_request_timestamp=AT
        ).total_price
        assert rates_at(prices, AT.timestamp(), usage.input or 0).cost(usage) == right


def test_what_is_served_sooner_or_later_has_another_price() -> None:
    usage = Usage(1_000_000, output=0)
    costs = {
        tier: rates_at(library.find("openai", "gpt-5", tier), 0, 0).cost(usage) for tier in ("", "flex", "priority")
    }
    assert costs == {"": Decimal("1.25"), "flex": Decimal("0.625"), "priority": Decimal("2.5")}


@pytest.mark.parametrize(("provider", "model"), [("openai", "no-model"), ("no-provider", "gpt-5"), ("litellm", "x")])
def test_a_model_that_the_library_does_not_know_has_no_price(provider: str, model: str) -> None:
    assert library.find(provider, model, "") == ()


def test_without_the_library_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    assert library.find("openai", "gpt-5", "") == ()
