"""Our layers in mitmproxy's: which connections have them, and whether this mitmproxy is one that they know.

They use what mitmproxy calls private. Where that is not as it was when they were written, there are none: then a hit
is a flow's response, at once and in one piece, and each of several equal requests is sent on.
"""

import inspect
from collections.abc import Callable
from typing import Any

import mitmproxy.version
from mitmproxy.proxy import layer
from mitmproxy.proxy.layers import http as mitmproxy_http

from wiretape.proxy.calls import LARGEST
from wiretape.proxy.decide import Decider

_NEEDED: dict[str, dict[str, tuple[str, ...]]] = {
    "HttpLayer": {
        "__init__": ("self", "context", "mode"),
        "make_stream": ("self", "stream_id"),
        "event_to_child": ("self", "child", "event"),
        "get_connection": ("self", "event", "reuse"),
        "register_connection": ("self", "command"),
    },
    "Http1Client": {"read_headers": ("self", "event"), "read_body": ("self", "event")},
    "HttpStream": {
        "__init__": ("self", "context", "stream_id"),
        "_handle_event": ("self", "event"),
        "send_response": ("self", "already_streamed"),
        "start_response_stream": ("self",),
        "state_stream_response_body": ("self", "event"),
        "state_errored": ("self", "_"),
        "handle_protocol_error": ("self", "event"),
        "make_server_connection": ("self",),
        "handle_connect_upstream": ("self",),
        "handle_connect_regular": ("self",),
        "start_request_stream": ("self",),
        "state_consume_request_body": ("self", "event"),
    },
}
"""Methods that ours override or call, with their parameters."""


def _reason() -> str:
    """Return why our layers cannot be used; nothing where they can."""
    for name, methods in _NEEDED.items():
        for method, parameters in methods.items():
            found: Any = getattr(getattr(mitmproxy_http, name, None), method, None)
            if found is None or tuple(inspect.signature(inspect.unwrap(found)).parameters) != parameters:
                return f"{name}.{method} is another one"
    try:
        from wiretape.proxy.layers import connect, fast_http1, http  # noqa: F401
    except (ImportError, AttributeError) as e:
        return str(e)
    return ""


_why = _reason()
KNOWN = not _why
UNKNOWN = _why and (
    f"mitmproxy {mitmproxy.version.VERSION} is not one that wiretape's layers know ({_why}): answers from recordings "
    "are slower, leave at once and in one piece, and faults in them and single flight are off"
)
"""What is to be said where our layers cannot be used; else empty."""


def replace(
    decided: layer.Layer, data: bytes, fast: Callable[[], Decider | None], *, lenient: bool, limit: int = LARGEST
) -> layer.Layer:
    """Return the layers that mitmproxy decided on, with one of ours in place of its HTTP layer; the first of them.

    ``data`` is what the client has sent so far. ``fast`` is asked for a decider, where it makes a
    difference; without one every request becomes a flow.
    ``lenient``, ``limit``: see PlayingLayer.
    """
    from wiretape.proxy.layers.fast_http1 import FastHttp1Layer
    from wiretape.proxy.layers.http import PlayingLayer

    parent: layer.Layer | None = None
    current = decided
    while not isinstance(current, mitmproxy_http.HttpLayer):
        child = getattr(current, "child_layer", None)
        if not isinstance(child, layer.Layer):
            return decided
        parent = current
        current = child
    if isinstance(current, PlayingLayer):
        return decided
    stack = current.context.layers
    place = stack.index(current)
    ours: layer.Layer
    decider = None if data.startswith(b"CONNECT ") else fast()
    if decider is None or current.context.client.alpn in (b"h2", b"h3"):
        ours = PlayingLayer(current.context, current.mode, decider, lenient=lenient, limit=limit)
    else:
        ours = FastHttp1Layer(current.context, current.mode, decider, lenient=lenient, limit=limit)
    stack.remove(ours)  # A layer puts itself at the end.
    stack[place] = ours
    if parent is None:
        return ours
    parent.child_layer = ours  # type: ignore[attr-defined]
    return decided
