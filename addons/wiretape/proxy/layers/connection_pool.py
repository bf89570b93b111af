"""mitmproxy's HTTP layer with other connections to servers, for clients of HTTP/2. Below ``http``.

A client of HTTP/2 may have many requests under way on one connection, and a server of HTTP/1.1 answers one at a time.
mitmproxy gives each such request a connection of its own, which it closes after it, and opens five at once: the sixth
waits until another is done. Here each request starts when it comes:

- A connection that is idle is used again, as HTTP/1.1 means it. It is idle where its last answer has ended well and no
  stream holds it. One that has been idle for long is closed: its server may be about to close it, and what was sent on
  it then could be lost, and must not be sent twice.
- As long as it is not known what a server speaks, requests wait for the first connection to it: it may be HTTP/2, which
  takes them all. Then each opens one of its own, or shares one that has room.
- What has failed or was closed is forgotten: the next request tries again.

A connection is judged when it is opened (``connections.server_connect``), whoever it is opened for.
"""

from collections import Counter
from collections.abc import Iterable

from mitmproxy import connection, http
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import (
    GetHttpConnection,
    GetHttpConnectionCompleted,
    HttpLayer,
    HTTPMode,
    HttpStream,
    RegisterHttpConnection,
)
from mitmproxy.proxy.layers.http._events import HttpEvent, RequestHeaders, RequestTrailers, ResponseTrailers
from mitmproxy.proxy.layers.http._http1 import Http1Client
from mitmproxy.proxy.layers.http._http2 import Http2Client

from wiretape.proxy.layers.lenient_http1 import PatientClient, make_patient

_CROWD = 100
"""Requests that wait for one connection of which it is not known yet how many it takes: most servers take so many."""

_MULTIPLEXED = (b"h2", b"h3")


class PoolingLayer(HttpLayer):
    """mitmproxy's HTTP layer, which keeps connections to servers of HTTP/1.1 for clients of HTTP/2."""

    def __init__(self, context: Context, mode: HTTPMode) -> None:
        super().__init__(context, mode)
        self._closed: set[connection.Connection] = set()
        """Those of which nothing will be heard any more."""

    def has_closed(self, closed: connection.Connection) -> None:
        """Nothing will be heard of a connection any more."""
        self._closed.add(closed)

    def event_to_child(self, child: layer.Layer | HttpStream, event: events.Event) -> layer.CommandGenerator[None]:
        """As the base class; who speaks HTTP/1.1 is sent what is its own."""
        if (
            isinstance(event, RequestHeaders | RequestTrailers | ResponseTrailers)
            and not isinstance(child, HttpStream)
            and self._is_for_http1(event)
        ):
            if not isinstance(event, RequestHeaders):
                return _nothing()  # There is no way to send trailers that mitmproxy has, nor one that everybody knows.
            event = _as_http1(event)
        return super().event_to_child(child, event)

    def _is_for_http1(self, event: HttpEvent) -> bool:
        if isinstance(event, ResponseTrailers):
            return self.context.client.alpn not in _MULTIPLEXED
        stream = self.streams.get(event.stream_id)
        return stream is not None and stream.context.server.alpn not in _MULTIPLEXED

    def get_connection(self, event: GetHttpConnection, *, reuse: bool = True) -> layer.CommandGenerator[None]:
        """As the base class; for a client of HTTP/2 each request has a connection as soon as it can be had."""
        users = Counter(getattr(stream, "sends_to", None) for stream in self.streams.values())
        self._forget_closed(users.keys())
        if self.context.client.alpn not in _MULTIPLEXED:
            yield from super().get_connection(event, reuse=reuse)
            return
        known = [each for each in self.connections if event.connection_spec_matches(each)]
        open_ones = [each for each in known if each.connected and each not in self.waiting_for_establishment]
        for each in open_ones:
            if self._is_stale(each):
                yield commands.CloseConnection(each)
            elif self._has_room(each, users[each]):
                stream = self.command_sources.pop(event)
                yield from self.event_to_child(stream, GetHttpConnectionCompleted(event, (each, None)))
                return
        if not any(each.alpn not in _MULTIPLEXED for each in open_ones):
            for each in known:
                waiting = self.waiting_for_establishment.get(each, ())
                if 0 < len(waiting) < _CROWD:
                    self.waiting_for_establishment[each].append(event)
                    return
        yield from super().get_connection(event, reuse=False)

    def register_connection(self, command: RegisterHttpConnection) -> layer.CommandGenerator[None]:
        """As the base class; what is read of a server of HTTP/1.1 is read past what goes before its answers."""
        if not command.err:
            make_patient(self._speaking(command.connection))
        yield from super().register_connection(command)

    def _has_room(self, server: connection.Connection, users: int) -> bool:
        """Return whether a request can be sent on a connection, and is answered before others are done."""
        speaking = self._speaking(server)
        if isinstance(speaking, Http1Client):
            return not users and isinstance(speaking, PatientClient) and speaking.is_idle
        if isinstance(speaking, Http2Client):
            is_told = speaking.provisional_max_concurrency is None
            return users < (speaking.h2_conn.remote_settings.max_concurrent_streams if is_told else _CROWD)
        return True

    def _is_stale(self, server: connection.Connection) -> bool:
        speaking = self._speaking(server)
        return isinstance(speaking, PatientClient) and speaking.is_stale

    def _speaking(self, server: connection.Connection) -> layer.Layer:
        """Return the layer that speaks HTTP on a connection: below TLS, below another proxy."""
        innermost = self.connections[server]
        while isinstance(child := getattr(innermost, "child_layer", None), layer.Layer):
            innermost = child
        return innermost

    def _forget_closed(self, used: Iterable[connection.Connection | None]) -> None:
        kept = {self.context.client, self.context.server, *used, *self.waiting_for_establishment}
        for each in [*self.connections]:
            if each not in kept and (each in self._closed or each.error):
                del self.connections[each]
        self._closed &= self.connections.keys()


def _nothing() -> layer.CommandGenerator[None]:
    yield from ()


def _as_http1(event: RequestHeaders) -> RequestHeaders:
    """Return the head of a request as HTTP/1.1 has it, after which its connection can be used again."""
    if not (event.request.is_http2 or event.request.is_http3):
        return event
    request = event.request.copy()
    request.http_version = "HTTP/1.1"
    if "host" not in request.headers and request.authority:
        request.headers.insert(0, "host", request.authority)
    request.authority = ""
    cookies = request.headers.get_all("cookie")
    if len(cookies) > 1:  # RFC 9113, 8.2.3: there they may come one by one.
        request.headers["cookie"] = "; ".join(cookies)
    _frame(request, has_body=not event.end_stream)
    return RequestHeaders(event.stream_id, request, event.end_stream, event.replay_flow)


def _frame(request: http.Request, *, has_body: bool) -> None:
    """Say where the body ends, which HTTP/2 has frames for."""
    headers = request.headers
    if not has_body or "content-length" in headers or "transfer-encoding" in headers:
        return
    if request.raw_content is None:
        headers["transfer-encoding"] = "chunked"
    else:
        headers["content-length"] = str(len(request.raw_content))
