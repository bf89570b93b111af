"""Requests that get no answer: what they are told, and where it is said. Beside ``answering``; nothing here is sent on.

A client is told in the form of the provider's own errors, which real clients show, and do not ask again for: that there
is no recording, and what is nearest; that there can be none; or that it cannot be told now, which they may ask again.
"""

import logging

from mitmproxy import http

from wiretape.call_log.call import Outcome
from wiretape.codecs import printable
from wiretape.proxy import responses
from wiretape.proxy.calls import BudgetReached, Ignored, Missed, StoreUnavailable, Unreadable, Untold
from wiretape.proxy.decide import Decider
from wiretape.proxy.open_call import OpenCall

logger = logging.getLogger(__name__)


class Declining:
    """Refuses, and says so in the log and of the call; answers with nothing what nobody misses."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider
        self._teller = decider.teller

    async def answer(
        self, outcome: Missed | Unreadable | Ignored | StoreUnavailable | BudgetReached, host: str, call: OpenCall
    ) -> http.Response:
        """Return what a client is told, and note it. ``host`` is where its request would have gone."""
        if isinstance(outcome, Ignored):
            route = outcome.request.route
            return self.nothing(call, f"{route.endpoint.method} {route.sent_url}")
        if isinstance(outcome, Unreadable):
            return self._no_recording_can_be(outcome, call)
        if isinstance(outcome, BudgetReached):
            return self._budget_reached(outcome, call)
        if isinstance(outcome, Missed):
            if outcome.expired:
                return self._expired(outcome, call)
            try:
                return await self._no_recording(outcome, host, call)
            except OSError as e:
                outcome = StoreUnavailable(outcome.request, Untold.RECORDING, str(e))
        return self._unavailable(outcome, call)

    @staticmethod
    def nothing(call: OpenCall, what: str) -> http.Response:
        """Return the answer to a request that is beside the model, which is counted, and is no miss."""
        tape = call.grant.tape
        call.outcome = Outcome.IGNORED
        tape.counters.ignored += 1
        logger.info("ignored: %s%s", printable.line(what), tape.named)
        return http.Response.make(200, b"")

    async def _no_recording(self, outcome: Missed, host: str, call: OpenCall) -> http.Response:
        request = outcome.request
        tape = request.grant.tape
        explanation = await self._decider.explain(request, host)
        logger.warning("miss: %s%s: %s", request.label, tape.named, explanation)
        self._teller.miss(call, explanation)
        return responses.no_recording(explanation.text, request.route)

    def _expired(self, outcome: Missed, call: OpenCall) -> http.Response:
        request = outcome.request
        tape = request.grant.tape
        logger.warning("expired: %s%s: %s", request.label, tape.named, outcome.expired)
        self._teller.miss(call, f"expired: {outcome.expired}")
        text = (
            f"wiretape: the recording of this request has expired: {outcome.expired}. Record it anew: "
            f"wiretape refresh --session {tape.session} --accept"
        )
        return responses.no_recording(text, request.route, code="recording_expired")

    def _no_recording_can_be(self, outcome: Unreadable, call: OpenCall) -> http.Response:
        request = outcome.request
        tape = request.grant.tape
        url = request.route.sent_url
        tape.counters.misses += 1
        logger.warning("miss: %s: %s%s", url, request.problem, tape.named)
        self._teller.miss(call, request.problem)
        return responses.no_recording(
            f"wiretape: {request.problem}; in replay nothing is sent to a provider.", request.route
        )

    @staticmethod
    def _budget_reached(outcome: BudgetReached, call: OpenCall) -> http.Response:
        call.refuse(outcome.why)
        logger.warning("refused: %s: %s", outcome.request.label, outcome.why)
        return responses.budget_reached(outcome.why, outcome.request.route)

    @staticmethod
    def _unavailable(outcome: StoreUnavailable, call: OpenCall) -> http.Response:
        tape = outcome.request.grant.tape
        what = "what this session has spent" if outcome.untold is Untold.SPENT else "the recordings"
        call.refuse(f"{what} cannot be looked up: {outcome.why}")
        logger.error("cannot be looked up: %s%s: %s", outcome.label, tape.named, outcome.why)
        return responses.unavailable(what, outcome.why, outcome.request.route)
