"""One question at a time for each key."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from wiretape.store.bucket.shared_reads import SharedReads

LONG = 60.0


class Question:
    """A question whose answer, its number, comes when it is let go."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        number = self.count
        self.asked.release()
        assert self.go_on.acquire(timeout=LONG)
        return number


def test_who_joins_gets_the_answer_of_the_first() -> None:
    flights: SharedReads[int] = SharedReads()
    question = Question()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(flights.join, "a", question)
        assert question.asked.acquire(timeout=LONG)
        others = [pool.submit(flights.join, "a", question) for _ in range(3)]
        assert flights.join("b", lambda: 7) == 7, "another key waits for nobody"
        question.go_on.release()
        assert first.result() == 1
        question.go_on.release(3)  # One that came too late to join asks itself.
        assert all(each.result() >= 1 for each in others)
    assert flights.join("a", lambda: 9) == 9


def test_who_wants_an_answer_of_later_shares_the_next_one() -> None:
    flights: SharedReads[int] = SharedReads()
    question = Question()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(flights.join, "a", question)
        assert question.asked.acquire(timeout=LONG)
        second = pool.submit(flights.ask_after_now, "a", question)
        question.go_on.release()
        assert first.result() == 1
        assert question.asked.acquire(timeout=LONG)
        question.go_on.release()
        assert second.result() == 2


def test_an_error_is_everybodys_and_holds_once() -> None:
    flights: SharedReads[int] = SharedReads()

    def fail() -> int:
        raise OSError("away")

    with pytest.raises(OSError, match="away"):
        flights.join("a", fail)
    assert flights.join("a", lambda: 1) == 1
    assert flights.ask_after_now("a", lambda: 2) == 2
