from wiretape.cluster.state import ClusterState
from wiretape.metrics.counters import Counters


def test_the_sum_is_of_the_latest_reports() -> None:
    board = ClusterState()
    board.hello(1, "a")
    board.hello(2, "b")
    board.report(1, "a", {"default": Counters(hits=1)})
    board.report(1, "a", {"default": Counters(hits=5)})
    board.report(2, "b", {"default": Counters(hits=10), "checkout": Counters(misses=1)})
    assert board.counters() == {"default": Counters(hits=15), "checkout": Counters(misses=1)}


def test_what_dead_workers_had_counted_is_kept_and_counted_once() -> None:
    board = ClusterState()
    for life in ("a", "b", "c"):
        board.hello(1, life)
        board.report(1, life, {"default": Counters(hits=5)})
        board.hello(1, life)  # It has connected anew.
        board.report(1, life, {"default": Counters(hits=7)})
    board.report(1, "a", {"default": Counters(hits=100)})  # Of one that is dead, and counted.
    assert board.counters() == {"default": Counters(hits=21)}


def test_the_sum_is_a_value_of_its_own() -> None:
    board = ClusterState()
    board.hello(1, "a")
    board.report(1, "a", {"default": Counters(hits=1)})
    board.counters()["default"].hits = 99
    assert board.counters()["default"].hits == 1
