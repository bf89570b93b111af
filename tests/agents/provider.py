"""The servers that every name leads to: HTTP on port 80, TLS on 443, names on 53; and the trap in their place.

TLS has a certificate for whatever name a client asks for, of a CA of its own, whose file is ``ca_pem``. Every request
is noted. A trap answers nothing: it notes the name that a client wants, and closes.
"""

import contextlib
import gzip
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, UDPServer
from typing import Any, cast
from urllib.parse import urlsplit

import trustme
import zstandard

from agents import spoken
from agents.lab import ADDRESS, NAMES

_MODEL_CALL = re.compile(r"(/v1/(messages|responses|chat/completions)|:(generate|streamGenerate)Content)(?![^\s?])")
_AUTHORITY = trustme.CA()
_POLLED_S = 0.05


@dataclass(frozen=True)
class Received:
    """A request that arrived."""

    method: str
    host: str
    target: str
    agent: str
    body: Any

    @property
    def path(self) -> str:
        """The path without its query."""
        return urlsplit(self.target).path

    @property
    def for_model(self) -> bool:
        """Whether a model is asked, and nothing beside it."""
        return self.method == "POST" and asks_model(self.path)


def asks_model(request: str) -> bool:
    """Return whether a model is asked, by a path, or by a request as a report tells it."""
    return bool(_MODEL_CALL.search(request))


class Servers:
    """What has arrived at the servers since they were started."""

    def __init__(self, *, trap: bool) -> None:
        self.trap = trap
        self.requests: list[Received] = []
        self.visitors: list[str] = []
        """The names that a trap was asked for, one a connection."""
        self.lock = threading.Lock()

    def visited(self, name: str) -> None:
        """Note that a client came for this name."""
        with self.lock:
            self.visitors.append(name)

    def received(self, request: Received) -> None:
        """Note a request."""
        with self.lock:
            self.requests.append(request)


def ca_pem(folder: Path) -> Path:
    """Write the CA's certificate, and return its file."""
    path = folder / "provider-ca.pem"
    _AUTHORITY.cert_pem.write_to_path(str(path))
    return path


@contextlib.contextmanager
def serving(*, trap: bool = False) -> Iterator[Servers]:
    """Serve every name, or be the trap in their place."""
    noted = Servers(trap=trap)
    servers = (_Server(80, noted), _Server(443, noted), UDPServer((NAMES, 53), _Names))
    for each in servers:
        threading.Thread(target=each.serve_forever, args=(_POLLED_S,), daemon=True).start()
    try:
        yield noted
    finally:
        for each in servers:
            each.shutdown()
            each.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, noted: Servers) -> None:
        super().__init__(("0.0.0.0", port), _Handler)
        self.noted = noted
        self.tls = port == 443

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a client go away without a word."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 60

    def setup(self) -> None:
        if self.server.tls:
            self.request = self._with_tls(cast("socket.socket", self.request))
        super().setup()

    def _with_tls(self, connection: socket.socket) -> socket.socket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        noted = self.server.noted

        def named(wrapped: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
            if noted.trap:
                noted.visited(name or "a client without a name")
                return ssl.ALERT_DESCRIPTION_ACCESS_DENIED
            wrapped.context = _context(name or "nameless.invalid")
            return None

        context.sni_callback = named
        _leaf("nameless.invalid").configure_cert(context)
        return context.wrap_socket(connection, server_side=True)

    def handle_one_request(self) -> None:
        if self.server.noted.trap:
            self.server.noted.visited(f"{self.client_address[0]} without TLS")
            self.close_connection = True
            return
        super().handle_one_request()

    def log_message(self, *said: Any) -> None:
        """Say nothing: what arrived is noted."""

    def _answered(self) -> None:
        body = self._body()
        host = self.headers.get("host", "").partition(":")[0]
        request = Received(self.command, host, self.path, self.headers.get("user-agent", ""), body)
        self.server.noted.received(request)
        if self.headers.get("upgrade", "").lower() == "websocket":
            reply = spoken.whole({"error": {"message": "no WebSocket here"}}, 501)
        else:
            reply = _reply(request)
        self._send(reply)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _answered

    def _body(self) -> Any:
        raw = self._chunks() if "chunked" in self.headers.get("transfer-encoding", "") else self._counted()
        match self.headers.get("content-encoding"):
            case "gzip":
                raw = gzip.decompress(raw)
            case "zstd":
                raw = zstandard.ZstdDecompressor().decompressobj().decompress(raw)
        try:
            return json.loads(raw) if raw else None
        except ValueError:
            return None

    def _counted(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, reply: spoken.Reply) -> None:
        self.send_response(reply.status)
        self.send_header("content-type", reply.kind)
        if len(reply.pieces) == 1:
            self.send_header("content-length", str(len(reply.pieces[0])))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.pieces[0])
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in reply.pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


def _reply(request: Received) -> spoken.Reply:
    path = request.path
    if request.method == "POST" and request.body is not None:
        if path.endswith("/chat/completions"):
            return spoken.chat(request.body)
        if path.endswith("/responses"):
            return spoken.responses(request.body)
        if path.endswith("/messages"):
            return spoken.anthropic(request.body)
        if "/models/" in path and ":" in path:
            return spoken.gemini(path, request.body)
        if path.endswith("/messages/count_tokens"):
            return spoken.whole({"input_tokens": 11})
    if request.host in ("models.opencode.ai", "models.dev"):
        return spoken.whole(_catalogue())
    return spoken.whole(
        {"type": "error", "error": {"type": "not_found_error", "message": "there is no such path"}}, 404
    )


def _catalogue() -> dict[str, Any]:
    """Return the models that opencode knows of: two of OpenAI."""
    usual = {
        **{"release_date": "2025-08-07", "attachment": False, "reasoning": False, "temperature": True},
        **{"tool_call": True, "cost": {"input": 1, "output": 1}, "limit": {"context": 200000, "output": 32000}},
        **{"modalities": {"input": ["text"], "output": ["text"]}, "options": {}},
    }
    models = {name: {"id": name, "name": name, **usual} for name in ("gpt-5", "gpt-5-nano")}
    provider = {"id": "openai", "name": "OpenAI", "env": ["OPENAI_API_KEY"], "npm": "@ai-sdk/openai"}
    return {"openai": {**provider, "models": models}}


@cache
def _leaf(name: str) -> trustme.LeafCert:
    return _AUTHORITY.issue_cert(name)


@cache
def _context(name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _leaf(name).configure_cert(context)
    return context


class _Names(BaseRequestHandler):
    """Says that every name is ``ADDRESS``."""

    def handle(self) -> None:
        asked, names = self.request
        end = asked.index(0, 12) + 5
        wants_address = asked[end - 4 : end - 2] == b"\0\1"
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(ADDRESS) if wants_address else b""
        counts = b"\0\1" + (b"\0\1" if answer else b"\0\0") + bytes(4)
        names.sendto(asked[:2] + b"\x81\x80" + counts + asked[12:end] + answer, self.client_address)
