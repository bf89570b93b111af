"""The name server inside: each name gets an address of its own, by which the gateway knows the name again.

Nothing is asked outside, so no query tells anybody the name of a provider, nor carries data out in a name. That there
is no such name is found out when a connection to it is to be opened. The addresses are of the network for measurements,
198.18.0.0/15, which leads nowhere on the internet. Bytes in, bytes out; source: RFC 1035.
"""

import ipaddress
import re
import struct

from wiretape.network.egress import LOCALHOST

_FIRST = int(ipaddress.IPv4Address("198.18.0.2"))
_MOST = 65_536
"""Names that get an address: a program that asks for ever more is to fill no memory."""

_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_LONGEST = 253
_NEVER = ".invalid"
"""No such name exists (RFC 6761)."""

_SECONDS = 60
"""How long an answer may be kept."""

_A = 1
_PTR = 12
_AAAA = 28
_INTERNET = 1

_UNREADABLE = 1
_FAILED = 2
_NO_SUCH_NAME = 3


class Names:
    """The names that were asked for, and their addresses."""

    def __init__(self, own: str) -> None:
        """``own`` is the name of this machine, which stands for itself."""
        self._here = {LOCALHOST, own.lower()}
        self._addresses: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def name(self, address: str) -> str:
        """Return the name that got an address, or the address where no name did."""
        return self._names.get(address, address)

    def answer(self, query: bytes) -> bytes | None:
        """Return the answer to a query; None where there is nothing to answer."""
        if len(query) < 12:
            return None
        number, flags, questions = struct.unpack_from(">HHH", query)
        if flags & 0x8000:  # It is an answer itself.
            return None
        question = None
        if questions == 1 and not flags & 0x7800:
            question = _question(query)
        if question is None:
            return _head(number, flags, _UNREADABLE, 0, 0)
        name, kind, place = question
        code, data = self._look_up(name, kind)
        asked = query[12:place]
        found = b""
        if data:
            found = struct.pack(">HHHIH", 0xC00C, kind, _INTERNET, _SECONDS, len(data)) + data
        return _head(number, flags, code, 1, int(bool(data))) + asked + found

    def _look_up(self, name: str, kind: int) -> tuple[int, bytes]:
        if kind == _PTR:
            return self._look_up_address(name)
        if len(name) > _LONGEST or not _NAME.fullmatch(name) or name.endswith(_NEVER):
            return _NO_SUCH_NAME, b""
        if name in self._here or name.endswith(f".{LOCALHOST}"):
            here = {_A: ipaddress.ip_address("127.0.0.1").packed, _AAAA: ipaddress.ip_address("::1").packed}
            return 0, here.get(kind, b"")
        if kind != _A:
            return 0, b""
        address = self._addresses.get(name)
        if address is None:
            if len(self._addresses) >= _MOST:
                return _FAILED, b""
            address = str(ipaddress.IPv4Address(_FIRST + len(self._addresses)))
            self._addresses[name] = address
            self._names[address] = name
        return 0, ipaddress.IPv4Address(address).packed

    def _look_up_address(self, name: str) -> tuple[int, bytes]:
        parts = name.removesuffix(".in-addr.arpa").split(".")
        found = self._names.get(".".join(reversed(parts)))
        if not found:
            return _NO_SUCH_NAME, b""
        labels = found.encode().split(b".")
        return 0, b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _head(number: int, flags: int, code: int, questions: int, answers: int) -> bytes:
    recursion = 0x0100
    is_answer = 0x8000
    can_recurse = 0x0080
    told = is_answer | flags & recursion | can_recurse | code
    return struct.pack(">HHHHHH", number, told, questions, answers, 0, 0)


def _question(query: bytes) -> tuple[str, int, int] | None:
    """Return the name in small letters, the kind of record, and where the question ends; None where there is none."""
    labels = []
    place = 12
    while place < len(query) and query[place]:
        length = query[place]
        if length > 63:
            return None
        labels.append(query[place + 1 : place + 1 + length])
        place += 1 + length
    place += 1
    if place + 4 > len(query):
        return None
    kind, family = struct.unpack_from(">HH", query, place)
    if family != _INTERNET:
        return None
    return b".".join(labels).decode("latin-1").lower(), kind, place + 4
