"""The process that becomes the command: it enters namespaces of its own, waits for the parent, and runs the program.

``sys.executable -I -S enter.py DESCRIPTOR``: it imports nothing of ours, as it starts for each ``wiretape run``.

1. It enters the namespaces, makes sockets inside of them, and sends those to the parent by its connection.
2. The parent says who the user is inside, sets the network up by the sockets, and sends what is left to do.
3. It mounts files over those of the system, restores the signals, and runs the program with the same process id.

What fails is told to the parent, as JSON; where the program runs, the connection is closed with nothing told.
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
import sys
from typing import Any

_MS_BIND = 4096
_MS_REC = 16384
_MS_PRIVATE = 1 << 18


def main(descriptor: int) -> None:
    """Do all of it. It returns where something fails."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.set_inheritable(descriptor, False)
    parent = socket.socket(fileno=descriptor)
    doing = "enter namespaces"
    try:
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET | os.CLONE_NEWNS)
        doing = "make sockets"
        socket.send_fds(parent, [b"{}"], _sockets())
        work = _received(parent)
        doing = "mount files"
        _mount(b"none", b"/", _MS_REC | _MS_PRIVATE)
        for over, file in work["mounts"]:
            doing = f"mount a file over {file}"
            _mount(os.fsencode(over), os.fsencode(file), _MS_BIND)
        doing = "run"
        arguments = [each.encode("latin-1") for each in work["arguments"]]
        environ = {name.encode("latin-1"): value.encode("latin-1") for name, value in work["environ"].items()}
        # Python ignores these, and what is ignored stays so in the program.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execve(work["program"].encode("latin-1"), arguments, environ)  # noqa: S606
    except OSError as e:
        parent.sendall(json.dumps({"doing": doing, "errno": e.errno}).encode())


def _sockets() -> list[int]:
    """Make the sockets that belong to the namespace: of netlink for routes, rules and the log; of UDP; and of TCP."""
    kinds = [
        (socket.AF_NETLINK, socket.SOCK_RAW, 0),
        (socket.AF_NETLINK, socket.SOCK_RAW, 12),
        (socket.AF_NETLINK, socket.SOCK_RAW, 12),
        (socket.AF_INET, socket.SOCK_DGRAM, 0),
        (socket.AF_INET, socket.SOCK_STREAM, 0),
    ]
    made = [socket.socket(*kind).detach() for kind in kinds]
    with contextlib.suppress(OSError):  # The machine may have no IPv6.
        made.append(socket.socket(socket.AF_INET6, socket.SOCK_STREAM).detach())
    return made


def _received(parent: socket.socket) -> Any:
    parts = []
    while part := parent.recv(65536):
        parts.append(part)
    if not parts:
        sys.exit(1)  # The parent is gone, or does without.
    return json.loads(b"".join(parts))


def _mount(source: bytes, target: bytes, flags: int) -> None:
    if ctypes.CDLL(None, use_errno=True).mount(source, target, None, ctypes.c_ulong(flags), None):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


main(int(sys.argv[1]))
