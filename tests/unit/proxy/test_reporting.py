"""A worker and its coordinator: whose turns are counted."""

from wiretape.metrics.counters import SessionCounters
from wiretape.proxy.reporting import Reporting
from wiretape.replay.take_counters import LocalTurns


def test_a_proxy_by_itself_counts_takes_itself() -> None:
    made = Reporting(SessionCounters())
    made.join(None)
    assert made.greet(lambda: None, lambda _: "") is None
    assert isinstance(made.turns, LocalTurns)
    assert made.turns.next("s", "a") == 0
