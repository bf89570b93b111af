"""Messages of netlink, as bytes."""

import struct

import pytest

from wiretape.cli.isolation import netlink

CUT = [b"", b"\0" * 15, struct.pack("=IHHII", 15, 2, 0, 0, 0), struct.pack("=IHHII", 17, 2, 0, 0, 0)]


def test_a_message_is_read_as_it_was_made() -> None:
    made = netlink.message(7, b"abcde") + netlink.message(8, b"")
    assert [*netlink.messages(made + b"\0\0\0")][:1] == [(7, b"abcde")]


def test_attributes_are_read_as_they_were_made() -> None:
    inner = netlink.text(1, "tcp") + netlink.number(2, 5)
    made = netlink.nested(3, inner) + netlink.attribute(4, b"x")
    (nested, value), last = netlink.attributes(made)
    assert (nested, last) == (3, (4, b"x"))
    assert [*netlink.attributes(value)] == [(1, b"tcp\0"), (2, b"\0\0\0\5")]


@pytest.mark.parametrize("cut", CUT)
def test_what_is_cut_off_is_left_out(cut: bytes) -> None:
    assert [*netlink.messages(cut)] == []
    assert [*netlink.attributes(cut[:3])] == []


def test_values_begin_at_multiples_of_four() -> None:
    assert len(netlink.attribute(1, b"abcde")) == 12
    assert len(netlink.batch()) == 40
