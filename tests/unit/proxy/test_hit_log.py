"""Hits in the log: a line each, and of very many a sum. The clock is the test's: nothing sleeps."""

import asyncio
import logging
from collections.abc import Callable, Iterator

import pytest

from wiretape.proxy.hit_log import HitLog


class Clock(asyncio.SelectorEventLoop):
    """A real event loop, whose seconds pass when they are told to."""

    moment = 0.0

    def time(self) -> float:
        """As the base class's."""
        return self.moment

    def run(self, function: Callable[[], object]) -> None:
        """Call something as from the loop."""

        async def call() -> None:
            function()

        self.run_until_complete(call())

    def pass_by(self, seconds: float) -> None:
        """Let so many seconds pass, and what is due then happen."""
        self.moment += seconds
        self.run(lambda: None)
        self.run(lambda: None)


@pytest.fixture(name="clock")
def _clock() -> Iterator[Clock]:
    clock = Clock()
    yield clock
    clock.close()


@pytest.fixture(name="said")
def _said(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What was said since it was last asked."""
    caplog.set_level(logging.INFO, "wiretape")

    def since() -> list[str]:
        lines = [record.getMessage() for record in caplog.records if record.name == "wiretape"]
        caplog.clear()
        return lines

    return since


Said = Callable[[], list[str]]


def hits(log: HitLog, count: int, *names: str) -> None:
    for number in range(count):
        log.add(names[number % len(names)] if names else "a", "/v1/x m")


def test_each_hit_has_a_line(clock: Clock, said: Said) -> None:
    log = HitLog()
    clock.run(lambda: log.add("0123", "/v1/chat/completions llama"))
    clock.run(lambda: log.add("4567", "/v1/embeddings"))
    assert said() == ["hit 0123: /v1/chat/completions llama", "hit 4567: /v1/embeddings"]
    clock.pass_by(1)
    assert said() == []


def test_of_more_than_fifty_in_a_second_the_rest_is_summed_up_when_it_is_over(clock: Clock, said: Said) -> None:
    log = HitLog()
    clock.run(lambda: hits(log, 50))
    assert said() == ["hit a: /v1/x m"] * 50
    clock.run(lambda: hits(log, 7, "a", "b", "b"))
    assert said() == []
    clock.pass_by(0.99)
    assert said() == []
    clock.pass_by(0.02)
    assert said() == ["7 more hits within a second: b 4 times, a 3 times"]


def test_in_the_next_second_there_are_lines_again(clock: Clock, said: Said) -> None:
    log = HitLog()
    clock.run(lambda: hits(log, 51))
    clock.pass_by(1)
    assert said()[50:] == ["1 more hits within a second: a 1 times"]
    clock.run(lambda: hits(log, 52))
    assert said() == ["hit a: /v1/x m"] * 50
    clock.pass_by(1)
    assert said() == ["2 more hits within a second: a 2 times"]


def test_a_second_begins_with_its_first_hit(clock: Clock, said: Said) -> None:
    log = HitLog()
    clock.pass_by(100.9)
    clock.run(lambda: hits(log, 30))
    clock.pass_by(0.5)
    clock.run(lambda: hits(log, 30))
    assert len(said()) == 50
    clock.pass_by(0.5)
    assert said() == ["10 more hits within a second: a 10 times"]


def test_slow_hits_have_a_line_each_for_ever(clock: Clock, said: Said) -> None:
    log = HitLog()
    for _ in range(120):
        clock.run(lambda: log.add("a", "b"))
        clock.pass_by(0.03)
    assert said() == ["hit a: b"] * 120


def test_five_are_named_the_most_frequent_first(clock: Clock, said: Said) -> None:
    log = HitLog()
    clock.run(lambda: hits(log, 50))
    for times, name in enumerate("abcdefgh", 1):
        clock.run(lambda times=times, name=name: hits(log, times, name))  # type: ignore[misc]
    said()
    clock.pass_by(1)
    assert said() == ["36 more hits within a second: h 8 times, g 7 times, f 6 times, e 5 times, d 4 times, 3 others"]


def test_nothing_is_left_to_be_done_where_nothing_was_hit(clock: Clock, said: Said) -> None:
    log = HitLog()
    clock.run(lambda: hits(log, 51))
    clock.pass_by(1)
    said()
    for _ in range(5):
        clock.pass_by(1)
    assert said() == []


def test_at_the_end_is_said_what_was_not_said_yet(clock: Clock, said: Said) -> None:
    log = HitLog()
    clock.run(lambda: hits(log, 53))
    said()
    log.flush()
    assert said() == ["3 more hits within a second: a 3 times"]
    log.flush()
    clock.pass_by(2)
    assert said() == []  # The timer went with it.


def test_without_hits_the_end_says_nothing_and_needs_no_loop(said: Said) -> None:
    HitLog().flush()
    assert said() == []


def test_after_a_flush_it_goes_on_with_a_new_second(clock: Clock, said: Said) -> None:
    log = HitLog()
    clock.run(lambda: hits(log, 53))
    clock.pass_by(0.5)
    log.flush()
    said()
    clock.run(lambda: hits(log, 51))
    assert said() == ["hit a: /v1/x m"] * 50
    clock.pass_by(0.75)
    assert said() == []  # The second from before the flush is over, and is nobody's.
    clock.pass_by(0.25)
    assert said() == ["1 more hits within a second: a 1 times"]
