"""A connection whose bytes take long is read in small bites, and the others have their turn in between."""

import asyncio
from collections.abc import Callable

import pytest

from wiretape.proxy import read_sizes
from wiretape.proxy.read_sizes import SteadyReader

ALL = 256 * 1024


class Clock:
    """The thread's time, which goes on when it is told to."""

    now = 1.0

    def thread_time(self) -> float:
        """As ``time.thread_time``."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(read_sizes, "time", clock)
    return clock


def bites(cost: Callable[[int], float], clock: Clock) -> tuple[list[int], float]:
    """The sizes that are read of what is all there, and the longest time for which nobody else had his turn."""
    sizes: list[int] = []
    longest = 0.0

    async def others() -> None:
        nonlocal longest
        while True:
            before = clock.now
            await asyncio.sleep(0)
            longest = max(longest, clock.now - before)

    async def run() -> None:
        source = asyncio.StreamReader(limit=ALL)
        source.feed_data(bytes(ALL))
        source.feed_eof()
        reader = SteadyReader(source)
        task = asyncio.create_task(others())
        await asyncio.sleep(0)
        while data := await reader.read(65535):
            sizes.append(len(data))
            clock.now += cost(len(data))
        task.cancel()

    asyncio.run(run())
    assert sum(sizes) == ALL
    return sizes, longest


def test_what_takes_long_holds_up_nobody_for_long(clock: Clock) -> None:
    for cost, most in ((4e-6, 4096), (1e-5, 2048)):  # 260 and 650 ms for 64 kB.
        sizes, longest = bites(lambda size, cost=cost: size * cost, clock)  # type: ignore[misc]
        assert sizes[0] == 16 * 1024
        assert max(sizes[4:]) <= most
        assert longest <= 17000 * cost  # The first bite; all of it would have been a second or more.


def test_what_takes_no_time_is_read_as_it_comes(clock: Clock) -> None:
    sizes, _ = bites(lambda _: 1e-6, clock)
    assert len(sizes) <= ALL // (16 * 1024)


def test_small_ones_after_one_another_let_others_in_too(clock: Clock) -> None:
    _, longest = bites(lambda _: 0.004, clock)
    assert longest <= 0.02


def test_it_grows_again(clock: Clock) -> None:
    slow = [0.5]

    async def run() -> list[int]:
        source = asyncio.StreamReader(limit=ALL)
        reader, sizes = SteadyReader(source), []
        for _ in range(12):
            source.feed_data(bytes(65536))
            data = await reader.read(65535)
            sizes.append(len(data))
            clock.now += slow.pop() if slow else 1e-6
            await asyncio.sleep(0)
        return sizes

    sizes = asyncio.run(run())
    assert sizes[:2] == [16384, 8192]
    assert max(sizes) == 65535
