"""Prices that are remembered on the disk: what was written is read again, and what is no such file is as nothing."""

from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest

from wiretape.pricing.memory import PriceMemory
from wiretape.pricing.rates import Period, Rates, Tier

KEY = ("openai", "gpt-5", "")
PRICES = [
    Period((Tier(0, Rates(input=Decimal("1.25"), output=Decimal(10))), Tier(200, Rates(input=Decimal(2))))),
    Period((Tier(0, Rates(cached=Decimal("0.1"))),), date(2026, 3, 13), (time(0, 30), time(16, 30))),
]


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    memory = PriceMemory(file, "1")
    assert memory.get(KEY) is None
    memory.put(KEY, PRICES)
    memory.put(("openai", "unknown", ""), ())
    for each in (memory, PriceMemory(file, "1")):
        assert each.get(KEY) == PRICES
        unknown = each.get(("openai", "unknown", ""))
        assert unknown is not None
        assert not unknown
        assert each.get(("openai", "unknown", "flex")) is None


def test_another_version_of_the_library_is_asked_again(tmp_path: Path) -> None:
    PriceMemory(tmp_path / "prices.json", "1").put(KEY, PRICES)
    assert PriceMemory(tmp_path / "prices.json", "2").get(KEY) is None


NONE = {
    "no JSON": "{",
    "a list": "[]",
    "no prices": '{"library": "1"}',
    "prices that are none": '{"library": "1", "prices": [["openai", "gpt-5", "", [{"tiers": []}]]]}',
    "a number that is none": '{"library": "1", "prices": [["openai", "gpt-5", "", '
    '[{"since": null, "hours": null, "tiers": [[0, {"input": "x"}]]}]]]}',
    "a kind that is none": '{"library": "1", "prices": [["openai", "gpt-5", "", '
    '[{"since": null, "hours": null, "tiers": [[0, {"x": "1"}]]}]]]}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_what_is_no_such_file_is_as_nothing(text: str, tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(text)
    assert PriceMemory(file, "1").get(KEY) is None


def test_a_folder_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    memory = PriceMemory(tmp_path / "none" / "prices.json", "1")
    memory.put(KEY, PRICES)
    assert memory.get(KEY) == PRICES


def test_it_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wiretape.pricing.memory._MOST", 2)
    memory = PriceMemory(None, "1")
    for model in ("a", "b", "c"):
        memory.put(("openai", model, ""), PRICES)
    assert [memory.get(("openai", model, "")) is None for model in ("a", "b", "c")] == [True, True, False]
