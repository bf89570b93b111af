from decimal import Decimal

import pytest

from fake_control import FakeControl
from wiretape.call_log.call import Call, Outcome, as_json
from wiretape.pytest_plugin.fixture import Cost, Wiretape
from wiretape.pytest_plugin.running import RunningTest

CALL = Call(
    1.0, "tests.test_a", "replay", Outcome.HIT, "chat gpt-4o", endpoint="/v1/chat/completions", model="gpt-4o", id=7
)


@pytest.fixture
def control() -> FakeControl:
    return FakeControl()


@pytest.fixture
def wiretape(control: FakeControl) -> Wiretape:
    running = RunningTest(control, "t.py::test_a", {"client": "main", "session": "tests.test_a"})
    control.kept = {"scope-1": [as_json(CALL)]}
    return Wiretape(running)


def test_calls_have_their_requests(wiretape: Wiretape) -> None:
    (made,) = wiretape.calls
    assert made.call == CALL
    assert made.request == {"body": {"id": 7}}
    assert made.answer is None
    assert str(made) == "hit: chat gpt-4o"


def test_what_became_of_them_is_counted(wiretape: Wiretape, control: FakeControl) -> None:
    control.become(hits=3, misses=[{}], spent_usd=None, saved_usd="0.25")
    assert (wiretape.hits, wiretape.misses) == (3, 1)
    assert wiretape.cost == Cost(None, Decimal("0.25"))


def test_calls_are_asserted(wiretape: Wiretape) -> None:
    wiretape.assert_called()
    wiretape.assert_called("/v1/chat/*", model="gpt-4o", times=1)
    wiretape.assert_called("/v1/embeddings", times=0)
    with pytest.raises(AssertionError, match=r"2 calls .* there were 1, of these:\n  hit: chat gpt-4o"):
        wiretape.assert_called("/v1/chat/completions", times=2)
    with pytest.raises(AssertionError, match="at least one call"):
        wiretape.assert_called(model="claude*")


def test_faults_add_up(wiretape: Wiretape, control: FakeControl) -> None:
    wiretape.fault(status=429, nth=1)
    wiretape.fault(delay="1s")
    assert control.asked[-1][2] == {"faults": [{"status": 429, "nth": 1}, {"delay": "1s"}]}
