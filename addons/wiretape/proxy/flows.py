"""Requests and answers: mitmproxy's hooks of a flow, and the hooks that our layers pause on.

Hits that need be no flow do not come here but for ``wiretape_decide``: ``fast_http1`` and ``http`` serve them.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from mitmproxy import connection, http

import wiretape
from wiretape.metrics.counters import Reason
from wiretape.network import cors
from wiretape.network.address import VERSION_HEADER
from wiretape.policy import Mode
from wiretape.providers.routing import OTHER, Route
from wiretape.proxy import destinations, flow_state, host_agreement, responses, reverse_clients
from wiretape.proxy.admission import Grant
from wiretape.proxy.answering import Answering
from wiretape.proxy.calls import EndpointRequest, Faulted, Outcome, Replayed
from wiretape.proxy.compat import errors, tcp_reset
from wiretape.proxy.connections import Connections
from wiretape.proxy.decide import Decider
from wiretape.proxy.declining import Declining
from wiretape.proxy.layers.hooks import Asking, Following, Wait
from wiretape.proxy.live_answers import LiveAnswers
from wiretape.proxy.look_up import LOOKING
from wiretape.proxy.open_call import FAILED, LEFT, OpenCall
from wiretape.proxy.options import Large
from wiretape.proxy.passing import Passing
from wiretape.proxy.responses import Refused
from wiretape.proxy.sharing import Sharing
from wiretape.proxy.watched_answer import WatchedAnswer
from wiretape.replay.faults import Fault
from wiretape.sessions.access import AccessDeniedError

logger = logging.getLogger(__name__)


class FlowHooks:
    """The part of the addon that sees requests and answers."""

    name = "wiretape-requests"

    def __init__(self, decider: Decider, connections: Connections) -> None:
        self._decider = decider
        self._admission = decider.admission
        self._passing = Passing(decider)
        self._connections = connections
        sharing = Sharing(decider)
        self.live = LiveAnswers(decider, sharing)
        self._teller = decider.teller
        self._answering = Answering(decider.teller, sharing, Declining(decider), self.live)
        self._gone: dict[str, asyncio.Event] = {}

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Find who asks, and the route; what is not for us streams through."""
        # Headers of ours are for us: no provider sees them, nor a token of ours.
        state = flow_state.of(flow)
        headers = flow.request.headers
        state.test_id = headers.pop("x-wiretape-test-id", None)
        credentials = [headers.pop(name, None) for name in ("proxy-authorization", "x-wiretape-session")]
        try:
            state.grant = grant = await self._admission.admit(flow.client_conn, *credentials)
        except AccessDeniedError as e:
            state.wait = self._admission.refuse(
                flow.client_conn, f"{flow.request.method} {flow.request.pretty_host}", e
            )
            flow.response = self._refusal(flow, e)
            return
        state.test_id = grant.test_of(state.test_id)
        self._connections.admit(flow.client_conn, grant, flow)
        self._decider.see(flow_state.head_of(flow), grant)
        state.route = self._passing.route(flow, grant)
        state.nothing = self._passing.answer_from_nothing(flow, grant)
        if refused := await self._refused(flow, grant):
            self._refuse(flow, grant, refused)
            return
        if state.route or state.nothing or self._passing.is_refused(flow, grant):
            return
        if refused := await self._passing.over_budget(flow, grant):
            self._refuse(flow, grant, refused)
            return
        self._passing.tell(flow, grant)
        flow.request.stream = state.leaves = True

    def _refuse(self, flow: http.HTTPFlow, grant: Grant, refused: Refused) -> None:
        self._open(flow, grant).refuse(refused.why)
        flow.response = refused.answer
        flow_state.of(flow).grant = None  # Nothing more of it is read.

    def _open(self, flow: http.HTTPFlow, grant: Grant) -> OpenCall:
        """Return the call of a flow that does not go the way of those that are decided on."""
        path = flow.request.path.partition("?")[0]
        return self._passing.open(flow, grant, f"{flow.request.method} {flow.request.pretty_host}{path}")

    def _refusal(self, flow: http.HTTPFlow, denied: AccessDeniedError) -> http.Response:
        return responses.refusal(denied, flow.request.http_version, self._leads_to(flow))

    def _leads_to(self, flow: http.HTTPFlow) -> Route:
        """Return where a flow's request leads."""
        state = flow_state.of(flow)
        return state.route or self._decider.leads_to(flow_state.head_of(flow))

    async def _refused(self, flow: http.HTTPFlow, grant: Grant) -> Refused | None:
        """Return the refusal of a request that may go nowhere, is of several minds on where, or is a web page's."""
        state = flow_state.of(flow)
        if state.stranger:
            logger.warning("refused: %s %s: %s", flow.request.method, flow.request.pretty_host, state.stranger.reason)
            return Refused(responses.answer(reverse_clients.refusal(state.stranger)), state.stranger.reason)
        route = self._leads_to(flow)
        providers = self._decider.runtime.providers
        if grant.mode is Mode.REPLAY and (disagreeing := host_agreement.refusal(flow, providers, route)):
            logger.warning("refused: %s %s: its hosts disagree", flow.request.method, flow.request.pretty_host)
            return Refused(responses.answer(disagreeing), "its hosts disagree")
        is_played = bool(state.route or state.nothing) and grant.mode in LOOKING
        return await self._connections.destinations.refuse_request(flow, route, is_played=is_played)

    async def request(self, flow: http.HTTPFlow) -> None:
        """Answer from a recording, refuse, or send on."""
        grant = flow_state.of(flow).grant
        if flow.response or flow.error or flow.request.stream or grant is None:
            return
        try:
            self._admission.check_open()
            await self._decide(flow, grant)
        except AccessDeniedError as e:
            self._open(flow, grant).refuse(str(e))
            flow.response = self._refusal(flow, e)
        if flow.response:
            _suit(flow.response, flow.request)

    async def _decide(self, flow: http.HTTPFlow, grant: Grant) -> None:
        outcome = await self._outcome(flow, grant)
        if outcome:
            await self._answering.carry_out(flow, outcome)
        else:
            self._passing.carry_out(flow, grant)

    async def _outcome(self, flow: http.HTTPFlow, grant: Grant) -> Outcome | None:
        """Return what becomes of a flow; None where it is for no endpoint."""
        state = flow_state.of(flow)
        former = state.outcome
        if former is None and state.route is None:
            return None
        # In live nobody looks at a body.
        is_read = grant.mode is not Mode.LIVE or bool(grant.faults)
        body = flow.request.raw_content if is_read else None
        came_at = former.request.came_at if former else flow_state.came_at(flow)
        state.request = await self._decider.build(flow_state.head_of(flow), grant, body or b"", came_at)
        if former and former.request.grant == grant:
            return former
        # There is none, or it was not known yet that the session is frozen, or a scope has begun or ended meanwhile.
        return await self._decider.decide(state.request, state.route)

    async def wiretape_large(self, flow: http.HTTPFlow) -> None:
        """Refuse a request whose body is too large to be kept, or let it pass: the hook that our layers pause on."""
        state = flow_state.of(flow)
        if flow.response or state.grant is None:
            return
        tape = state.grant.tape
        largest = self._decider.runtime.largest_said
        what = f"{flow.request.method} {flow.request.pretty_host}"
        is_file = state.route is not None and state.route.endpoint.kind == OTHER
        passes = (is_file or self._decider.runtime.large is Large.PASS) and tape.mode is not Mode.REPLAY
        if (passes or tape.mode is Mode.LIVE) and (refused := await self._passing.over_budget(flow, state.grant)):
            self._refuse(flow, state.grant, refused)
            return
        if passes or tape.mode is Mode.LIVE:
            flow.request.stream = state.leaves = True
            tape.counters.upstream += 1
        if passes and tape.mode is not Mode.LIVE:
            tape.counters.not_recorded(Reason.SIZE)
            why = f"its body is larger than wiretape_max_request ({largest})"
            self._open(flow, state.grant).pass_on(why)
            logger.warning("not recorded: %s: %s%s", what, why, tape.named)
        elif not flow.request.stream:
            text = f"the body of this request is larger than this proxy keeps (wiretape_max_request={largest})"
            denied = AccessDeniedError(413, text)
            self._open(flow, state.grant).refuse(text)
            self._admission.refuse(flow.client_conn, what, denied)
            flow.response = self._refusal(flow, denied)

    async def wiretape_decide(self, asking: Asking) -> None:
        """Decide on a request before there is a flow: the hook that our layers pause on."""
        self._decider.see(asking.request.head, asking.request.grant)
        outcome = asking.outcome = await self._decider.decide(asking.request)
        if isinstance(outcome, Replayed | Faulted) and outcome.fault:
            _tell(outcome.fault, outcome.request)

    async def wiretape_follow(self, following: Following) -> None:
        """Wait for more of a flight: the hook that a following stream pauses on."""
        follower = following.follower
        client = following.client
        flight = follower.flight
        more = asyncio.Event()
        gone = self._gone.setdefault(client.id, asyncio.Event())
        while not follower.is_behind and not flight.ended and client.connected and not gone.is_set():
            more.clear()
            flight.call_when_changed(more.set)
            tasks = [asyncio.create_task(event.wait()) for event in (more, gone)]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()

    def client_disconnected(self, client: connection.Client) -> None:
        """Wake what waits on behalf of a client that has gone."""
        if gone := self._gone.pop(client.id, None):
            gone.set()

    async def _begin(self, flow: http.HTTPFlow, fault: Fault) -> None:
        """Let a fault of an answer begin."""
        state = flow_state.of(flow)
        assert flow.response
        assert state.outcome
        _tell(fault, state.outcome.request)
        if fault.ending and not flow.response.raw_content:
            responses.unframe(flow.response, flow.request.http_version)
        if fault.delay and not state.play:
            await self.wiretape_wait(Wait(fault.delay, flow.client_conn))

    async def wiretape_wait(self, wait: Wait) -> None:
        """Wait, but not for a client that has gone: the hook that a slow stream pauses on."""
        if wait.client.connected:
            gone = self._gone.setdefault(wait.client.id, asyncio.Event())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(gone.wait(), wait.seconds)

    async def wiretape_reset(self, client: connection.Client) -> None:
        """Reset a client's connection."""
        await tcp_reset.reset(client)

    async def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Let every answer of a server stream through, under record with a copy kept; let a fault begin."""
        assert flow.response
        state = flow_state.of(flow)
        if state.grant and destinations.is_onboarding(flow):
            # Who asks for the CA of this proxy is told whose it is.
            flow.response.headers[VERSION_HEADER] = wiretape.__version__
        if state.fault:
            await self._begin(flow, state.fault)
        if state.exchange:
            await self.live.open(state.exchange, flow.response)
            return
        if state.call and not state.play:
            state.call.begin(flow.response.status_code)
        if not flow.response.raw_content and not flow.response.stream:
            flow.response.stream = self._watched(flow)

    def _watched(self, flow: http.HTTPFlow) -> Callable[[bytes], bytes] | bool:
        """Return what the body of a live answer passes through: nothing, where nobody wants to know of it."""
        state = flow_state.of(flow)
        if self._teller.log is None or state.call is None:
            return True
        recorded = state.outcome.request.recorded if state.outcome else None
        return WatchedAnswer(state.call, state.route, flow, recorded).take

    def response(self, flow: http.HTTPFlow) -> None:
        """End an answer: its end was seen."""
        state = flow_state.of(flow)
        if state.exchange:
            self.live.end(state.exchange)
        elif state.call:
            _end(state.call, flow)

    def error(self, flow: http.HTTPFlow) -> None:
        """End an answer that will not be whole: only this hook tells, the stream's end never comes."""
        state = flow_state.of(flow)
        message = flow.error.msg if flow.error else "the answer broke off"
        is_by_client = errors.is_by_client(flow)
        if state.exchange:
            self.live.break_off(state.exchange, message, by_client=is_by_client)
        elif state.call:
            state.call.end(LEFT if is_by_client else message)


def _end(call: OpenCall, flow: http.HTTPFlow) -> None:
    """Tell a call whose answer is whole."""
    assert flow.response
    if call.outcome is None:  # It was refused where a hook had failed.
        call.refuse(FAILED)
    if call.size is None:
        call.size = len(flow.response.raw_content or b"")
    call.end()


def _tell(fault: Fault, request: EndpointRequest) -> None:
    tape = request.grant.tape
    tape.counters.faults += 1
    logger.warning("fault: %s: %s%s", fault, request.fault_label, tape.named)


def _suit(answer: http.Response, request: http.Request) -> None:
    """Make an answer of ours one to this request: for a web page, and for who wants to see the head alone."""
    origin = request.headers.get("origin", "")
    if cors.is_origin(origin) and "access-control-allow-methods" not in answer.headers:
        responses.allow(answer, origin)
    if request.method == "HEAD":
        answer.raw_content = b""
