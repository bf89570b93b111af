"""Which requests begin a conversation: both sides send on, so there is no request that comes before its answer.

A WebSocket, and gRPC, whose answer has its end in trailers. They pass as they come, and are not recorded. But some
clients open a WebSocket for what they can ask over HTTP as well, which is recorded: those are told to, where the table
of providers says so of them (``falls_back``). Beside ``flows`` and the layers.
"""

from dataclasses import replace

from mitmproxy import http

from wiretape.providers import wire
from wiretape.providers.routing import Route


def is_one(request: http.Request) -> bool:
    """Whether a request is to be sent on while it comes."""
    upgrade = request.headers.get("upgrade", "").lower()
    content_type = request.headers.get("content-type", "").lower()
    return "websocket" in upgrade or content_type.startswith("application/grpc")


def refusal(route: Route) -> wire.HttpResponse:
    """Return the answer that has a client go on over HTTP at once. With any other status it first tries for long."""
    text = "wiretape: a WebSocket is not recorded: ask over HTTP, which is."
    answer = wire.error(426, text, "websocket_not_recorded", route)
    # RFC 9110, 15.5.22: it says which protocol is wanted.
    return replace(answer, headers=(*answer.headers, ("upgrade", "HTTP/1.1"), ("connection", "upgrade")))
