"""HTTP/1.1 in the fast lane: a layer in place of mitmproxy's HTTP layer that answers hits, and hands all else over.

What it hands over, it hands over with every byte, and is then out of the way: misses, other hosts, everything unusual.
The layer that takes over sees what it would have seen without this one. Events in, commands out, as any layer.
"""

from collections import deque

import httptools
from mitmproxy import http
from mitmproxy.connection import ConnectionState
from mitmproxy.net.http import http1 as mitmproxy_http1
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers.http import HTTPMode

from wiretape.codecs.http1 import LAST_CHUNK, Reader, Request, Unusual
from wiretape.policy import Mode
from wiretape.proxy import host_agreement, responses, reverse_clients
from wiretape.proxy.desk import LARGEST, Decision, Desk, Grant, IncomingRequest, now
from wiretape.proxy.host_agreement import host_of
from wiretape.proxy.layers.http import PlayingLayer, names
from wiretape.proxy.layers.refusing import FailsClosed
from wiretape.proxy.responses import Asking, Play, WiretapeDecideHook, WiretapeResetHook
from wiretape.replay.faults import Ending
from wiretape.sessions.access import AccessDeniedError
from wiretape.tape.tape import Hit

_AHEAD = 1_000_000
"""Bytes that a client may send while a request before them is being answered."""


class FastHttp1Layer(FailsClosed):
    """Reads requests and answers those that have a recording."""

    def __init__(
        self, context: context.Context, mode: HTTPMode, desk: Desk, *, lenient: bool, limit: int = LARGEST
    ) -> None:
        """``limit``: bytes of a body that are kept."""
        super().__init__(context)
        self._lenient = lenient
        self._limit = limit
        self._mode = mode
        self._desk = desk
        self._visits = reverse_clients.of(context)
        self._reader = Reader()
        self._play: Play | None = None
        self._keep_alive = True
        self._stalled = False
        self._closed = False
        self._later: deque[events.Event] = deque()
        """What came while a request was being answered."""
        self._ahead = 0
        """Bytes of all that has come since it is being answered."""
        self._is_let_in = False
        """Whether somebody whose body is being read has a seat, and a request that may be answered here."""
        self._emptying = False
        """Whether these are being handled."""

    def handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As the base class, until another layer has taken over."""
        if self._successor:
            return self._successor.handle_event(event)
        if (self._play or self._paused) and isinstance(event, events.DataReceived):
            self._ahead += len(event.data)
            if self._ahead > _AHEAD:
                return self._refuse(None)
        return super().handle_event(event)

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self._successor:  # It took over while this event waited.
            yield from self._successor.handle_event(event)
        elif isinstance(event, events.Start):
            pass
        elif isinstance(event, events.Wakeup):
            if self._play:
                yield from self._send_due()
                yield from self._go_on()
        elif isinstance(event, events.ConnectionClosed) and event.connection == self.context.client:
            yield from self._client_left(event)
        elif not (self._closed or self._stalled):
            self._later.append(event)
            yield from self._go_on()

    def _go_on(self) -> layer.CommandGenerator[None]:
        """Handle what has come, as far as nothing is being answered."""
        if self._emptying:
            return
        self._emptying = True
        while self._later and not (self._play or self._closed or self._stalled or self._successor):
            event = self._later.popleft()
            if isinstance(event, events.DataReceived) and event.connection == self.context.client:
                yield from self._receive(event.data)
            else:
                yield from self._hand_over(None, event)
        self._emptying = False

    def _client_left(self, event: events.ConnectionClosed) -> layer.CommandGenerator[None]:
        if not self._reader.is_empty:
            yield from self._hand_over(None, event)  # For what it says of half a request.
            return
        self._play = None
        if event.connection.state is not ConnectionState.CLOSED:
            yield commands.CloseConnection(self.context.client)

    def _receive(self, data: bytes) -> layer.CommandGenerator[None]:
        try:
            asked = self._reader.feed(data)
        except Unusual:
            yield from self._hand_over(None)
            return
        if asked is None:
            if not self._is_let_in and (head := self._reader.head()):
                yield from self._look_at_head(head)
            return
        try:
            call = self._called(asked)
        except AccessDeniedError as e:
            yield from self._turn_away(asked, e)
            return
        if call is None or len(call.body) > self._limit:
            yield from self._hand_over(None)
            return
        self._keep_alive = asked.keep_alive
        if hit := self._desk.recall(call):
            yield from self._serve(hit, call)
            return
        if not self._desk.answers(call):
            yield from self._hand_over(None)
            return
        asking = Asking(call)
        yield WiretapeDecideHook(asking)
        asked.body = call.body = b""  # The reader has it, until it hands it over.
        if asking.has_failed:
            yield from self._refuse(responses.failure())
        elif play := responses.decided(asking.decision, "HTTP/1.1", call.origin):
            yield from self._begin(play)
        else:
            yield from self._hand_over(asking.decision)

    def _look_at_head(self, head: Request) -> layer.CommandGenerator[None]:
        """Read a body for those alone who have a seat, and only where its request may be answered here."""
        try:
            call = self._called(head)
        except AccessDeniedError as e:
            yield from self._turn_away(head, e)
            return
        self._is_let_in = call is not None and self._desk.answers(call) and self._reader.length <= self._limit
        if not self._is_let_in:
            yield from self._hand_over(None)

    def _turn_away(self, asked: Request, denied: AccessDeniedError) -> layer.CommandGenerator[None]:
        """Tell somebody that he stays outside, and read no more of him."""
        to = self._address(asked)
        wait = self._desk.refuse(self.context.client, f"{asked.method} {to[1][-1] if to else '?'}", denied)
        yield from self._refuse(responses.refusal(denied), wait)

    def _last_words(self) -> http.Response | None:
        is_answered = self._reader.is_empty or (self._play is not None and self._play.begun)
        return None if is_answered else responses.failure()

    def _called(self, asked: Request) -> IncomingRequest | None:
        """The call that a request is, unless it is unusual. Raises Denied."""
        options = self.context.options
        if options.body_size_limit or self._mode is HTTPMode.upstream or b"#" in asked.target:
            return None
        if b"content-encoding" in asked.headers:  # To undo it takes time, which a flow's hook has.
            return None
        if asked.method == "HEAD":  # Whose answers end after their heads.
            return None
        if not asked.target.isascii() or (self._visits and reverse_clients.stranger(self._visits, asked)):
            return None
        to, seat = self._address(asked), self._seat(asked)
        if to is None:
            return None
        scheme, hosts, port, path = to
        client = self.context.client
        is_told = seat.tape.mode is not Mode.REPLAY or host_agreement.is_one_name(client, scheme, hosts)
        if not is_told and host_agreement.disagree(self._desk.providers, client, scheme, hosts, port):
            return None
        return IncomingRequest(
            asked.method,
            scheme,
            hosts,
            port,
            path,
            asked.header(b"content-type"),
            asked.header(b"x-wiretape-test-id") if b"x-wiretape-test-id" in asked.headers else None,
            asked.body,
            now(),
            seat,
            origin=asked.header(b"origin"),
        )

    def _seat(self, asked: Request) -> Grant:
        """Whose request it is. Raises Denied."""
        headers = asked.header(b"proxy-authorization"), asked.header(b"x-wiretape-session")
        return self._desk.seat(self.context.client, *(each or None for each in headers))

    def _address(self, asked: Request) -> tuple[str, tuple[str, ...], int, str] | None:
        """Scheme, names of the host, port and path; None where the request does not tell them as is usual here."""
        server, named, path = self.context.server, host_of(asked.header(b"host")), asked.target.decode("ascii")
        if self._mode is HTTPMode.transparent:
            if server.address is None or not path.startswith("/"):
                return None
            return (
                "https" if server.tls else "http",
                names(self.context, server.address[0], named),
                server.address[1],
                path,
            )
        if not path.startswith("http://"):
            return None
        try:
            to = httptools.parse_url(asked.target)
        except httptools.HttpParserError:
            return None
        if not to.host or not to.path or to.userinfo:
            return None
        host = to.host.decode("ascii")
        query = f"?{to.query.decode('ascii')}" if to.query else ""
        return "http", names(self.context, host, named), to.port or 80, to.path.decode("ascii") + query

    # -- answering -------------------------------------------------------------------------------------------------

    def _serve(self, hit: Hit, call: IncomingRequest) -> layer.CommandGenerator[None]:
        """Send a hit that was in memory: at once where nothing is to be timed."""
        if call.origin:
            yield from self._begin(responses.for_page(responses.plan(hit, None, call.since, "HTTP/1.1"), call.origin))
            return
        framed: bytes | None = hit.framed.get("lane")
        if framed is None:
            play = responses.plan(hit, None, call.since, "HTTP/1.1")
            if play.ending or play.is_timed or hit.size > responses.AT_ONCE:
                yield from self._begin(play)
                return
            framed = _head(play) + play.framed(play.chunks) + (LAST_CHUNK if play.is_chunked else b"")
            hit.framed["lane"] = framed
        self._reader.done()
        yield commands.SendData(self.context.client, framed)
        yield from self._done()

    def _begin(self, play: Play) -> layer.CommandGenerator[None]:
        self._play = play
        self._reader.done()
        yield from self._send_due()

    def _send_due(self) -> layer.CommandGenerator[None]:
        assert self._play
        play, moment = self._play, now()
        data = b""
        if not play.begun:
            if (wait := play.begins - moment) > 0:
                yield commands.RequestWakeup(wait)
                return
            play.begun = True
            data = _head(play)
        chunks, wait = play.due(moment)
        data += play.framed(chunks)
        if not wait and not play.ending and play.is_chunked:
            data += LAST_CHUNK
        if data:
            yield commands.SendData(self.context.client, data)
        if wait:
            yield commands.RequestWakeup(wait)
        elif play.ending:
            yield from self._stop(play.ending)
        else:
            yield from self._done()

    def _stop(self, ending: Ending) -> layer.CommandGenerator[None]:
        """Stop the answer here, before its end."""
        self._play = None
        if ending is Ending.STALL:
            self._stalled = True
        elif ending is Ending.END:
            yield commands.SendData(self.context.client, LAST_CHUNK)
            yield from self._done()
        else:
            yield WiretapeResetHook(self.context.client)
            self._closed = True
            yield commands.CloseConnection(self.context.client)

    def _done(self) -> layer.CommandGenerator[None]:
        self._play = None
        self._ahead = 0
        self._is_let_in = False
        if not self._keep_alive:
            self._closed = True
            yield commands.CloseConnection(self.context.client)

    def _hand_over(self, decided: Decision | None, event: events.Event | None = None) -> layer.CommandGenerator[None]:
        """Let mitmproxy's layer take over, with all that was not answered."""
        layers = self.context.layers
        place = layers.index(self)
        self._successor = real = PlayingLayer(
            self.context, self._mode, self._desk, lenient=self._lenient, limit=self._limit, decided=decided
        )
        layers.remove(real)  # A layer puts itself at the end.
        layers[place] = real
        yield from real.handle_event(events.Start())
        for piece in self._reader.take():
            yield from real.handle_event(events.DataReceived(self.context.client, piece))
        if event:
            yield from real.handle_event(event)
        while self._later:
            yield from real.handle_event(self._later.popleft())


def _head(play: Play) -> bytes:
    return bytes(mitmproxy_http1.assemble_response_head(play.head))
