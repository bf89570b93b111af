"""Nobody who stalls keeps anything: the head of a request, and who reads an answer, have their time."""

import select
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from controlling import Told, ask, served, told
from wiretape.call_log.call import Call, Outcome
from wiretape.control import serving
from wiretape.control.server import WebServer


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Told]:
    with told(tmp_path) as proxy:
        yield proxy


@pytest.fixture
def server(proxy: Told) -> Iterator[WebServer]:
    with served(proxy) as server:
        yield server


@pytest.mark.parametrize("sent", [b"", b"GET /hea"])
def test_a_head_that_does_not_come_ends_its_connection(
    server: WebServer, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_STALLED", 0.05)
    with socket.create_connection((server.address.host, server.address.port), 60) as silent:
        silent.sendall(sent)
        with pytest.raises(ConnectionResetError):
            silent.recv(1)


def test_a_connection_between_two_requests_is_kept(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = HTTPConnection(server.address.host, server.address.port, timeout=60)
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    kept = connection.sock
    monkeypatch.setattr(serving, "_STALLED", 0.05)
    # Another one is given up meanwhile.
    with (
        socket.create_connection((server.address.host, server.address.port), 60) as silent,
        pytest.raises(ConnectionResetError),
    ):
        silent.recv(1)
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() == b"ok\n"
    assert connection.sock is kept
    connection.close()


@pytest.mark.skipif(not hasattr(select, "poll"), reason="there is no poll")
def test_who_does_not_read_is_given_up_and_holds_up_nobody(
    proxy: Told, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_UNREAD", 0.05)
    for _ in range(60):
        proxy.log.add(Call(0.0, "default", "replay", Outcome.MISS, why=("y" * 5000,)))
    assert proxy.log.flush(60)
    # What is on its way in the system's buffers is read by nobody, and little.
    server._listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect((server.address.host, server.address.port))
        slow.sendall(b"GET /v1/calls/events?since=0 HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert ask(server.address, "/healthz")[0].status == 200
        reset = select.poll()
        reset.register(slow, 0)
        assert reset.poll(60_000), "it is reset though nothing was read"
    assert ask(server.address, "/v1/calls?limit=1")[0].status == 200
