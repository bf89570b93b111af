import threading

import pytest

from wiretape.tape.background import Background, StillReadingError


def test_one_thing_is_done_at_a_time() -> None:
    background = Background()
    begun, go_on = threading.Event(), threading.Event()
    order = []

    def first() -> None:
        begun.set()
        go_on.wait(30)
        order.append("first")

    one = background.begin(first)
    begun.wait(30)
    two = background.begin(lambda: order.append("second"))
    assert not two.done()
    go_on.set()
    two.result(30)
    one.result(30)
    assert order == ["first", "second"]


def test_who_waits_is_told_what_went_wrong() -> None:
    def fail() -> None:
        raise OSError("away")

    done = Background().begin(fail)
    with pytest.raises(OSError, match="away"):
        StillReadingError(done).done.result(30)
