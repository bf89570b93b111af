"""Both sides of the coordinator's socket: real sockets, a real loop."""

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import wait_until
from wiretape.cluster import worker
from wiretape.cluster.coordinator import Coordinator
from wiretape.cluster.protocol import Order, Task
from wiretape.cluster.state import ClusterState
from wiretape.cluster.worker import Membership, RemoteTurns, Reporter
from wiretape.metrics.counters import Counters, SessionCounters


class Running:
    """A coordinator on a loop of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.board = ClusterState()
        self.told: list[tuple[str, int]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._coordinator = Coordinator(
            self.board,
            lambda worker: self.told.append(("up", worker)),
            lambda worker: self.told.append(("down", worker)),
        )
        asyncio.run_coroutine_threadsafe(self._coordinator.start(path), self._loop).result(10)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def order(self, task: Task, text: str = "") -> list[str]:
        return asyncio.run_coroutine_threadsafe(self._coordinator.order(task, text), self._loop).result(60)

    async def _end(self) -> None:
        await self._coordinator.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)


def carry_out(_: Order) -> str:
    return ""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path / "team")
    yield running
    running.close()


def test_turns_of_many_threads_and_workers_are_each_given_once(running: Running) -> None:
    workers = [RemoteTurns(str(running.path)) for _ in range(3)]
    with ThreadPoolExecutor(12) as pool:
        turns = [*pool.map(lambda place: workers[place % 3].next("default", "hello"), range(300))]
    assert sorted(turns) == [*range(300)]
    assert workers[0].next("checkout", "hello") == 0
    assert workers[0].next("default", "another") == 0
    workers[1].rewind()
    assert workers[2].next("default", "hello") == 0
    for each in workers:
        each.close()


def test_without_a_coordinator_a_worker_counts_by_itself_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_AGAIN", 0)
    turns = RemoteTurns(str(tmp_path / "team"))
    assert [turns.next("default", "hello") for _ in range(3)] == [0, 1, 2]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    turns.rewind()
    assert turns.next("default", "hello") == 0
    running = Running(tmp_path / "team")
    running.board.turns.next("default", "hello")
    assert turns.next("default", "hello") == 1
    assert "answers again" in caplog.messages[-1]
    turns.close()
    running.close()


def test_a_coordinator_that_is_silent_holds_nobody_up_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_PATIENCE", 0.05)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "team"))
        silent.listen()
        turns = RemoteTurns(str(tmp_path / "team"))
        assert [turns.next("default", "hello") for _ in range(3)] == [0, 1, 2]
        turns.close()


def test_a_reporter_tells_that_it_is_up_what_is_counted_and_its_last_word(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_EVERY", 0.01)
    ledger, lost = SessionCounters(), threading.Event()
    reporter = Reporter(Membership(4, str(running.path)), ledger.sessions, lost.set, carry_out)
    reporter.join()
    reporter.start()
    wait_until(lambda: running.told == [("up", 4)])
    ledger.of("default").hits = 3
    wait_until(lambda: running.board.counters() == {"default": Counters(hits=3)})
    monkeypatch.setattr(worker, "_EVERY", 600)
    ledger.of("default").hits = 4
    ledger.of("late").misses = 1
    reporter.close()
    wait_until(lambda: running.board.counters() == {"default": Counters(hits=4), "late": Counters(misses=1)})
    wait_until(lambda: running.told == [("up", 4), ("down", 4)])
    assert not lost.is_set()


def test_a_reporter_whose_coordinator_goes_says_so_at_once(tmp_path: Path) -> None:
    running, lost = Running(tmp_path / "team"), threading.Event()
    reporter = Reporter(Membership(1, str(running.path)), SessionCounters().sessions, lost.set, carry_out)
    reporter.join()
    reporter.start()
    wait_until(lambda: running.told)
    running.close()
    assert lost.wait(60)
    reporter.close()


def test_workers_do_what_they_are_told_in_its_order_and_who_comes_later_hears_it_first(running: Running) -> None:
    obeyed: dict[int, list[Order]] = {1: [], 2: []}

    def reporter(number: int) -> Reporter:
        def obey(order: Order) -> str:
            obeyed[number].append(order)
            return f"not {order.task} {order.text}" if order.text == "wrong" else ""

        membership = Membership(number, str(running.path))
        return Reporter(membership, SessionCounters().sessions, lambda: None, obey)

    first = reporter(1)
    in_force = first.join()
    assert in_force
    assert in_force.text == ""
    assert running.told == [], "it does not serve yet"
    first.start()
    assert running.order(Task.APPLY, "one") == []
    assert [(each.task, each.text) for each in obeyed[1]] == [(Task.APPLY, "one")]
    second = reporter(2)
    in_force = second.join()
    assert in_force
    assert in_force.text == "one"
    second.start()
    assert running.order(Task.FLUSH) == []
    assert sorted(running.order(Task.APPLY, "wrong")) == [
        "worker 1: not apply wrong",
        "worker 2: not apply wrong",
    ]
    assert [each.task for each in obeyed[2]] == [Task.FLUSH, Task.APPLY]
    first.close()
    second.close()
    assert running.order(Task.REWIND) == [], "nobody is left who would have to"


def test_no_order_waits_for_a_flush(running: Running) -> None:
    flushing, may_end = threading.Event(), threading.Event()

    def obey(order: Order) -> str:
        if order.task is Task.FLUSH:
            flushing.set()
            assert may_end.wait(60)
        return ""

    reporter = Reporter(Membership(1, str(running.path)), SessionCounters().sessions, lambda: None, obey)
    reporter.join()
    reporter.start()
    with ThreadPoolExecutor(1) as pool:
        flushed = pool.submit(running.order, Task.FLUSH)
        assert flushing.wait(60)
        assert running.order(Task.APPLY, "meanwhile") == []
        assert not flushed.done()
        may_end.set()
        assert flushed.result(60) == []
    reporter.close()


def test_what_is_ordered_before_a_worker_serves_is_done_when_it_does(running: Running) -> None:
    obeyed: list[str] = []

    def obey(order: Order) -> str:
        obeyed.append(order.text)
        return ""

    reporter = Reporter(Membership(1, str(running.path)), SessionCounters().sessions, lambda: None, obey)
    reporter.join()
    with ThreadPoolExecutor(1) as pool:
        ordered = pool.submit(running.order, Task.APPLY, "early")
        reporter.start()
        assert ordered.result(60) == []
    assert obeyed == ["early"]
    reporter.close()


def test_where_nobody_says_what_is_in_force_a_worker_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lost = threading.Event()
    reporter = Reporter(Membership(1, str(tmp_path / "team")), SessionCounters().sessions, lost.set, carry_out)
    assert reporter.join() is None
    assert "does not say what is in force" in caplog.text
    reporter.start()
    assert lost.wait(60)
    reporter.close()


def test_a_connection_that_talks_nonsense_is_ended_and_the_others_go_on(running: Running) -> None:
    for nonsense in (b"GET / HTTP/1.1\r\n\r\n", b'{"kind":"report","counters":{}}\n', b'{"kind":"turn","played":1}\n'):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(str(running.path))
            connection.sendall(nonsense)
            assert connection.recv(1) == b""
    turns = RemoteTurns(str(running.path))
    assert turns.next("default", "hello") == 0
    turns.close()
    assert running.told == []


def test_a_membership_is_a_text() -> None:
    assert worker.parse("3@/tmp/x@y/team") == Membership(3, "/tmp/x@y/team")
    assert str(worker.parse("3@/tmp/team")) == "3@/tmp/team"


@pytest.mark.parametrize("text", ["", "3", "3@", "@/tmp/team", "x@/tmp/team", "-1@/tmp/team"])
def test_another_text_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="wiretape serve sets it"):
        worker.parse(text)
