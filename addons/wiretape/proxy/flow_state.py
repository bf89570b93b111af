"""What a flow is to us, from its first hook to its last. Beside mitmproxy's flows, and not in their metadata: that is
written to files with them, and takes plain values only.
"""

import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from mitmproxy import http

from wiretape.network.dns_rebinding import Stranger
from wiretape.providers.routing import Route
from wiretape.proxy.admission import Grant
from wiretape.proxy.calls import IncomingRequest, Outcome, RequestHead, now
from wiretape.proxy.framing import Play
from wiretape.proxy.open_call import OpenCall
from wiretape.proxy.recorder import LiveRecording
from wiretape.replay.faults import Fault
from wiretape.replay.single_flight import Follower


@dataclass(slots=True)
class FlowState:
    """What was found out and decided on a flow."""

    grant: Grant | None = None
    """Whose it is; None for one that was not let in, or not yet."""
    leaves: bool = False
    """Whether it may be sent on to a server: nothing is of which this was not said."""
    wait: float = 0.0
    """Seconds that its refusal waits."""
    route: Route | None = None
    nothing: http.Response | None = None
    """Its answer, where it is no question that a recording answers."""
    stranger: Stranger | None = None
    """Why its request is not answered, where it may come from a web page that somebody else has made."""
    test_id: str | None = None
    request: IncomingRequest | None = None
    """The request, when it has come whole."""
    outcome: Outcome | None = None
    """What was decided, before there was a flow or since."""
    fault: Fault | None = None
    """Of its answer."""
    exchange: LiveRecording | None = None
    """Its live answer, under recording."""
    call: OpenCall | None = None
    """What is told of it, where it is a call to a provider's API."""
    play: Play | None = None
    """Its answer from a recording."""
    is_let_down: bool = False
    """Whether an equal request was under way whose answer was not for it."""
    follow: Follower | None = None
    """The live answer that it shares."""


_marks: WeakKeyDictionary[http.HTTPFlow, FlowState] = WeakKeyDictionary()


def of(flow: http.HTTPFlow) -> FlowState:
    """Return what a flow is to us, which may be written to."""
    state = _marks.get(flow)
    if state is None:
        state = _marks[flow] = FlowState()
    return state


def head_of(flow: http.HTTPFlow) -> RequestHead:
    """Return what the head of a flow's request says."""
    request = flow.request
    return RequestHead(
        request.method,
        request.scheme,
        (request.host, request.pretty_host),
        request.port,
        request.path,
        request.headers.get("content-type", ""),
        of(flow).test_id,
        request.headers.get("content-encoding", ""),
        request.headers.get("user-agent", ""),
        request.headers.get("origin", ""),
    )


def came_at(flow: http.HTTPFlow) -> float:
    """Return when the last byte of a flow's request came, by ``now``: a little before its hook."""
    # mitmproxy tells it by another clock.
    wall = time.time()
    return now() - (wall - (flow.request.timestamp_end or wall))
