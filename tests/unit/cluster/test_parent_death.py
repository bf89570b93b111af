"""A command that ends with who started it, and is otherwise itself: its output, its exit code."""

import os
import signal
import subprocess
import sys

import pytest

from places import PACKAGE
from wiretape.cluster.parent_death import leashed


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(leashed(signal.SIGTERM, command), capture_output=True, text=True, check=False, timeout=60)


def test_the_command_line() -> None:
    assert leashed(signal.SIGTERM, ("echo", "-n"))[-4:] == ["15", str(os.getpid()), "echo", "-n"]


def test_output_and_exit_code_are_the_commands_own() -> None:
    ran = run("sh", "-c", "echo out; echo err >&2; exit 7")
    assert (ran.stdout, ran.stderr, ran.returncode) == ("out\n", "err\n", 7)


def test_a_command_that_there_is_not_is_told() -> None:
    ran = run("no-such-command")
    assert ran.stderr == "cannot run no-such-command: No such file or directory\n"
    assert ran.returncode == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a parent's end")
def test_it_does_not_begin_where_its_parent_has_ended() -> None:
    command = leashed(signal.SIGTERM, ("echo", "begun"))
    command[command.index(str(os.getpid()))] = "1"
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ran.stdout, ran.returncode) == ("", 1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a parent's end")
def test_it_ends_with_its_parent() -> None:
    program = (
        "import os, signal, subprocess, sys\n"
        f"sys.path.insert(0, {str(PACKAGE.parent)!r})\n"
        "from wiretape.cluster.parent_death import leashed\n"
        "subprocess.Popen(leashed(signal.SIGKILL, ['sh', '-c', 'echo up; exec sleep 60']), stdout=1)\n"
        "sys.stdin.read()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        assert parent.stdin
        assert parent.stdout.readline() == b"up\n"
        parent.stdin.close()
        # Its output ends when both have gone: who holds it open no longer lives.
        assert parent.stdout.read() == b""
