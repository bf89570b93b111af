"""When a bucket that does not answer is asked again."""

from s3 import Clock
from wiretape.store.bucket.circuit_breaker import CircuitBreaker


def test_after_failures_of_several_one_asks_and_the_others_do_not() -> None:
    clock = Clock()
    breaker = CircuitBreaker(2.0, failures=2, pause=0.5, clock=clock)
    assert breaker.allows("a")
    breaker.failed("a")
    assert breaker.allows("b")
    breaker.failed("b")
    assert not breaker.allows("c")
    clock.now += 0.6
    assert breaker.allows("c")
    assert not breaker.allows("d"), "one is finding out"
    breaker.failed("c")
    assert not breaker.allows("d")
    clock.now += 0.6
    assert breaker.allows("d")
    breaker.succeeded("d")
    assert breaker.allows("d")
    assert breaker.allows("e")


def test_one_that_never_tells_how_it_went_does_not_block_for_ever() -> None:
    clock = Clock()
    breaker = CircuitBreaker(2.0, failures=1, clock=clock)
    breaker.failed("a")
    clock.now += 1
    assert breaker.allows("b")
    clock.now += 1.9
    assert not breaker.allows("b")
    clock.now += 0.2
    assert breaker.allows("b")


def test_a_success_between_failures_counts_from_the_start() -> None:
    breaker = CircuitBreaker(2.0, failures=2, clock=Clock())
    for number in range(5):
        breaker.failed(f"{number}")
        breaker.succeeded("other")
    assert breaker.allows("another")


def test_one_slow_object_closes_the_way_to_itself_alone() -> None:
    clock = Clock()
    breaker = CircuitBreaker(2.0, failures=2, pause=0.5, clock=clock)
    for _ in range(5):
        breaker.failed("slow")
        assert breaker.allows("other")
        assert not breaker.allows("slow")
        clock.now += 0.6
        assert breaker.allows("slow")
        assert not breaker.allows("slow"), "one is finding out"
    breaker.succeeded("slow")
    assert breaker.allows("slow")


def test_ever_new_slow_objects_fill_no_memory() -> None:
    breaker = CircuitBreaker(2.0, failures=2, clock=Clock())
    for number in range(5000):
        breaker.failed(f"{number}")
        breaker.succeeded("other")
    assert len(breaker._slow) <= 1000
