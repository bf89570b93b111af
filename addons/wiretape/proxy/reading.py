"""What a request to an endpoint says: its body -> as a recording has it. Between ``calls`` and ``decide``.

To read a body may take long: then it is done aside, by a thread that does not carry the traffic.
"""

from dataclasses import replace

import re2

from wiretape.matching import request as matching
from wiretape.providers.routing import Route
from wiretape.proxy.calls import LARGE, BodyState, EndpointRequest, IncomingRequest
from wiretape.proxy.threads import Threads, aside
from wiretape.recording import RecordedRequest

_QUICK = 2048
"""Bytes of a request's body that are read within a millisecond, whatever they are: one of as many texts as there can be
takes 0.4 us a byte."""

_MARKS = (b'"', b"\\", b"%", b"=")
_FEW = 100
"""Marks in such a body: each may begin a text, or a value, that is looked at by itself."""
_LONG_WORD = re2.compile(rb"[A-Za-z0-9+/_-]{20,}")
_FEW_WORDS = 16
"""Words in such a body that may be keys, or base64 of a text."""


async def read(incoming: IncomingRequest, route: Route, threads: Threads) -> EndpointRequest:
    """Return a request with what it says."""
    unread = EndpointRequest(incoming.grant, route, incoming.came_at, client=incoming.head.user_agent)
    if incoming.too_large:
        return replace(unread, body=BodyState.TOO_LARGE, problem=incoming.too_large)
    try:
        if is_quick(incoming.body):
            recorded = _recorded(incoming, route)
        else:
            pool = threads.reader if len(incoming.body) <= LARGE else threads.large
            recorded = await aside(pool, _recorded, incoming, route)
    except ValueError as e:
        return replace(unread, body=BodyState.NO_RECORDING, problem=str(e))
    return replace(unread, body=BodyState.READ, recorded=recorded)


def is_quick(body: bytes) -> bool:
    """Return whether a body is read in about a millisecond at most: it is small, and has little in it to look at."""
    if len(body) > _QUICK or any(body.count(mark) > _FEW for mark in _MARKS):
        return False
    return len(_LONG_WORD.findall(body)) <= _FEW_WORDS


def _recorded(incoming: IncomingRequest, route: Route) -> RecordedRequest:
    recorded = matching.recorded(route, incoming.body, incoming.head.content_type, incoming.head.test_id)
    matching.identity(recorded)  # It is kept, and asked for again and again.
    return recorded
