"""Which servers of this machine an isolated command reaches."""

import pytest

from wiretape.cli.isolation.local_servers import listed, parse

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2
   2: 3500007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3
   3: 0100007F:C350 0100007F:1538 01 00000000:00000000 00:00000000 00000000     0        0 4
"""
TCP6 = """\
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A
   1: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A
   2: 0000000000000000FFFF00000100007F:1F91 00000000000000000000000000000000:0000 01
"""


def test_listeners_are_read_from_the_lists_of_the_kernel() -> None:
    assert listed(TCP, TCP6) == (frozenset({5432, 22, 80}), frozenset({80, 8080}))
    assert listed("", "") == (frozenset(), frozenset())


@pytest.mark.parametrize(
    ("texts", "host", "port", "is_reached"),
    [
        (["localhost"], "127.0.0.1", 5432, True),
        (["localhost"], "::1", 5432, True),
        (["localhost"], "localhost", 53, False),
        (["localhost:53"], "127.0.0.1", 53, True),
        (["localhost:5432"], "127.0.0.1", 5433, False),
        (["127.0.0.1:5432"], "::1", 5432, True),
        (["none"], "127.0.0.1", 5432, False),
        ([], "127.0.0.1", 5432, False),
        (["db.corp:5432"], "db.corp", 5432, True),
        (["db.corp:5432"], "db.corp", 22, False),
        (["10.1.0.0/16"], "10.1.2.3", 5432, True),
        (["10.1.0.0/16"], "10.2.2.3", 5432, False),
        (["localhost"], "db.corp", 5432, False),
    ],
)
def test_what_is_allowed(texts: list[str], host: str, port: int, *, is_reached: bool) -> None:
    assert parse(texts).reaches(host, port) is is_reached


def test_ports_of_this_machine_that_are_named() -> None:
    assert parse(["localhost:8000", "127.0.0.1:53", "db.corp:5432", "localhost"]).named_ports == {8000, 53}


def test_what_is_no_host_is_refused() -> None:
    with pytest.raises(ValueError, match="is none: it is a host"):
        parse(["http://db"])
