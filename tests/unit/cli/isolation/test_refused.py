"""What the kernel tells of the packets that it refuses, and the lines that are told of them."""

import socket
import struct

import pytest

from wiretape.cli.isolation import netlink
from wiretape.cli.isolation.refused import Refused

V4 = bytes.fromhex("4500001d0e24400040119d9b7f00000108080808b932003500098f2b78")
V6 = bytes.fromhex("600101d8000911400000000000000000000000000000000120010db8000000000000000000000001b59f01bb00092dd578")


def named(address: str) -> str:
    return {"198.18.0.2": "api.openai.com"}.get(address, address)


def told(packet: bytes) -> bytes:
    """The message in which the kernel tells of a packet."""
    return netlink.message(0x400, struct.pack(">BBH", 2, 0, 1) + netlink.attribute(9, packet))


def with_protocol(number: int) -> bytes:
    return V4[:9] + bytes([number]) + V4[10:]


@pytest.mark.parametrize(
    ("packet", "line"),
    [
        (V4, "isolated: UDP to 8.8.8.8:53 refused"),
        (V6, "isolated: UDP to [2001:db8::1]:443 refused"),
        (V4[:16] + socket.inet_aton("198.18.0.2") + V4[20:], "isolated: UDP to api.openai.com:53 refused"),
        (with_protocol(1), "isolated: ICMP to 8.8.8.8 refused"),
        (with_protocol(200), "isolated: protocol 200 to 8.8.8.8 refused"),
        (V4[:20], "isolated: UDP to 8.8.8.8 refused"),
    ],
)
def test_a_packet_is_described(packet: bytes, line: str) -> None:
    refused = Refused(named)
    assert [*refused.lines(told(packet) * 2)] == [line], "once"
    assert [*refused.lines(told(packet))] == []


@pytest.mark.parametrize("packet", [b"", b"\x45", V4[:19], V6[:39], b"\xff" * 60])
def test_what_is_no_packet_is_not_told(packet: bytes) -> None:
    assert [*Refused(named).lines(told(packet))] == []


def test_there_is_an_end_of_lines() -> None:
    refused = Refused(named)
    packets = [V4[:16] + socket.inet_aton(f"203.0.113.{last}") + V4[20:] for last in range(100)]
    lines = [line for packet in packets for line in refused.lines(told(packet))]
    assert len(lines) == 21
    assert lines[-1] == "isolated: more is refused, and not told here"
