"""Who broke off a flow, as mitmproxy tells it: in an error's text, as there is no other mark of it."""

from mitmproxy import http

_RESET = "by client"
"""In "stream reset by client (CANCEL)" of HTTP/2 and "stream closed by client (...)" of HTTP/3, where the connection
stays."""


def is_by_client(flow: http.HTTPFlow) -> bool:
    """Return whether a flow has broken off because its client left."""
    message = flow.error.msg if flow.error else ""
    return not flow.client_conn.connected or _RESET in message
