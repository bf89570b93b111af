"""Real processes, kept up; and the leash that they are on."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import wait_until
from wiretape.cluster import supervisor as module
from wiretape.cluster.parent_death import leashed
from wiretape.cluster.supervisor import SupervisedProcess

FOR_EVER = "[signal.pause() for _ in iter(int, 1)]"
IN_ORDER = "import signal, sys; signal.signal(signal.SIGINT, lambda *_: sys.exit(print('ending'))); "


class Told:
    """What a child tells, and a way to wait for it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._more = asyncio.Event()

    def __call__(self, label: str, line: str) -> None:
        self.lines.append(f"{label}: {line}")
        self._more.set()

    async def until(self, arrived: Callable[[list[str]], bool]) -> None:
        async with asyncio.timeout(60):
            while not arrived(self.lines):
                self._more.clear()
                await self._more.wait()


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.04)


def test_lines_are_told_under_the_label_even_without_an_end() -> None:
    async def run() -> list[str]:
        told = Told()
        child = SupervisedProcess("7", python("print('one'); print('t\\xffwo', end='')"), told, ends_on=signal.SIGINT)
        child.start()
        await child.died.wait()
        await child.stop(5)
        return told.lines

    assert asyncio.run(run()) == ["7: one", "7: t\xffwo", "7: ended with exit code 0"]


def test_what_dies_at_its_first_start_is_not_started_again() -> None:
    async def run() -> tuple[list[str], int]:
        told = Told()
        child = SupervisedProcess("7", python("raise SystemExit('wrong option')"), told, ends_on=signal.SIGINT)
        child.start()
        await child.died.wait()
        await child.stop(5)
        return told.lines, child.restarts

    assert asyncio.run(run()) == (["7: wrong option", "7: ended with exit code 1"], 0)


def test_what_was_good_once_is_started_again_after_longer_and_longer_pauses() -> None:
    async def run() -> tuple[list[str], int]:
        told = Told()
        child = SupervisedProcess("7", python("raise SystemExit(3)"), told, ends_on=signal.SIGINT)
        child.is_good = True
        child.start()
        await told.until(lambda lines: len(lines) == 4)
        await child.stop(5)
        return told.lines, child.restarts

    lines, restarts = asyncio.run(run())
    assert lines == [
        f"7: ended with exit code 3: it is started again in {pause} s" for pause in ("0.01", "0.02", "0.04", "0.04")
    ]
    assert restarts == 3


def test_one_that_is_killed_is_replaced_and_the_last_ends_in_order() -> None:
    async def run() -> list[str]:
        told = Told()
        code = IN_ORDER + "import os; print('up', os.getpid()); " + FOR_EVER
        child = SupervisedProcess("7", python(code), told, ends_on=signal.SIGINT)
        child.is_good = True
        child.start()
        await told.until(lambda lines: len(lines) == 1)
        os.kill(int(told.lines[0].split()[-1]), signal.SIGKILL)
        await told.until(lambda lines: len(lines) == 3)
        await child.stop(10)
        assert child.restarts == 1
        return told.lines

    first, why, second, last = asyncio.run(run())
    assert first != second
    assert why == "7: was ended by signal 9: it is started again in 0.01 s"
    assert last == "7: ending"


def test_one_that_does_not_end_is_killed() -> None:
    async def run() -> list[str]:
        told = Told()
        code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); print('up'); " + FOR_EVER
        child = SupervisedProcess("7", python(code), told, ends_on=signal.SIGINT)
        child.start()
        await told.until(lambda lines: len(lines) == 1)
        await child.stop(0.1)
        return told.lines

    assert asyncio.run(run())[1:] == ["7: did not end within 0.1 s: killed"]


def test_a_stop_while_it_waits_to_start_again_is_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 600)

    async def run() -> int:
        told = Told()
        child = SupervisedProcess("7", python(""), told, ends_on=signal.SIGINT)
        child.is_good = True
        child.start()
        await told.until(lambda lines: len(lines) == 1)
        await child.stop(10)
        return child.restarts

    assert asyncio.run(run()) == 0


def test_what_it_leaves_behind_keeps_nobody_waiting() -> None:
    async def run() -> list[str]:
        told = Told()
        # The one that stays has the same output, and would hold it open.
        stays = f"[sys.executable, '-c', 'import signal; {FOR_EVER}']"
        code = f"import subprocess, sys; print(subprocess.Popen({stays}).pid)"
        child = SupervisedProcess("7", python(code), told, ends_on=signal.SIGINT)
        child.start()
        async with asyncio.timeout(60):
            await child.died.wait()
        return told.lines

    first, second = asyncio.run(run())
    os.kill(int(first.split()[-1]), signal.SIGKILL)
    assert second == "7: ended with exit code 0"


def test_a_command_that_is_not_there_is_told() -> None:
    async def run() -> list[str]:
        told = Told()
        child = SupervisedProcess("7", ["/no/such/program"], told, ends_on=signal.SIGINT)
        child.start()
        await child.died.wait()
        return told.lines

    assert asyncio.run(run())[0] == "7: cannot run /no/such/program: No such file or directory"


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell of a parent's end")
def test_a_leashed_command_ends_in_order_when_its_parent_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "ended"
    code = (
        "import pathlib, signal, sys; "
        f"signal.signal(signal.SIGINT, lambda *_: sys.exit(pathlib.Path({str(note)!r}).write_text('in order'))); "
        f"print('up', flush=True); {FOR_EVER}"
    )
    parent = (
        "import subprocess, sys; from wiretape.cluster.parent_death import leashed; "
        f"subprocess.Popen(leashed(2, [sys.executable, '-c', {code!r}]), start_new_session=True).wait()"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        process.kill()
        wait_until(lambda: note.exists() and note.read_text() == "in order")


def test_a_leashed_command_is_itself() -> None:
    code = "import os, sys; print(os.getpid()); sys.exit(5)"
    with subprocess.Popen(leashed(signal.SIGINT, python(code)), stdout=subprocess.PIPE, text=True) as process:
        assert process.communicate()[0] == f"{process.pid}\n"
    assert process.returncode == 5
