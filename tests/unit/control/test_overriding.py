"""Changes over all workers: a real coordinator, and workers that answer as they are told to."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from wiretape.cluster import coordinator as coordinators
from wiretape.cluster.coordinator import Coordinator
from wiretape.cluster.protocol import Order, Task
from wiretape.cluster.state import ClusterState
from wiretape.cluster.worker import Membership, Reporter
from wiretape.config import overrides as override_texts
from wiretape.control import overriding
from wiretape.control.overriding import NotInForceError, OverridingWorkers
from wiretape.metrics.counters import SessionCounters
from wiretape.sessions.scopes import Overrides, Scope, TooManyError

ASKED = Overrides().with_scope(Scope("1", "gw0", "a"))


class Workers:
    """A coordinator on a loop of its own, and workers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.state = ClusterState()
        self._coordinator = Coordinator(self.state, lambda _: None, lambda _: None)
        asyncio.run_coroutine_threadsafe(self._coordinator.start(path), self._loop).result(60)
        self.overriding = OverridingWorkers(self._coordinator, self._loop)
        self._reporters: list[Reporter] = []
        self.obeyed: list[tuple[int, Task, str]] = []
        self.problem = ""

    def add(self) -> str:
        """A worker comes: return what it hears first."""
        number = len(self._reporters) + 1

        def obey(order: Order) -> str:
            self.obeyed.append((number, order.task, order.text))
            return self.problem

        membership = Membership(number, str(self._path))
        reporter = Reporter(membership, SessionCounters().sessions, lambda: None, obey)
        in_force = reporter.join()
        reporter.start()
        self._reporters.append(reporter)
        assert in_force
        return in_force.text

    def close(self) -> None:
        for reporter in self._reporters:
            reporter.close()
        asyncio.run_coroutine_threadsafe(self._coordinator.close(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(name="workers")
def _workers(tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(tmp_path / "team")
    yield workers
    workers.close()


def test_a_change_is_made_in_each_worker_when_it_returns(workers: Workers) -> None:
    text = override_texts.dumps(ASKED)
    assert workers.overriding.overrides == Overrides()
    assert [workers.add() for _ in range(2)] == ["", ""]
    workers.overriding.apply(ASKED)
    assert workers.overriding.overrides == ASKED
    assert sorted(workers.obeyed) == [(1, Task.APPLY, text), (2, Task.APPLY, text)]
    assert workers.add() == text
    workers.obeyed.clear()
    workers.overriding.flush()
    assert sorted(workers.obeyed) == [(number, Task.FLUSH, "") for number in (1, 2, 3)]


def test_a_rewind_is_of_the_takes_of_all_and_of_each_ones_faults(workers: Workers) -> None:
    workers.add()
    workers.state.turns.next("a", "0")
    workers.overriding.rewind()
    assert workers.obeyed == [(1, Task.REWIND, "")]
    assert workers.state.turns.next("a", "0") == 0


def test_who_does_not_do_it_is_told(workers: Workers) -> None:
    workers.overriding.apply(ASKED)
    workers.add()
    workers.problem = "it cannot"
    with pytest.raises(NotInForceError, match="worker 1: it cannot"):
        workers.overriding.apply(Overrides())
    assert workers.overriding.overrides == Overrides()


def test_what_is_too_large_for_a_message_is_refused(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overriding, "_MOST", 50)
    workers.add()
    with pytest.raises(TooManyError, match="too large together"):
        workers.overriding.apply(ASKED)
    assert (workers.overriding.overrides, workers.obeyed) == (Overrides(), [])
    assert coordinators._PATIENCE > 1
