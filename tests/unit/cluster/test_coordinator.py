"""The coordinator's socket: workers that say hello, report, take turns, and go."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from wiretape.cluster import coordinator
from wiretape.cluster.coordinator import Coordinator
from wiretape.cluster.protocol import (
    CounterReport,
    Done,
    Hello,
    Message,
    MessageDecoder,
    Next,
    Order,
    Rewind,
    Task,
    Turn,
    Up,
    encode,
)
from wiretape.cluster.state import ClusterState
from wiretape.metrics.counters import Counters


class Told:
    """A coordinator that listens, and what it told of its workers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = ClusterState()
        self.up: asyncio.Queue[int] = asyncio.Queue()
        self.down: asyncio.Queue[int] = asyncio.Queue()
        self.coordinator = Coordinator(self.state, self.up.put_nowait, self.down.put_nowait)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(self.path)


def talk(tmp_path: Path, with_it: Callable[[Told], Awaitable[None]]) -> None:
    async def run() -> None:
        told = Told(tmp_path / "socket")
        await told.coordinator.start(told.path)
        try:
            async with asyncio.timeout(60):
                await with_it(told)
        finally:
            await told.coordinator.close()

    asyncio.run(run())


def hello(worker: int = 1) -> bytes:
    return encode(Hello(worker, "first")) + encode(Up())


async def answers(reader: asyncio.StreamReader, number: int) -> list[Message]:
    return [message for _ in range(number) for message in MessageDecoder().feed(await reader.readline())]


def test_a_worker_comes_reports_and_goes(tmp_path: Path) -> None:
    async def with_it(told: Told) -> None:
        _, writer = await told.connect()
        writer.write(hello(2))
        assert await told.up.get() == 2
        assert told.down.empty()
        writer.write(encode(CounterReport({"s": Counters(hits=3)})))
        writer.close()
        assert await told.down.get() == 2
        assert told.state.counters()["s"].hits == 3

    talk(tmp_path, with_it)


def test_turns_are_counted_for_all_workers_together(tmp_path: Path) -> None:
    async def with_it(told: Told) -> None:
        reader, writer = await told.connect()
        other_reader, other = await told.connect()
        writer.write(encode(Next("s", "a")) + encode(Next("s", "a")))
        assert await answers(reader, 2) == [Turn(0), Turn(1)]
        other.write(encode(Next("s", "a")) + encode(Next("s", "b")))
        assert await answers(other_reader, 2) == [Turn(2), Turn(0)]
        writer.write(encode(Rewind()) + encode(Next("s", "a")))
        assert await answers(reader, 2) == [Turn(0), Turn(0)]
        writer.close()
        other.close()
        assert told.down.empty(), "neither said hello"

    talk(tmp_path, with_it)


@pytest.mark.parametrize(
    "line", [b"x\n", encode(Turn(1)), encode(CounterReport({})), encode(Up()), encode(Done(1)), b"[]\n"]
)
def test_who_says_what_has_no_place_is_cut_off_and_the_others_go_on(
    line: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def with_it(told: Told) -> None:
        good_reader, good = await told.connect()
        reader, writer = await told.connect()
        writer.write(line)
        assert await reader.read() == b""
        good.write(encode(Next("s", "a")))
        assert await answers(good_reader, 1) == [Turn(0)]
        good.close()
        writer.close()

    with caplog.at_level(logging.ERROR):
        talk(tmp_path, with_it)
    assert "a worker's connection" in caplog.text


def test_what_a_worker_said_last_is_heard_at_the_end(tmp_path: Path) -> None:
    async def with_it(told: Told) -> None:
        _, writer = await told.connect()
        writer.write(hello())
        await told.up.get()
        writer.write(encode(CounterReport({"s": Counters(hits=1)})))
        writer.close()
        await told.coordinator.close()
        assert told.state.counters()["s"].hits == 1
        assert await told.down.get() == 1

    talk(tmp_path, with_it)


def test_an_order_is_carried_out_when_each_worker_has_answered_or_gone(tmp_path: Path) -> None:
    async def with_it(told: Told) -> None:
        reader, writer = await told.connect()
        leaving_reader, leaving = await told.connect()
        for number, each in ((1, writer), (2, leaving)):
            each.write(hello(number))
        for each_reader in (reader, leaving_reader):
            (in_force,) = await answers(each_reader, 1)
            assert isinstance(in_force, Order)
            assert (in_force.task, in_force.text) == (Task.APPLY, "")
        ordered = asyncio.create_task(told.coordinator.order(Task.APPLY, "new"))
        (order,) = await answers(reader, 1)
        assert isinstance(order, Order)
        assert order.text == "new"
        writer.write(encode(Done(order.number)))
        leaving.close()
        assert await ordered == []
        # Who comes now hears it at once.
        late_reader, late = await told.connect()
        late.write(hello(3))
        (in_force,) = await answers(late_reader, 1)
        assert isinstance(in_force, Order)
        assert in_force.text == "new"
        late.close()
        writer.close()

    talk(tmp_path, with_it)


def test_a_worker_that_does_not_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordinator, "_PATIENCE", 0.05)

    async def with_it(told: Told) -> None:
        _, writer = await told.connect()
        writer.write(hello(7))
        await told.up.get()
        told.state.turns.next("s", "a")
        assert await told.coordinator.rewind() == ["worker 7 did not answer within 0.05 s"]
        assert told.state.turns.next("s", "a") == 0
        writer.close()

    talk(tmp_path, with_it)
