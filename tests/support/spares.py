"""Forks that wait until a forked program starts a process of ours, and become it: a start of Python takes ten times that.

A program that runs cannot fork: it has threads, which may hold any lock. So it gets its spares before it begins, as its
own children: whoever ends one, or waits for its end, does that as with a process that was started. ``subprocess.Popen``
hands the next spare what it would have started the process with; where none is left, it starts the process.

    a writer of recordings      one, for a proxy that may record; for each worker too
    workers                     as many as ``wiretape serve`` starts, and three that replace others

A spare whose program has ended ends as well. The command line of a spare is its program's: ``role`` says what it is.
"""  # noqa: E501

import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

WRITER = "writer"
WORKER = "worker"

_REPLACEMENTS = 3
_PR_SET_PDEATHSIG = 1
_ENV = 5
_PIPES = slice(9, 15)
"""Where ``Popen._execute_child`` has the environment and the ends of its three pipes, behind the command."""


def role(process: int) -> str:
    """Return ``writer``, ``worker NUMBER`` or ``spare`` of such a process, and for others the name of their program."""
    try:
        return Path(f"/proc/{process}/comm").read_text("utf-8").removesuffix("\n")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def prepare(arguments: Sequence[str]) -> None:
    """Make the spares of the program that is about to run with these arguments. In a spare it does not return."""
    doors: list[socket.socket] = []
    for _ in range(_wanted(arguments)):
        door, its_end = socket.socketpair()
        child = os.fork()
        if child == 0:
            # With the program's ends of the doors in no other process, they all end with the program.
            for each in (door, *doors):
                each.close()
            _wait(its_end)
        its_end.close()
        doors.append(door)
        _waiting.append((child, door))
    if doors:
        subprocess.Popen._execute_child = _execute_child  # type: ignore[attr-defined]


def open_output() -> None:
    """Have Python write to what standard output and errors are by now, as it does where it starts."""
    buffering = 1 if "PYTHONUNBUFFERED" in os.environ else -1
    encoding = sys.stdout.encoding
    sys.stdout = os.fdopen(1, "w", buffering, encoding, closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding, errors="backslashreplace", closefd=False)


def _wanted(arguments: Sequence[str]) -> int:
    if sys.platform != "linux":
        return 0
    if "serve" in arguments[1:2]:
        workers = arguments[arguments.index("--workers") + 1] if "--workers" in arguments else str(os.cpu_count())
        return _REPLACEMENTS + (int(workers) if workers.isdecimal() else 0)
    is_proxy = "-s" in arguments or "run" in arguments[1:2]
    records = not {"wiretape_mode=replay", "wiretape_mode=live", "replay", "live"} & {*arguments}
    return int(is_proxy and records)


# -- in the program ----------------------------------------------------------------------------------------------------


_waiting: list[tuple[int, socket.socket]] = []
"""The spares of this process that have no task yet: the id of each, and its door."""

_start_process = subprocess.Popen._execute_child  # type: ignore[attr-defined]


def _execute_child(process: Any, command: Any, *options: Any) -> None:
    """Stand in for ``Popen._execute_child``: it is to set the process's id, and to close what is the process's own."""
    env = options[_ENV]
    pipes = options[_PIPES]
    child = 0
    if _role(command):
        child = _hand_over(command, env, pipes)
    if not child:
        _start_process(process, command, *options)
        return
    process.pid = child
    process._child_created = True
    process._close_pipe_fds(*pipes)


def _hand_over(command: Sequence[str], env: Any, pipes: Sequence[int]) -> int:
    """Return the id of the spare that has got the task, or 0 where there is none left."""
    task = {"command": [*command], "env": dict(os.environ if env is None else env)}
    its_input, _, _, its_output, _, its_errors = pipes
    files = [0 if its_input == -1 else its_input, 1 if its_output == -1 else its_output]
    files.append(2 if its_errors == -1 else its_errors)
    while _waiting:
        child, door = _waiting.pop(0)
        with door:
            try:
                socket.send_fds(door, [b"."], files)
                door.sendall(json.dumps(task).encode())
                return child
            except OSError:
                os.waitpid(child, 0)  # It was ended: the next one, then.
    return 0


def _role(command: Any) -> str:
    if not isinstance(command, list | tuple):
        return ""
    if command[-1] == "wiretape.journal.writer_process":
        return WRITER
    options = [each for each in map(str, command) if each.startswith("wiretape_coordinator=")]
    return f"{WORKER} {options[0].partition('=')[2].partition('@')[0]}" if options else ""


# -- in a spare --------------------------------------------------------------------------------------------------------


def _wait(door: socket.socket) -> NoReturn:
    """Wait for a task, and do it to the end of the process."""
    _name("spare")
    asked, files, _, _ = socket.recv_fds(door, 1, 3)
    if not asked:
        os._exit(0)
    with door, door.makefile("r", encoding="utf-8") as told:
        task = json.load(told)
    for number, file in enumerate(files):
        os.dup2(file, number)
    for file in files:
        os.close(file)
    os.setsid()
    os.environ.clear()
    os.environ.update(task["env"])
    open_output()
    _waiting.clear()
    _name(_role(task["command"]))
    if _role(task["command"]) == WRITER:
        _write()
    _work(task["command"])


def _name(name: str) -> None:
    Path("/proc/self/comm").write_text(name, "utf-8")


def _write() -> NoReturn:
    from wiretape.journal import writer_process

    os.nice(10)
    writer_process.main()
    sys.exit()


def _work(command: Sequence[str]) -> NoReturn:
    """Be what ``parent_death`` makes of itself, with the process's own spares. ``command``: as it is for that."""
    from mitmproxy.tools import main

    from wiretape.cli import reuseport_worker

    _, _, _, _, ends_on, parent, *program = command
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(ends_on))
    if os.getppid() != int(parent):
        os._exit(1)
    sys.argv[:] = program[program.index("--listen-host") - 1 :]
    prepare(sys.argv)
    if sys.argv[0].endswith("reuseport_worker.py"):
        reuseport_worker.main()
    else:
        main.mitmdump()
    sys.exit()
