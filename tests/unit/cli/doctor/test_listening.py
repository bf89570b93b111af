"""The port of a shared proxy: free, a wiretape's, or somebody else's."""

import os
import socket
from pathlib import Path

import pytest

from authorities import Certificate
from bare_server import Answering
from wiretape.cli.doctor.finding import Finding, State
from wiretape.cli.doctor.listening import findings, holder
from wiretape.network.address import Address


def found(port: int, host: str = "127.0.0.1") -> Finding:
    [only] = findings(Address(host, port))
    return only


@pytest.mark.parametrize(
    ("answer", "state", "told"),
    [
        (b"HTTP/1.1 200 OK\r\nx-wiretape: 0.1.0\r\n\r\n", State.OK, "a wiretape listens"),
        (b'HTTP/1.1 407 x\r\nproxy-authenticate: Basic realm="wiretape"\r\n\r\n', State.OK, "wants tokens"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + Certificate().pem, State.WARNING, "a mitmproxy without wiretape"),
        (b"HTTP/1.1 404 x\r\n\r\n", State.WARNING, "which is no wiretape"),
        (b"SSH-2.0-x\r\n", State.WARNING, "which is no proxy"),
    ],
)
def test_who_has_it(answer: bytes, state: State, told: str) -> None:
    with Answering(answer) as server:
        finding = found(server.port)
    assert finding.state is state
    assert told in finding.said
    assert bool(finding.advice) is (state is State.WARNING)


def test_a_port_that_is_free_and_an_address_that_is_not_ours() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert holder(port) in ("", *_mine())
    assert found(port).state is State.OK
    assert found(port, "192.0.2.77").state is State.FAULT
    assert found(port, "no.such.host.invalid").state is State.FAULT


def _mine() -> list[str]:
    """What Linux calls this process."""
    comm = Path("/proc/self/comm")
    if not comm.exists():
        return []
    return [f"{comm.read_text('utf-8').strip()} (process {os.getpid()})"]
