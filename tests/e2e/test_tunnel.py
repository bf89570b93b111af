"""Tunnels: what a client sees of its CONNECT, and inside, is the same whether wiretape opens it or mitmproxy does.

One proxy opens the tunnels to providers itself, the other has mitmproxy make flows of them.
"""

import contextlib
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness import Mitmdump, wait_until
from loopback import Provider, from_recording
from places import SHIPPED
from samples import CHAT, FIREWORKS_CHAT, load

END = b"\r\n\r\n"
HOST = "api.fireworks.ai"
BODY = json.dumps(load(CHAT)["request"]["body"]).encode()
LAST = (
    "\r\n".join(
        [
            f"POST {FIREWORKS_CHAT} HTTP/1.1",
            f"Host: {HOST}",
            "Content-Type: application/json",
            f"Content-Length: {len(BODY)}",
            "Connection: close",
            "",
            "",
        ]
    ).encode()
    + BODY
)


def connect(to: str = f"{HOST}:443", *headers: str, version: str = "HTTP/1.1") -> bytes:
    return "\r\n".join([f"CONNECT {to} {version}", *headers, "", ""]).encode("latin-1")


ASKED = {
    "as SDKs ask": connect(f"{HOST}:443", f"Host: {HOST}:443", "Accept: */*", "User-Agent: x"),
    "without a header": connect(),
    "HTTP/1.0": connect(version="HTTP/1.0"),
    "a small letter": connect().replace(b"CONNECT", b"Connect", 1),
    "lines that end in LF": connect().replace(b"\r\n", b"\n"),
    "no port": connect(HOST),
    "a port that is none": connect(f"{HOST}:99999"),
    "a port in words": connect(f"{HOST}:https"),
    "a URL": connect(f"https://{HOST}:443/"),
    "a space in the target": connect(f"{HOST} :443"),
    "an empty target": connect(""),
    "a name in capitals": connect(f"{HOST.upper()}:443"),
    "a length of nothing": connect(f"{HOST}:443", "Content-Length: 0"),
    "a body": connect(f"{HOST}:443", "Content-Length: 3") + b"abc",
    "a chunked body": connect(f"{HOST}:443", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "a header twice": connect(f"{HOST}:443", "X-A: 1", "X-A: 2"),
    "no header at all": connect(f"{HOST}:443", "nothing"),
    "kept alive as proxies once were": connect(f"{HOST}:443", "Proxy-Connection: keep-alive"),
    "credentials of another scheme": connect(f"{HOST}:443", "Proxy-Authorization: Bearer x"),
    "a long header": connect(f"{HOST}:443", "X-Long: " + "x" * 30_000),
}


@pytest.fixture(scope="module")
def proxies() -> Iterator[dict[str, Mitmdump]]:
    with contextlib.ExitStack() as stack:
        yield {
            lane: stack.enter_context(Mitmdump(SHIPPED, "replay", options={"wiretape_lane": lane}))
            for lane in ("fast", "flows")
        }


@contextlib.contextmanager
def opened(proxy: Mitmdump) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def head_of(connection: socket.socket) -> bytes:
    """What comes until a head is whole, or nothing more comes."""
    got = b""
    while END not in got and (more := connection.recv(4096)):
        got += more
    return got


def secured(connection: socket.socket, proxy: Mitmdump) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(proxy.ca_file))
    return context.wrap_socket(connection, server_hostname=HOST)


def all_of(connection: socket.socket) -> bytes:
    got = b""
    with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):
        while more := connection.recv(65536):
            got += more
    return got


def both(proxies: dict[str, Mitmdump], talk: Callable[[socket.socket, Mitmdump], bytes]) -> bytes:
    """What a conversation gives, which is the same with both."""
    seen = {}
    for lane, proxy in proxies.items():
        before = len(proxy.log())
        with opened(proxy) as connection:
            seen[lane] = talk(connection, proxy)
        wait_until(lambda proxy=proxy, before=before: "client disconnect" in proxy.log()[before:])  # type: ignore[misc]
    assert seen["fast"] == seen["flows"]
    return seen["fast"]


@pytest.mark.parametrize("name", ASKED)
def test_the_answer_to_a_connect_is_the_same(name: str, proxies: dict[str, Mitmdump]) -> None:
    def talk(connection: socket.socket, _proxy: Mitmdump) -> bytes:
        connection.sendall(ASKED[name])
        got = head_of(connection)
        connection.shutdown(socket.SHUT_WR)
        return got + all_of(connection)

    assert both(proxies, talk).startswith(b"HTTP/1.")


def test_a_connect_in_two_segments(proxies: dict[str, Mitmdump]) -> None:
    def talk(connection: socket.socket, proxy: Mitmdump) -> bytes:
        line = connect().index(b"\n") + 1
        connection.sendall(connect()[:line])
        connection.sendall(connect()[line:])
        got = head_of(connection)
        with secured(connection, proxy) as secure:
            secure.sendall(LAST)
            return got + all_of(secure)

    assert both(proxies, talk).endswith(b"0\r\n\r\n")


def test_a_client_hello_byte_by_byte(proxies: dict[str, Mitmdump]) -> None:
    def talk(connection: socket.socket, proxy: Mitmdump) -> bytes:
        connection.sendall(connect())
        got = head_of(connection)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cafile=str(proxy.ca_file))
        secure = context.wrap_bio(incoming, outgoing, server_hostname=HOST)
        with pytest.raises(ssl.SSLWantReadError):
            secure.do_handshake()
        hello = outgoing.read()
        # mitmproxy looks at the first bytes by themselves, and takes fewer than three for no TLS.
        for piece in [hello[:5], *(hello[at : at + 1] for at in range(5, len(hello)))]:
            connection.sendall(piece)
        while True:
            try:
                secure.do_handshake()
            except ssl.SSLWantReadError:
                incoming.write(connection.recv(65536))
            else:
                connection.sendall(outgoing.read())
                return got

    assert both(proxies, talk).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("protocols", [[], ["http/1.1"], ["http/1.0"], ["x"], ["x", "http/1.1"], ["h2", "http/1.1"]])
def test_every_protocol_that_is_offered(protocols: list[str], proxies: dict[str, Mitmdump]) -> None:
    def talk(connection: socket.socket, proxy: Mitmdump) -> bytes:
        connection.sendall(connect())
        head_of(connection)
        context = ssl.create_default_context(cafile=str(proxy.ca_file))
        if protocols:
            context.set_alpn_protocols(protocols)
        with context.wrap_socket(connection, server_hostname=HOST) as secure:
            chosen = str(secure.selected_alpn_protocol()).encode()
            if chosen == b"h2":
                return chosen
            secure.sendall(LAST)
            return chosen + all_of(secure)

    both(proxies, talk)


@pytest.mark.parametrize("data", [b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"\x00\x01\x02"])
def test_what_is_not_tls_leaves_the_machine_in_replay_no_more_than_a_request(
    data: bytes, proxies: dict[str, Mitmdump]
) -> None:
    def talk(connection: socket.socket, _proxy: Mitmdump) -> bytes:
        connection.sendall(connect())
        got = head_of(connection)
        connection.sendall(data)
        return got + all_of(connection)

    both(proxies, talk)
    assert [proxy.connects() for proxy in proxies.values()] == [[], []]


def test_who_leaves_after_the_connect(proxies: dict[str, Mitmdump]) -> None:
    def talk(connection: socket.socket, _proxy: Mitmdump) -> bytes:
        connection.sendall(connect())
        got = head_of(connection)
        connection.close()
        return got

    both(proxies, talk)


def test_a_client_that_does_not_trust_the_certificate_is_told_in_the_log(proxies: dict[str, Mitmdump]) -> None:
    proxy = proxies["fast"]
    before = len(proxy.log())
    with opened(proxy) as connection:
        connection.sendall(connect())
        head_of(connection)
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context(cadata=None).wrap_socket(connection, server_hostname=HOST)
    wait_until(lambda: "Client TLS handshake failed" in proxy.log()[before:])


def test_a_tunnel_of_ours_is_no_flow_and_another_hosts_is(proxies: dict[str, Mitmdump]) -> None:
    with Mitmdump(SHIPPED, "replay", options={"termlog_verbosity": "debug"}) as proxy:
        with opened(proxy) as connection:
            connection.sendall(connect())
            assert head_of(connection) == b"HTTP/1.1 200 Connection established\r\n\r\n"
            with secured(connection, proxy) as secure:
                secure.sendall(LAST)
                assert all_of(secure).endswith(b"0\r\n\r\n")
        assert "HttpStream" not in proxy.log()
        assert proxy.connects() == []
    assert proxies  # The others are up beside it.


def test_a_miss_inside_a_tunnel_goes_to_the_provider_and_is_recorded(tmp_path: Path) -> None:
    with Provider() as provider:
        provider.on(FIREWORKS_CHAT, from_recording(CHAT))
        with Mitmdump(tmp_path / "recordings", "record-if-missing", origin=provider) as proxy:
            for _ in range(2):
                with opened(proxy) as connection:
                    connection.sendall(connect())
                    head_of(connection)
                    with secured(connection, proxy) as secure:
                        secure.sendall(LAST)
                        assert all_of(secure).endswith(b"0\r\n\r\n")
                proxy.wait_for_log(rf"recorded {CHAT.stem}")
            proxy.wait_for_log(rf"hit {CHAT.stem}")
        assert len(provider.requests) == 1
        assert dict(provider.requests[0].headers)["host"] == HOST


def test_where_somebody_looks_at_tunnels_they_are_flows(tmp_path: Path) -> None:
    script = tmp_path / "looker.py"
    script.write_text("def http_connect(flow):\n    print('asked for', flow.request.host, flush=True)\n", "utf-8")
    with Mitmdump(SHIPPED, "replay", args=["-s", str(script)]) as proxy, opened(proxy) as connection:
        connection.sendall(connect())
        head_of(connection)
        proxy.wait_for_log(f"asked for {HOST}")
