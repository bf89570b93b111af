"""What a proxy does at its start, in which order."""

import asyncio
from pathlib import Path

import pytest

from harness import wait_until
from inside import Inside
from starts import failures
from wiretape.proxy.compat import loopback
from wiretape.proxy.journaling import Journaling


def test_no_process_is_started_while_the_port_moves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A process that is being started has the former socket for a moment: nobody can listen on the port meanwhile."""
    order: list[str] = []
    begin = Journaling.start

    async def rebind() -> None:
        order.append("the port is given up")
        await asyncio.sleep(0)
        order.append("the port is taken")

    def start(self: Journaling, *, is_recording: bool) -> None:
        order.append("a process is started")
        begin(self, is_recording=is_recording)

    monkeypatch.setattr(loopback, "rebind", rebind)
    monkeypatch.setattr(Journaling, "start", start)
    with Inside({"wiretape_mode": "record", "wiretape_recordings": str(tmp_path)}, ports={}):
        wait_until(lambda: len(order) == 3)
    assert order == ["the port is given up", "the port is taken", "a process is started"]


def test_it_starts_on_a_busy_machine_without_being_told_where_to_listen() -> None:
    """``tests/support/starts.py`` does it thirty times."""
    assert failures(2) == []
