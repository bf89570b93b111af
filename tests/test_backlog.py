"""When recordings are written: not while the traffic needs the time, in order, and all of them."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from wiretape.proxy.backlog import Backlog

LONG = 60.0


@pytest.fixture
def worker() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as worker:
        yield worker


def run(test: Callable[[asyncio.AbstractEventLoop], Coroutine[None, None, None]]) -> None:
    async def begin() -> None:
        await asyncio.wait_for(test(asyncio.get_running_loop()), 30)

    asyncio.run(begin())


class Done:
    """Pieces of work, and those that were done."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.names: list[str] = []
        self._more = asyncio.Event()

    def work(self, name: str) -> Callable[[], None]:
        def do() -> None:
            self.loop.call_soon_threadsafe(self._did, name)

        return do

    def _did(self, name: str) -> None:
        self.names.append(name)
        self._more.set()

    async def until(self, count: int) -> list[str]:
        while len(self.names) < count:
            self._more.clear()
            await self._more.wait()
        return self.names


def test_while_nothing_else_is_to_be_done_all_is_done_in_order(worker: ThreadPoolExecutor) -> None:
    async def test(loop: asyncio.AbstractEventLoop) -> None:
        done, backlog = Done(loop), Backlog(worker, patience=LONG, used=lambda: 0.0)
        for name in "abc":
            backlog.add(done.work(name))
        assert done.names == []
        assert await done.until(3) == ["a", "b", "c"]
        backlog.add(done.work("d"))
        assert await done.until(4) == ["a", "b", "c", "d"]

    run(test)


def test_while_the_proxy_is_busy_it_waits_and_not_for_ever(worker: ThreadPoolExecutor) -> None:
    async def test(loop: asyncio.AbstractEventLoop) -> None:
        done, backlog = Done(loop), Backlog(worker, patience=0.3, used=loop.time)
        added = loop.time()
        backlog.add(done.work("a"))
        await done.until(1)
        assert loop.time() - added >= 0.3

    run(test)


def test_it_goes_on_as_soon_as_there_is_time(worker: ThreadPoolExecutor) -> None:
    async def test(loop: asyncio.AbstractEventLoop) -> None:
        asked = 0

        def used() -> float:
            # Busy for the first looks, then idle.
            nonlocal asked
            asked += 1
            return loop.time() if asked < 10 else 0.0

        done, backlog = Done(loop), Backlog(worker, patience=LONG, used=used)
        backlog.add(done.work("a"))
        await done.until(1)
        assert asked >= 10

    run(test)


def test_what_has_begun_is_one_piece_so_that_the_rest_can_wait(worker: ThreadPoolExecutor) -> None:
    async def test(loop: asyncio.AbstractEventLoop) -> None:
        busy, begun, go_on = False, asyncio.Event(), threading.Event()
        done = Done(loop)

        def first() -> None:
            loop.call_soon_threadsafe(begun.set)
            go_on.wait(LONG)

        backlog = Backlog(worker, patience=0.5, used=lambda: loop.time() if busy else 0.0)
        added = loop.time()
        backlog.add(first)
        backlog.add(done.work("a"))
        await begun.wait()
        busy = True
        go_on.set()
        assert await done.until(1) == ["a"]
        assert loop.time() - added >= 0.5

    run(test)


def test_when_the_proxy_stops_nothing_is_left_out(worker: ThreadPoolExecutor) -> None:
    async def test(loop: asyncio.AbstractEventLoop) -> None:
        done, backlog = Done(loop), Backlog(worker, patience=LONG, used=loop.time)
        for name in "abc":
            backlog.add(done.work(name))
        backlog.hurry()
        assert await done.until(3) == ["a", "b", "c"]

    run(test)


def test_what_fails_is_told_and_holds_nothing_up(worker: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture) -> None:
    async def test(loop: asyncio.AbstractEventLoop) -> None:
        def fail() -> None:
            raise OSError("disk full")

        done, backlog = Done(loop), Backlog(worker, patience=LONG, used=lambda: 0.0)
        backlog.add(fail)
        backlog.add(done.work("a"))
        assert await done.until(1) == ["a"]

    run(test)
    assert "RECORDING LOST" in caplog.text
    assert "disk full" in caplog.text
