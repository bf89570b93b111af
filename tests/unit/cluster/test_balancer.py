import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from wiretape.cluster import balancer
from wiretape.cluster.balancer import Balance
from wiretape.network.address import Address, parse

needs_haproxy = pytest.mark.skipif(balancer.haproxy() is None, reason="HAProxy is not on this machine")


@needs_haproxy
@pytest.mark.parametrize("count", [1, 64])
def test_haproxy_takes_the_configuration(count: int, tmp_path: Path) -> None:
    with balancer.listen(parse("127.0.0.1:0"), Balance.HAPROXY) as listener:
        workers = {f"worker{number}": 20000 + number for number in range(1, count + 1)}
        text = balancer.configuration(listener.fileno(), workers)
        file = tmp_path / "haproxy.cfg"
        file.write_text(text, "utf-8")
        command = [balancer.haproxy() or "", "-c", "-f", str(file)]
        checked = subprocess.run(
            command, pass_fds=[listener.fileno()], capture_output=True, text=True, check=False, timeout=30
        )
    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr + checked.stdout
    assert len(re.findall(r"^ +server worker\d+ 127\.0\.0\.1:\d+$", text, re.MULTILINE)) == count


def test_a_connection_waits_where_nobody_accepts_yet() -> None:
    with balancer.listen(parse("127.0.0.1:0"), Balance.HAPROXY) as listener:
        socket.create_connection(listener.getsockname(), timeout=60).close()


def test_a_port_is_had_once() -> None:
    with balancer.listen(parse("127.0.0.1:0"), Balance.HAPROXY) as listener:
        for balance in Balance:
            with pytest.raises(OSError, match="in use"):
                balancer.listen(Address(*listener.getsockname()), balance)


@pytest.mark.skipif(not balancer.has_reuseport(), reason="the kernel cannot balance")
def test_a_port_that_is_only_held_gets_no_connection_and_can_be_shared() -> None:
    with balancer.listen(parse("127.0.0.1:0"), Balance.REUSEPORT) as held:
        address = held.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        with socket.create_server(address, reuse_port=True) as worker:
            for balance in Balance:  # Not with another team either.
                with pytest.raises(OSError, match="in use"):
                    balancer.listen(Address(*address), balance)
            for _ in range(32):
                with socket.create_connection(address), worker.accept()[0]:
                    pass


def test_free_ports_are_no_ephemeral_ones_and_nobodys() -> None:
    ports = balancer.free_ports(20)
    assert len({*ports}) == 20
    if sys.platform == "linux":
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
        assert max(ports) < lowest
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()


def test_a_balance_or_what_is_right() -> None:
    assert balancer.parse_balance("reuseport") is Balance.REUSEPORT
    with pytest.raises(ValueError, match="haproxy, reuseport"):
        balancer.parse_balance("nginx")
