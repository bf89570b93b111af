"""What is read of a server of HTTP/1.1 that sends what not every client expects."""

import pytest
from mitmproxy import connection, options
from mitmproxy.proxy import commands, context, events
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.http._events import (
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
)

from server_reading import ask, read, reading
from wiretape.proxy.layers.lenient_http1 import PatientClient, PatientServer

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nHi"
HINTS = b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n"

BEFORE = {
    "nothing": b"",
    "100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "100 without a reason": b"HTTP/1.1 100\r\n\r\n",
    "102": b"HTTP/1.1 102 Processing\r\n\r\n",
    "103": HINTS,
    "one that nobody knows": b"HTTP/1.1 199 Soon\r\nx: y\r\n\r\n",
    "of HTTP/1.0": b"HTTP/1.0 100 Continue\r\n\r\n",
    "with a length": b"HTTP/1.1 100 Continue\r\ncontent-length: 0\r\n\r\n",
    "with bare line feeds": b"HTTP/1.1 103 Early Hints\nlink: x\n\n",
    "with a line between": HINTS + b"\r\n" + HINTS,
    "many": HINTS * 50,
}


def told(came: list[commands.Command]) -> tuple[list[int], bytes]:
    heads = [each.event for each in came if isinstance(each, ReceiveHttp)]
    body = b"".join(each.data for each in heads if isinstance(each, ResponseData))
    return [each.response.status_code for each in heads if isinstance(each, ResponseHeaders)], body


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
def test_the_answer_is_the_one_that_does_not_go_before(before: bytes, size: int) -> None:
    made = reading()
    assert told(read(made, before + ANSWER, size)) == ([200], b"Hi")
    # The connection is as it would be without them.
    ask(made)
    assert told(read(made, before + ANSWER, size)) == ([200], b"Hi")


@pytest.mark.parametrize(
    ("data", "method", "expected"),
    [
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", "GET", [101]),
        (HINTS + b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", "GET", [101]),
        (HINTS + b"HTTP/1.1 204 No Content\r\n\r\n", "GET", [204]),
        (HINTS + b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "HEAD", [200]),
        (b"HTTP/1.1 1030 What\r\n\r\n", "GET", [1030]),
        (HINTS, "GET", []),
    ],
)
def test_what_is_none_stays_as_it_was(data: bytes, method: str, expected: list[int]) -> None:
    assert told(read(reading(method), data, 5))[0] == expected


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("trailers", [b"", b"server-timing: x\r\n", b"a: b\r\n" * 50], ids=["none", "one", "many"])
def test_trailers_are_dropped(trailers: bytes, size: int) -> None:
    made = reading()
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nHi\r\n0\r\n%s\r\n" % trailers
    for _ in range(2):
        came = read(made, chunked, size)
        assert told(came) == ([200], b"Hi")
        assert isinstance(came[-1], ReceiveHttp)
        assert isinstance(came[-1].event, ResponseEndOfMessage)
        ask(made)


def test_a_clients_trailers_are_dropped() -> None:
    client = connection.Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2))
    made = PatientServer(context.Context(client, options.Options()))
    [*made.handle_event(events.Start())]
    data = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nHi\r\n0\r\nx-checksum: 1\r\n\r\n"
    came = [
        each.event for each in made.handle_event(events.DataReceived(client, data)) if isinstance(each, ReceiveHttp)
    ]
    assert [type(each) for each in came] == [RequestHeaders, RequestData, RequestEndOfMessage]


def test_whether_it_is_idle() -> None:
    made = reading()
    assert isinstance(made, PatientClient)
    assert not made.is_idle
    read(made, ANSWER, 100)
    assert made.is_idle
    ask(made)
    read(made, ANSWER.replace(b"length: 2", b"length: 3"), 100)
    assert not made.is_idle


@pytest.mark.parametrize(
    ("said", "idle_s", "is_stale"),
    [
        (b"", 3.0, False),
        (b"", 5.0, True),
        (b"keep-alive: timeout=2\r\n", 0.5, False),
        (b"keep-alive: timeout=2\r\n", 1.5, True),
        (b"Keep-Alive: max=100, Timeout = 75\r\n", 3.0, False),
        (b"keep-alive: timeout=75\r\n", 5.0, True),
        (b"keep-alive: timeout=0\r\n", 0.0, True),
        (b"keep-alive: timeout=soon\r\n", 3.0, False),
    ],
)
def test_how_long_it_may_be_idle(said: bytes, idle_s: float, is_stale: bool) -> None:
    made = reading()
    assert isinstance(made, PatientClient)
    read(made, ANSWER.replace(b"content-length", said + b"content-length"), 100)
    assert made._done_at
    made._done_at -= idle_s
    assert made.is_stale is is_stale
