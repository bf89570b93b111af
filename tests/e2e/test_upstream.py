"""Behind an upstream proxy every connection goes to the same address: what is closed is closed all the same."""

import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from bare_server import BareServer
from harness import Mitmdump
from knocking import BODY, HOST, exchange, inside_tls, proxy_authorization, read, status
from places import SHIPPED
from wiretape.sessions import token_file
from wiretape.sessions.model import Role
from wiretape.sessions.tokens import Tokens

RAW = b"SSH-2.0-x\r\n"


class Upstream(BareServer):
    """A proxy that lets everybody through, and keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[bytes] = []
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        while data := connection.recv(65536):
            self.told.append(data)
            ok = b"HTTP/1.1 200 OK\r\n"
            connection.sendall(ok + (b"\r\n" if data.startswith(b"CONNECT ") else b"content-length: 2\r\n\r\nup"))


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    yield made
    made.close()


@pytest.mark.parametrize("lane", ["auto", "flows"])
def test_in_replay_nothing_leads_to_a_provider(lane: str, upstream: Upstream) -> None:
    by = ["--mode", f"upstream:http://127.0.0.1:{upstream.port}"]
    with Mitmdump(SHIPPED, "replay", options={"wiretape_lane": lane}, args=by) as proxy:
        for target in (f"{HOST}:443", f"{HOST}.:443", f"{HOST}:80", f"{HOST.upper()}:443"):
            assert not exchange(proxy.port, f"CONNECT {target} HTTP/1.1\r\n\r\n".encode(), RAW).endswith(b"up")
        context = ssl.create_default_context(cafile=str(proxy.ca_file))
        context.check_hostname = False
        for target, sni in ((HOST, HOST), (HOST, "harmless.example"), ("harmless.example", HOST), (HOST, None)):
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as connection:
                connection.sendall(f"CONNECT {target}:443 HTTP/1.1\r\n\r\n".encode())
                assert status(read(connection)) == 200
                with contextlib.suppress(OSError), context.wrap_socket(connection, server_hostname=sni) as secure:
                    secure.sendall(RAW)
                    assert secure.recv(1) == b""
        assert status(inside_tls(proxy, f"{HOST}:443", HOST, HOST)) == 200
        assert status(inside_tls(proxy, f"{HOST}:443", HOST, HOST, "/v1/files")) == 400
        for more in ("", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"):
            asked = f"GET http://{HOST}/v1/realtime HTTP/1.1\r\nHost: {HOST}\r\n{more}\r\n"
            assert status(exchange(proxy.port, asked.encode())) == 400
        assert upstream.told == []
        # Others are led to, as without wiretape.
        assert exchange(proxy.port, b"CONNECT harmless.example:22 HTTP/1.1\r\n\r\n", RAW).startswith(b"HTTP/1.1 200")
        assert upstream.told[0].startswith(b"CONNECT harmless.example:22 ")
        proxy.assert_sound()


def test_offline_nothing_leaves_by_way_of_it(upstream: Upstream) -> None:
    by = ["--mode", f"upstream:http://127.0.0.1:{upstream.port}"]
    with Mitmdump(SHIPPED, "record", options={"wiretape_offline": "true"}, args=by) as proxy:
        for host in (HOST, "harmless.example", "203.0.113.7"):
            assert RAW not in exchange(proxy.port, f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode(), RAW)
            assert status(exchange(proxy.port, f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())) == 403
        assert status(inside_tls(proxy, f"{HOST}:443", HOST, HOST, body=BODY)) in (400, 403)
    assert upstream.told == []


def test_with_a_token_it_is_the_way_and_no_destination(upstream: Upstream, tmp_path: Path) -> None:
    token, tokens = Tokens().create("default", Role.READ, "ann")
    token_file.write(tmp_path / "tokens.toml", tokens)
    by = ["--mode", f"upstream:http://127.0.0.1:{upstream.port}"]
    options = {"wiretape_tokens": str(tmp_path / "tokens.toml")}
    with Mitmdump(SHIPPED, "replay", options=options, args=by) as proxy:
        shown = f"x-wiretape-session: default:{token.text}\r\n"
        for port in (upstream.port, 22, 80):
            named = f"http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            assert status(exchange(proxy.port, f"GET {named}{shown}\r\n".encode())) == 403
            basic = proxy_authorization(token.text)
            asked = f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n{basic}\r\n"
            assert status(exchange(proxy.port, asked.encode())) == 403
        assert upstream.told == []
        asked = f"GET http://harmless.example/ HTTP/1.1\r\nHost: harmless.example\r\n{shown}\r\n"
        assert exchange(proxy.port, asked.encode()).endswith(b"up")
