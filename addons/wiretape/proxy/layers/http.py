"""mitmproxy's HTTP layer with another kind of stream: one that plays, follows, and can answer before there is a flow.

A response that an addon sets goes out in one piece, and costs what mitmproxy's flows cost. Here mitmproxy's own layer
and its streams are used, HTTP/1.1 and HTTP/2; all that is not ours to answer is left to the base classes, with every
event. Events in, commands out, as any layer. Uses private modules of mitmproxy: see ``install``.
"""

import copy

from mitmproxy import http
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers.http import HTTPMode
from mitmproxy.proxy.layers.http._http1 import Http1Server
from mitmproxy.proxy.layers.http._http2 import Http2Server

from wiretape.proxy import responses, reverse_clients
from wiretape.proxy.calls import LARGEST, Outcome
from wiretape.proxy.compat.tcp_reset import STREAMS
from wiretape.proxy.decide import Decider
from wiretape.proxy.layers.admitted_stream import tell_of_error
from wiretape.proxy.layers.connection_pool import PoolingLayer
from wiretape.proxy.layers.direct_stream import DirectStream
from wiretape.proxy.layers.lenient_http1 import PatientServer
from wiretape.proxy.layers.refusing import FailsClosed

_AHEAD = 1_000_000
"""Bytes that an HTTP/1.1 client may send of what is not read yet: a head, or while an answer is on its way."""


class PlayingLayer(FailsClosed, PoolingLayer):
    """mitmproxy's HTTP layer, whose streams can play."""

    def __init__(
        self,
        context: context.Context,
        mode: HTTPMode,
        decider: Decider | None,
        *,
        lenient: bool,
        limit: int = LARGEST,
        outcome: Outcome | None = None,
    ) -> None:
        """With a decider its streams answer before there is a flow. ``outcome``: of the first request. ``limit``: bytes
        of a body that are kept.

        ``lenient``: an HTTP/2 header may end in a space. Who replays needs no key; SDKs then send "Bearer ", for
        which mitmproxy resets the connection. What it protects is the provider behind it, and in replay is none.
        """
        super().__init__(context, mode)
        self._lenient = lenient
        self._limit = limit
        self._decider = decider
        self._outcome = outcome
        self._visits = reverse_clients.of(context)

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As the base class; what goes to the client for one event goes in one piece."""
        data: list[bytes] = []
        if isinstance(event, events.Start):
            self._read_client()
        for command in super()._handle_event(event):
            if isinstance(command, commands.SendData) and command.connection is self.context.client:
                data.append(command.data)
                continue
            if data:
                yield commands.SendData(self.context.client, b"".join(data))
                data.clear()
            yield command
        if data:
            yield commands.SendData(self.context.client, b"".join(data))
        if isinstance(event, events.DataReceived) and self._is_far_ahead():
            yield commands.CloseConnection(self.context.client)
        elif isinstance(event, events.ConnectionClosed):
            self.has_closed(event.connection)

    def _read_client(self) -> None:
        """Have its own reader for what the client sends."""
        client = self.context.client
        if client.alpn == b"h2":
            self.connections[client] = _http2(self.context, lenient=self._lenient)
        elif client not in self.connections and (not client.alpn or client.alpn.startswith(b"http/")):
            self.connections[client] = PatientServer(self.context.fork())

    def _is_far_ahead(self) -> bool:
        """Return whether a client sends more than there is a use for: mitmproxy would keep all of it."""
        reading = self.connections.get(self.context.client)
        return isinstance(reading, Http1Server) and len(reading.buf) > _AHEAD

    def _last_words(self) -> http.Response | None:
        if self.context.client.alpn in (b"h2", b"h3"):
            return None
        reading = self.connections.get(self.context.client)
        return None if isinstance(reading, Http1Server) and reading.response else responses.failure()

    def _fail_closed(self) -> layer.CommandGenerator[None]:
        for stream in [*self.streams.values()]:
            yield from tell_of_error(getattr(stream, "flow", None))
        yield from super()._fail_closed()

    def make_stream(self, stream_id: int) -> layer.CommandGenerator[None]:
        """As the base class, with a stream of ours."""
        outcome = self._outcome
        self._outcome = None
        stream = DirectStream(self.context.fork(), stream_id, self._decider, outcome, self._limit, visits=self._visits)
        self.streams[stream_id] = stream
        yield from self.event_to_child(stream, events.Start())


def _http2(context: context.Context, *, lenient: bool) -> Http2Server:
    server = Http2Server(context.fork())
    server.h2_conn.local_settings.max_concurrent_streams = STREAMS
    server.h2_conn.local_settings.acknowledge()  # Else what is sent first is the old one.
    if lenient:  # All connections share one configuration.
        server.h2_conn.config = copy.copy(server.h2_conn.config)
        server.h2_conn.config.validate_inbound_headers = False
    return server
