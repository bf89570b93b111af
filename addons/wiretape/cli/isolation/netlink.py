"""Messages of netlink, by which Linux is told about addresses, routes and rules for packets. Values in, bytes out.

A message is a head and attributes, each with its length, its kind and its value; a value may be attributes again. The
kernel answers each message with an error number, which is 0 where it did what it was told.
"""

import os
import socket
import struct
from collections.abc import Iterator

ROUTE = 0
NETFILTER = 12
"""The protocols of netlink's sockets."""

ERROR = 2
"""The kind of a message that tells an error number."""

_REQUEST = 0x1
_ACK = 0x4
_CREATE = 0x400
_APPEND = 0x800
_NESTED = 0x8000

_LOOPBACK = 1
"""The index of the interface ``lo``, the first of each namespace."""

_ALIGNED = 4


# -- the form ----------------------------------------------------------------------------------------------------------


def attribute(kind: int, value: bytes) -> bytes:
    """Return an attribute."""
    padding = b"\0" * (-len(value) % _ALIGNED)
    return struct.pack("=HH", 4 + len(value), kind) + value + padding


def nested(kind: int, *attributes: bytes) -> bytes:
    """Return an attribute that consists of attributes."""
    return attribute(kind | _NESTED, b"".join(attributes))


def text(kind: int, value: str) -> bytes:
    """Return an attribute whose value is a text."""
    return attribute(kind, value.encode() + b"\0")


def number(kind: int, value: int) -> bytes:
    """Return an attribute whose value is a number of 32 bits, in the byte order of the network."""
    return attribute(kind, struct.pack(">I", value))


def message(kind: int, body: bytes, *, flags: int = 0, is_answered: bool = True) -> bytes:
    """Return a message. ``is_answered`` has the kernel tell whether it did what it was told."""
    chosen = flags | _REQUEST
    if is_answered:
        chosen |= _ACK
    return struct.pack("=IHHII", 16 + len(body), kind, chosen, 0, 0) + body


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and the body of each message. What is cut off is left out."""
    start = 0
    while start + 16 <= len(data):
        length, kind = struct.unpack_from("=IH", data, start)
        if length < 16 or start + length > len(data):
            return
        yield kind, data[start + 16 : start + length]
        start += length + -length % _ALIGNED


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and the value of each attribute. What is cut off is left out."""
    start = 0
    while start + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, start)
        if length < 4 or start + length > len(data):
            return
        yield kind & ~_NESTED, data[start + 4 : start + length]
        start += length + -length % _ALIGNED


def tell(connection: socket.socket, sent: bytes, answers: int) -> None:
    """Send messages to the kernel, and wait for its answers. Raises OSError for the first that is an error."""
    connection.send(sent)
    while answers > 0:
        for kind, body in messages(connection.recv(65536)):
            if kind != ERROR:
                continue
            answers -= 1
            (code,) = struct.unpack_from("=i", body)
            if code:
                raise OSError(-code, os.strerror(-code))


# -- addresses and routes ----------------------------------------------------------------------------------------------


def loopback_up() -> bytes:
    """Return the message that has the loopback interface up."""
    up = 1
    return message(16, struct.pack("=BxHiII", socket.AF_UNSPEC, 0, _LOOPBACK, up, up))


def loopback_address(address: str) -> bytes:
    """Return the message that gives the loopback interface one more IPv4 address."""
    raw = socket.inet_pton(socket.AF_INET, address)
    head = struct.pack("=BBBBI", socket.AF_INET, 32, 0, 0, _LOOPBACK)
    return message(20, head + attribute(2, raw) + attribute(1, raw), flags=_CREATE)


def everything_is_here(family: socket.AddressFamily, source: str) -> bytes:
    """Return the message that makes each address one of this machine. ``source`` is where connections come from."""
    local = 2
    table = 255
    host_scope = 254
    static = 4
    head = struct.pack("=BBBBBBBBI", family, 0, 0, 0, table, static, host_scope, local, 0)
    out = attribute(4, struct.pack("=I", _LOOPBACK))
    preferred = attribute(7, socket.inet_pton(family, source))
    return message(24, head + out + preferred, flags=_CREATE)


# -- netfilter ---------------------------------------------------------------------------------------------------------


def netfilter(subsystem: int, kind: int, *attributes: bytes, family: int = 0, group: int = 0, flags: int = 0) -> bytes:
    """Return a message for a part of netfilter."""
    head = struct.pack(">BBH", family, 0, group)
    return message(subsystem << 8 | kind, head + b"".join(attributes), flags=flags)


def batch(*changes: bytes) -> bytes:
    """Return changes of the rules that are made all at once, or not at all."""
    tables = 10
    head = struct.pack(">BBH", 0, 0, tables)
    begin = message(0x10, head, is_answered=False)
    end = message(0x11, head, is_answered=False)
    return begin + b"".join(changes) + end


CREATE = _CREATE
APPEND = _CREATE | _APPEND
