"""Who broke off a flow, as mitmproxy tells it: in an error's text, as there is no other mark of it.

mitmproxy says "by client" too of a provider that resets a stream of HTTP/2: such an answer is taken for one whose
client left. Of one that closes its connection, or breaks off in HTTP/1.1, it says something else.
"""

from mitmproxy import http

_RESET = "by client"
"""In "stream reset by client (CANCEL)" of HTTP/2 and "stream closed by client (...)" of HTTP/3, where the connection
stays."""


def is_by_client(flow: http.HTTPFlow) -> bool:
    """Return whether a flow has broken off because its client left."""
    message = flow.error.msg if flow.error else ""
    return not flow.client_conn.connected or _RESET in message
