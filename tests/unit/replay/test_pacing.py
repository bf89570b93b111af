"""When each chunk leaves."""

import pytest

from wiretape.replay import pacing

AT = (300.0, 310.0, 350.0, 1000.0)

SCHEDULES = {
    "instant": (0, 0, 0, 0),
    "recorded": (0.3, 0.31, 0.35, 1.0),
    "2x": (0.15, 0.155, 0.175, 0.5),
    "0.5x": (0.6, 0.62, 0.7, 2.0),
    "50tps": (0, 0.2, 0.4, 0.6),
    "50tps,ttft=300ms": (0.3, 0.5, 0.7, 0.9),
    "100tps,ttft=1.5s": (1.5, 1.6, 1.7, 1.8),
}


@pytest.mark.parametrize("text", SCHEDULES)
def test_a_stream(text: str) -> None:
    assert pacing.schedule(pacing.parse(text), 4, AT, tokens=40) == pytest.approx(SCHEDULES[text])


def test_an_answer_in_one_piece_leaves_when_all_would_have_come() -> None:
    assert pacing.schedule(pacing.parse("50tps,ttft=300ms"), 1, (120.0,), tokens=40) == pytest.approx((1.1,))
    assert pacing.schedule(pacing.parse("recorded"), 1, (120.0,), tokens=40) == (0.12,)


def test_of_two_chunks_the_first_leaves_with_the_first_token() -> None:
    assert pacing.schedule(pacing.parse("50tps,ttft=300ms"), 2, (), tokens=40) == pytest.approx((0.3, 0.7))
    assert pacing.schedule(pacing.parse("recorded"), 2, AT[:2], tokens=40) == pytest.approx((0.3, 0.31))


def test_without_recorded_times_a_recorded_pace_is_at_once() -> None:
    assert pacing.schedule(pacing.parse("recorded"), 3, (), tokens=40) == (0, 0, 0)
    assert pacing.schedule(pacing.parse("recorded"), 3, AT, tokens=40) == (0, 0, 0)


def test_no_tokens_and_no_chunks() -> None:
    assert pacing.schedule(pacing.parse("50tps"), 2, (), tokens=0) == (0, 0)
    assert pacing.schedule(pacing.parse("50tps"), 0, (), tokens=5) == ()


@pytest.mark.parametrize("text", ["", "fast", "x", "0x", "-1x", "0tps", "50 tps", "50tps,ttft=1", "1e3x", "2x "])
def test_what_is_no_pace_names_the_right_spellings(text: str) -> None:
    with pytest.raises(ValueError, match="50tps,ttft=300ms"):
        pacing.parse(text)


@pytest.mark.parametrize("text", ["instant", "recorded", "2x", "0.5x", "0.000001x", "50tps", "12.5tps,ttft=0.3s"])
def test_a_pace_is_spelled_as_it_was_given(text: str) -> None:
    assert str(pacing.parse(text)) == text
