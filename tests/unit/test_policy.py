"""The words of options and sessions."""

from collections.abc import Callable

import pytest

from wiretape.policy import (
    DEFAULT_MODE,
    FORMS,
    Mode,
    OnExpiry,
    Takes,
    parse_form,
    parse_mode,
    parse_on_expiry,
    parse_takes,
)


def test_words_are_read() -> None:
    assert [parse_mode(each) for each in ("live", "record", "replay", "record-if-missing")] == [*Mode]
    assert [parse_takes(each) for each in ("first", "last", "sequence", "cycle")] == [*Takes]
    assert [parse_form(each) for each in ("2025-09", "2026")] == [*FORMS]
    assert [parse_on_expiry(each) for each in ("warn", "fail", "rerecord")] == [*OnExpiry]
    assert DEFAULT_MODE is Mode.RECORD_IF_MISSING


@pytest.mark.parametrize(
    ("parse", "right"),
    [
        (parse_mode, "live, record, replay, record-if-missing"),
        (parse_takes, "first, last, sequence, cycle"),
        (parse_form, "2025-09, 2026"),
        (parse_on_expiry, "warn, fail, rerecord"),
    ],
)
@pytest.mark.parametrize("text", ["", "Replay", "recrod", " live"])
def test_a_wrong_word_is_told_with_the_right_ones(parse: Callable[[str], object], right: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"{text!r} is no .*{right}$"):
        parse(text)
