"""What was decided becomes a flow's: an answer, or its leave to be sent on. Between ``decide`` and mitmproxy's flows.

Each outcome ends in one of three ways: the flow has a response, or it may leave (``FlowState.leaves``), or it follows
an equal one. Nothing else lets a request through.
"""

from mitmproxy import http

from wiretape.providers import wire
from wiretape.proxy import flow_state, framing, responses
from wiretape.proxy.call_teller import CallTeller
from wiretape.proxy.calls import (
    BudgetReached,
    Faulted,
    Forwarded,
    Ignored,
    Missed,
    Outcome,
    Replayed,
    StoreUnavailable,
    Unreadable,
)
from wiretape.proxy.compat import supported
from wiretape.proxy.compat.supported import Feature
from wiretape.proxy.declining import Declining
from wiretape.proxy.live_answers import LiveAnswers
from wiretape.proxy.open_call import OpenCall
from wiretape.proxy.sharing import Sharing


class Answering:
    """Carries outcomes out. For the thread that carries the traffic."""

    def __init__(self, teller: CallTeller, sharing: Sharing, declining: Declining, live: LiveAnswers) -> None:
        self._teller = teller
        self._sharing = sharing
        self._declining = declining
        self._live = live

    async def carry_out(self, flow: http.HTTPFlow, outcome: Outcome) -> None:
        """Have a flow become what was decided. Raises AccessDeniedError where the proxy has begun to stop."""
        request = outcome.request
        state = flow_state.of(flow)
        call = state.call = self._teller.open(request.grant, request.came_at)
        call.ask(request)
        settled = await self._sharing.settle(flow, outcome, call)
        if settled is None:
            return
        state.outcome = settled
        match settled:
            case Replayed():
                call.replay(settled.hit, settled.fault)
                _replay(flow, settled, call)
            case Faulted():
                call.fault(settled.fault)
                _fault(flow, settled)
            case Missed() | Unreadable() | Ignored() | StoreUnavailable() | BudgetReached():
                flow.response = await self._declining.answer(settled, flow.request.host, call)
            case Forwarded():
                self._live.forward(flow, settled, call, is_shared=self._sharing.is_shared(settled))


def _replay(flow: http.HTTPFlow, outcome: Replayed, call: OpenCall) -> None:
    hit = outcome.hit
    fault = outcome.fault
    if not supported.has(Feature.LAYERS):
        flow.response = responses.answer(hit.answer)
        return
    state = flow_state.of(flow)
    version = flow.request.http_version
    state.fault = fault
    flow.response, state.play = framing.flow_response(hit, fault, outcome.request.came_at, version)
    if state.play:
        state.play.call = call


def _fault(flow: http.HTTPFlow, outcome: Faulted) -> None:
    status = outcome.fault.status
    assert status
    flow_state.of(flow).fault = outcome.fault
    flow.response = responses.answer(wire.HttpResponse(status.code, status.headers, (status.body,)))
