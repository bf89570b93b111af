"""The namespaces of one command: entered by a process of their own, set up from here. Around ``enter``.

A socket belongs to the network that its process was in when it was made. The process in ``enter`` makes some, sends
them here, and does nothing with them: this process owns the namespace of users in which that network is, and may do
there what root may.
"""

import asyncio
import contextlib
import errno
import json
import os
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wiretape.cli.isolation import netlink, rules

_ENTER = Path(__file__).with_name("enter.py")

_IP_TRANSPARENT = 19
_IPV6_TRANSPARENT = 75

_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_NAMESPACES = Path("/proc/sys/user/max_user_namespaces")
_CLONE = Path("/proc/sys/kernel/unprivileged_userns_clone")

_RUN = "run"
"""What ``enter`` says that it was doing where the program itself could not be run."""


class IsolationError(Exception):
    """This system lets no command be isolated. The message tells why, and what to do."""


@dataclass(frozen=True, slots=True)
class Sockets:
    """The sockets inside, and in this process."""

    filter: socket.socket
    """Netlink, for changes of the rules."""
    log: socket.socket
    """Netlink, on which the kernel tells what it has refused."""
    names: socket.socket
    """UDP, where names are asked for."""
    gateways: tuple[socket.socket, ...]
    """TCP: listeners for IPv4 and, where there is IPv6, for that."""


class Namespaces:
    """The namespaces, before their command runs and while it does."""

    def __init__(self, process: Process, parent: socket.socket, sockets: Sockets) -> None:
        self.process = process
        self.sockets = sockets
        self._parent = parent
        self._is_begun = False

    @classmethod
    async def entered(cls) -> "Namespaces":
        """Start the process that enters them, and set the network up. Raises IsolationError."""
        if sys.platform != "linux":
            raise IsolationError("isolation is made of Linux's namespaces, and this is not Linux")
        ours, theirs = socket.socketpair()
        with theirs:
            command = (sys.executable, "-I", "-S", str(_ENTER), str(theirs.fileno()))
            process = await asyncio.create_subprocess_exec(*command, pass_fds=[theirs.fileno()])
        made: list[socket.socket] = []
        try:
            descriptors = await asyncio.to_thread(_received, ours)
            made += [socket.socket(fileno=each) for each in descriptors]
            _map_user(process.pid)
            return cls(process, ours, _set_up(made))
        except BaseException as e:
            for each in (ours, *made):
                each.close()
            await process.wait()
            if isinstance(e, OSError):
                raise IsolationError(_why("set the network up", e.errno or 0)) from e
            raise

    async def run(
        self, program: str, arguments: Sequence[str], environ: Mapping[str, str], mounts: Iterable[tuple[str, str]]
    ) -> None:
        """Have the process become the command. Raises OSError where it cannot run, IsolationError for a mount."""
        work = {
            "mounts": list(mounts),
            "program": _text(program),
            "arguments": [_text(each) for each in (program, *arguments)],
            "environ": {_text(name): _text(value) for name, value in environ.items()},
        }
        self._is_begun = True
        failure = await asyncio.to_thread(self._told, json.dumps(work).encode())
        if failure:
            await self.process.wait()
            doing, number = failure
            if doing == _RUN:
                raise OSError(number, os.strerror(number))
            raise IsolationError(_why(doing, number))

    async def close(self) -> None:
        """Close the sockets inside. A process that has not become a command ends."""
        self._parent.close()
        for each in (self.sockets.filter, self.sockets.log, self.sockets.names, *self.sockets.gateways):
            each.close()
        if not self._is_begun:
            await self.process.wait()

    def _told(self, work: bytes) -> tuple[str, int] | None:
        with self._parent:
            self._parent.sendall(work)
            self._parent.shutdown(socket.SHUT_WR)
            parts = []
            while part := self._parent.recv(4096):
                parts.append(part)
        return _failure(b"".join(parts))


def _received(parent: socket.socket) -> list[int]:
    """Wait for the sockets of a process that has entered its namespaces. Raises IsolationError."""
    data, descriptors, _, _ = socket.recv_fds(parent, 4096, 16)
    failure = _failure(data)
    if failure:
        raise IsolationError(_why(*failure))
    if not descriptors:
        raise IsolationError("the process that was to enter its namespaces has ended")
    return descriptors


def _failure(told: bytes) -> tuple[str, int] | None:
    if not told:
        return None
    told_of = json.loads(told)
    if not told_of:
        return None
    return told_of["doing"], told_of["errno"]


def _map_user(process: int) -> None:
    """Let users be inside who they are outside: all of them where we may say so, as root may, or else our own alone."""
    folder = Path("/proc", str(process))
    own = os.geteuid()
    if own == 0:
        with contextlib.suppress(PermissionError):
            for name in ("uid_map", "gid_map"):
                (folder / name).write_text(_same(Path("/proc/self", name).read_text("ascii")), "ascii")
            return
    (folder / "setgroups").write_text("deny", "ascii")
    (folder / "uid_map").write_text(f"{own} {own} 1", "ascii")
    (folder / "gid_map").write_text(f"{os.getegid()} {os.getegid()} 1", "ascii")


def _same(lines: str) -> str:
    """Return the map by which those that we know have the same numbers inside."""
    known = [line.split() for line in lines.splitlines()]
    return "".join(f"{first} {first} {count}\n" for first, _, count in known)


def _set_up(made: list[socket.socket]) -> Sockets:
    """Set up the network that these sockets are in: addresses, routes, rules and listeners."""
    route, changes, log, names, tcp, *tcp6 = made
    with route:
        netlink.tell(route, netlink.loopback_up(), 1)
        netlink.tell(route, netlink.loopback_address(rules.OWN), 1)
        netlink.tell(route, netlink.everything_is_here(socket.AF_INET, "127.0.0.1"), 1)
        netlink.tell(changes, *rules.table(socket.AF_INET))
        _listen(tcp, "127.0.0.1", socket.SOL_IP, _IP_TRANSPARENT)
        gateways = [tcp]
        for each in tcp6:
            try:
                netlink.tell(route, netlink.everything_is_here(socket.AF_INET6, "::1"), 1)
            except OSError:
                each.close()  # There is no IPv6 inside, and no way out by it.
                continue
            netlink.tell(changes, *rules.table(socket.AF_INET6))
            _listen(each, "::1", socket.IPPROTO_IPV6, _IPV6_TRANSPARENT)
            gateways.append(each)
    netlink.tell(log, *rules.log_to_me())
    log.setblocking(False)
    names.bind(("127.0.0.1", 53))
    return Sockets(changes, log, names, tuple(gateways))


def _listen(listener: socket.socket, host: str, level: int, transparent: int) -> None:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(level, transparent, 1)  # It takes what is for other addresses.
    listener.bind((host, rules.GATEWAY_PORT))
    listener.listen()


def _text(value: str) -> str:
    """Return a text whose characters are the bytes that the system gets."""
    return os.fsencode(value).decode("latin-1")


def _why(doing: str, number: int) -> str:
    """Return why isolation is not possible, and what to do about it."""
    what = f"this system does not let us {doing}: {os.strerror(number)}"
    if _number_in(_APPARMOR) == 1:
        return f"{what}. AppArmor keeps users from it: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    if _number_in(_CLONE) == 0:
        return f"{what}. It is closed to users: sudo sysctl kernel.unprivileged_userns_clone=1"
    if _number_in(_NAMESPACES) == 0:
        return f"{what}. It has no namespaces of users: sudo sysctl user.max_user_namespaces=10000"
    if number in (errno.EPERM, errno.EACCES):
        return (
            f"{what}. In a container, its runtime forbids it: with Docker, --security-opt seccomp=unconfined "
            "--security-opt apparmor=unconfined allows it"
        )
    if number in (errno.ENOENT, errno.EOPNOTSUPP, errno.EPROTONOSUPPORT, errno.EINVAL):
        return f"{what}. The kernel lacks what it needs: nf_tables with nft_tproxy, nft_socket, nft_log and nft_reject"
    return what


def _number_in(path: Path) -> int | None:
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):
        return None
