"""HTTP/1.1 without a flow: a layer in place of mitmproxy's HTTP layer that answers hits, and delegates all else.

It reads a client's requests one at a time. One that has a recording is answered here, at once or piece by piece; with
everything else (a miss, another host, anything unusual) the connection is delegated for good to ``PlayingLayer``, which
gets every byte that was not answered, and sees what it would have seen without this layer. Events in, commands out.

    state      what happens in it                    goes on to
    READING    a request comes                       READING: its answer was in memory, and went out at once
                                                     DECIDING: it may be answered here
                                                     DELEGATED: it may not, or is unusual
    DECIDING   the addon says what becomes of it     PLAYING: an answer of ours
                                                     DELEGATED: it is to be sent to a provider
    PLAYING    its answer leaves, in its time        READING: it is whole, and another request may follow
                                                     CLOSED: it is whole and the last, or is reset
                                                     STALLED: it stops, on purpose
    STALLED    nothing leaves any more               CLOSED: the client has gone
    CLOSED     the connection is closed, or about to be
    DELEGATED  another layer has the connection

A client that goes leads to CLOSED from READING, PLAYING and STALLED; a layer that fails, or a client that sends too
much ahead, to DELEGATED: the layer that has the connection then refuses and closes it. What a client sends while
its request is played is read when that has ended, in its order; while one is decided on, mitmproxy keeps it.
"""

from collections import deque
from enum import Enum, auto

from mitmproxy import http
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers.http import HTTPMode

from wiretape.codecs.http1 import Reader, Request, Unusual
from wiretape.proxy import framing, responses
from wiretape.proxy.calls import LARGEST, IncomingRequest, Outcome, now
from wiretape.proxy.decide import Decider
from wiretape.proxy.framing import Play
from wiretape.proxy.layers.hooks import Asking, WiretapeDecideHook, WiretapeResetHook
from wiretape.proxy.layers.http import PlayingLayer
from wiretape.proxy.layers.http1_heads import Http1Heads
from wiretape.proxy.layers.refusing import FailsClosed
from wiretape.proxy.open_call import FAILED, LEFT
from wiretape.replay.playback import Step, Then
from wiretape.sessions.access import AccessDeniedError
from wiretape.tape.hit import Hit

_AHEAD = 1_000_000
"""Bytes that a client may send while a request before them is being answered."""


class State(Enum):
    """What a connection does: see the table in this module's head."""

    READING = auto()
    DECIDING = auto()
    PLAYING = auto()
    STALLED = auto()
    CLOSED = auto()
    DELEGATED = auto()


class FastHttp1Layer(FailsClosed):
    """Reads requests and answers those that have a recording."""

    def __init__(
        self, context: context.Context, mode: HTTPMode, decider: Decider, *, lenient: bool, limit: int = LARGEST
    ) -> None:
        """``limit``: bytes of a body that are kept."""
        super().__init__(context)
        self._lenient = lenient
        self._limit = limit
        self._mode = mode
        self._decider = decider
        self._heads = Http1Heads(context, mode, decider)
        self._reader = Reader()
        self._state = State.READING
        self._asking: Asking | None = None
        """The request, while it is decided on."""
        self._play: Play | None = None
        """The answer, while it is played."""
        self._keep_alive = True
        """Whether another request may follow on this connection."""
        self._is_body_wanted = False
        """Whether the head of the request that is read has been looked at, and its body may be read here."""
        self._later: deque[events.Event] = deque()
        """What has come while an answer was played."""
        self._ahead = 0
        """Bytes of all that has come while a request was decided on or its answer played."""

    def handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As the base class; a client that sends on and on while it is answered is cut off."""
        if self._successor:
            return self._successor.handle_event(event)
        if isinstance(event, events.DataReceived) and (self._state is State.PLAYING or self._paused):
            self._ahead += len(event.data)
            if self._ahead > _AHEAD:
                return self._refuse(None)
        return super().handle_event(event)

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self._state is State.READING:
            yield from self._while_reading(event)
        elif self._state is State.PLAYING:
            yield from self._while_playing(event)
        elif self._successor:  # It took over while this event waited.
            yield from self._successor.handle_event(event)
        elif self._is_of_client(event, events.ConnectionClosed):
            yield from self._close()  # Stalled, or closed by us: all else is dropped.

    def _is_of_client(self, event: events.Event, kind: type[events.ConnectionEvent]) -> bool:
        return isinstance(event, kind) and event.connection == self.context.client

    # -- READING -----------------------------------------------------------------------------------------------------

    def _while_reading(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.DataReceived) and event.connection == self.context.client:
            yield from self._receive(event.data)
        elif isinstance(event, events.Start | events.Wakeup):
            return  # A wakeup is one of a play that has ended.
        elif self._is_of_client(event, events.ConnectionClosed) and self._reader.is_empty:
            yield from self._close()
        else:  # A client that goes in the middle of a request: mitmproxy's layer says something of that.
            yield from self._delegate(None, event)

    def _receive(self, data: bytes) -> layer.CommandGenerator[None]:
        try:
            received = self._reader.feed(data)
        except Unusual:
            yield from self._delegate(None)
            return
        if received is None:
            if not self._is_body_wanted and (head := self._reader.head()):
                yield from self._look_at_head(head)
            return
        try:
            head_read = self._heads.read(received)
        except AccessDeniedError as e:
            yield from self._turn_away(received, e)
            return
        if head_read is None or len(received.body) > self._limit:
            yield from self._delegate(None)
            return
        self._keep_alive = received.keep_alive
        request = IncomingRequest.build(*head_read, received.body, came_at=now())
        if hit := self._decider.recall(request):
            yield from self._serve(request, hit)
        elif self._decider.may_answer(*head_read):
            self._asking = Asking(request)
            received.body = b""
            del request  # The reader has the body: nobody else is to hold it when the connection is delegated.
            yield from self._decide()
        else:
            yield from self._delegate(None)

    def _look_at_head(self, received: Request) -> layer.CommandGenerator[None]:
        """Read a body only for a client that is let in, and only where its request may be answered here."""
        try:
            head_read = self._heads.read(received)
        except AccessDeniedError as e:
            yield from self._turn_away(received, e)
            return
        may_answer = head_read is not None and self._decider.may_answer(*head_read)
        self._is_body_wanted = may_answer and self._reader.length <= self._limit
        if not self._is_body_wanted:
            yield from self._delegate(None)

    def _turn_away(self, received: Request, denied: AccessDeniedError) -> layer.CommandGenerator[None]:
        """Tell a client that it stays outside, and read no more of it."""
        what = f"{received.method} {self._heads.host(received)}"
        wait = self._decider.admission.refuse(self.context.client, what, denied)
        yield from self._refuse(responses.refusal(denied, route=self._heads.leads_to(received)), wait)

    # -- DECIDING ----------------------------------------------------------------------------------------------------

    def _decide(self) -> layer.CommandGenerator[None]:
        assert self._asking
        self._state = State.DECIDING
        yield WiretapeDecideHook(self._asking)
        outcome = self._asking.outcome
        request = self._asking.request
        has_failed = self._asking.has_failed
        self._asking = None
        if has_failed:
            self._decider.teller.fail(request)
            yield from self._refuse(responses.failure())
        elif play := framing.of_outcome(outcome, "HTTP/1.1", request.head.origin):
            play.call = self._decider.teller.open_play(outcome)
            yield from self._begin(play)
        else:
            yield from self._delegate(outcome)

    # -- PLAYING -----------------------------------------------------------------------------------------------------

    def _serve(self, request: IncomingRequest, hit: Hit) -> layer.CommandGenerator[None]:
        """Send an answer that was in memory: at once where nothing is to be timed."""
        framed = framing.of_hit(hit, "HTTP/1.1").for_page(request.head.origin)
        if not framed.goes_at_once:
            play = framed.play(request.came_at)
            play.call = self._decider.teller.open_hit(request, hit)
            yield from self._begin(play)
            return
        self._reader.done()
        yield commands.SendData(self.context.client, framed.message)
        self._decider.teller.hit(request, hit)
        yield from self._free()

    def _begin(self, play: Play) -> layer.CommandGenerator[None]:
        self._state = State.PLAYING
        self._play = play
        self._reader.done()
        yield from self._advance(play)

    def _while_playing(self, event: events.Event) -> layer.CommandGenerator[None]:
        assert self._play
        if isinstance(event, events.Wakeup):
            yield from self._advance(self._play)
            yield from self._catch_up()
        elif self._is_of_client(event, events.ConnectionClosed):
            yield from self._close()
        else:
            self._later.append(event)

    def _advance(self, play: Play) -> layer.CommandGenerator[None]:
        step = play.advance(now())
        if data := _bytes_of(step, play):
            yield commands.SendData(self.context.client, data)
        match step.then:
            case Then.WAIT:
                yield commands.RequestWakeup(step.wait_s)
            case Then.FINISH:
                yield from self._free()
            case Then.STALL:
                self._state = State.STALLED
            case Then.RESET:
                self._state = State.CLOSED
                yield WiretapeResetHook(self.context.client)
                yield commands.CloseConnection(self.context.client)

    def _free(self) -> layer.CommandGenerator[None]:
        """An answer is whole: the connection is free for the next request, or is closed."""
        self._play = None
        self._ahead = 0
        self._is_body_wanted = False
        if self._keep_alive:
            self._state = State.READING
        else:
            self._state = State.CLOSED
            yield commands.CloseConnection(self.context.client)

    def _catch_up(self) -> layer.CommandGenerator[None]:
        """Read what has come while an answer was played, as far as nothing is played again."""
        while self._later and self._state is State.READING:
            yield from self._while_reading(self._later.popleft())

    # -- CLOSED, DELEGATED -------------------------------------------------------------------------------------------

    def _close(self) -> layer.CommandGenerator[None]:
        """Close what there is of a connection whose client has gone, or sends no more."""
        self._state = State.CLOSED
        self._leave(LEFT)
        if self.context.client.state is not ConnectionState.CLOSED:
            yield commands.CloseConnection(self.context.client)

    def _delegate(self, outcome: Outcome | None, event: events.Event | None = None) -> layer.CommandGenerator[None]:
        """Let mitmproxy's layer take over, with all that was not answered. ``outcome``: of the request that is read."""
        self._state = State.DELEGATED
        successor = PlayingLayer(
            self.context, self._mode, self._decider, lenient=self._lenient, limit=self._limit, outcome=outcome
        )
        self._successor = successor
        layers = self.context.layers
        layers.remove(successor)  # A layer puts itself at the end.
        layers[layers.index(self)] = successor
        yield from successor.handle_event(events.Start())
        for piece in self._reader.take():
            yield from successor.handle_event(events.DataReceived(self.context.client, piece))
        if event:
            yield from successor.handle_event(event)
        while self._later:
            yield from successor.handle_event(self._later.popleft())

    def _leave(self, why: str) -> None:
        """Let go of the answer that is played, where one is."""
        if self._play:
            self._play.leave(why)
        self._play = None

    def _refuse(self, answer: http.Response | None, wait: float = 0.0) -> layer.CommandGenerator[None]:
        self._state = State.DELEGATED
        self._leave(FAILED)
        yield from super()._refuse(answer, wait)

    def _last_words(self) -> http.Response | None:
        is_answered = self._reader.is_empty or (self._play is not None and self._play.playback.has_begun)
        return None if is_answered else responses.failure()


def _bytes_of(step: Step, play: Play) -> bytes:
    """Return what a step sends."""
    data = framing.body_bytes(step.chunks, is_chunked=play.is_chunked)
    if step.has_head:
        data = framing.head_bytes(play.head) + data
    if step.then is Then.FINISH:
        data += framing.end_of_body(is_chunked=play.is_chunked)
    return data
