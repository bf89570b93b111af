"""Changes over all workers: a real coordinator, and workers that answer as they are told to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from coordinating import Coordinating
from wiretape.cluster.protocol import Order, Task
from wiretape.cluster.worker import Reporter
from wiretape.config import overrides as override_texts
from wiretape.control import overriding
from wiretape.control.overriding import NotInForceError
from wiretape.metrics.counters import SessionCounters
from wiretape.sessions.scopes import Overrides, Scope, TooManyError

ASKED = Overrides().with_scope(Scope("1", "gw0", "a"))


class Workers:
    """Workers of a coordinator."""

    def __init__(self, team: Coordinating) -> None:
        self._team = team
        self.state = team.state
        self.overriding = team.overriding
        self._reporters: list[Reporter] = []
        self.obeyed: list[tuple[int, Task, str]] = []
        self.problem = ""

    def add(self) -> str:
        """A worker comes: return what it hears first."""
        number = len(self._reporters) + 1

        def obey(order: Order) -> str:
            self.obeyed.append((number, order.task, order.text))
            return self.problem

        reporter = Reporter(self._team.membership(number), SessionCounters().sessions, lambda: None, obey)
        in_force = reporter.join()
        reporter.start()
        self._reporters.append(reporter)
        assert in_force
        return in_force.text

    def close(self) -> None:
        for reporter in self._reporters:
            reporter.close()


@pytest.fixture(name="workers")
def _workers(tmp_path: Path) -> Iterator[Workers]:
    with Coordinating(tmp_path) as team:
        workers = Workers(team)
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
