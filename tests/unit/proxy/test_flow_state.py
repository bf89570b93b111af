"""What a flow is to us: nothing may become of one of which nothing was said."""

import gc
import time
import weakref

from mitmproxy.test import tflow

from wiretape.proxy import flow_state
from wiretape.proxy.calls import now


def test_a_flow_of_which_nothing_was_said_is_not_let_in_and_may_not_leave() -> None:
    state = flow_state.of(tflow.tflow())
    assert (state.grant, state.leaves, state.route, state.outcome) == (None, False, None, None)


def test_each_flow_has_its_own_for_as_long_as_it_lives() -> None:
    flow, other = tflow.tflow(), tflow.tflow()
    state = flow_state.of(flow)
    state.leaves = True
    assert flow_state.of(flow) is state
    assert not flow_state.of(other).leaves
    assert not flow.metadata, "which is written to files with the flow"
    gone = weakref.ref(flow)
    del flow
    gc.collect()
    assert gone() is None


def test_the_head_of_its_request() -> None:
    flow = tflow.tflow()
    flow.request.method, flow.request.scheme, flow.request.path = "POST", "https", "/v1/files?a=b"
    flow.request.host, flow.request.port = "10.0.0.1", 8443
    flow.request.headers.update({"host": "api.example:8443", "content-type": "a/b", "content-encoding": "br"})
    flow.request.headers["origin"] = "https://page.example"
    flow_state.of(flow).test_id = "t"
    head = flow_state.head_of(flow)
    assert (head.method, head.scheme, head.port, head.path) == ("POST", "https", 8443, "/v1/files?a=b")
    assert head.hosts == ("10.0.0.1", "api.example")
    assert (head.content_type, head.coding, head.test_id, head.origin) == ("a/b", "br", "t", "https://page.example")


def test_when_its_request_came_is_told_by_our_clock() -> None:
    flow = tflow.tflow()
    flow.request.timestamp_end = time.time() - 100
    before = now()
    came_at = flow_state.came_at(flow)
    assert before - 101 < came_at < now() - 99
    flow.request.timestamp_end = None
    assert before <= flow_state.came_at(flow) <= now()
