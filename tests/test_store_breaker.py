"""When a bucket that does not answer is asked again."""

from s3 import Clock
from wiretape.store.breaker import Breaker


def test_after_failures_in_a_row_one_asks_and_the_others_do_not() -> None:
    clock = Clock()
    breaker = Breaker(2.0, failures=2, pause=0.5, clock=clock)
    assert breaker.allows()
    breaker.failed()
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    clock.now += 0.6
    assert breaker.allows()
    assert not breaker.allows(), "one is finding out"
    breaker.failed()
    assert not breaker.allows()
    clock.now += 0.6
    assert breaker.allows()
    breaker.succeeded()
    assert breaker.allows()
    assert breaker.allows()


def test_one_that_never_tells_how_it_went_does_not_block_for_ever() -> None:
    clock = Clock()
    breaker = Breaker(2.0, failures=1, clock=clock)
    breaker.failed()
    clock.now += 1
    assert breaker.allows()
    clock.now += 1.9
    assert not breaker.allows()
    clock.now += 0.2
    assert breaker.allows()


def test_a_success_between_failures_counts_from_the_start() -> None:
    breaker = Breaker(2.0, failures=2, clock=Clock())
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    assert breaker.allows()
