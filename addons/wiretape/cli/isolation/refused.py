"""What the kernel has refused inside, as it tells in the log of netfilter. Bytes in, text out."""

import socket
import struct
from collections.abc import Callable, Iterator

from wiretape.cli.isolation import netlink
from wiretape.network.address import Address

_PACKET = 0x400
_PAYLOAD = 9
_PROTOCOLS = {1: "ICMP", 2: "IGMP", 17: "UDP", 33: "DCCP", 58: "ICMPv6", 132: "SCTP", 136: "UDP-Lite"}
_WITH_PORTS = {17, 33, 132, 136}

_TOLD = 20
"""Lines at most: a program may try for ever."""


class Refused:
    """Tells of each kind of packet once."""

    def __init__(self, name: Callable[[str], str]) -> None:
        """``name`` gives the name that an address stands for, or the address."""
        self._name = name
        self._told: set[str] = set()

    def lines(self, data: bytes) -> Iterator[str]:
        """Yield a line for each kind of packet that is new."""
        for kind, body in netlink.messages(data):
            if kind != _PACKET:
                continue
            for name, value in netlink.attributes(body[4:]):
                if name == _PAYLOAD:
                    yield from self._line(_described(value, self._name))

    def _line(self, what: str) -> Iterator[str]:
        if not what or what in self._told or len(self._told) > _TOLD:
            return
        self._told.add(what)
        if len(self._told) > _TOLD:
            yield "isolated: more is refused, and not told here"
        else:
            yield f"isolated: {what} refused"


def _described(packet: bytes, named: Callable[[str], str]) -> str:
    """Return what a packet is and where it was to go; empty where that cannot be told."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        protocol = packet[9]
        host = socket.inet_ntop(socket.AF_INET, packet[16:20])
        head = (packet[0] & 15) * 4
    elif len(packet) >= 40 and packet[0] >> 4 == 6:
        protocol = packet[6]
        host = socket.inet_ntop(socket.AF_INET6, packet[24:40])
        head = 40
    else:
        return ""
    host = named(host)
    name = _PROTOCOLS.get(protocol, f"protocol {protocol}")
    if protocol in _WITH_PORTS and len(packet) >= head + 4:
        (port,) = struct.unpack_from(">H", packet, head + 2)
        return f"{name} to {Address(host, port)}"
    return f"{name} to {host}"
