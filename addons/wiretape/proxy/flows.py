"""Requests and answers: what the desk decides becomes a flow's. mitmproxy's hooks in, recordings out.

Hits that need be no flow do not come here: ``lane`` and ``stream`` serve them.
"""

import asyncio
import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor

from mitmproxy import connection, ctx, http

from wiretape.codecs import content_coding
from wiretape.journal.exchange_file import EntryKind
from wiretape.metrics.counters import Reason
from wiretape.network import cors
from wiretape.policy import Mode
from wiretape.providers import wire
from wiretape.providers.routing import OTHER
from wiretape.proxy import flow_state, host_agreement, responses, reverse_clients
from wiretape.proxy.call_report import Became
from wiretape.proxy.compat import tcp_reset
from wiretape.proxy.connections import Connections
from wiretape.proxy.desk import LOOKING, Decision, Desk, Grant
from wiretape.proxy.journaling import Journaling
from wiretape.proxy.layers import install
from wiretape.proxy.passing import Passing, call_of
from wiretape.proxy.recorder import LiveRecording, State
from wiretape.proxy.sharing import LEFT, Sharing
from wiretape.recording import RecordedRequest
from wiretape.replay.faults import Fault
from wiretape.sessions.access import AccessDeniedError
from wiretape.store.opening import StoreUrl
from wiretape.tape.tape import Hit, Tape

logger = logging.getLogger(__name__)


class FlowHooks:
    """The part of the addon that sees requests and answers."""

    name = "wiretape-requests"

    def __init__(self, desk: Desk, connections: Connections) -> None:
        self.place: StoreUrl
        self._desk = desk
        self._passing = Passing(desk)
        self._connections = connections
        self._live: set[LiveRecording] = set()
        self._sharing = Sharing(desk.flights)
        self._gone: dict[str, asyncio.Event] = {}
        # A slow disk delays neither the traffic nor a hit.
        self.aside = ThreadPoolExecutor(1, "wiretape-store")
        self.journaling = Journaling(self._land)

    async def stop(self, patience: float) -> None:
        """Cut off what is under way, and wait so many seconds at most until what has ended is written.

        Meanwhile the loop goes on, and whoever comes is told.
        """
        for exchange in [*self._live]:
            # First, or a client could get the rest of an answer that is taken for one that broke off.
            tcp_reset.abort(exchange.client)
            self._finish(exchange, EntryKind.ABANDONED)
        await self.journaling.stop(patience)
        await asyncio.to_thread(self.aside.shutdown, wait=True)

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Find who asks, and the route; what is not for us streams through."""
        # Headers of ours are for us: no provider sees them, nor a token of ours.
        marked, headers = flow_state.of(flow), flow.request.headers
        marked.test_id = headers.pop("x-wiretape-test-id", None)
        credentials = [headers.pop(name, None) for name in ("proxy-authorization", "x-wiretape-session")]
        try:
            marked.seat = seat = await self._desk.settled(flow.client_conn, *credentials)
        except AccessDeniedError as e:
            marked.wait = self._desk.refuse(flow.client_conn, f"{flow.request.method} {flow.request.pretty_host}", e)
            flow.response = responses.refusal(e, flow.request.http_version)
            return
        self._connections.admit(flow.client_conn, seat, flow)
        marked.route = self._passing.route(flow, seat)
        marked.nothing = self._passing.answer_from_nothing(flow, seat)
        flow.response = await self._refused(flow, seat)
        if flow.response:
            marked.seat = None  # Nothing more of it is read.
            return
        if marked.route or marked.nothing or self._passing.is_refused(flow, seat):
            return
        self._passing.tell(flow, seat.tape)
        flow.request.stream = marked.leaves = True

    async def _refused(self, flow: http.HTTPFlow, seat: Grant) -> http.Response | None:
        """The answer to a request that may go nowhere, is of several minds on where, or comes from a web page."""
        if stranger := flow_state.of(flow).stranger:
            logger.warning("refused: %s %s: %s", flow.request.method, flow.request.pretty_host, stranger.reason)
            return responses.answer(reverse_clients.refusal(stranger))
        mode = seat.tape.mode
        if mode is Mode.REPLAY and (disagreeing := host_agreement.refusal(flow, self._desk.providers)):
            logger.warning("refused: %s %s: its hosts disagree", flow.request.method, flow.request.pretty_host)
            return responses.answer(disagreeing)
        is_played = bool(flow_state.of(flow).route or flow_state.of(flow).nothing) and mode in LOOKING
        return await self._connections.destinations.refuse_request(flow, is_played=is_played)

    @staticmethod
    def _shares(tape: Tape) -> bool:
        """Whether a live answer is for all equal requests that are under way."""
        is_wanted = install.KNOWN and ctx.options.wiretape_single_flight
        return bool(is_wanted and tape.mode is Mode.RECORD_IF_MISSING)

    def _stays(self, flow: http.HTTPFlow, tape: Tape) -> bool:
        """Whether what has no recording is sent to nobody."""
        return tape.mode is Mode.REPLAY or self._connections.destinations.is_offline_for(flow.request.host)

    async def request(self, flow: http.HTTPFlow) -> None:
        """Answer from a recording, refuse, or send on."""
        seat = flow_state.of(flow).seat
        if flow.response or flow.error or flow.request.stream or seat is None:
            return
        try:
            self._desk.check_open()
            await self._request(flow, seat)
        except AccessDeniedError as e:
            flow.response = responses.refusal(e, flow.request.http_version)
        if flow.response:
            _suit(flow.response, flow.request)

    def wiretape_large(self, flow: http.HTTPFlow) -> None:
        """Refuse a request whose body is too large to be kept, or let it pass: the hook that our layers pause on."""
        marked = flow_state.of(flow)
        if flow.response or marked.seat is None:
            return
        tape, largest = marked.seat.tape, ctx.options.wiretape_max_request
        what = f"{flow.request.method} {flow.request.pretty_host}"
        is_file = marked.route is not None and marked.route.endpoint.kind == OTHER
        passes = (is_file or ctx.options.wiretape_large_requests == "pass") and tape.mode is not Mode.REPLAY
        if passes or tape.mode is Mode.LIVE:
            flow.request.stream = marked.leaves = True
            tape.counters.upstream += 1
        if passes and tape.mode is not Mode.LIVE:
            tape.counters.not_recorded(Reason.SIZE)
            why = f"its body is larger than wiretape_max_request ({largest})"
            self._desk.calls.other(Became.NOT_RECORDED, tape, what, [why])
            logger.warning("not recorded: %s: %s%s", what, why, tape.named)
        elif not flow.request.stream:
            text = f"the body of this request is larger than this proxy keeps (wiretape_max_request={largest})"
            denied = AccessDeniedError(413, text)
            self._desk.refuse(flow.client_conn, what, denied)
            flow.response = responses.refusal(denied, flow.request.http_version)

    async def _request(self, flow: http.HTTPFlow, seat: Grant) -> None:
        marked = flow_state.of(flow)
        made, route = marked.decided, marked.route
        if route and (seat.tape.mode is not Mode.LIVE or self._desk.faults):
            await self._decode(flow)
        if made and made.seat.tape is not seat.tape:
            made = None  # It was not known yet that the session is frozen.
        if made is None and route:
            call = call_of(flow, marked.test_id, seat)
            made = self._desk.recalled(call, route) or await self._desk.decide(call, route)
        if made is None:
            if marked.nothing:
                flow.response = marked.nothing
            elif self._passing.is_refused(flow, seat):
                self._refuse(flow, seat)
            else:
                marked.leaves = True
            return
        marked.label = made.label
        if made.fault and made.fault.status:
            marked.fault = made.fault
            status = made.fault.status
            flow.response = responses.answer(wire.HttpResponse(status.code, status.headers, (status.body,)))
        elif seat.tape.mode is Mode.LIVE:
            seat.tape.counters.upstream += 1
            self._desk.calls.other(Became.SENT, seat.tape, made.route.sent_url)
            marked.leaves, marked.fault = True, made.fault
        elif seat.tape.mode is Mode.RECORD and not marked.unreadable:
            self._send(flow, made)
        elif made.hit:
            self._play(flow, made, made.hit)
        elif made.asked is None:
            self._pass_unreadable(flow, made)
        else:
            await self._answer_or_send(flow, made, made.asked)

    async def _decode(self, flow: http.HTTPFlow) -> None:
        """Undo the content coding of a request's body, before anything looks at it: here, and nowhere else.

        Layers that answer without a flow leave a request that has one to us.
        """
        marked = flow_state.of(flow)
        if coding := flow.request.headers.get("content-encoding"):
            try:
                marked.plain = await self._desk.plain(flow.request.raw_content or b"", coding)
            except content_coding.TooLargeError as e:
                marked.unreadable = f"the request cannot be read: {e} (wiretape_max_request)"

    def _refuse(self, flow: http.HTTPFlow, seat: Grant) -> None:
        what = f"{flow.request.host} {flow.request.path.partition('?')[0]}"
        seat.tape.counters.misses += 1
        logger.warning("miss: %s%s", what, seat.tape.named)
        text = f"wiretape: {flow.request.method} {flow.request.path.partition('?')[0]} at {flow.request.host}"
        why = self._passing.why(flow, seat.tape)
        self._desk.calls.miss(seat.tape, what, why)
        flow.response = responses.answer(_refusal(f"{text} is {why}, and in replay"))

    def _pass_unreadable(self, flow: http.HTTPFlow, made: Decision) -> None:
        tape = made.seat.tape
        if self._stays(flow, tape):
            tape.counters.misses += 1
            logger.warning("miss: %s: %s%s", made.route.sent_url, made.unreadable, tape.named)
            self._desk.calls.miss(tape, made.route.sent_url, made.unreadable)
            flow.response = responses.answer(_refusal(f"wiretape: {made.unreadable}; in replay"))
        else:
            flow_state.of(flow).leaves = True
            tape.counters.upstream += 1
            tape.counters.not_recorded(Reason.REQUEST)
            self._desk.calls.other(Became.NOT_RECORDED, tape, made.route.sent_url, [made.unreadable])
            logger.warning("not recorded: %s: %s%s", made.route.sent_url, made.unreadable, tape.named)

    async def _answer_or_send(self, flow: http.HTTPFlow, made: Decision, asked: RecordedRequest) -> None:
        tape = made.seat.tape
        shared = self._shares(tape) and not made.fault and not asked.moves_on
        if shared and await self._sharing.follow(flow, tape, asked):
            self._desk.calls.other(Became.FOLLOWED, tape, asked.label)
            return
        if not made.looked_up:
            await self._desk.look_up(made)
        if made.hit:
            self._play(flow, made, made.hit)
            return
        if made.unavailable and not made.is_away:
            self._desk.calls.other(Became.UNAVAILABLE, tape, asked.label, [made.unavailable])
            flow.response = responses.answer(_unavailable(asked.label + tape.named, made.unavailable))
            return
        if self._stays(flow, tape):
            flow.response = responses.answer(await self._refusal_of(made, asked, flow.request.host))
            return
        if made.unavailable:
            what = asked.label + tape.named
            logger.warning("cannot be looked up, so it is sent to the provider: %s: %s", what, made.unavailable)
        # Another one may have set out while we looked.
        if shared and await self._sharing.follow(flow, tape, asked):
            self._desk.calls.other(Became.FOLLOWED, tape, asked.label)
            return
        self._send(flow, made)

    @staticmethod
    def _play(flow: http.HTTPFlow, made: Decision, hit: Hit) -> None:
        if not install.KNOWN:
            flow.response = responses.answer(hit.answer)
            return
        marked = flow_state.of(flow)
        marked.fault = made.fault
        flow.response, marked.play = responses.response(hit, made.fault, made.since, flow.request.http_version)

    def _send(self, flow: http.HTTPFlow, made: Decision) -> None:
        """Send a request on, and record the answer. Raises Denied where the proxy has begun to stop."""
        self._desk.check_open()
        tape, marked = made.seat.tape, flow_state.of(flow)
        # In ``record`` the client goes first: whoever writes looks at the mark too, and writes nothing then.
        if tape.mode is Mode.RECORD_IF_MISSING and (doubt := self._desk.doubt(tape)):
            tape.counters.unavailable += 1
            self._desk.calls.other(Became.UNAVAILABLE, tape, made.route.sent_url, [doubt])
            flow.response = responses.answer(_unavailable(f"{made.route.sent_url}{tape.named}", doubt))
            return
        marked.leaves = True
        tape.counters.upstream += 1
        if made.fault:
            marked.fault = made.fault  # What comes is neither recorded nor shared.
            self._desk.calls.other(Became.NOT_RECORDED, tape, made.route.sent_url, ["a fault was injected"])
            return
        exchange = LiveRecording(
            tape,
            self.place,
            made.route,
            flow,
            body=flow_state.body_of(flow),
            test_id=marked.test_id,
            since=made.since,
            by=made.seat.by,
        )
        marked.exchange = exchange
        self._live.add(exchange)
        if made.asked and self._shares(tape) and not made.asked.moves_on:
            self._sharing.lead(flow, tape, made.asked, exchange.flight)

    async def _refusal_of(self, made: Decision, asked: RecordedRequest, host: str) -> wire.HttpResponse:
        what = asked.label + made.seat.tape.named
        try:
            if not made.unavailable:
                is_offline = self._connections.destinations.is_offline_for(host)
                told = await self._desk.explain(made.seat, asked, is_offline=is_offline)
                logger.warning("miss: %s: %s", what, told)
                self._desk.calls.miss(made.seat.tape, asked.label, told)
                return wire.error(404, told.text, "recording_not_found")
        except OSError as e:
            made.unavailable = str(e)
        self._desk.calls.other(Became.UNAVAILABLE, made.seat.tape, asked.label, [made.unavailable])
        return _unavailable(what, made.unavailable)

    async def wiretape_decide(self, asking: responses.Asking) -> None:
        """Decide on a request before there is a flow: the hook that our layers pause on."""
        made = asking.decision = await self._desk.decide(asking.call)
        if made and made.fault and (made.hit or made.fault.status):
            self._tell(made.fault, made.label, made.seat.tape)

    async def wiretape_follow(self, following: responses.Following) -> None:
        """Wait for more of a flight: the hook that a following stream pauses on."""
        follower, client = following.follower, following.client
        flight = follower.flight
        more, gone = asyncio.Event(), self._gone.setdefault(client.id, asyncio.Event())
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

    @staticmethod
    def _tell(fault: Fault, label: str, tape: Tape) -> None:
        tape.counters.faults += 1
        logger.warning("fault: %s: %s%s", fault, label, tape.named)

    async def _begin(self, flow: http.HTTPFlow, fault: Fault) -> None:
        marked = flow_state.of(flow)
        assert flow.response
        assert marked.seat
        self._tell(fault, marked.label, marked.seat.tape)
        if fault.ending and not flow.response.raw_content:
            responses.unframe(flow.response, flow.request.http_version)
        if fault.delay and not marked.play:
            await self.wiretape_wait(responses.Wait(fault.delay, flow.client_conn))

    async def wiretape_wait(self, wait: responses.Wait) -> None:
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
        marked = flow_state.of(flow)
        if marked.fault:
            await self._begin(flow, marked.fault)
        if exchange := marked.exchange:
            await self.journaling.open(exchange)
            exchange.tap(flow.response)
        elif not flow.response.raw_content and not flow.response.stream:
            flow.response.stream = True

    def response(self, flow: http.HTTPFlow) -> None:
        """The answer's end was seen."""
        if exchange := flow_state.of(flow).exchange:
            try:
                exchange.flight.end()
            finally:
                self._finish(exchange, EntryKind.ENDED)

    def error(self, flow: http.HTTPFlow) -> None:
        """The provider broke off or the client left: only this hook tells, the stream's end never comes."""
        if exchange := flow_state.of(flow).exchange:
            message = flow.error.msg if flow.error else "the answer broke off"
            left = not flow.client_conn.connected or "by client" in message
            try:
                exchange.flight.end(LEFT if left else message)
            finally:
                self._finish(exchange, EntryKind.ABANDONED if left else EntryKind.BROKE_OFF)

    def _finish(self, exchange: LiveRecording, how: EntryKind) -> None:
        if exchange not in self._live:
            return  # Finished before: when the proxy stops, its connections close after that.
        self._live.discard(exchange)
        exchange.finish(how)
        if exchange.state is State.HANDED_OVER:
            self.journaling.look()
        else:
            self.journaling.forget(exchange)
            self._land(exchange)

    def _land(self, exchange: LiveRecording) -> None:
        # Only now does a look-up find the recording: until now others could follow.
        self._sharing.land(exchange.flight)
        if not exchange.is_told:
            exchange.is_told = True
            became = Became.RECORDED if exchange.is_recorded else Became.NOT_RECORDED
            self._desk.calls.other(became, exchange.tape, exchange.url, exchange.log)


def _suit(answer: http.Response, asked: http.Request) -> None:
    """Make an answer of ours one to this request: for a web page, and for who wants to see the head alone."""
    origin = asked.headers.get("origin", "")
    if cors.is_origin(origin) and "access-control-allow-methods" not in answer.headers:
        responses.allow(answer, origin)
    if asked.method == "HEAD":
        answer.raw_content = b""


def _unavailable(what: str, why: str) -> wire.HttpResponse:
    logger.error("cannot be looked up: %s: %s", what, why)
    text = f"wiretape: the recordings cannot be looked up now ({why}), so nothing is sent to a provider."
    return wire.error(503, text, "recordings_unavailable", retry=True)


def _refusal(reason: str) -> wire.HttpResponse:
    return wire.error(404, f"{reason} nothing is sent to a provider.", "recording_not_found")
