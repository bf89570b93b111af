"""Which connection to a server a request gets, and what is sent on it."""

import time

import pytest
from mitmproxy import connection, options
from mitmproxy.http import Headers
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers.http import GetHttpConnection, HTTPMode
from mitmproxy.proxy.layers.http._events import RequestHeaders, ResponseTrailers
from mitmproxy.test import tutils

from wiretape.proxy.layers.connection_pool import PoolingLayer, _as_http1
from wiretape.proxy.layers.lenient_http1 import PatientClient

ADDRESS = ("provider.test", 443)


class Asking(layer.Layer):
    """Stands in for a stream that asks for a connection."""

    given: object = None

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        yield from ()

    def handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        self.given = getattr(event, "reply", None)
        yield from ()


def pooling(alpn: bytes | None) -> PoolingLayer:
    client = connection.Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), alpn=alpn)
    return PoolingLayer(context.Context(client, options.Options()), HTTPMode.transparent)


def connected(made: PoolingLayer) -> tuple[connection.Server, PatientClient]:
    """An open connection, and what speaks on it."""
    below = made.context.fork()
    below.server = server = connection.Server(address=ADDRESS)
    server.state = connection.ConnectionState.OPEN
    speaking = made.connections[server] = PatientClient(below)
    return server, speaking


def asked_for(made: PoolingLayer) -> tuple[Asking, list[commands.Command]]:
    """Who asks for a connection, and what comes of it."""
    asking, asked = Asking(made.context.fork()), GetHttpConnection(ADDRESS, False, None)
    made.command_sources[asked] = asking
    return asking, [*made.get_connection(asked)]


@pytest.mark.parametrize(
    ("idle", "expected"), [(0.0, "used again"), (3.0, "used again"), (60.0, "closed"), (None, "left alone")]
)
def test_one_that_has_been_idle_for_long_is_not_used_again(idle: float | None, expected: str) -> None:
    made = pooling(b"h2")
    server, speaking = connected(made)
    if idle is None:
        speaking.stream_id = 1
    speaking._done_at = time.monotonic() - (60.0 if idle is None else idle)
    asking, came = asked_for(made)
    closed = [each.connection for each in came if isinstance(each, commands.CloseConnection)]
    assert closed == ([server] if expected == "closed" else [])
    assert (asking.given == (server, None)) is (expected == "used again")
    opened = [each.connection for each in came if isinstance(each, commands.OpenConnection)]
    assert len(opened) == (expected != "used again")


@pytest.mark.parametrize("alpn", [None, b"http/1.1", b"h2"])
def test_what_was_closed_is_forgotten(alpn: bytes | None) -> None:
    made = pooling(alpn)
    for number in range(100):
        server, _ = connected(made)
        server.state = connection.ConnectionState.CLOSED
        if number % 2:
            made.has_closed(server)
        else:
            server.error = "connection refused"
    asking, came = asked_for(made)
    assert asking.given is None
    assert len([each for each in came if isinstance(each, commands.OpenConnection)]) == 1
    assert len(made.connections) == 1


@pytest.mark.parametrize(
    ("headers", "content", "end_stream", "framed"),
    [
        ((), b"Hi", False, {"content-length": "2"}),
        ((), None, False, {"transfer-encoding": "chunked"}),
        ((), None, True, {}),
        (((b"content-length", b"7"),), None, False, {"content-length": "7"}),
        (((b"host", b"other.test"), (b"cookie", b"a=1"), (b"cookie", b"b=2")), b"", True, {"cookie": "a=1; b=2"}),
    ],
)
def test_the_head_of_a_request_as_http1_has_it(
    headers: tuple[tuple[bytes, bytes], ...], content: bytes | None, end_stream: bool, framed: dict[str, str]
) -> None:
    request = tutils.treq(http_version=b"HTTP/2.0", authority=b"provider.test", headers=headers, content=content)
    made = _as_http1(RequestHeaders(1, request, end_stream)).request
    host = dict(headers).get(b"host", b"provider.test").decode()
    assert (made.http_version, made.authority) == ("HTTP/1.1", "")
    assert dict(made.headers) == {"host": host, **framed}
    assert made.first_line_format == "relative"
    assert request.http_version == "HTTP/2.0"  # What addons see is what came.


@pytest.mark.parametrize("alpn", [None, b"http/1.1", b"h2"])
def test_trailers_are_for_http2(alpn: bytes | None) -> None:
    made = pooling(alpn)
    sending = Sending(made.context.fork())
    assert [*made.event_to_child(sending, ResponseTrailers(1, Headers()))] == []
    assert len(sending.sent) == (alpn == b"h2")


class Sending(layer.Layer):
    """Stands in for who speaks with a client."""

    def __init__(self, context: context.Context) -> None:
        super().__init__(context)
        self.sent: list[events.Event] = []

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        self.sent.append(event)
        yield from ()
