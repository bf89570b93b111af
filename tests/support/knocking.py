"""Clients of bare sockets, which ask a proxy for what no well-behaved one does."""

import base64
import contextlib
import json
import re
import socket
import ssl

from harness import Mitmdump
from samples import CHAT, FIREWORKS_CHAT, load

HOST = "api.fireworks.ai"
BODY = json.dumps(load(CHAT)["request"]["body"]).encode()


def exchange(port: int, data: bytes, more: bytes = b"", *, to: str = "127.0.0.1") -> bytes:
    """What comes back, until the other side closes or an answer's end can be seen; ``more`` is sent into a tunnel."""
    with socket.create_connection((to, port), timeout=60) as connection:
        connection.sendall(data)
        got = read(connection)
        if more and got.startswith(b"HTTP/1.1 200"):
            connection.sendall(more)
            got += read(connection)
        return got


def read(connection: socket.socket) -> bytes:
    got = b""
    with contextlib.suppress(ConnectionResetError, ssl.SSLError):
        while b"\r\n\r\n" not in got and (more := connection.recv(65536)):
            got += more
        head, _, rest = got.partition(b"\r\n\r\n")
        told = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        length = int(told[1]) if told else 0
        while len(rest) < length and (more := connection.recv(65536)):
            got, rest = got + more, rest + more
    return got


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def inside_tls(
    proxy: Mitmdump, to: str, sni: str, host: str, path: str = FIREWORKS_CHAT, *, body: bytes = BODY
) -> bytes:
    """The answer to the recorded request in a tunnel to one host, in TLS for another, for a third."""
    context = ssl.create_default_context(cafile=str(proxy.ca_file))
    context.check_hostname = False
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as connection:
        connection.sendall(f"CONNECT {to} HTTP/1.1\r\n\r\n".encode())
        assert status(read(connection)) == 200
        with context.wrap_socket(connection, server_hostname=sni) as secure:
            head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nConnection: close\r\n"
            secure.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            return read(secure)


def ended(connection: socket.socket) -> bool:
    with contextlib.suppress(ConnectionResetError):
        return connection.recv(1) == b""
    return True


def proxy_authorization(token: str) -> str:
    """The header line of a token for the session ``default``."""
    return f"Proxy-Authorization: Basic {base64.b64encode(f'default:{token}'.encode()).decode()}\r\n"
