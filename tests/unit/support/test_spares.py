"""What a forked program starts itself is a fork too, and nothing of it stays when the program has ended."""

import os
import signal
from pathlib import Path

import pytest

import spares
from harness import Mitmdump, wait_until
from serving import Serve
from wiretape.cluster.balancer import has_reuseport

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked at in /proc")


def children(process: int) -> list[int]:
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for each in lists for child in each.read_text().split()]


def is_running(process: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_writer_is_a_fork_and_the_next_one_is_started(tmp_path: Path) -> None:
    with Mitmdump(tmp_path / "recordings", "record") as proxy:
        (writer,) = wait_until(lambda: [each for each in children(proxy.process.pid) if spares.role(each) == "writer"])
        os.kill(writer, signal.SIGKILL)
        (other,) = wait_until(lambda: [each for each in children(proxy.process.pid) if each != writer])
        wait_until(lambda: "writer_process" in Path(f"/proc/{other}/cmdline").read_text())
        assert proxy.stop() == 0


@pytest.mark.skipif(not has_reuseport(), reason="the kernel cannot balance")
def test_none_is_left_when_its_program_is_killed(tmp_path: Path) -> None:
    with Serve(tmp_path / "recordings", "replay", workers=1, balance="reuseport", fork=True) as serve:
        processes = serve.children()
        assert [spares.role(each) for each in processes] == ["worker 1", "spare", "spare", "spare"]
        serve.process.kill()
        wait_until(lambda: not any(map(is_running, processes)))
