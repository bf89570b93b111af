"""A proxy is no door into its machine, nor past it: what may be reached through it, and by whom, as a client tries it.

A server on loopback stands for what must not be reached: it counts who comes.
"""

import base64
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bare_server import BareServer
from harness import Mitmdump
from knocking import BODY, HOST, ended, exchange, inside_tls, read, status
from places import SHIPPED
from samples import FIREWORKS_CHAT
from wiretape.cluster.balancer import free_ports
from wiretape.sessions import token_file
from wiretape.sessions.model import Role
from wiretape.sessions.tokens import Token, Tokens

WEBSOCKET_KEY = "x3JJHMbDL1EzLkh9GBhXDw=="
ACCEPTED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=\r\n\r\n"
)
MASKED_HELLO = b"\x81\x85\0\0\0\0hello"
"""A frame of a client's with a text, masked with nothing (RFC 6455, 5.2)."""


class Inside(BareServer):
    """A server of this machine that says hello to whoever connects, and then the same that it is told."""

    def __init__(self) -> None:
        self.gone = threading.Semaphore(0)
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(4096):
                if b"websocket" in data:
                    connection.sendall(ACCEPTED)
                    continue
                if data.startswith(MASKED_HELLO[:2]):  # The proxy masks it anew.
                    connection.sendall(b"\x81\x05hello")
                    continue
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\ninside" if b"GET " in data else data)
        self.gone.release()


@pytest.fixture(scope="module")
def inside() -> Iterator[Inside]:
    made = Inside()
    yield made
    made.close()


# -- with tokens -------------------------------------------------------------------------------------------------------


@dataclass
class Lab:
    proxy: Mitmdump
    reverse: int
    metrics: int
    file: Path
    token: Token
    other: Token

    def credentials(self, token: Token | None = None) -> str:
        return base64.b64encode(f"default:{(token or self.token).text}".encode()).decode()

    def head(self, line: str, *headers: str, token: Token | None = None) -> bytes:
        shown = f"Proxy-Authorization: Basic {self.credentials(token)}"
        return "\r\n".join([line, shown, *headers, "", ""]).encode()


@pytest.fixture(scope="module")
def lab(inside: Inside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    token, tokens = Tokens().create("default", Role.READ, "ann")
    other, tokens = tokens.create("default", Role.READ, "bob")
    token_file.write(folder / "tokens.toml", tokens)
    (folder / "wiretape.toml").write_text('[tunnels]\nallow = ["listed.example"]\n')
    names = {name: ["127.0.0.1"] for name in ("private.example", "listed.example")}
    env = {
        "TO_LOOPBACK_NAMES": json.dumps({**names, "mixed.example": ["9.9.9.9", "127.0.0.1"]}),
        "TO_LOOPBACK_ORIGIN": json.dumps({"listed.example": inside.port}),
    }
    options = {
        "wiretape_tokens": str(folder / "tokens.toml"),
        "wiretape_config": str(folder / "wiretape.toml"),
        "wiretape_metrics": "0",
        "wiretape_hosts": "proxy.example",
    }
    (port,) = free_ports(1)
    reverse = ["--mode", "regular", "--mode", f"reverse:https://{HOST}@{port}"]
    with Mitmdump(SHIPPED, "replay", options=options, env=env, args=reverse) as proxy:
        proxy.wait_for_log(rf"reverse proxy to https://{HOST} listening at")
        metrics = int(proxy.wait_for_log(r"counters at http://127\.0\.0\.1:(\d+)/metrics")[1])
        yield Lab(proxy, port, metrics, folder / "tokens.toml", token, other)
        proxy.assert_sound()


HERE = ["127.0.0.1", "localhost", "LOCALHOST.", "app.localhost", "2130706433", "0x7f.1", "127.1", "017700000001", "0"]
HERE += ["[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "private.example", "mixed.example"]
HERE += ["169.254.169.254", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "10.0.0.5", "no-such.example"]


@pytest.mark.parametrize("host", HERE)
def test_with_a_token_nothing_inside_is_reached(host: str, lab: Lab, inside: Inside) -> None:
    before = inside.came
    tunnel = exchange(lab.proxy.port, lab.head(f"CONNECT {host}:{inside.port} HTTP/1.1"), b"GET / HTTP/1.1\r\n\r\n")
    named = f"Host: {host}:{inside.port}"
    plain = exchange(lab.proxy.port, lab.head(f"GET http://{host}:{inside.port}/ HTTP/1.1", named))
    # What mitmproxy takes for no host at all it refuses itself.
    assert {status(tunnel), status(plain)} <= {400, 403}
    assert b"inside" not in tunnel + plain
    assert inside.came == before
    assert [line for line in lab.proxy.connects() if not line.startswith("resolve ")] == []


def test_what_is_listed_is_reached_and_the_built_in_servers_of_this_machine_are_not(lab: Lab, inside: Inside) -> None:
    answer = exchange(lab.proxy.port, lab.head("CONNECT listed.example:80 HTTP/1.1"), b"GET / HTTP/1.1\r\n\r\n")
    assert answer.endswith(b"inside")
    for path in ("/other", "/api/tags"):
        asked = lab.head(f"GET http://127.0.0.1:11434{path} HTTP/1.1", "Host: 127.0.0.1:11434")
        answer = exchange(lab.proxy.port, asked)
        assert status(answer) in (400, 403)


def test_the_reverse_port_and_the_page_answer_to_their_own_names(lab: Lab) -> None:
    session = f"x-wiretape-session: default:{lab.token.text}"
    post = f"POST {FIREWORKS_CHAT} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n"
    for port, first, rest in (
        (lab.reverse, f"{post}{session}\r\nConnection: close\r\n", BODY),
        (lab.metrics, "GET /metrics HTTP/1.1\r\nConnection: close\r\n", b""),
    ):

        def ask(*headers: str, port: int = port, first: str = first, rest: bytes = rest) -> int:
            lines = first + "".join(f"{each}\r\n" for each in headers) + "\r\n"
            return status(exchange(port, lines.encode() + rest))

        own = [f"Host: {name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]", "10.0.0.5", "Proxy.example.")]
        assert [ask(each) for each in own] == [200] * 5
        assert ask(f"Host: {HOST}") == (200 if port == lab.reverse else 421)
        assert ask(own[0], "Origin: http://localhost:3000", "Sec-Fetch-Site: cross-site") == 200
        assert [ask(f"Host: {name}") for name in ("evil.example", f"127.0.0.1.evil.example:{port}", "")] == [421] * 3
        assert ask(own[0], "Origin: http://evil.example") == 403
        assert ask(own[0], "Origin: null") == 403
        assert ask(own[0], "Sec-Fetch-Site: cross-site") == 403


def test_a_token_that_is_taken_back_closes_what_it_opened_and_nothing_else(lab: Lab, inside: Inside) -> None:
    with contextlib.ExitStack() as stack:
        tunnels = {}
        for token in (lab.token, lab.other):
            tunnels[token] = stack.enter_context(socket.create_connection(("127.0.0.1", lab.proxy.port), timeout=60))
            tunnels[token].sendall(lab.head("CONNECT listed.example:80 HTTP/1.1", token=token))
            assert status(read(tunnels[token])) == 200
            tunnels[token].sendall(b"hello")
            assert tunnels[token].recv(5) == b"hello"
        # Kept alive without a tunnel, its token in each request.
        kept = stack.enter_context(socket.create_connection(("127.0.0.1", lab.reverse), timeout=60))
        session = f"x-wiretape-session: default:{lab.other.text}"
        kept.sendall(f"GET /x HTTP/1.1\r\nHost: localhost\r\n{session}\r\n\r\n".encode())
        assert status(read(kept)) == 400
        token_file.write(lab.file, token_file.read(lab.file).without("bob"))
        assert ended(tunnels[lab.other])
        assert ended(kept)
        # And so is the connection that was opened for it.
        assert inside.gone.acquire(timeout=60)
        tunnels[lab.token].sendall(b"still here")
        assert tunnels[lab.token].recv(10) == b"still here"
    lab.proxy.wait_for_log("tokens were taken back: 2 connections")


def test_and_so_is_a_websocket(lab: Lab, inside: Inside) -> None:
    headers = ["Host: listed.example", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    headers.append(f"Sec-WebSocket-Key: {WEBSOCKET_KEY}")
    kept, tokens = token_file.read(lab.file).create("default", Role.READ, "eve")
    token_file.write(lab.file, tokens)
    sockets = {}
    with contextlib.ExitStack() as stack:
        for token in (lab.token, kept):
            sockets[token] = stack.enter_context(socket.create_connection(("127.0.0.1", lab.proxy.port), timeout=60))
            sockets[token].sendall(lab.head("GET http://listed.example/chat HTTP/1.1", *headers, token=token))
            assert status(read(sockets[token])) == 101
            sockets[token].sendall(MASKED_HELLO)
            assert sockets[token].recv(7) == b"\x81\x05hello"
        token_file.write(lab.file, tokens.without("eve"))
        assert ended(sockets[kept])
        assert inside.gone.acquire(timeout=60)
        sockets[lab.token].sendall(MASKED_HELLO)
        assert sockets[lab.token].recv(7) == b"\x81\x05hello"


# -- in replay ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def socks() -> int:
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def replay(socks: int) -> Iterator[Mitmdump]:
    modes = ["--mode", "regular", "--mode", f"socks5@{socks}"]
    with Mitmdump(SHIPPED, "replay", args=modes) as proxy:
        proxy.wait_for_log(f"SOCKS v5 proxy listening at .*:{socks}")
        yield proxy
        proxy.assert_sound()
        assert proxy.connects() == []


@pytest.mark.parametrize(
    ("to", "sni", "host", "expected"),
    [
        (f"{HOST}:443", HOST, HOST, 200),
        (f"{HOST}.:443", HOST, HOST, 200),
        (f"{HOST.upper()}:443", HOST, f"{HOST.upper()}.:443", 200),
        (f"{HOST}:443", f"{HOST}.", f"{HOST}:443", 200),
        ("203.0.113.7:443", HOST, HOST, 200),
        ("harmless.example:443", HOST, "harmless.example", 421),
        ("harmless.example:443", HOST, HOST, 421),
        (f"{HOST}:443", "harmless.example", HOST, 421),
        (f"{HOST}:443", HOST, "harmless.example", 421),
        (f"{HOST}:443", HOST, "api.openai.com", 421),
        ("203.0.113.7:443", HOST, "harmless.example", 421),
    ],
)
def test_in_replay_a_providers_name_is_told_in_every_place(
    to: str, sni: str, host: str, expected: int, replay: Mitmdump
) -> None:
    answer = inside_tls(replay, to, sni, host)
    assert status(answer) == expected
    if expected == 421:
        assert b"hosts_disagree" in answer
    assert status(inside_tls(replay, to, sni, host, "/v1/files")) in (400, 421)


@pytest.mark.parametrize(
    ("line", "host", "expected"),
    [
        ("GET http://harmless.example/v1/files HTTP/1.1", HOST, 421),
        (f"GET http://{HOST}/v1/files HTTP/1.1", "harmless.example", 421),
        (f"GET http://{HOST}./v1/files HTTP/1.1", f"{HOST}.", 400),
        (f"GET http://{HOST.upper()}:80/v1/files HTTP/1.1", f"{HOST}:80", 400),
    ],
)
def test_in_replay_so_it_is_without_a_tunnel(line: str, host: str, expected: int, replay: Mitmdump) -> None:
    assert status(exchange(replay.port, f"{line}\r\nHost: {host}\r\n\r\n".encode())) == expected


def test_in_replay_a_plain_tunnel_to_another_host_is_none_to_a_provider(replay: Mitmdump) -> None:
    for asked in (f"GET /v1/files HTTP/1.1\r\nHost: {HOST}\r\n\r\n", f"POST /v1 HTTP/1.1\r\nHost: {HOST}.\r\n\r\n"):
        answer = exchange(replay.port, b"CONNECT harmless.example:80 HTTP/1.1\r\n\r\n", asked.encode())
        assert b"421" in answer.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("name", [HOST, f"{HOST}.", "203.0.113.7"])
def test_in_replay_what_is_no_request_leads_to_no_provider(name: str, replay: Mitmdump, socks: int) -> None:
    context = ssl.create_default_context(cafile=str(replay.ca_file))
    context.check_hostname = False
    by_socks = b"\x05\x01\x00\x03" + bytes([len(name)]) + name.encode() + (443).to_bytes(2, "big")
    for port, opening in ((replay.port, f"CONNECT {name}:443 HTTP/1.1\r\n\r\n".encode()), (socks, by_socks)):
        for is_secure in (True, False) if name != "203.0.113.7" else (True,):
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                if port == socks:
                    connection.sendall(b"\x05\x01\x00")
                    assert connection.recv(2) == b"\x05\x00"
                connection.sendall(opening)
                assert connection.recv(4096)
                with context.wrap_socket(connection, server_hostname=HOST) if is_secure else connection as inner:
                    inner.sendall(b"SSH-2.0-x\r\n")
                    assert ended(inner)


def test_in_replay_nobody_can_ask_for_live(replay: Mitmdump) -> None:
    user = base64.b64encode(b"default+live:").decode()
    head = f"GET http://{HOST}/x HTTP/1.1\r\nHost: {HOST}\r\nProxy-Authorization: Basic {user}\r\n\r\n"
    answer = exchange(replay.port, head.encode())
    assert status(answer) == 403
    assert b"wiretape_modes" in answer


# -- offline -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["record-if-missing", "live"])
def test_offline_nothing_leaves_the_machine_and_what_is_in_it_is_reached(mode: str, inside: Inside) -> None:
    with Mitmdump(SHIPPED, mode, options={"wiretape_offline": "true"}) as proxy:
        answer = inside_tls(proxy, f"{HOST}:443", HOST, HOST)
        assert status(answer) == (200 if mode == "record-if-missing" else 403)
        for path in (FIREWORKS_CHAT, "/v1/files"):
            answer = inside_tls(proxy, f"{HOST}:443", HOST, HOST, path, body=b'{"model": "m", "messages": []}')
            assert status(answer) in (400, 403)
            assert b"wiretape_offline" in answer
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        for host in ("harmless.example", HOST, "203.0.113.7", "134744072", "10.0.0.5"):
            for more in ("", upgrade):
                answer = exchange(proxy.port, f"GET http://{host}/x HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode())
                # A provider's might have a recording.
                is_looked_up = mode == "record-if-missing" and host == HOST and not more
                assert status(answer) == (400 if is_looked_up else 403)
                assert (b"wiretape_offline" if is_looked_up else b'"offline"') in answer
        assert status(exchange(proxy.port, b"CONNECT harmless.example:443 HTTP/1.1\r\n\r\n")) == 403
        assert status(exchange(proxy.port, b"CONNECT 203.0.113.7:443 HTTP/1.1\r\n\r\n")) == 403
        # Nor what is no request at all.
        opened = exchange(proxy.port, f"CONNECT {HOST}:443 HTTP/1.1\r\n\r\n".encode(), b"SSH-2.0-x\r\n")
        assert opened.endswith(b"\r\n\r\n")
        for host in ("localhost", "127.0.0.1", "0x7f.1", "app.localhost."):
            tunnel = f"CONNECT {host}:{inside.port} HTTP/1.1\r\n\r\n".encode()
            answer = exchange(proxy.port, tunnel, b"GET / HTTP/1.1\r\n\r\n")
            assert answer.endswith(b"inside"), host
        assert {line.rpartition(":")[0] for line in proxy.connects()} == {"127.0.0.1", "localhost"}
        proxy.assert_sound()
