"""A tunnel to a provider: CONNECT and what the client does inside, without asking whose answer is known.

mitmproxy makes a flow of each CONNECT, and asks its three dozen addons five times until the first request is read. For
a provider's host, and where nobody else looks at tunnels, all answers are known here: they are given on the spot.
Whatever is not as usual is mitmproxy's: it is asked, as it would be without this layer. Events in, commands out.
"""

from collections.abc import Callable
from dataclasses import dataclass

import httptools
from mitmproxy import http
from mitmproxy.net.tls import starts_like_tls_record
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers import tls
from mitmproxy.proxy.layers.http import HTTPMode
from mitmproxy.tls import TlsData

from wiretape.proxy import responses
from wiretape.proxy.calls import LARGEST
from wiretape.proxy.decide import Decider
from wiretape.proxy.layers.fast_http1 import FastHttp1Layer
from wiretape.proxy.layers.http import PlayingLayer
from wiretape.proxy.layers.refusing import FailsClosed

_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
"""mitmproxy's own words."""

_LARGEST = 16384
"""Bytes of a CONNECT that is read here."""


@dataclass(frozen=True, slots=True)
class Connect:
    """A client's request for a tunnel."""

    host: str
    port: int
    authorization: str | None
    """Its ``Proxy-Authorization``."""


class Tunnel(FailsClosed):
    """Opens a tunnel, and answers what is asked inside it."""

    def __init__(
        self,
        context: context.Context,
        request: Connect,
        decider: Decider | None,
        handshake: Callable[[TlsData], None],
        *,
        lenient: bool,
        limit: int = LARGEST,
    ) -> None:
        """``handshake`` may set the connection for TLS. ``decider``, ``lenient``, ``limit``: see ``PlayingLayer``."""
        super().__init__(context)
        self._request = request
        self._decider = decider
        self._handshake = handshake
        self._lenient = lenient
        self._limit = limit
        self._child: layer.Layer | None = None

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self._child:
            yield from self._pass(event)
        elif isinstance(event, events.DataReceived):  # The CONNECT: it was read before there was a tunnel.
            self.context.server.address = self._request.host, self._request.port
            self._child = layer.NextLayer(self.context)
            yield from self._pass(events.Start())
            yield commands.SendData(self.context.client, _ESTABLISHED)

    def _last_words(self) -> http.Response | None:
        return None if self._child else responses.failure()

    def _pass(self, event: events.Event) -> layer.CommandGenerator[None]:
        assert self._child
        later = [event]
        while later:
            for command in self._child.handle_event(later.pop(0)):
                if isinstance(command, commands.StartHook) and self._answers(command):
                    later.append(events.HookCompleted(command))
                else:
                    yield command

    def _answers(self, hook: commands.StartHook) -> bool:
        """Do what a hook asks for, and return whether that was all: then nobody else need be asked."""
        if isinstance(hook, layer.NextLayerHook):
            hook.data.layer = self._next(hook.data)
            return hook.data.layer is not None
        if isinstance(hook, tls.TlsStartClientHook):
            self._handshake(hook.data)
            return hook.data.ssl_conn is not None
        return isinstance(hook, tls.TlsClienthelloHook | tls.TlsEstablishedClientHook)

    def _next(self, asking: layer.NextLayer) -> layer.Layer | None:
        """Return what mitmproxy would choose, with our layers in place of its own; None where it has to be asked."""
        inside = asking.context
        client = inside.client
        if not client.tls_established:
            if not starts_like_tls_record(asking.data_client()):
                return None
            server_tls = tls.ServerTLSLayer(inside)
            server_tls.child_layer = tls.ClientTLSLayer(inside)
            return server_tls
        if client.alpn == b"http/1.1" and self._decider:
            return FastHttp1Layer(inside, HTTPMode.transparent, self._decider, lenient=self._lenient, limit=self._limit)
        if client.alpn in (b"h2", b"http/1.1"):
            return PlayingLayer(inside, HTTPMode.transparent, self._decider, lenient=self._lenient, limit=self._limit)
        return None


class _Head:
    """What httptools tells of a request's head."""

    def __init__(self) -> None:
        self.target = b""
        self.headers: dict[bytes, bytes] = {}
        self.is_twice = False

    def on_url(self, url: bytes) -> None:
        """Of httptools' protocol."""
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Of httptools' protocol."""
        name = name.lower()
        self.is_twice |= name in self.headers
        self.headers[name] = value


def read_connect(data: bytes) -> Connect | None:
    """Return the CONNECT that these bytes are; None where they are anything else, more, or not as usual."""
    if not data.startswith(b"CONNECT ") or data.find(b"\r\n\r\n") != len(data) - 4 or len(data) > _LARGEST:
        return None
    head = _Head()
    parser = httptools.HttpRequestParser(head)
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass  # So it ends the head of every CONNECT.
    except httptools.HttpParserError:
        return None
    host, colon, port = head.target.rpartition(b":")
    unusual = head.headers.keys() & {b"content-length", b"transfer-encoding", b"expect", b"upgrade"}
    if unusual or head.is_twice or parser.get_http_version() != "1.1":
        return None
    if (
        not colon
        or not port.isdigit()
        or len(port) > 5
        or not 0 < int(port) < 65536
        or not host.replace(b"-", b"").replace(b".", b"").isalnum()
    ):
        return None
    authorization = head.headers.get(b"proxy-authorization")
    return Connect(host.decode("ascii"), int(port), authorization.decode("latin-1") if authorization else None)
