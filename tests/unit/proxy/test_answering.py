"""What was decided becomes a flow's: it has an answer or it may leave, never both, and nothing else lets it through."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from mitmproxy import http
from mitmproxy.test import tflow

from builders import chat, route, tape_of
from deciding import make_decider
from wiretape.metrics.counters import SessionCounters
from wiretape.policy import Mode
from wiretape.providers import wire
from wiretape.proxy import flow_state
from wiretape.proxy.admission import Grant
from wiretape.proxy.answering import Answering
from wiretape.proxy.calls import (
    BodyState,
    EndpointRequest,
    Faulted,
    Forwarded,
    Ignored,
    Keeping,
    Missed,
    Outcome,
    Replayed,
    StoreUnavailable,
    Unreadable,
    Untold,
)
from wiretape.proxy.declining import Declining
from wiretape.proxy.live_answers import LiveAnswers
from wiretape.proxy.sharing import Sharing
from wiretape.replay.faults import Fault, Status
from wiretape.sessions.access import AccessDeniedError, AccessPolicy
from wiretape.sessions.model import Sessions
from wiretape.store.directory import DirectoryStore
from wiretape.tape.hit import Hit
from wiretape.tape.pool import TapePool


class Rig:
    """What carries outcomes out, on a folder, and its door: closed until it is opened."""

    def __init__(self, root: Path) -> None:
        self.store = DirectoryStore(root)
        self.decider = make_decider()
        sharing = Sharing(self.decider)
        self.live = LiveAnswers(self.decider, sharing)
        self.answering = Answering(self.decider.teller, sharing, Declining(self.decider), self.live)
        self.tape = tape_of(self.store, "checkout", Mode.REPLAY)
        self.request = EndpointRequest(Grant(self.tape), route(), 0.0, BodyState.READ, chat("Hello"))

    def open(self) -> None:
        """Let requests in."""
        tapes = TapePool(self.store, Sessions(), SessionCounters(), memory=0)
        self.decider.admission.use(AccessPolicy(Sessions(), "default", Mode.LIVE), tapes)

    def carry_out(self, outcome: Outcome) -> http.HTTPFlow:
        flow = tflow.tflow()
        asyncio.run(self.answering.carry_out(flow, outcome))
        return flow

    def close(self) -> None:
        self.live.aside.shutdown()
        self.decider.close()


@pytest.fixture(name="rig")
def _rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


HIT = Hit("name", wire.HttpResponse(200, (("content-type", "text/plain"),), (b"hit",)), (0.0,), 1, 3)
BUSY = Fault(status=Status(529, (("retry-after", "3"),), b"busy"))


def outcomes(request: EndpointRequest) -> list[tuple[Outcome, int, bytes]]:
    """Return those that have an answer: its status, and what is in its body."""
    return [
        (Replayed(request, HIT), 200, b"hit"),
        (Faulted(request, BUSY), 529, b"busy"),
        (Missed(request), 400, b"recording_not_found"),
        (Unreadable(request), 400, b"recording_not_found"),
        (Ignored(request), 200, b""),
        (StoreUnavailable(request, Untold.RECORDING, "away"), 503, b"recordings_unavailable"),
    ]


def test_what_is_answered_here_does_not_leave(rig: Rig) -> None:
    for outcome, status, part in outcomes(rig.request):
        flow = rig.carry_out(outcome)
        assert flow.response, outcome
        assert flow.response.status_code == status
        assert part in (flow.response.content or b"")
        state = flow_state.of(flow)
        assert (state.leaves, state.outcome) == (False, outcome)
    assert rig.tape.counters.upstream == 0


def test_a_fault_answers_with_its_own_headers(rig: Rig) -> None:
    flow = rig.carry_out(Faulted(rig.request, BUSY))
    assert flow.response
    assert flow.response.headers["retry-after"] == "3"
    assert flow_state.of(flow).fault is BUSY


def test_a_hit_whose_answer_goes_wrong_is_played(rig: Rig) -> None:
    slow = Fault(delay=1.0)
    flow = rig.carry_out(Replayed(rig.request, Hit("name", wire.HttpResponse(200, (), (b"a", b"b")), (), 1, 2), slow))
    state = flow_state.of(flow)
    assert state.fault is slow
    assert state.play
    assert not state.leaves


@pytest.mark.parametrize("keeping", [Keeping.LIVE, Keeping.UNREADABLE, Keeping.FAULT])
def test_what_is_forwarded_leaves_and_is_counted(keeping: Keeping, rig: Rig) -> None:
    rig.open()
    flow = rig.carry_out(Forwarded(rig.request, keeping))
    state = flow_state.of(flow)
    assert state.leaves
    assert (flow.response, state.exchange) == (None, None)
    assert rig.tape.counters.upstream == 1


def test_nothing_leaves_where_nobody_is_let_in(rig: Rig) -> None:
    flow = tflow.tflow()
    with pytest.raises(AccessDeniedError):
        asyncio.run(rig.answering.carry_out(flow, Forwarded(rig.request, Keeping.LIVE)))
    assert not flow_state.of(flow).leaves
