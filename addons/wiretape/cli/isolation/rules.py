"""What the kernel does with packets inside: the rules of nf_tables, as bytes for netlink.

Each address is one of the machine's own inside, so each packet comes back by the loopback interface, and passes here:

``in``   A packet of TCP for another machine goes to the gateway, which the parent holds. So does one for a port of this
         machine that is in the set ``ports``, unless a process inside listens there. TPROXY leaves the packet as it is,
         so that the gateway's connection has the name of its target.
``out``  A packet that is not of TCP and not for this machine is refused, and its head is told to the parent.

All else stays between the processes inside. There is a table for IPv4 and one for IPv6.
"""

import socket
import struct
from collections.abc import Iterable

from wiretape.cli.isolation.netlink import APPEND, CREATE, attribute, batch, nested, netfilter, number, text

GATEWAY_PORT = 1
"""The port of the gateway inside. No program has a server there."""

LOG_GROUP = 1

OWN = "198.18.0.1"
"""An address inside that is not loopback: some programs ask for IPv4 addresses only where the machine has one."""

_TABLES = 10
_LOG = 4
_NAME = "wiretape"
_SET = "ports"
_TCP = bytes([socket.IPPROTO_TCP])

_IP = 2
_IP6 = 10
FAMILIES = {socket.AF_INET: _IP, socket.AF_INET6: _IP6}

_REGISTER = 8
_SECOND = 9
_WIDE = 1
"""Where rules keep what they compare: registers of 4 bytes, and one of 16."""


def table(family: socket.AddressFamily) -> tuple[bytes, int]:
    """Return all rules for a family, and how many messages are answered."""
    rules = _rules_v4()
    if family == socket.AF_INET6:
        rules = _rules_v6()
    number_of = FAMILIES[family]
    changes = [
        netfilter(_TABLES, 0, text(1, _NAME), family=number_of, flags=CREATE),
        netfilter(_TABLES, 9, *_set(), family=number_of, flags=CREATE),
        _chain(number_of, "in", hook=0, priority=-150),
        _chain(number_of, "out", hook=3, priority=0),
        *(_rule(number_of, chain, *expressions) for chain, expressions in rules),
    ]
    return batch(*changes), len(changes)


def ports(family: socket.AddressFamily, added: Iterable[int], removed: Iterable[int]) -> tuple[bytes, int]:
    """Return the changes of the set of ports, and how many messages are answered."""
    changes = []
    for kind, chosen, flags in ((12, sorted(added), CREATE), (14, sorted(removed), 0)):
        elements = [nested(1, nested(1, attribute(1, struct.pack(">H", port)))) for port in chosen]
        if elements:
            named = (text(1, _NAME), text(2, _SET), nested(3, *elements))
            changes.append(netfilter(_TABLES, kind, *named, family=FAMILIES[family], flags=flags))
    return batch(*changes), len(changes)


def log_to_me() -> tuple[bytes, int]:
    """Return the messages by which a socket gets the heads of what is refused, and how many of them are answered."""
    bind = 1
    copied = 128
    command = netfilter(_LOG, 1, attribute(1, bytes([bind])), group=LOG_GROUP)
    mode = netfilter(_LOG, 1, attribute(2, struct.pack(">IBx", copied, 2)), group=LOG_GROUP)
    at_once = netfilter(_LOG, 1, number(5, 1), group=LOG_GROUP)
    return command + mode + at_once, 3


# -- the rules ---------------------------------------------------------------------------------------------------------

type _Rule = tuple[str, tuple[bytes, ...]]


def _rules_v4() -> list[_Rule]:
    loopback = _network(16, bytes([127]))
    own = _network(16, socket.inet_aton(OWN))
    gateway = socket.inet_aton("127.0.0.1")
    unreachable = 3
    return [
        *_inward((loopback, own), loopback, gateway, _IP),
        *_outward((loopback, own), unreachable),
    ]


def _rules_v6() -> list[_Rule]:
    loopback = _network(24, socket.inet_pton(socket.AF_INET6, "::1"))
    gateway = socket.inet_pton(socket.AF_INET6, "::1")
    unreachable = 4
    return [
        *_inward((loopback,), loopback, gateway, _IP6),
        *_outward((loopback,), unreachable),
    ]


def _inward(here: Iterable[bytes], loopback: bytes, gateway: bytes, family: int) -> Iterable[_Rule]:
    yield "in", (_protocol(is_tcp=False), _accept())
    yield "in", (loopback, _port_is_listed(), _nobody_listens_breaks(), _accept())
    yield "in", (loopback, _port_is_listed(), _to_gateway(gateway, family), _accept())
    for each in here:
        yield "in", (each, _accept())
    yield "in", (_to_gateway(gateway, family), _accept())


def _outward(here: Iterable[bytes], unreachable: int) -> Iterable[_Rule]:
    yield "out", (_protocol(is_tcp=True), _accept())
    for each in here:
        yield "out", (each, _accept())
    yield "out", (_log(), _reject(unreachable))


def _expression(name: str, *attributes: bytes) -> bytes:
    return nested(1, text(1, name), nested(2, *attributes))


def _protocol(*, is_tcp: bool) -> bytes:
    l4proto = 16
    return _expression("meta", number(1, _REGISTER), number(2, l4proto)) + _compare(_TCP, is_equal=is_tcp)


def _network(offset: int, value: bytes) -> bytes:
    """Compare bytes of the network's head, from an offset on."""
    register = _REGISTER
    if len(value) > 4:
        register = _WIDE
    load = _expression("payload", number(1, register), number(2, 1), number(3, offset), number(4, len(value)))
    return load + _compare(value, register=register)


def _compare(value: bytes, *, is_equal: bool = True, register: int = _REGISTER) -> bytes:
    return _expression("cmp", number(1, register), number(2, int(not is_equal)), nested(3, attribute(1, value)))


def _port_is_listed() -> bytes:
    load = _expression("payload", number(1, _REGISTER), number(2, 2), number(3, 2), number(4, 2))
    return load + _expression("lookup", text(1, _SET), number(2, _REGISTER))


def _nobody_listens_breaks() -> bytes:
    """Look for the socket that a packet is for: where there is none, the rule does not hold."""
    return _expression("socket", number(1, 0), number(2, _REGISTER))


def _to_gateway(address: bytes, family: int) -> bytes:
    register = _REGISTER
    if len(address) > 4:
        register = _WIDE
    port_register = 12
    port = struct.pack(">H", GATEWAY_PORT)
    return b"".join(
        (
            _expression("immediate", number(1, register), nested(2, attribute(1, address))),
            _expression("immediate", number(1, port_register), nested(2, attribute(1, port))),
            _expression("tproxy", number(1, family), number(2, register), number(3, port_register)),
        )
    )


def _accept() -> bytes:
    verdict = 0
    accept = 1
    return _expression("immediate", number(1, verdict), nested(2, nested(2, number(1, accept))))


def _log() -> bytes:
    return _expression("log", attribute(1, struct.pack(">H", LOG_GROUP)), attribute(4, struct.pack(">H", 1)))


def _reject(code: int) -> bytes:
    icmp = 0
    return _expression("reject", number(1, icmp), attribute(2, bytes([code])))


# -- their frame -------------------------------------------------------------------------------------------------------


def _set() -> tuple[bytes, ...]:
    inet_service = 13
    return text(1, _NAME), text(2, _SET), number(3, 0), number(4, inet_service), number(5, 2), number(10, 1)


def _chain(family: int, name: str, *, hook: int, priority: int) -> bytes:
    place = nested(4, number(1, hook), number(2, priority & 0xFFFFFFFF))
    return netfilter(_TABLES, 3, text(1, _NAME), text(3, name), place, text(7, "filter"), family=family, flags=CREATE)


def _rule(family: int, chain: str, *expressions: bytes) -> bytes:
    named = (text(1, _NAME), text(2, chain), nested(4, *expressions))
    return netfilter(_TABLES, 6, *named, family=family, flags=APPEND)
