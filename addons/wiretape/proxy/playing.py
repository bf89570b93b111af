"""A replay that leaves chunk by chunk, in its time: mitmproxy's HTTP layer, with a stream that can play.

A response that an addon sets goes out in one piece. Here mitmproxy's own layer is used with another kind of stream,
which sends such a response as its chunks; all else is left to the base class. Events in, commands out, as any layer.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from mitmproxy import flow, http
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers.http import DropStream, HttpLayer, HttpStream, SendHttp
from mitmproxy.proxy.layers.http._events import (
    RequestProtocolError,
    ResponseData,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook

from wiretape.tape import Hit

PLAY = "wiretape.play"
"""The key of a flow's metadata that holds its Play."""

_EARLY = 0.0005
"""Seconds by which a chunk may leave early: a timer for less would be later than that."""


@dataclass(frozen=True, slots=True)
class Play:
    """Chunks and when each is to leave: seconds on the clock of ``time.monotonic``."""

    chunks: Sequence[bytes]
    leaving: Sequence[float]


def answer(asked: http.HTTPFlow, hit: Hit, since: float) -> None:
    """Set a hit as the flow's response. ``since`` is when the request's last byte came."""
    made = http.Response.make(hit.answer.status, hit.answer.body, dict(hit.answer.headers))
    if len(hit.answer.chunks) > 1 or any(hit.leaving):
        asked.metadata[PLAY] = Play(hit.answer.chunks, [since + moment for moment in hit.leaving])
        if len(hit.answer.chunks) > 1:
            # The framing of a stream: chunked, or HTTP/2's own, or until the connection's end.
            del made.headers["content-length"]
            if asked.request.http_version == "HTTP/1.1":
                made.headers["transfer-encoding"] = "chunked"
    asked.response = made


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

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.Wakeup):
            if self._play:
                yield from self._send_due()
        else:
            yield from super()._handle_event(event)

    def send_response(self, already_streamed: bool = False) -> layer.CommandGenerator[None]:
        """As the base class, but for a response with a Play."""
        play: Play | None = self.flow.metadata.get(PLAY)
        if already_streamed or play is None:
            yield from super().send_response(already_streamed)
            return
        assert self.flow.response
        self._play = play
        yield SendHttp(ResponseHeaders(self.stream_id, self.flow.response, end_stream=False), self.context.client)
        yield from self._send_due()

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
        if self._play is None:
            yield from super().handle_protocol_error(event)
            return
        self._play = None
        self.client_state = self.server_state = self.state_errored
        self.flow.error = flow.Error(event.message)
        yield HttpErrorHook(self.flow)
        self.flow.live = False
        yield DropStream(self.stream_id)
