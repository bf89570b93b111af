"""The rules for packets, as the kernel gets them. Whether it does what they say is seen in ``e2e``."""

import socket

import pytest

from wiretape.cli.isolation import netlink, rules


@pytest.mark.parametrize("family", rules.FAMILIES)
def test_each_message_of_a_table_but_the_frame_is_answered(family: socket.AddressFamily) -> None:
    sent, answers = rules.table(family)
    kinds = [kind for kind, _ in netlink.messages(sent)]
    assert (kinds[0], kinds[-1]) == (0x10, 0x11)
    assert len(kinds) == answers + 2


def test_ports_that_come_and_go_are_told_in_one_batch() -> None:
    sent, answers = rules.ports(socket.AF_INET, {5432, 80}, {22})
    assert answers == 2
    (_, added), (_, removed) = [*netlink.messages(sent)][1:3]
    assert (5432).to_bytes(2) in added
    assert (22).to_bytes(2) in removed
    assert rules.ports(socket.AF_INET, (), ())[1] == 0
