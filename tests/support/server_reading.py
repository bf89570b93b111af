"""mitmproxy's reader of a server of HTTP/1.1, as ours is put in its place: bytes in, commands out."""

from mitmproxy import connection, options
from mitmproxy.proxy import commands, context, events
from mitmproxy.proxy.layers.http._events import RequestEndOfMessage, RequestHeaders
from mitmproxy.proxy.layers.http._http1 import Http1Client
from mitmproxy.test import tutils

from wiretape.proxy.layers.lenient_http1 import make_patient


def reading(method: str = "POST") -> Http1Client:
    client = connection.Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2))
    made = Http1Client(context.Context(client, options.Options()))
    made.context.server.state = connection.ConnectionState.OPEN
    [*made.handle_event(events.Start())]
    make_patient(made)
    ask(made, method)
    return made


def ask(made: Http1Client, method: str = "POST") -> None:
    request = tutils.treq(method=method.encode(), content=None)
    request.headers.pop("content-length", None)
    [*made.handle_event(RequestHeaders(1, request, True)), *made.handle_event(RequestEndOfMessage(1))]


def read(made: Http1Client, data: bytes, size: int) -> list[commands.Command]:
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    return [each for piece in pieces for each in made.handle_event(events.DataReceived(made.conn, piece))]
