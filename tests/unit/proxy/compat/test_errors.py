"""Who broke off a flow is told as mitmproxy's own text tells it."""

import warnings

import h2.config
import h2.connection
import pytest
from mitmproxy import flow as mitmproxy_flow
from mitmproxy.connection import ConnectionState
from mitmproxy.options import Options
from mitmproxy.proxy import context
from mitmproxy.proxy.events import DataReceived, Start
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.http._events import RequestProtocolError
from mitmproxy.proxy.layers.http._http2 import Http2Server
from mitmproxy.test import tflow

from wiretape.proxy.compat import errors

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy.addons.proxyserver import Proxyserver

STAYS = ConnectionState.OPEN
GONE = ConnectionState.CLOSED


@pytest.mark.parametrize(
    ("client", "message", "is_by_client"),
    [
        (STAYS, "stream reset by client (CANCEL)", True),
        (STAYS, "stream closed by client (H3_REQUEST_CANCELLED)", True),
        (GONE, "Client disconnected.", True),
        (GONE, "peer closed connection", True),
        (STAYS, "peer closed connection", False),
        (STAYS, "connection refused", False),
        (STAYS, None, False),
        (GONE, None, True),
    ],
)
def test_who_broke_off(client: ConnectionState, message: str | None, *, is_by_client: bool) -> None:
    flow = tflow.tflow()
    flow.client_conn.state = client
    flow.error = mitmproxy_flow.Error(message) if message else None
    assert errors.is_by_client(flow) is is_by_client


def test_mitmproxy_says_so_of_a_client_that_resets_its_stream() -> None:
    flow = tflow.tflow()
    flow.client_conn.state = STAYS
    chosen = Options()
    Proxyserver().load(chosen)
    browser = h2.connection.H2Connection(h2.config.H2Configuration())
    browser.initiate_connection()
    head = [(":method", "POST"), (":scheme", "https"), (":authority", "api.openai.com"), (":path", "/")]
    browser.send_headers(1, head)
    browser.reset_stream(1, 8)
    layer = Http2Server(context.Context(flow.client_conn, chosen))
    said = [*layer.handle_event(Start())]
    said += layer.handle_event(DataReceived(flow.client_conn, browser.data_to_send()))
    told = [each.event for each in said if isinstance(each, ReceiveHttp)]
    (reset,) = [each for each in told if isinstance(each, RequestProtocolError)]
    flow.error = mitmproxy_flow.Error(reset.message)
    assert errors.is_by_client(flow)
