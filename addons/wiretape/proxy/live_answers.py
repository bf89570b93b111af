"""The live answers that are under way: each is recorded, and may be shared. Between a flow's hooks and the journal.

``recorder`` is one of them, ``journaling`` what they go into, ``sharing`` who follows them.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from mitmproxy import http

from wiretape.journal.exchange_file import EntryKind
from wiretape.metrics.counters import Reason
from wiretape.proxy import flow_state
from wiretape.proxy.calls import EndpointRequest, Forwarded, Keeping
from wiretape.proxy.compat import tcp_reset
from wiretape.proxy.decide import Decider
from wiretape.proxy.journaling import Journaling
from wiretape.proxy.open_call import LEFT, OpenCall
from wiretape.proxy.recorder import LiveRecording, State
from wiretape.proxy.sharing import Sharing
from wiretape.replay.single_flight import FlightEnd
from wiretape.store.opening import StoreUrl

logger = logging.getLogger(__name__)


class LiveAnswers:
    """Sends requests on, and sees their answers to their ends. For the thread that carries the traffic."""

    def __init__(self, decider: Decider, sharing: Sharing) -> None:
        self._admission = decider.admission
        self._teller = decider.teller
        self._sharing = sharing
        self._under_way: set[LiveRecording] = set()
        self._finished = asyncio.Event()
        self._journaling = Journaling(self._land)
        # A slow disk delays neither the traffic nor a hit.
        self.aside = ThreadPoolExecutor(1, "wiretape-store")
        self._place: StoreUrl

    def use(self, place: StoreUrl, journal_limit: int) -> None:
        """From now on recordings go there, by way of a journal of at most so many bytes."""
        self._place = place
        self._journaling.limit = journal_limit

    def start(self, *, is_recording: bool) -> None:
        """See to what other proxies have left, and be ready to record."""
        self._journaling.start(is_recording=is_recording)

    async def stop(self, patience: float) -> None:
        """Cut off what is under way, and wait so many seconds at most until what has ended is written."""
        for exchange in [*self._under_way]:
            # First, or a client could get the rest of an answer that is taken for one that broke off.
            tcp_reset.abort(exchange.client)
            self._finish(exchange, EntryKind.ABANDONED)
        await self._journaling.stop(patience)
        await asyncio.to_thread(self.aside.shutdown, wait=True)

    def forward(self, flow: http.HTTPFlow, outcome: Forwarded, call: OpenCall, *, is_shared: bool) -> None:
        """Let a flow be sent on. ``is_shared``: equal requests may follow its answer.

        Raises AccessDeniedError where the proxy has begun to stop.
        """
        self._admission.check_open()
        request = outcome.request
        tape = request.grant.tape
        url = request.route.sent_url
        if outcome.looked_up and outcome.looked_up.why:
            why = outcome.looked_up.why
            logger.warning(
                "cannot be looked up, so it is sent to the provider: %s%s: %s", request.label, tape.named, why
            )
        state = flow_state.of(flow)
        state.leaves = True
        state.fault = outcome.fault
        tape.counters.upstream += 1
        match outcome.keeping:
            case Keeping.LIVE:
                call.pass_on("the mode is live")
                if outcome.fault:
                    call.why.append(f"fault: {outcome.fault}")
            case Keeping.FAULT:
                call.pass_on(f"fault: {outcome.fault}")
            case Keeping.UNREADABLE:
                tape.counters.not_recorded(Reason.REQUEST)
                call.pass_on(request.problem)
                logger.warning("not recorded: %s: %s%s", url, request.problem, tape.named)
            case Keeping.RECORDED:
                replaces = outcome.looked_up.replaces if outcome.looked_up else ""
                self._record(flow, request, call, replaces, is_shared=is_shared)

    def _record(
        self, flow: http.HTTPFlow, request: EndpointRequest, call: OpenCall, replaces: str, *, is_shared: bool
    ) -> None:
        state = flow_state.of(flow)
        assert state.request
        exchange = LiveRecording(
            request.grant.tape,
            self._place,
            request.route,
            flow,
            body=state.request.body,
            test_id=state.test_id,
            since=request.came_at,
            by=request.grant.by,
            call=call,
            replaces=replaces,
        )
        state.exchange = exchange
        self._under_way.add(exchange)
        if is_shared:
            self._sharing.lead(flow, request, exchange.flight)

    async def open(self, exchange: LiveRecording, response: http.Response) -> None:
        """Keep a copy of what passes from here on: the head of an answer has come."""
        await self._journaling.open(exchange)
        exchange.tap(response)

    def end(self, exchange: LiveRecording) -> None:
        """End an answer: its end was seen."""
        try:
            exchange.flight.end(FlightEnd.WHOLE)
        finally:
            self._finish(exchange, EntryKind.ENDED)

    def break_off(self, exchange: LiveRecording, message: str, *, by_client: bool) -> None:
        """End an answer that will not be whole: the provider broke off, or the client left. ``message`` says why."""
        exchange.log.append(LEFT if by_client else message)
        try:
            if by_client:
                exchange.flight.end(FlightEnd.LEFT)
            else:
                exchange.flight.end(FlightEnd.BROKE_OFF, message)
        finally:
            self._finish(exchange, EntryKind.ABANDONED if by_client else EntryKind.BROKE_OFF)

    def _finish(self, exchange: LiveRecording, how: EntryKind) -> None:
        if exchange not in self._under_way:
            return  # Finished before: when the proxy stops, its connections close after that.
        self._under_way.discard(exchange)
        self._finished.set()
        exchange.finish(how)
        if exchange.state is State.HANDED_OVER:
            self._journaling.look()
        else:
            self._journaling.forget(exchange)
            self._land(exchange)

    async def let_end(self, seconds: float) -> None:
        """Wait so many seconds at most until the answers have ended that are under way now.

        Its client may have read all of an answer, as a stream tells its end by itself, while the end of its body is
        still on the way.
        """
        under_way = {*self._under_way}
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while under_way & self._under_way:
                    self._finished.clear()
                    await self._finished.wait()

    def _land(self, exchange: LiveRecording) -> None:
        # Only now does a look-up find the recording: until now others could follow.
        self._sharing.land(exchange.flight)
        call = exchange.call
        self._teller.land(exchange.flight, call.recording, call.model, exchange.usage)
        exchange.tell()
