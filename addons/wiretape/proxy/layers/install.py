"""Our layers in mitmproxy's: which connections have them.

They use what mitmproxy calls private. Where that is not as it was when they were written (``compat.supported``), there
are none: then a hit is a flow's response, at once and in one piece, and each of several equal requests is sent on.
"""

from collections.abc import Callable

from mitmproxy.proxy import layer
from mitmproxy.proxy.layers import http as mitmproxy_http

from wiretape.proxy.calls import LARGEST
from wiretape.proxy.decide import Decider


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
