"""A start of mitmdump with wiretape for a third of its price: by a fork of a process that has imported both.

Imports are most of what a start takes, and the tests start hundreds. So a test process keeps one that has done only
them, and each mitmdump is a fork of it. From there on it is a start like any other: mitmproxy's own ``main`` reads the
arguments, loads all its addons and the scripts, and the process ends as a program does. What Python, or a library while
it is imported, reads of the environment cannot be given to a fork: ``can_fork`` says no.

Between the two there is a keeper for each fork: it waits for the end, and tells the exit code through a pipe.

    test process  --(job, output, status)-->  prepared  --fork-->  keeper  --fork-->  mitmdump
         ^------------- "PID", then "EXIT CODE" -------------------'
"""

import atexit
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

_IMPORTS = ("mitmproxy.tools.main", "mitmproxy.tools.dump", "wiretape.proxy.addon")
_READ_BY_PYTHON = ("PYTHON", "LD_")
_READ_BY_MITMPROXY = ("SSLKEYLOGFILE", "MITMPROXY_SSLKEYLOGFILE")


def can_fork(env: Mapping[str, str]) -> bool:
    """Return whether a fork notices these variables, which the prepared process does not have."""
    return not any(name.startswith(_READ_BY_PYTHON) or name in _READ_BY_MITMPROXY for name in env)


class Forked:
    """A mitmdump that runs, with what the tests need of a ``subprocess.Popen``. ``command``: its script and arguments.

    It has a session of its own, reads nothing, and writes output and errors to ``stdout``.
    """

    def __init__(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        output, output_end = os.pipe()
        status, status_end = os.pipe()
        job, job_end = os.pipe()
        try:
            _prepared().ask(job, output_end, status_end)
        finally:
            for each in (job, output_end, status_end):
                os.close(each)
        self.stdout: IO[str] = os.fdopen(output, encoding="utf-8", errors="replace")
        self._status = os.fdopen(status, encoding="ascii")
        self._waiting = threading.Lock()
        with os.fdopen(job_end, "w", encoding="utf-8") as file:
            json.dump({"command": list(command), "cwd": str(cwd), "env": dict(env)}, file)
        self.pid = int(self._status.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code (less than 0: the signal that ended it), or None while it runs."""
        with self._waiting:
            if self.returncode is None and self._has_ended(0):
                self._read_returncode()
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code when it has ended."""
        with self._waiting:
            if self.returncode is None:
                if not self._has_ended(timeout):
                    raise subprocess.TimeoutExpired("mitmdump", timeout or 0)
                self._read_returncode()
            assert self.returncode is not None
            return self.returncode

    def send_signal(self, number: int) -> None:
        """Send the signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL, unless it has ended."""
        self.send_signal(signal.SIGKILL)

    def _has_ended(self, timeout: float | None) -> bool:
        return bool(select.select([self._status], [], [], timeout)[0])

    def _read_returncode(self) -> None:
        with self._status:
            self.returncode = int(self._status.readline())


class _Prepared:
    """The process that has imported it all, seen from the tests; it ends when this one has ended or closed its door."""

    def __init__(self) -> None:
        self._door, its_end = socket.socketpair()
        with its_end:
            command = [sys.executable, str(Path(__file__).resolve()), str(its_end.fileno())]
            self.process = subprocess.Popen(
                command,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[its_end.fileno()],
                start_new_session=True,
            )
        self._asking = threading.Lock()

    def ask(self, *files: int) -> None:
        """Have it start one, which gets these files."""
        with self._asking:
            socket.send_fds(self._door, [b"."], files)

    def end(self) -> None:
        self._door.close()
        self.process.wait()


@cache
def _prepared() -> _Prepared:
    prepared = _Prepared()
    atexit.register(prepared.end)
    return prepared


# -- what follows runs in the other process ----------------------------------------------------------------------------


def _fork_on_demand(door: socket.socket) -> tuple[int, int, int] | None:
    """Return in each new keeper the files that its mitmdump gets; return None when the tests are over."""
    while True:
        asked, files, _, _ = socket.recv_fds(door, 1, 3)
        if not asked:
            return None
        if os.fork() == 0:
            door.close()
            job, output, status = files
            return job, output, status
        for each in files:
            os.close(each)
        _reap()


def _reap() -> None:
    """Let go of the keepers that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _keep(child: int, status: int) -> None:
    """Tell who the child is, and how it ended."""
    with os.fdopen(status, "w", encoding="ascii") as file:
        print(child, file=file, flush=True)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(code, file=file)


def _become(job: int, output: int) -> None:
    """Be the process that a start of the program would have made."""
    os.setsid()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    with os.fdopen(job, encoding="utf-8") as file:
        wanted = json.load(file)
    os.environ.clear()
    os.environ.update(wanted["env"])
    os.chdir(wanted["cwd"])
    sys.argv[:] = wanted["command"]
    sys.path[0] = str(Path(sys.argv[0]).parent)


def _main() -> None:
    for each in _IMPORTS:
        importlib.import_module(each)
    # No fork looks for garbage in what was imported, nor takes it apart at its end: that is most of what an end takes.
    gc.collect()
    gc.freeze()
    door = socket.socket(fileno=int(sys.argv[1]))
    files = _fork_on_demand(door)
    if files is None:
        return
    job, output, status = files
    child = os.fork()
    if child:
        os.close(job)
        os.close(output)
        _keep(child, status)
        os._exit(0)
    os.close(status)
    _become(job, output)
    sys.exit(importlib.import_module("mitmproxy.tools.main").mitmdump())


if __name__ == "__main__":
    _main()
