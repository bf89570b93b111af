"""Work within a bounded time."""

import threading

import pytest

from wiretape.cli.bounded import within


def test_what_comes_of_it_is_given_and_raised() -> None:
    assert within(60, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0)


def test_nobody_waits_for_longer() -> None:
    never = threading.Event()
    try:
        with pytest.raises(TimeoutError, match=r"within 0\.01 seconds"):
            within(0.01, never.wait)
    finally:
        never.set()
