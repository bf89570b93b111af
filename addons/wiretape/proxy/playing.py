"""An answer of ours that leaves piece by piece: mitmproxy's HTTP layer, with a stream that can play and follow.

A response that an addon sets goes out in one piece. Here mitmproxy's own layer is used with another kind of stream,
which sends a hit as its chunks, each in its time, and a flight that it follows as its pieces come, and which does to an
answer what a fault asks for; all else is left to the base class. Events in, commands out, as any layer.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from mitmproxy import connection, flow, http
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers.http import DropStream, HttpLayer, HttpStream, SendHttp
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook

from wiretape import faults
from wiretape.faults import Ending, Fault
from wiretape.flight import Flight
from wiretape.tape import Hit

logger = logging.getLogger(__name__)

PLAY = "wiretape.play"
FOLLOW = "wiretape.follow"
FAULT = "wiretape.fault"
"""The keys of a flow's metadata that hold its Play, the Flight that it follows, the Fault of its answer."""

_EARLY = 0.001
"""Seconds by which a chunk may leave early: timers are up to a millisecond late, and its way takes time."""


@dataclass(frozen=True, slots=True)
class Play:
    """Chunks and when each is to leave: seconds on the clock of ``time.monotonic``."""

    chunks: Sequence[bytes]
    leaving: Sequence[float]
    ending: Ending | None = None
    """What comes after the chunks, where it is not the answer's end."""


@dataclass(frozen=True, slots=True)
class Following:
    """How far a stream has followed a flight, and for whom."""

    flight: Flight
    seen: int
    """Pieces that it has sent on."""
    client: connection.Client


@dataclass
class WiretapeFollowHook(commands.StartHook):
    """Completes when the flight has more pieces, or has ended, or the client has gone."""

    following: Following


@dataclass(frozen=True, slots=True)
class Wait:
    """So many seconds, for whom."""

    seconds: float
    client: connection.Client


@dataclass
class WiretapeWaitHook(commands.StartHook):
    """Completes after so many seconds, or when the client has gone."""

    wait: Wait


@dataclass
class WiretapeResetHook(commands.StartHook):
    """Completes when the client's connection has been reset, where it is one that can be."""

    client: connection.Client


def play(asked: http.HTTPFlow, hit: Hit, since: float) -> None:
    """Set a hit as the flow's response. ``since`` is when the request's last byte came."""
    fault: Fault = asked.metadata.get(FAULT) or Fault()
    chunks, leaving, ending = faults.applied(fault, hit.answer.chunks, hit.leaving)
    if hit.answer.broken and ending is None:
        ending = Ending.RESET
    made = http.Response.make(hit.answer.status, b"".join(chunks), dict(hit.answer.headers))
    if len(chunks) > 1 or any(leaving) or ending:
        asked.metadata[PLAY] = Play(chunks, [since + moment for moment in leaving], ending)
        if len(chunks) > 1 or ending:
            unframe(asked, made)
    asked.response = made
    if fault.missed(len(hit.answer.chunks)):
        _log_missed(fault, len(hit.answer.chunks))


def follow(asked: http.HTTPFlow, flight: Flight) -> None:
    """Set a flight whose head has come as the flow's response."""
    asked.metadata[FOLLOW] = flight
    made = http.Response.make(flight.status, b"")
    made.headers = http.Headers([(name.encode("latin-1"), value.encode("latin-1")) for name, value in flight.headers])
    for name in ("transfer-encoding", "connection", "keep-alive"):
        made.headers.pop(name, None)
    _frame(asked, made)
    asked.response = made


def unframe(asked: http.HTTPFlow, made: http.Response) -> None:
    """Announce no length: the body will have another one."""
    made.headers.pop("content-length", None)
    _frame(asked, made)


def _log_missed(fault: Fault, count: int) -> None:
    logger.warning("fault: %s: was not all reached: the answer had %d chunks", fault, count)


def _frame(asked: http.HTTPFlow, made: http.Response) -> None:
    # A body of unknown length: chunked; HTTP/2 has its own frames, HTTP/1.0 the connection's end.
    if "content-length" not in made.headers and asked.request.http_version == "HTTP/1.1":
        made.headers["transfer-encoding"] = "chunked"


def replace_http_layer(decided: layer.Layer) -> layer.Layer:
    """The layers that mitmproxy decided on, with a PlayingLayer in place of its HTTP layer; the first of them."""
    parent, current = None, decided
    while not isinstance(current, HttpLayer):
        child = getattr(current, "child_layer", None)
        if not isinstance(child, layer.Layer):
            return decided
        parent, current = current, child
    if isinstance(current, PlayingLayer):
        return decided
    stack = current.context.layers
    place = stack.index(current)
    playing = PlayingLayer(current.context, current.mode)
    stack.remove(playing)  # A layer puts itself at the end.
    stack[place] = playing
    if parent is None:
        return playing
    parent.child_layer = playing  # type: ignore[attr-defined]
    return decided


class PlayingLayer(HttpLayer):
    """mitmproxy's HTTP layer, whose streams can play."""

    def make_stream(self, stream_id: int) -> layer.CommandGenerator[None]:
        """As the base class, with a PlayingStream."""
        context = self.context.fork()
        self.streams[stream_id] = PlayingStream(context, stream_id)
        yield from self.event_to_child(self.streams[stream_id], events.Start())


class PlayingStream(HttpStream):
    """mitmproxy's stream of one request and response; a response with a Play leaves chunk by chunk."""

    _play: Play | None = None
    _next = 0
    """Chunks that have been sent, of a play or through a fault."""
    _playing = False
    """Whether the answer is ours without a play: it follows, or it stalls."""
    _stopped = False
    """Whether a fault has ended the answer: what the server still does is of no interest."""

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.Wakeup):
            if self._play:
                yield from self._send_due()
        else:
            yield from super()._handle_event(event)

    def send_response(self, already_streamed: bool = False) -> layer.CommandGenerator[None]:
        """As the base class, but for a response with a Play."""
        play: Play | None = self.flow.metadata.get(PLAY)
        flight: Flight | None = self.flow.metadata.get(FOLLOW)
        if already_streamed or (play is None and flight is None):
            yield from super().send_response(already_streamed)
            return
        assert self.flow.response
        yield SendHttp(ResponseHeaders(self.stream_id, self.flow.response, end_stream=False), self.context.client)
        if flight:
            yield from self._follow(flight)
        else:
            self._play = play
            yield from self._send_due()

    def _follow(self, flight: Flight) -> layer.CommandGenerator[None]:
        sent = 0
        while sent < len(flight.pieces) or not flight.ended:
            if self._client_left():
                self._playing = True
                return  # The client has gone: the event that says so comes next.
            for piece in flight.pieces[sent:]:
                sent += 1
                yield SendHttp(ResponseData(self.stream_id, piece), self.context.client)
            if not flight.ended:
                yield WiretapeFollowHook(Following(flight, sent, self.context.client))
        if flight.failure:
            yield from self._fail(flight.failure)
        else:
            yield from super().send_response(already_streamed=True)

    def _fail(self, message: str) -> layer.CommandGenerator[None]:
        self.flow.error = flow.Error(message)
        yield HttpErrorHook(self.flow)
        yield SendHttp(
            ResponseProtocolError(self.stream_id, message, ErrorCode.GENERIC_SERVER_ERROR), self.context.client
        )
        self.client_state = self.server_state = self.state_errored
        self.flow.live = False
        yield DropStream(self.stream_id)

    def _send_due(self) -> layer.CommandGenerator[None]:
        assert self._play
        while self._next < len(self._play.chunks):
            wait = self._play.leaving[self._next] - time.monotonic()
            if wait > _EARLY:
                yield commands.RequestWakeup(wait - _EARLY)
                return
            yield SendHttp(ResponseData(self.stream_id, self._play.chunks[self._next]), self.context.client)
            self._next += 1
        ending, self._play = self._play.ending, None
        if ending:
            yield from self._stop(ending)
        else:
            yield from super().send_response(already_streamed=True)

    def start_response_stream(self) -> layer.CommandGenerator[None]:
        """As the base class; a fault can stop a live answer after its head."""
        yield from super().start_response_stream()
        fault: Fault | None = self.flow.metadata.get(FAULT)
        if fault and (ending := fault.ending_after(0)):
            yield from self._stop(ending)

    def state_stream_response_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As the base class; the pieces of a live answer with a fault go through it."""
        fault: Fault | None = self.flow.metadata.get(FAULT)
        if fault and isinstance(event, ResponseData):
            yield from self._send_faulty(fault, event.data)
            return
        if fault and isinstance(event, ResponseEndOfMessage) and fault.missed(self._next):
            _log_missed(fault, self._next)
        yield from super().state_stream_response_body(event)

    def _send_faulty(self, fault: Fault, piece: bytes) -> layer.CommandGenerator[None]:
        if fault.slow and not self._client_left():
            yield WiretapeWaitHook(Wait(fault.slow, self.context.client))
        self._next += 1
        sent = fault.chunk(self._next, piece)
        if self.context.options.store_streamed_bodies:
            self.response_body_buf += sent
        yield SendHttp(ResponseData(self.stream_id, sent), self.context.client)
        if ending := fault.ending_after(self._next):
            yield from self._stop(ending)

    def _stop(self, ending: Ending) -> layer.CommandGenerator[None]:
        """Stop the answer here, before its end."""
        live, self._stopped = self.server_state == self.state_stream_response_body, True
        if live:
            # Nobody is going to read the rest: the provider need not make it.
            left = RequestProtocolError(self.stream_id, "stopped by a fault", ErrorCode.CANCEL)
            yield SendHttp(left, self.context.server)
        if ending is Ending.STALL:
            self._playing = True
        elif ending is Ending.END:
            yield from super().send_response(already_streamed=True)
        else:
            if not (self.flow.request.is_http2 or self.flow.request.is_http3):
                yield WiretapeResetHook(self.context.client)
            yield from self._fail("reset by a fault")
        self.server_state = self.state_errored

    def _client_left(self) -> bool:
        return any(isinstance(event, RequestProtocolError) for event in self._paused_event_queue)

    def handle_protocol_error(
        self, event: RequestProtocolError | ResponseProtocolError
    ) -> layer.CommandGenerator[None]:
        """As the base class; a client that leaves ends a play, of which no server knows."""
        if self._stopped and isinstance(event, ResponseProtocolError):
            return
        if self._play is None and not self._playing:
            yield from super().handle_protocol_error(event)
            return
        self._play, self._playing = None, False
        self.client_state = self.server_state = self.state_errored
        self.flow.error = flow.Error(event.message)
        yield HttpErrorHook(self.flow)
        self.flow.live = False
        yield DropStream(self.stream_id)
