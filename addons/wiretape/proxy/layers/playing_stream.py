"""mitmproxy's stream of a request, whose answer can be one of ours: played in its time, shared, or stopped by a fault.

An answer of ours is a ``Play`` (of a recording, or a fault that is a status) or a live answer of another request that
this one follows; ``replay.playback`` says of both what leaves when. A live answer of its own server passes through the
base class, and through a fault where it meets one. All that is not ours to answer is the base class's, with every
event.

    state      what happens in it                       goes on to
    READING    the request is read before there is a flow (``direct_stream``, as is all of DECIDING)
                                                        DECIDING, PLAYING, ENDED, DELEGATED
    DECIDING   the addon says what becomes of it        PLAYING, DELEGATED
    DELEGATED  the base class has request and response  PLAYING, FOLLOWING: the flow's response is one of ours
                                                        STALLED, ENDED: a fault stops a live answer
    PLAYING    an answer leaves, in its time            DELEGATED: it is whole, and its flow has to be ended
                                                        ENDED: it is whole and has no flow, or is reset
                                                        STALLED: it stops, on purpose
    FOLLOWING  a live answer leaves as it comes         DELEGATED: it is whole
                                                        ENDED: it broke off
    STALLED    nothing leaves any more                  ENDED: the client has gone
    ENDED      nothing that a server still does is of interest

A client that goes leads to ENDED from PLAYING, FOLLOWING and STALLED: no server is told, for none knows. It is seen
while the stream waits for a hook, too: before anything more is sent.
"""

from collections.abc import Sequence
from enum import Enum, auto

from mitmproxy import flow, http
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers.http import DropStream, SendHttp
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook

from wiretape.proxy import flow_state, framing, responses
from wiretape.proxy.calls import now
from wiretape.proxy.framing import Play
from wiretape.proxy.layers.admitted_stream import AdmittingStream
from wiretape.proxy.layers.hooks import Following, Wait, WiretapeFollowHook, WiretapeResetHook, WiretapeWaitHook
from wiretape.proxy.open_call import FAILED, LEFT
from wiretape.replay.playback import FaultedPassage, Playback, Step, Then
from wiretape.replay.single_flight import Follower


class State(Enum):
    """What a stream does: see the table in this module's head."""

    READING = auto()
    DECIDING = auto()
    DELEGATED = auto()
    PLAYING = auto()
    FOLLOWING = auto()
    STALLED = auto()
    ENDED = auto()


class PlayingStream(AdmittingStream):
    """mitmproxy's stream of one request and response, with answers of ours."""

    def __init__(self, context: context.Context, stream_id: int, limit: int) -> None:
        """``limit``: bytes of a body that are kept."""
        super().__init__(context, stream_id, limit)
        self._state = State.DELEGATED
        self._play: Play | None = None
        """The answer, while it is played."""
        self._passage: FaultedPassage | None = None
        """What a live answer goes through, where it meets a fault."""

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self._is_over:
            yield from self._after_the_end(event)
        elif isinstance(event, events.Wakeup):
            if self._state is State.PLAYING:
                assert self._play
                yield from self._advance(self._play)
        elif self._state is State.DELEGATED or self._has_flow:
            yield from self._to_base(event)
        elif isinstance(event, RequestProtocolError):
            yield from self._let_go()

    @property
    def _has_flow(self) -> bool:
        return hasattr(self, "flow")

    # -- PLAYING -----------------------------------------------------------------------------------------------------

    def send_response(self, already_streamed: bool = False) -> layer.CommandGenerator[None]:
        """As the base class, but for a response that is played, or shared."""
        state = flow_state.of(self.flow)
        if already_streamed or (state.play is None and state.follow is None):
            yield from super().send_response(already_streamed)
            return
        assert self.flow.response
        if state.follow:
            yield from self._follow(state.follow, self.flow.response)
        elif state.play:
            state.play.use_head(self.flow.response)  # Addons have seen it, and may have changed it.
            yield from self._begin(state.play)

    def _begin(self, play: Play) -> layer.CommandGenerator[None]:
        self._state = State.PLAYING
        self._play = play
        yield from self._advance(play)

    def _advance(self, play: Play) -> layer.CommandGenerator[None]:
        step = play.advance(now())
        if step.has_head:
            yield self._head(play.head)
        if step.chunks:
            yield from self._send(play, step.chunks)
        match step.then:
            case Then.WAIT:
                yield commands.RequestWakeup(step.wait_s)
            case Then.FINISH:
                yield from self._finish()
            case Then.STALL:
                self._state = State.STALLED
            case Then.RESET:
                yield from self._reset()

    def _head(self, head: http.Response) -> SendHttp:
        return SendHttp(ResponseHeaders(self.stream_id, head, end_stream=False), self.context.client)

    def _data(self, data: bytes) -> SendHttp:
        return SendHttp(ResponseData(self.stream_id, data), self.context.client)

    def _send(self, play: Play, chunks: Sequence[bytes]) -> layer.CommandGenerator[None]:
        if self.context.client.alpn != b"h2":
            # As the HTTP/1.1 layer would, but not each chunk by itself.
            yield commands.SendData(self.context.client, framing.body_bytes(chunks, is_chunked=play.is_chunked))
        elif play.is_in_parts:
            for chunk in chunks:
                yield self._data(chunk)
        else:
            yield self._data(b"".join(chunks))  # HTTP/2 has frames of its own.

    # -- FOLLOWING ---------------------------------------------------------------------------------------------------

    def _follow(self, follower: Follower, head: http.Response) -> layer.CommandGenerator[None]:
        self._state = State.FOLLOWING
        playback = Playback(follower)
        while not self._client_left():  # Else the event that says so comes next.
            step = playback.advance(now())
            if step.has_head:
                yield self._head(head)
            for piece in step.chunks:
                yield self._data(piece)
            if step.then is not Then.FOLLOW:
                yield from self._end_following(step)
                return
            following = Following(follower, self.context.client)
            yield WiretapeFollowHook(following)
            if following.has_failed:
                yield from self._break_off("wiretape failed")
                return

    def _end_following(self, step: Step) -> layer.CommandGenerator[None]:
        if step.then is Then.BREAK_OFF:
            yield from self._break_off(step.reason)
        else:
            yield from self._finish()

    def _client_left(self) -> bool:
        """Return whether the client has gone while the stream was waiting for a hook."""
        return any(isinstance(event, RequestProtocolError) for event in self._paused_event_queue)

    # -- a live answer with a fault ----------------------------------------------------------------------------------

    def start_response_stream(self) -> layer.CommandGenerator[None]:
        """As the base class; a fault can stop a live answer after its head."""
        yield from super().start_response_stream()
        if fault := flow_state.of(self.flow).fault:
            self._passage = FaultedPassage(fault)
            yield from self._stop_live(self._passage.begin())

    def state_stream_response_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As the base class; the pieces of a live answer with a fault go through it."""
        passage = self._passage
        if passage and isinstance(event, ResponseData):
            yield from self._pass_on(passage, event.data)
            return
        if passage and passage.has_missed and isinstance(event, ResponseEndOfMessage):
            responses.log_missed(passage.fault, passage.count)
        yield from super().state_stream_response_body(event)

    def _pass_on(self, passage: FaultedPassage, piece: bytes) -> layer.CommandGenerator[None]:
        if passage.fault.slow and not self._client_left():
            yield WiretapeWaitHook(Wait(passage.fault.slow, self.context.client))
        step = passage.take(piece)
        watch = self.flow.response.stream if self.flow.response else None
        for sent in step.chunks:
            if callable(watch):
                watch(sent)
            if self.context.options.store_streamed_bodies:
                self.response_body_buf += sent
            yield self._data(sent)
        yield from self._stop_live(step)

    def _stop_live(self, step: Step) -> layer.CommandGenerator[None]:
        """Stop a live answer here, where the step says so."""
        if step.then is Then.FOLLOW:
            return
        # Nobody is going to read the rest: the provider need not make it.
        left = RequestProtocolError(self.stream_id, "stopped by a fault", ErrorCode.CANCEL)
        self._state = State.ENDED
        yield SendHttp(left, self.context.server)
        match step.then:
            case Then.STALL:
                self._state = State.STALLED
            case Then.FINISH:
                yield from super().send_response(already_streamed=True)
            case Then.RESET:
                yield from self._reset()
        self.server_state = self.state_errored

    # -- ENDED -------------------------------------------------------------------------------------------------------

    def _finish(self) -> layer.CommandGenerator[None]:
        """End an answer of ours as the protocol does."""
        self._play = None
        if self._has_flow:
            self._state = State.DELEGATED
            yield from super().send_response(already_streamed=True)
            return
        self._state = State.ENDED
        yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)
        yield DropStream(self.stream_id)

    def _reset(self) -> layer.CommandGenerator[None]:
        if self.context.client.alpn not in (b"h2", b"h3"):
            yield WiretapeResetHook(self.context.client)
        yield from self._break_off("reset by a fault")

    def _break_off(self, message: str) -> layer.CommandGenerator[None]:
        yield from self._tell_of_error(message)
        error = ResponseProtocolError(self.stream_id, message, ErrorCode.GENERIC_SERVER_ERROR)
        yield SendHttp(error, self.context.client)
        yield from self._let_go()

    def _tell_of_error(self, message: str) -> layer.CommandGenerator[None]:
        if self._has_flow:
            self.flow.error = flow.Error(message)
            yield HttpErrorHook(self.flow)
            self.flow.live = False

    def _fail_closed(self) -> layer.CommandGenerator[None]:
        if self._play:
            self._play.leave(FAILED)
        yield from super()._fail_closed()

    def _let_go(self) -> layer.CommandGenerator[None]:
        """Nothing more comes of this stream."""
        self._state = State.ENDED
        if self._play:
            self._play.leave(LEFT)
        self._play = None
        self.client_state = self.server_state = self.state_errored
        yield DropStream(self.stream_id)

    def handle_protocol_error(
        self, event: RequestProtocolError | ResponseProtocolError
    ) -> layer.CommandGenerator[None]:
        """As the base class; a client that leaves ends an answer of ours, of which no server knows."""
        if self._state in (State.ENDED, State.STALLED) and isinstance(event, ResponseProtocolError):
            return
        if self._state not in (State.PLAYING, State.FOLLOWING, State.STALLED):
            yield from super().handle_protocol_error(event)
            return
        self._state = State.ENDED
        yield from self._tell_of_error(event.message)
        yield from self._let_go()
