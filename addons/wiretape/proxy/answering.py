"""What was decided becomes a flow's: an answer, or its leave to be sent on. Between ``decide`` and mitmproxy's flows.

Each outcome ends in one of three ways: the flow has a response, or it may leave (``FlowState.leaves``), or it follows
an equal one. Nothing else lets a request through.
"""

import logging

from mitmproxy import http

from wiretape.metrics.counters import Reason
from wiretape.policy import Mode
from wiretape.providers import wire
from wiretape.proxy import flow_state, framing, responses
from wiretape.proxy.call_report import Became
from wiretape.proxy.calls import (
    EndpointRequest,
    Faulted,
    Forwarded,
    Joining,
    Keeping,
    LookedUp,
    Missed,
    Outcome,
    Replayed,
    StoreUnavailable,
    Unreadable,
    Untold,
)
from wiretape.proxy.decide import Decider
from wiretape.proxy.layers import install
from wiretape.proxy.live_answers import LiveAnswers
from wiretape.proxy.sharing import Sharing

logger = logging.getLogger(__name__)


class Answering:
    """Carries outcomes out. For the thread that carries the traffic."""

    def __init__(self, decider: Decider, sharing: Sharing, live: LiveAnswers) -> None:
        self._decider = decider
        self._report = decider.report
        self._sharing = sharing
        self._live = live

    async def carry_out(self, flow: http.HTTPFlow, outcome: Outcome) -> None:
        """Have a flow become what was decided. Raises AccessDeniedError where the proxy has begun to stop."""
        settled = await self._settled(flow, outcome)
        if settled is None:
            return
        flow_state.of(flow).outcome = settled
        match settled:
            case Replayed():
                self._replay(flow, settled)
            case Faulted():
                self._fault(flow, settled)
            case Missed():
                flow.response = await self._refuse_missed(flow, settled.request)
            case Unreadable():
                flow.response = self._refuse_unreadable(settled.request)
            case StoreUnavailable():
                flow.response = self._refuse_unavailable(settled)
            case Forwarded():
                self._forward(flow, settled)

    async def _settled(self, flow: http.HTTPFlow, outcome: Outcome) -> Outcome | None:
        """Return what becomes of a flow that follows no other; None where it follows one.

        What is to be forwarded asks twice whether there is one: before it is looked up, where one was seen, and after,
        as another one may have set out meanwhile.
        """
        while isinstance(outcome, Joining) or (isinstance(outcome, Forwarded) and self._is_shared(outcome)):
            former = outcome
            if self._is_shared(former) and await self._sharing.follow(flow, former.request):
                self._report.other(Became.FOLLOWED, former.request.grant.tape, former.request.label)
                return None
            outcome = await self._decider.decide_alone(former, flow.request.host)
            if isinstance(former, Forwarded):
                break
        return outcome

    def _is_shared(self, outcome: Joining | Forwarded) -> bool:
        """Return whether a live answer is for all equal requests that are under way."""
        is_wanted = install.KNOWN and self._decider.runtime.shares
        is_recorded = isinstance(outcome, Joining) or outcome.keeping is Keeping.RECORDED
        is_missing = outcome.request.grant.mode is Mode.RECORD_IF_MISSING
        return bool(is_wanted and is_recorded and is_missing and outcome.request.shared_key is not None)

    # -- answered here ---------------------------------------------------------------------------------------------

    @staticmethod
    def _replay(flow: http.HTTPFlow, outcome: Replayed) -> None:
        hit, fault = outcome.hit, outcome.fault
        if not install.KNOWN:
            flow.response = responses.answer(hit.answer)
            return
        state, version = flow_state.of(flow), flow.request.http_version
        state.fault = fault
        flow.response, state.play = framing.flow_response(hit, fault, outcome.request.came_at, version)

    @staticmethod
    def _fault(flow: http.HTTPFlow, outcome: Faulted) -> None:
        status = outcome.fault.status
        assert status
        flow_state.of(flow).fault = outcome.fault
        flow.response = responses.answer(wire.HttpResponse(status.code, status.headers, (status.body,)))

    # -- refused ---------------------------------------------------------------------------------------------------

    async def _refuse_missed(self, flow: http.HTTPFlow, request: EndpointRequest) -> http.Response:
        tape = request.grant.tape
        try:
            explanation = await self._decider.explain(request, flow.request.host)
        except OSError as e:
            return self._refuse_unavailable(StoreUnavailable(request, Untold.RECORDING, str(e)))
        logger.warning("miss: %s%s: %s", request.label, tape.named, explanation)
        self._report.miss(tape, request.label, explanation)
        return responses.answer(wire.error(404, explanation.text, "recording_not_found"))

    def _refuse_unreadable(self, request: EndpointRequest) -> http.Response:
        tape, url = request.grant.tape, request.route.sent_url
        tape.counters.misses += 1
        logger.warning("miss: %s: %s%s", url, request.problem, tape.named)
        self._report.miss(tape, url, request.problem)
        return responses.no_recording(f"wiretape: {request.problem}; in replay")

    def _refuse_unavailable(self, outcome: StoreUnavailable) -> http.Response:
        tape = outcome.request.grant.tape
        self._report.other(Became.UNAVAILABLE, tape, outcome.label, [outcome.why])
        logger.error("cannot be looked up: %s%s: %s", outcome.label, tape.named, outcome.why)
        text = f"wiretape: the recordings cannot be looked up now ({outcome.why}), so nothing is sent to a provider."
        return responses.answer(wire.error(503, text, "recordings_unavailable", retry=True))

    # -- sent on ---------------------------------------------------------------------------------------------------

    def _forward(self, flow: http.HTTPFlow, outcome: Forwarded) -> None:
        request, tape, state = outcome.request, outcome.request.grant.tape, flow_state.of(flow)
        self._decider.admission.check_open()
        if outcome.looked_up and outcome.looked_up.why:
            _warn_of_away(request, outcome.looked_up)
        state.leaves = True
        state.fault = outcome.fault
        tape.counters.upstream += 1
        match outcome.keeping:
            case Keeping.LIVE:
                self._report.other(Became.SENT, tape, request.route.sent_url)
            case Keeping.FAULT:
                self._report.other(Became.NOT_RECORDED, tape, request.route.sent_url, ["a fault was injected"])
            case Keeping.UNREADABLE:
                tape.counters.not_recorded(Reason.REQUEST)
                self._report.other(Became.NOT_RECORDED, tape, request.route.sent_url, [request.problem])
                logger.warning("not recorded: %s: %s%s", request.route.sent_url, request.problem, tape.named)
            case Keeping.RECORDED:
                self._live.begin(flow, request, is_shared=self._is_shared(outcome))


def _warn_of_away(request: EndpointRequest, looked_up: LookedUp) -> None:
    what = request.label + request.grant.tape.named
    logger.warning("cannot be looked up, so it is sent to the provider: %s: %s", what, looked_up.why)
