"""Who was refused: a line a second for each address, with the number of those that have none."""

import asyncio
import logging
from collections.abc import Iterator

import pytest

from wiretape.proxy import refusals
from wiretape.proxy.refusals import Refusals


class Clock:
    def __init__(self) -> None:
        self.moment = 1000.0

    def monotonic(self) -> float:
        return self.moment


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(refusals, "time", clock)
    return clock


@pytest.fixture(name="made")
def _made(caplog: pytest.LogCaptureFixture) -> Iterator[Refusals]:
    caplog.set_level(logging.WARNING)
    with asyncio.Runner() as runner:
        made = Refusals()

        async def running() -> None:
            """A loop is running while something is added; its timers are the test's to call."""

        runner.run(running())
        loop = runner.get_loop()
        asyncio._set_running_loop(loop)
        try:
            yield made
            made.flush()
        finally:
            asyncio._set_running_loop(None)


def test_the_first_of_an_address_has_a_line(made: Refusals, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    made.add("10.0.0.1", "POST api.openai.com", "needs a token")
    made.add("10.0.0.2", "a tunnel to x", "needs a token")
    assert caplog.messages == [
        "refused: 10.0.0.1: POST api.openai.com: needs a token",
        "refused: 10.0.0.2: a tunnel to x: needs a token",
    ]


def test_more_within_a_second_are_counted(made: Refusals, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(100):
        made.add("10.0.0.1", "GET /", "no")
        clock.moment += 0.009
    assert len(caplog.messages) == 1
    clock.moment += 0.2
    made.add("10.0.0.1", "GET /", "no")
    assert caplog.messages[1:] == ["refused: 10.0.0.1: GET /: no (99 more since the last line)"]


def test_what_was_counted_is_said_when_no_more_come(
    made: Refusals, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        made.add("10.0.0.1", "GET /", "no")
    clock.moment += 1.0
    made._look()
    assert caplog.messages[1:] == ["refused: 10.0.0.1: 4 more"]
    made.add("10.0.0.1", "GET /", "no")  # That was this second's line.
    assert len(caplog.messages) == 2
    clock.moment += 1.0
    made._look()
    clock.moment += 1.0
    made._look()
    assert caplog.messages[2:] == ["refused: 10.0.0.1: 1 more"]
    assert made._addresses == {}
    assert made._timer is None


def test_the_memory_is_bounded(made: Refusals, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(5000):
        made.add(f"2001:db8::{number:x}", "GET /", "no")
    assert len(made._addresses) <= 65
    assert len(caplog.messages) == 65
    made.flush()
    assert caplog.messages[-1] == "refused: other addresses: 4935 more"


def test_nothing_of_a_client_ends_a_line_or_talks_to_a_terminal(
    made: Refusals, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    made.add("10.0.0.1", "GET \x1b[2J\r\nforged: \u202e\udce9" + "x" * 5000, "no")
    (line,) = caplog.messages
    assert line.isprintable()
    assert line.isascii()
    assert len(line) < 300


def test_answers_are_spaced_out_under_a_flood_alone(made: Refusals, clock: Clock) -> None:
    for _ in range(50):
        clock.moment += 0.01
        assert made.turn() == 0
    waits = [made.turn() for _ in range(2000)]
    assert waits == sorted(waits)
    assert waits[100] == pytest.approx(0.25, abs=0.01)
    assert max(waits) <= 1
    clock.moment += 1.1
    assert made.turn() == 0
