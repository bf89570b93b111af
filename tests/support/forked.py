"""mitmdump with wiretape, and the ``wiretape`` command, for a third of their price: forks of what has imported both.

Imports are most of what a start takes, and the tests start hundreds. So a test process keeps one that has done only
them, and a program of a test is a fork of it. From there on it is a start like any other: the program's own ``main``
reads the arguments, mitmproxy loads all its addons and the scripts, and the process ends as a program does. What
Python, or a library while it is imported, reads of the environment cannot be given to a fork: ``can_fork`` says no.

Between the two there is a keeper for each fork: it waits for the end, and tells the exit code through a pipe. What the
program starts itself, a writer of recordings or the workers of ``wiretape serve``, are forks too: see ``spares``.

    test process  --(job, output, errors, status)-->  prepared  --fork-->  keeper  --fork-->  program  --fork-->  spares
         ^------------------ "PID", then "EXIT CODE" -----------------------'
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
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Self

import spares

WIRETAPE = Path(sys.executable).parent / "wiretape"

_PROGRAMS = ("mitmdump", "wiretape")
_IMPORTED_LATER = (
    "mitmproxy.tools.dump",
    "wiretape.proxy.addon",
    # What the addon imports when it is asked to, and each client at its first connection.
    "wiretape.journal.writer_process",
    "wiretape.library.folding",
    "wiretape.proxy.layers.connect",
    "wiretape.proxy.layers.fast_http1",
    "wiretape.proxy.layers.http",
    "wiretape.proxy.layers.playing_stream",
    "cryptography.hazmat.backends.openssl.backend",
    "encodings.idna",
    "importlib.resources.readers",
    "wiretape.cli.run",
    "wiretape.cli.serve",
    "wiretape.cli.reuseport_worker",
    "pydantic.type_adapter",  # The command imports it while it reads its arguments.
)
_READ_BY_PYTHON = ("PYTHON", "LD_")
_READ_BY_MITMPROXY = ("SSLKEYLOGFILE", "MITMPROXY_SSLKEYLOGFILE")


def can_fork(env: Mapping[str, str]) -> bool:
    """Return whether a fork notices these variables, which the prepared process does not have."""
    return not any(name.startswith(_READ_BY_PYTHON) or name in _READ_BY_MITMPROXY for name in env)


class Forked:
    """A program that runs, with what the tests need of a ``subprocess.Popen``. ``command``: its script and arguments.

    It has a session of its own, reads nothing, and writes to these files.
    """

    def __init__(
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], output: IO[str], errors: IO[str]
    ) -> None:
        status, status_end = os.pipe()
        job, job_end = os.pipe()
        try:
            _prepared().ask(job, output.fileno(), errors.fileno(), status_end)
        finally:
            os.close(job)
            os.close(status_end)
        self._status = os.fdopen(status, encoding="ascii")
        self._waiting = threading.Lock()
        with os.fdopen(job_end, "w", encoding="utf-8") as file:
            json.dump({"command": list(command), "cwd": str(cwd), "env": dict(env)}, file)
        self.pid = int(self._status.readline())
        self.returncode: int | None = None
        self.stdout: IO[str] | None = None
        """What it writes, where it writes to this process."""

    @classmethod
    def read_by_us(cls, command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Self:
        """Start one whose output and errors are read here, from ``stdout``."""
        output, output_end = os.pipe()
        with os.fdopen(output_end, "w", encoding="utf-8") as written:
            forked = cls(command, cwd=cwd, env=env, output=written, errors=written)
        forked.stdout = os.fdopen(output, encoding="utf-8", errors="replace")
        return forked

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


def wiretape(
    *arguments: object, cwd: Path | None = None, env: Mapping[str, str] | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end. Its environment is this process's, unless it is given."""
    command = [str(WIRETAPE), *map(str, arguments)]
    with TemporaryFile("w+", encoding="utf-8") as output, TemporaryFile("w+", encoding="utf-8") as errors:
        chosen = os.environ if env is None else env
        process = Forked(command, cwd=cwd or Path.cwd(), env=chosen, output=output, errors=errors)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(command, code, output.read(), errors.read())


class _Prepared:
    """The process that has imported it all, seen from the tests; it ends when this one has ended or closed its door."""

    def __init__(self) -> None:
        self._door, its_end = socket.socketpair()
        with its_end:
            command = [sys.executable, str(Path(__file__).resolve()), str(its_end.fileno())]
            self.process = subprocess.Popen(
                command,
                env={key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"},
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


def _fork_on_demand(door: socket.socket) -> list[int] | None:
    """Return in each new keeper the files that its program gets; return None when the tests are over."""
    while True:
        asked, files, _, _ = socket.recv_fds(door, 1, 4)
        if not asked:
            return None
        if os.fork() == 0:
            door.close()
            return files
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


def _become(job: int, output: int, errors: int) -> str:
    """Be the process that a start of the program would have made; return the program's name."""
    os.setsid()
    os.dup2(output, 1)
    os.dup2(errors, 2)
    os.close(output)
    os.close(errors)
    # What Python knows of its streams is of the files that they led to before.
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1)  # noqa: SIM115
    with os.fdopen(job, encoding="utf-8") as file:
        wanted = json.load(file)
    os.environ.clear()
    os.environ.update(wanted["env"])
    spares.open_output()
    os.chdir(wanted["cwd"])
    sys.argv[:] = wanted["command"]
    script = Path(sys.argv[0])
    sys.path[0] = str(script.parent)
    return script.name


def _main() -> None:
    mains = {name: entry_points(group="console_scripts")[name].load() for name in _PROGRAMS}
    for each in _IMPORTED_LATER:
        importlib.import_module(each)
    # No fork looks for garbage in what was imported, nor takes it apart at its end: that is most of what an end takes.
    gc.collect()
    gc.freeze()
    door = socket.socket(fileno=int(sys.argv[1]))
    files = _fork_on_demand(door)
    if files is None:
        return
    *own, status = files
    child = os.fork()
    if child:
        for file in own:
            os.close(file)
        _keep(child, status)
        os._exit(0)
    os.close(status)
    name = _become(*own)
    spares.prepare(sys.argv)
    sys.exit(mains[name]())


if __name__ == "__main__":
    _main()
