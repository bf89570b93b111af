"""Which price holds: a team's own, the provider's own word, the library's; and what costs nothing to know."""

from decimal import Decimal
from pathlib import Path

import pytest

from wiretape import config
from wiretape.pricing import installed, library, prices
from wiretape.pricing.prices import Prices
from wiretape.providers.usage import Usage

NOW = 1_775_000_000.0
USAGE = Usage(1_000_000, output=100_000)
OWN = """
[[price]]
provider = "openai"
model = "gpt-4o*"
input = 1
output = 2
"""
ROWS = config.loads("team.toml", OWN).prices(["openai"])

COSTS = {
    "the team's own": (("openai", "gpt-4o-2024-08-06", USAGE), "1.2"),
    "the team's own, by the model that answered": (("openai", "x", Usage(1_000_000, output=0, model="gpt-4o")), "1"),
    "before what the provider says": (("openai", "gpt-4o", Usage(1_000_000, output=0, billed_usd="9")), "1"),
    "what the provider says": (("openrouter", "openai/gpt-5", Usage(1, output=1, billed_usd="0.5")), "0.5"),
    "the library's": (("anthropic", "claude-sonnet-4-5", Usage(100, output=10)), "0.00045"),
    "by the model that answered": (("azure", "mine", Usage(1_000_000, output=0, model="gpt-4.1")), "2"),
    "by the model that was asked for": (("openai", "gpt-4.1", Usage(1_000_000, output=0, model="odd")), "2"),
    "what runs here": (("ollama", "llama3", USAGE), "0"),
    "a subscription": (("codex", "gpt-5", USAGE), None),
    "a model that nobody knows": (("openai", "no-such-model", USAGE), None),
    "no model": (("openai", "", USAGE), None),
    "no tokens": (("openai", "gpt-5", Usage()), None),
    "a gateway of the team's": (("our-gateway", "gpt-4.1", Usage(1_000_000, output=0)), "2"),
}


@pytest.mark.parametrize(("call", "cost"), COSTS.values(), ids=COSTS)
def test_which_price_holds(call: tuple[str, str, Usage], cost: str | None) -> None:
    assert Prices(ROWS).price(*call, NOW) == (None if cost is None else Decimal(cost))


def test_a_price_that_is_remembered_needs_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "prices.json"
    paid = Prices(memory=file).price("openai", "gpt-4.1", USAGE, NOW)
    monkeypatch.setattr(library, "find", None)
    assert Prices(memory=file).price("openai", "gpt-4.1", USAGE, NOW) == paid == Decimal("2.8")


def test_nothing_is_looked_up_for_what_tells_no_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "find", None)
    assert Prices(memory=tmp_path / "prices.json").price("openai", "named-by-a-client", Usage(), NOW) is None
    assert not (tmp_path / "prices.json").exists()


def test_a_library_that_fails_is_said_once_and_own_prices_stay(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(library, "find", None)
    known = Prices(ROWS)
    assert [known.price("openai", model, USAGE, NOW) for model in ("a", "b", "gpt-4o")] == [None, None, Decimal("1.2")]
    assert len(caplog.records) == 1
    assert "the package genai-prices cannot be used" in caplog.text


def test_a_name_that_is_none_is_not_looked_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(library, "find", None)
    assert Prices().price("openai", "x" * 201, USAGE, NOW) is None
    assert caplog.records == []


def test_whether_there_are_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Prices().are_known
    monkeypatch.setattr(installed, "version", lambda: "")
    assert not Prices().are_known
    assert Prices(ROWS).are_known


def test_an_answer_that_tells_no_tokens_has_no_unknown_price() -> None:
    assert [prices.has_tokens(each) for each in (Usage(), Usage(0), Usage(1), Usage(output=1))] == [
        *(False, False),
        *(True, True),
    ]
    assert prices.has_tokens(Usage(billed_usd="1"))
