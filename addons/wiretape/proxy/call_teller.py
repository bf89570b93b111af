"""Tells the log what became of each call to a provider's API: each once, when its answer has ended. Beside ``decide``.

A call comes to its end on one of these roads; whoever sees it there calls ``end``, or here:

====================================  ================================================================================
a hit in memory that goes out whole   ``hit``, by the layer that sends it: what it costs is on the way of each hit
an answer of ours that is played      ``OpenCall.step``, with each step of its playback
a live answer under recording         ``OpenCall.end``, when its recording is written, or it is known why there is none
any other answer of a flow            ``OpenCall.end``, by the hook ``response`` or ``error`` of its flow
an answer that follows another one    the same, and then when that one is recorded, whose tokens it has
====================================  ================================================================================

What has not come to its end when the proxy stops is told then. Who was not let in has made no call, nor has whoever
asks for a host that is no provider's.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from wiretape import redaction
from wiretape.call_log.call import Call, MissTold, Outcome
from wiretape.call_log.log import CallLog
from wiretape.call_log.preparing import CallTemplate
from wiretape.codecs import printable
from wiretape.providers.routing import Route
from wiretape.providers.usage import Usage
from wiretape.proxy.admission import Grant
from wiretape.proxy.call_report import CallReport
from wiretape.proxy.calls import Faulted, IncomingRequest, Replayed, RequestHead, now
from wiretape.proxy.calls import Outcome as Decided
from wiretape.proxy.open_call import FAILED, OpenCall
from wiretape.replay.single_flight import SharedResponse
from wiretape.tape.hit import NOTHING, Hit
from wiretape.tape.mismatch import Explanation

_SCOPES = 64
"""Scopes of which a hit remembers how its calls are told."""


class CallTeller:
    """For the thread that carries the traffic; the log has one of its own."""

    def __init__(self, report: CallReport | None, route: Callable[[RequestHead], Route | None]) -> None:
        """``report`` counts misses. ``route`` tells where a request leads; it is asked in the log's thread."""
        self.report = report or CallReport()
        self.log: CallLog | None = None
        """What is told; None where nobody wants to know."""
        self._route = route
        self._open: set[OpenCall] = set()
        self._followers: dict[SharedResponse, list[OpenCall]] = {}
        """The calls that have got a live answer of which it is not known yet whether it is recorded."""
        self._waiting: set[asyncio.Event] = set()
        """Set when another call is told."""

    def stop(self) -> None:
        """Tell what has not come to its end."""
        for call in [*self._open]:
            call.end("the proxy stopped")
        for flight in [*self._followers]:
            self.land(flight)

    async def settle(self, session: str, seconds: float) -> bool:
        """Wait until all calls of a session are told whose answers have ended; without a name, those of all sessions.

        Return whether they are, in time.
        """
        end = now() + seconds
        while any(call.is_over and session in ("", call.grant.tape.session) for call in self._open):
            told = asyncio.Event()
            self._waiting.add(told)
            try:
                await asyncio.wait_for(told.wait(), max(0.0, end - now()))
            except TimeoutError:
                return False
            finally:
                self._waiting.discard(told)
        return self.log is not None and await asyncio.to_thread(self.log.flush, max(0.0, end - now()))

    # -- calls that take a while -------------------------------------------------------------------------------------

    def open(self, grant: Grant, came_at: float) -> OpenCall:
        """Return a call whose request has come: it is told when it has ended."""
        call = OpenCall(grant, came_at, self._tell)
        if self.log:
            self._open.add(call)
        return call

    def open_play(self, decided: Decided | None) -> OpenCall | None:
        """Return the call of an answer of ours that is about to be played; None where nobody wants to know of it."""
        if self.log is None:
            return None
        match decided:
            case Replayed():
                call = self.open(decided.request.grant, decided.request.came_at)
                call.ask(decided.request)
                call.replay(decided.hit, decided.fault)
            case Faulted():
                call = self.open(decided.request.grant, decided.request.came_at)
                call.ask(decided.request)
                call.fault(decided.fault)
            case _:
                return None
        return call

    def fail(self, request: IncomingRequest) -> None:
        """Tell a call on which something of ours has failed: it is refused."""
        call = self.open(request.grant, request.came_at)
        if route := self._route(request.head):
            call.lead(route, route.sent_url)
        call.status = 500
        call.refuse(FAILED)
        call.end()

    def miss(self, call: OpenCall, why: Explanation | str) -> None:
        """Note that a call is refused, as it has no recording, and count it."""
        call.outcome = Outcome.MISS
        if isinstance(why, Explanation):
            call.miss = MissTold(why.hash, why.nearest, why.difference, why.text, why.hint)
        else:
            call.miss = MissTold(difference=why)
        line = f"{call.request}{call.grant.tape.named}: {why}"
        self.report.miss(printable.line(redaction.DEFAULT.text(line)))

    def _tell(self, call: OpenCall) -> None:
        self._open.discard(call)
        for each in self._waiting:
            each.set()
        if self.log is None or call.outcome is None:
            return
        followers = self._followers.get(call.leader) if call.leader else None
        if followers is None:
            self.log.add(call.made)
        else:
            followers.append(call)

    # -- live answers that several share -----------------------------------------------------------------------------

    def lead(self, flight: SharedResponse) -> None:
        """A live answer has begun that others may follow: their calls are told when it has landed."""
        if self.log:
            self._followers[flight] = []

    def land(self, flight: SharedResponse, recording: str = "", model: str = "", usage: Usage = NOTHING) -> None:
        """A live answer is recorded, under a name, or is not; those who have followed it have got its tokens."""
        followers = self._followers.pop(flight, None)
        if followers is None:
            return
        under_way = [call for call in self._open if call.leader is flight]
        for call in (*followers, *under_way):
            call.recording = recording
            call.recorded_in = call.grant.tape.session if recording else ""
            call.model = model or call.model
            call.usage = usage
        for call in followers:
            self._tell(call)

    # -- hits in memory ----------------------------------------------------------------------------------------------

    def hit(self, request: IncomingRequest, hit: Hit) -> None:
        """Tell a hit that goes out now, in one piece: on the way of each of them."""
        if self.log is None:
            return
        grant = request.grant
        key = grant.client, grant.scope.id if grant.scope else ""
        template = hit.told.get(key)
        if template is None:
            if len(hit.told) >= _SCOPES:
                hit.told.clear()
            template = hit.told[key] = CallTemplate(partial(self._hit_made, request.head, grant, hit))
        self.log.add_like(template, request.came_at, now())

    def open_hit(self, request: IncomingRequest, hit: Hit) -> OpenCall | None:
        """Return the call of a hit in memory that is about to be played; None where nobody wants to know of it."""
        if self.log is None:
            return None
        call = self.open(request.grant, request.came_at)
        self._replay(call, request.head, hit)
        return call

    def _hit_made(self, head: RequestHead, grant: Grant, hit: Hit) -> Call:
        call = OpenCall(grant, 0.0, self._tell)
        self._replay(call, head, hit)
        return call.made()

    def _replay(self, call: OpenCall, head: RequestHead, hit: Hit) -> None:
        call.test_id = head.test_id or ""
        if route := self._route(head):
            call.lead(route, hit.label)
        call.replay(hit)
