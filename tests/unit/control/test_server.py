"""The server: it listens at once, imports what serves when it is asked, and ends when it is told to."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from controlling import HERE, Told, ask, served, told
from wiretape.control import server as module
from wiretape.control.server import WebServer
from wiretape.control.site import Site
from wiretape.metrics.counters import SessionCounters
from wiretape.metrics.prometheus import CounterPage, MissingPackageError, Workers
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with told(tmp_path_factory.mktemp("server")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def server(proxy: Told) -> Iterator[WebServer]:
    with served(proxy) as server:
        yield server


def test_a_start_imports_no_framework_and_the_first_who_asks_is_answered() -> None:
    program = """
import sys
from http.client import HTTPConnection
from wiretape.control.server import WebServer
from wiretape.control.site import Site
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames
with WebServer(Address("127.0.0.1", 0), Site(OwnNames())) as server:
    before = {"starlette", "uvicorn", "anyio", "http.server"} & {*sys.modules}
    connection = HTTPConnection(server.address.host, server.address.port)
    connection.request("GET", "/healthz")
    print(before, connection.getresponse().read(), "starlette" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set() b'ok\\n' True\n"


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/healthz", 200, "ok\n"),
        ("HEAD", "/healthz", 200, ""),
        ("GET", "/metrics?name=x", 200, None),
        ("HEAD", "/metrics", 200, ""),
        ("GET", "/", 404, None),
        ("GET", "/metrics/x", 404, None),
        ("POST", "/metrics", 405, None),
        ("DELETE", "/healthz", 405, None),
    ],
)
def test_counters_and_health_are_for_get_and_head(
    server: WebServer, method: str, path: str, status: int, body: str | None
) -> None:
    answer, text = ask(server.address, path, method)
    assert answer.status == status
    assert body is None or text == body
    assert answer.getheader("server") == "wiretape"


def test_a_page_shows_what_is_counted_now(proxy: Told, server: WebServer) -> None:
    for hits in (1, 2):
        proxy.ledger.of("default").hits = hits
        answer, text = ask(server.address, "/metrics")
        assert f'wiretape_hits_total{{session="default"}} {hits}.0' in text
        assert (answer.getheader("content-type") or "").startswith("text/plain")


@pytest.mark.parametrize(("up", "status"), [(2, 200), (0, 503)])
def test_with_workers_it_is_healthy_while_one_is_up(up: int, status: int) -> None:
    page = CounterPage(SessionCounters().sessions, lambda: Workers(up, {"1": 0}))
    with WebServer(HERE, Site(OwnNames(), page)) as server:
        assert ask(server.address, "/healthz")[0].status == status
        assert ask(server.address, "/v1/status")[0].status == 404, "there is no API at this address"


def test_a_port_that_is_taken_is_an_error_at_once(server: WebServer) -> None:
    with pytest.raises(OSError, match="in use"):
        WebServer(server.address, Site(OwnNames()))


@pytest.mark.parametrize("is_asked", [False, True])
def test_after_its_end_nobody_answers(is_asked: bool) -> None:
    with WebServer(HERE, Site(OwnNames())) as server:
        address = server.address
        if is_asked:
            ask(address, "/healthz")
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.host, address.port)).close()
    with WebServer(address, Site(OwnNames())):
        pass  # The port is free at once.


def has_ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_an_end_waits_for_nobody(proxy: Told) -> None:
    with served(proxy) as server:
        where = (server.address.host, server.address.port)
        reader = HTTPConnection(*where, timeout=60)
        reader.request("GET", "/v1/calls/events")
        answer = reader.getresponse()
        with socket.create_connection(where) as silent, socket.create_connection(where) as half:
            half.sendall(b"GET /v1/status HTTP/1.1\r\nhost: loc")
            server.close()
            assert has_ended(silent)
            assert has_ended(half)
        assert answer.read().startswith(b": alive")
        reader.close()


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_without_the_framework_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match="pip install starlette uvicorn"):
        WebServer(HERE, Site(OwnNames()))
    assert module.MISSING


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_it_may_be_at_an_address_of_ipv6() -> None:
    try:
        made = WebServer(Address("::1", 0), Site(OwnNames()))
    except OSError:
        pytest.skip("this machine has no IPv6")
    with made:
        assert made.url.startswith("http://[::1]:")
        assert ask(made.address, "/healthz")[0].status == 200


def test_bytes_that_are_no_request_are_refused_and_others_are_answered(server: WebServer) -> None:
    where = (server.address.host, server.address.port)
    for wrong in (b"\x16\x03\x01 TLS\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", b"GET  /\r\n\r\n"):
        with socket.create_connection(where) as strange:
            strange.sendall(wrong)
            assert strange.recv(100).startswith(b"HTTP/1.1 4")
    with socket.create_connection(where) as endless:
        endless.sendall(b"GET /healthz HTTP/1.1\r\nx: " + b"a" * 100_000)
        assert endless.recv(100).startswith(b"HTTP/1.1 400")
    assert ask(server.address, "/healthz")[0].status == 200


def test_a_connection_is_kept_for_the_next_request(server: WebServer) -> None:
    connection = HTTPConnection(server.address.host, server.address.port, timeout=60)
    for _ in range(2):
        connection.request("POST", "/v1/rewind", b"{}")
        assert json.loads(connection.getresponse().read()) == {}
        before = connection.sock
    assert before is connection.sock is not None
    connection.close()


def test_small_answers_leave_at_once(server: WebServer) -> None:
    # What asyncio goes by: each answer would wait for the acknowledgement of its head.
    assert server._listener.proto == socket.IPPROTO_TCP


def test_what_is_too_large_is_answered_and_ends_the_connection(server: WebServer, tmp_path: Path) -> None:
    connection = HTTPConnection(server.address.host, server.address.port, timeout=60)
    connection.request("POST", "/v1/scopes", b"x" * 3_000_000)
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("connection")) == (413, "close")
    connection.close()
