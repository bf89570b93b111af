"""Sizes as options spell them; numbers of things, and money."""

from decimal import Decimal

import pytest

from wiretape.codecs.units import age_in_words, counted, parse_age, parse_size, usd


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("12", 12),
        ("1kB", 1000),
        ("1.5 MB", 1_500_000),
        ("2g", 2_000_000_000),
        ("3b", 3),
        ("128M", 128_000_000),
    ],
)
def test_a_size(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "-1", "1 TB", "1e3", "one", "1..5", "1KiB", "٣", "9" * 400, "1 kB "])
def test_what_is_no_size_is_told_with_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="is no size: it is a number of bytes, or one with kB, MB or GB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds", "words"),
    [
        ("90d", 7_776_000, "90 days"),
        ("4w", 2_419_200, "28 days"),
        ("36h", 129_600, "36 hours"),
        ("1.5d", 129_600, "36 hours"),
        ("30m", 1800, "30 minutes"),
    ],
)
def test_an_age(text: str, seconds: float, words: str) -> None:
    assert parse_age(text) == seconds
    assert age_in_words(seconds) == words


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "1y", "1e3d", "٣d", "9" * 400 + "d", "0d", "1 d"])
def test_what_is_no_age_is_told_with_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="is no age: it is a number of minutes, hours, days or weeks such as 90d"):
        parse_age(text)


def test_a_long_text_is_not_told_whole() -> None:
    with pytest.raises(ValueError, match="is no size") as raised:
        parse_size("x" * 10_000)
    assert len(str(raised.value)) < 200


def test_counted() -> None:
    assert [counted(number, "hit") for number in (0, 1, 2, 1234)] == ["0 hits", "1 hit", "2 hits", "1,234 hits"]
    assert counted(2, "miss", "misses") == "2 misses"


WORDS = {
    "0": "0 USD",
    "5": "5 USD",
    "5.00": "5 USD",
    "100": "100 USD",
    "12.345": "12.34 USD",
    "5.5": "5.50 USD",
    "0.01": "0.01 USD",
    "0.00999": "0.00999 USD",
    "0.000123456": "0.000123 USD",
    "0.0000000375": "0.0000000375 USD",
}


@pytest.mark.parametrize(("number", "words"), WORDS.items())
def test_money_in_words(number: str, words: str) -> None:
    assert usd(Decimal(number)) == words
