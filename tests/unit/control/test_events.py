"""Calls as Server-Sent Events: what is new, signs of life, and an end."""

import asyncio
import json
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest

from wiretape.call_log.call import Call, Outcome, from_json
from wiretape.control import events


def call(number: int) -> Call:
    return Call(1.0, "a\nb", "replay", Outcome.HIT, id=number, request="x\u2028y")


def test_an_event_is_one_line_whatever_a_call_says() -> None:
    first, second, *rest = events.event(call(7)).split(b"\n")
    assert first == b"id: 7"
    assert from_json(json.loads(second.removeprefix(b"data: "))) == call(7)
    assert rest == [b"", b""]


def test_what_is_new_comes_at_once_and_each_once_until_the_end() -> None:
    pages = [[call(1), call(2)], [], [call(3)]]

    async def read() -> list[bytes]:
        stopping = asyncio.Event()

        async def look(place: int) -> tuple[Sequence[Call], int]:
            if place == len(pages):
                stopping.set()
                return [], place
            return pages[place], place + 1

        return [part async for part in events.stream(look, 0, stopping, again=0.0)]

    parts = asyncio.run(read())
    assert parts == [events.ALIVE, events.event(call(1)) + events.event(call(2)), events.event(call(3))]


def test_a_silent_stream_shows_that_it_is_alive() -> None:
    async def read() -> list[bytes]:
        stopping = asyncio.Event()
        parts = []

        async def look(place: int) -> tuple[Sequence[Call], int]:
            return [], place

        async for part in events.stream(look, 0, stopping, again=0.0, silence=0.0):
            parts.append(part)
            if len(parts) == 3:
                stopping.set()
        return parts

    assert asyncio.run(read()) == [events.ALIVE] * 3


def test_a_stream_leaves_most_of_the_time_to_the_traffic(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read() -> list[float]:
        stopping = asyncio.Event()
        clock = asyncio.get_running_loop()
        pauses: list[float] = []
        now = 0.0

        async def look(place: int) -> tuple[Sequence[Call], int]:
            nonlocal now
            now += 0.01
            return [call(place)], place + 1

        async def wait(what: Coroutine[Any, Any, Any], pause: float) -> None:
            what.close()
            pauses.append(round(pause, 3))
            if len(pauses) == 3:
                stopping.set()

        monkeypatch.setattr(clock, "time", lambda: now)
        monkeypatch.setattr(asyncio, "wait_for", wait)
        assert [part async for part in events.stream(look, 1, stopping)]
        return pauses

    assert asyncio.run(read()) == [0.09, 0.09, 0.09]


def test_a_slow_reader_is_not_looked_for_meanwhile() -> None:
    looked: list[int] = []

    async def read() -> None:
        async def look(place: int) -> tuple[Sequence[Call], int]:
            looked.append(place)
            return [call(place)], place + 1

        stream = events.stream(look, 1, asyncio.Event(), again=0.0)
        await anext(stream)
        await anext(stream)
        await asyncio.sleep(0)
        assert looked == [1], "only what is read is looked for"
        await anext(stream)
        assert looked == [1, 2]
        await stream.aclose()  # type: ignore[attr-defined]

    asyncio.run(read())
