"""``wiretape`` and ``mitmdump`` on a reader's path for a fraction of their price: forks of what has imported them.

On the path stand two little scripts, which import next to nothing. Each asks the test process, through a socket, to
start the real program (``forked``) with its own arguments, folder, environment, output and errors; it passes signals
on, and ends with the program's exit code.
"""

import contextlib
import marshal
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from forked import Forked

PROGRAMS = ("mitmdump", "wiretape")
DOOR = "PAGES_DOOR"
"""The variable that says where the socket is."""

_SCRIPT = f"""#!{sys.executable} -ISE
import marshal, os, signal, socket, sys

door = socket.socket(socket.AF_UNIX)
door.connect(os.environ["{DOOR}"])
job = marshal.dumps((sys.argv, os.getcwd(), dict(os.environ)))
socket.send_fds(door, [b"."], [1, 2])
door.sendall(job)
door.shutdown(socket.SHUT_WR)
told = door.makefile()
pid = int(told.readline())
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: os.kill(pid, number))
sys.exit(int(told.readline()))
"""


@contextlib.contextmanager
def on_the_path() -> Iterator[dict[str, str]]:
    """Have the two scripts in a folder, and give the variables of a reader who finds them first."""
    scripts = Path(sys.executable).parent
    with tempfile.TemporaryDirectory(prefix="pages-") as name, socket.socket(socket.AF_UNIX) as door:
        folder = Path(name)
        for program in PROGRAMS:
            (folder / program).write_text(_SCRIPT, "utf-8")
            (folder / program).chmod(0o755)
        door.bind(str(folder / "door"))
        door.listen()
        threading.Thread(target=_serve, args=(door,), name="the pages' programs", daemon=True).start()
        try:
            yield {"PATH": os.pathsep.join((name, str(scripts), os.environ["PATH"])), DOOR: str(folder / "door")}
        finally:
            door.shutdown(socket.SHUT_RDWR)


def _serve(door: socket.socket) -> None:
    """Start what is asked for until the door is closed."""
    with contextlib.suppress(OSError):
        while True:
            asking, _ = door.accept()
            threading.Thread(target=_start, args=(asking,), daemon=True).start()


def _start(asking: socket.socket) -> None:
    """Start one program, tell who it is, and how it ended."""
    with asking, asking.makefile("rb") as job:
        _, files, _, _ = socket.recv_fds(asking, 1, 2)
        output, errors = (os.fdopen(each, "w", encoding="utf-8") for each in files)
        with output, errors:
            arguments, cwd, env = marshal.loads(job.read())
            program = Path(sys.executable).parent / Path(arguments[0]).name
            process = Forked([str(program), *arguments[1:]], cwd=Path(cwd), env=env, output=output, errors=errors)
        asking.sendall(f"{process.pid}\n".encode())
        asking.sendall(f"{process.wait()}\n".encode())
