"""Which requests begin a conversation: both sides send on, so there is no request that comes before its answer.

A WebSocket, and gRPC, whose answer has its end in trailers. They pass as they come, and are not recorded. Beside
``flows`` and the layers.
"""

from mitmproxy import http


def is_one(request: http.Request) -> bool:
    """Whether a request is to be sent on while it comes."""
    upgrade = request.headers.get("upgrade", "").lower()
    content_type = request.headers.get("content-type", "").lower()
    return "websocket" in upgrade or content_type.startswith("application/grpc")
