"""An answer of ours that leaves piece by piece: mitmproxy's HTTP layer, with a stream that can play and follow.

A response that an addon sets goes out in one piece. Here mitmproxy's own layer is used with another kind of stream,
which sends a hit as its chunks, each in its time, and a flight that it follows as its pieces come; all else is left to
the base class. Events in, commands out, as any layer.
"""

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
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook

from wiretape.flight import Flight
from wiretape.tape import Hit

PLAY = "wiretape.play"
FOLLOW = "wiretape.follow"
"""The keys of a flow's metadata that hold its Play, or the Flight that it follows."""

_EARLY = 0.0005
"""Seconds by which a chunk may leave early: a timer for less would be later than that."""


@dataclass(frozen=True, slots=True)
class Play:
    """Chunks and when each is to leave: seconds on the clock of ``time.monotonic``."""

    chunks: Sequence[bytes]
    leaving: Sequence[float]


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


def play(asked: http.HTTPFlow, hit: Hit, since: float) -> None:
    """Set a hit as the flow's response. ``since`` is when the request's last byte came."""
    made = http.Response.make(hit.answer.status, hit.answer.body, dict(hit.answer.headers))
    if len(hit.answer.chunks) > 1 or any(hit.leaving):
        asked.metadata[PLAY] = Play(hit.answer.chunks, [since + moment for moment in hit.leaving])
        if len(hit.answer.chunks) > 1:
            del made.headers["content-length"]
            _frame(asked, made)
    asked.response = made


def follow(asked: http.HTTPFlow, flight: Flight) -> None:
    """Set a flight whose head has come as the flow's response."""
    asked.metadata[FOLLOW] = flight
    made = http.Response.make(flight.status, b"")
    made.headers = http.Headers([(name.encode("latin-1"), value.encode("latin-1")) for name, value in flight.headers])
    for name in ("transfer-encoding", "connection", "keep-alive"):
        made.headers.pop(name, None)
    _frame(asked, made)
    asked.response = made


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
    _playing = False

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
            if any(isinstance(event, RequestProtocolError) for event in self._paused_event_queue):
                self._playing = True
                return  # The client has gone: the event that says so comes next.
            for piece in flight.pieces[sent:]:
                sent += 1
                yield SendHttp(ResponseData(self.stream_id, piece), self.context.client)
            if not flight.ended:
                yield WiretapeFollowHook(Following(flight, sent, self.context.client))
        if flight.failure:
            self.flow.error = flow.Error(flight.failure)
            yield HttpErrorHook(self.flow)
            yield SendHttp(
                ResponseProtocolError(self.stream_id, flight.failure, ErrorCode.GENERIC_SERVER_ERROR),
                self.context.client,
            )
            self.client_state = self.server_state = self.state_errored
            self.flow.live = False
            yield DropStream(self.stream_id)
        else:
            yield from super().send_response(already_streamed=True)

    def _send_due(self) -> layer.CommandGenerator[None]:
        assert self._play
        while self._next < len(self._play.chunks):
            wait = self._play.leaving[self._next] - time.monotonic()
            if wait > _EARLY:
                yield commands.RequestWakeup(wait)
                return
            yield SendHttp(ResponseData(self.stream_id, self._play.chunks[self._next]), self.context.client)
            self._next += 1
        self._play = None
        yield from super().send_response(already_streamed=True)

    def handle_protocol_error(
        self, event: RequestProtocolError | ResponseProtocolError
    ) -> layer.CommandGenerator[None]:
        """As the base class; a client that leaves ends a play, of which no server knows."""
        if self._play is None and not self._playing:
            yield from super().handle_protocol_error(event)
            return
        self._play, self._playing = None, False
        self.client_state = self.server_state = self.state_errored
        self.flow.error = flow.Error(event.message)
        yield HttpErrorHook(self.flow)
        self.flow.live = False
        yield DropStream(self.stream_id)
