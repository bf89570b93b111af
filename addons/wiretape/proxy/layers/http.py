"""mitmproxy's HTTP layer with another kind of stream: one that plays, follows, and can answer before there is a flow.

A response that an addon sets goes out in one piece, and costs what mitmproxy's flows cost. Here mitmproxy's own layer
and its streams are used, HTTP/1.1 and HTTP/2; all that is not ours to answer is left to the base classes, with every
event. Events in, commands out, as any layer. Uses private modules of mitmproxy: see ``known``.
"""

import copy
import logging
import time
from collections.abc import Sequence

from mitmproxy import flow, http
from mitmproxy.proxy import commands, context, events, layer, mode_specs
from mitmproxy.proxy.layers.http import (
    DropStream,
    HTTPMode,
    SendHttp,
    validate_request,
)
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    HttpEvent,
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook
from mitmproxy.proxy.layers.http._http1 import Http1Server
from mitmproxy.proxy.layers.http._http2 import Http2Server

from wiretape.network.dns_rebinding import Stranger, Visits
from wiretape.policy import Mode
from wiretape.proxy import flow_state, host_agreement, responses, reverse_clients, upgrades
from wiretape.proxy.compat.tcp_reset import STREAMS
from wiretape.proxy.desk import LARGEST, Decision, Desk, IncomingRequest, now
from wiretape.proxy.host_agreement import host_of
from wiretape.proxy.layers.admitted_stream import AdmittingStream, tell_of_error
from wiretape.proxy.layers.connection_pool import PoolingLayer
from wiretape.proxy.layers.lenient_http1 import PatientServer
from wiretape.proxy.layers.refusing import FailsClosed
from wiretape.proxy.responses import (
    Asking,
    Following,
    Play,
    Wait,
    WiretapeDecideHook,
    WiretapeFollowHook,
    WiretapeResetHook,
    WiretapeWaitHook,
)
from wiretape.replay.faults import Ending, Fault
from wiretape.replay.single_flight import Follower
from wiretape.sessions.access import AccessDeniedError
from wiretape.tape.tape import Hit

logger = logging.getLogger(__name__)


_AHEAD = 1_000_000
"""Bytes that an HTTP/1.1 client may send of what is not read yet: a head, or while an answer is on its way."""


class PlayingLayer(FailsClosed, PoolingLayer):
    """mitmproxy's HTTP layer, whose streams can play."""

    def __init__(
        self,
        context: context.Context,
        mode: HTTPMode,
        desk: Desk | None,
        *,
        lenient: bool,
        limit: int = LARGEST,
        decided: Decision | None = None,
    ) -> None:
        """With a desk its streams answer before there is a flow. ``decided``: on the first request. ``limit``: bytes of
        a body that are kept.

        ``lenient``: an HTTP/2 header may end in a space. Who replays needs no key; SDKs then send "Bearer ", for
        which mitmproxy resets the connection. What it protects is the provider behind it, and in replay is none.
        """
        super().__init__(context, mode)
        self._lenient = lenient
        self._limit = limit
        self._desk = desk
        self._decided = decided
        self._visits = reverse_clients.of(context)

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As the base class; what goes to the client for one event goes in one piece."""
        data: list[bytes] = []
        if isinstance(event, events.Start):
            self._read_client()
        for command in super()._handle_event(event):
            if isinstance(command, commands.SendData) and command.connection is self.context.client:
                data.append(command.data)
                continue
            if data:
                yield commands.SendData(self.context.client, b"".join(data))
                data.clear()
            yield command
        if data:
            yield commands.SendData(self.context.client, b"".join(data))
        if isinstance(event, events.DataReceived) and self._is_far_ahead():
            yield commands.CloseConnection(self.context.client)
        elif isinstance(event, events.ConnectionClosed):
            self.has_closed(event.connection)

    def _read_client(self) -> None:
        """Have its own reader for what the client sends."""
        client = self.context.client
        if client.alpn == b"h2":
            self.connections[client] = _http2(self.context, lenient=self._lenient)
        elif client not in self.connections and (not client.alpn or client.alpn.startswith(b"http/")):
            self.connections[client] = PatientServer(self.context.fork())

    def _is_far_ahead(self) -> bool:
        """Whether a client sends more than there is a use for: mitmproxy would keep all of it."""
        reading = self.connections.get(self.context.client)
        return isinstance(reading, Http1Server) and len(reading.buf) > _AHEAD

    def _last_words(self) -> http.Response | None:
        if self.context.client.alpn in (b"h2", b"h3"):
            return None
        reading = self.connections.get(self.context.client)
        return None if isinstance(reading, Http1Server) and reading.response else responses.failure()

    def _fail_closed(self) -> layer.CommandGenerator[None]:
        for stream in [*self.streams.values()]:
            yield from tell_of_error(getattr(stream, "flow", None))
        yield from super()._fail_closed()

    def make_stream(self, stream_id: int) -> layer.CommandGenerator[None]:
        """As the base class, with a PlayingStream."""
        decided, self._decided = self._decided, None
        made = PlayingStream(self.context.fork(), stream_id, self._desk, decided, self._limit, visits=self._visits)
        self.streams[stream_id] = made
        yield from self.event_to_child(made, events.Start())


def _http2(context: context.Context, *, lenient: bool) -> Http2Server:
    made = Http2Server(context.fork())
    made.h2_conn.local_settings.max_concurrent_streams = STREAMS
    made.h2_conn.local_settings.acknowledge()  # Else what is sent first is the old one.
    if lenient:  # All connections share one configuration.
        made.h2_conn.config = copy.copy(made.h2_conn.config)
        made.h2_conn.config.validate_inbound_headers = False
    return made


class PlayingStream(AdmittingStream):
    """mitmproxy's stream of one request and response.

    It has a flow, unless the answer is ours: then the request is read here, and there is none.
    """

    _play: Play | None = None
    _pieces = 0
    """Of a live answer with a fault: what has passed."""
    _playing = False
    """Whether the answer is ours without a play: it follows, or it stalls."""
    _stopped = False
    """Whether a fault has ended the answer: what the server still does is of no interest."""
    _call: IncomingRequest | None = None
    """The request, while it is read here."""
    _flowless = False

    def __init__(
        self,
        context: context.Context,
        stream_id: int,
        desk: Desk | None,
        decided: Decision | None,
        limit: int = LARGEST,
        *,
        visits: Visits | None = None,
    ) -> None:
        super().__init__(context, stream_id, limit)
        self._desk = desk
        self._decided = decided
        self._visits = visits
        self._stranger: Stranger | None = None
        self._read: list[HttpEvent] = []
        self._size = 0
        """Bytes of a body that is read here."""

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self._visits and isinstance(event, RequestHeaders):
            # mitmproxy puts the server's name in place of the one that is asked for before its hook for headers.
            self._stranger = reverse_clients.stranger(self._visits, event.request)
        if self._is_over:
            yield from self._after_the_end(event)
        elif isinstance(event, events.Wakeup):
            if self._play:
                yield from self._send_due()
        elif self._flowless:
            if isinstance(event, RequestProtocolError):
                self._play = None
                yield DropStream(self.stream_id)
        elif self._call or (isinstance(event, RequestHeaders) and self._desk and self._decided is None):
            yield from self._read_here(event)
        else:
            yield from self._to_base(event)

    def _begin(self, flow: http.HTTPFlow) -> None:
        marked = flow_state.of(flow)
        marked.decided, marked.stranger = self._decided, self._stranger

    # -- before there is a flow ------------------------------------------------------------------------------------

    def _read_here(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, RequestHeaders):
            self._call = self._called(event)
            if self._call is None:
                yield from self._to_base(event)
                return
        elif not isinstance(event, RequestData | RequestEndOfMessage):
            yield from self._leave_it(event)
            return
        assert isinstance(event, HttpEvent)
        if isinstance(event, RequestData):
            self._size += len(event.data)
            if self._size > self._limit:
                yield from self._leave_it(event)
                return
        self._read.append(event)
        if isinstance(event, RequestEndOfMessage):
            yield from self._decide()

    def _called(self, event: RequestHeaders) -> IncomingRequest | None:
        """The call that begins with these headers, where it may be answered here."""
        asked, options, server = event.request, self.context.options, self.context.server
        if self.mode is HTTPMode.transparent:
            to = ("https" if server.tls else "http", *server.address[:2]) if server.address else None
        else:
            to = (asked.scheme, asked.host, asked.port) if asked.host else None
        if (
            not to
            or self._stranger
            or event.replay_flow
            or self.mode is HTTPMode.upstream
            or asked.method in ("CONNECT", "HEAD")
            or upgrades.is_one(asked)
            or options.body_size_limit
            or "expect" in asked.headers
            or "content-encoding" in asked.headers
            or self._is_large(asked)
            or validate_request(self.mode, asked, options.validate_inbound_headers)
        ):
            return None
        assert self._desk
        credentials = (asked.headers.get(name) for name in ("proxy-authorization", "x-wiretape-session"))
        try:
            seat = self._desk.seat(self.context.client, *credentials)
        except AccessDeniedError:
            return None
        scheme, host, port = to
        hosts = names(self.context, host, asked.pretty_host)
        if seat.tape.mode is Mode.REPLAY:
            told = (*hosts, *map(host_of, asked.headers.get_all("host")))
            if host_agreement.disagree(self._desk.providers, self.context.client, scheme, told, port):
                return None
        call = IncomingRequest(
            asked.method,
            scheme,
            hosts,
            port,
            asked.path,
            asked.headers.get("content-type", ""),
            asked.headers.get("x-wiretape-test-id"),
            b"",
            0.0,
            seat,
            origin=asked.headers.get("origin", ""),
        )
        return call if self._desk.answers(call) else None

    def _decide(self) -> layer.CommandGenerator[None]:
        assert self._call
        assert self._desk
        call = self._call
        first, *pieces, last = self._read
        call.body = b"".join(event.data for event in pieces if isinstance(event, RequestData))
        # In one piece it is the same bytes for whoever it is left to.
        self._read = [first, RequestData(self.stream_id, call.body), last] if call.body else [first, last]
        call.since = now()
        if hit := self._desk.recall(call):
            yield from self._serve(hit, call)
            return
        asking = Asking(call)
        yield WiretapeDecideHook(asking)
        self._decided = asking.decision
        if asking.has_failed:
            yield from self._fail_closed()
        elif play := responses.decided(asking.decision, self._version, call.origin):
            yield from self._answer(play)
        else:
            yield from self._leave_it()

    def _serve(self, hit: Hit, call: IncomingRequest) -> layer.CommandGenerator[None]:
        """Send a hit that was in memory: at once where nothing is to be timed."""
        version = self._version
        if call.origin:
            yield from self._answer(responses.for_page(responses.plan(hit, None, call.since, version), call.origin))
            return
        whole: tuple[http.Response, bytes] | None = hit.framed.get("h2") if version == "HTTP/2.0" else None
        if whole is None:
            play = responses.plan(hit, None, call.since, version)
            if play.ending or play.is_timed or version != "HTTP/2.0" or hit.size > responses.AT_ONCE:
                yield from self._answer(play)
                return
            whole = hit.framed["h2"] = play.head, b"".join(play.chunks)
        self._flowless, self._call, self._read = True, None, []
        yield SendHttp(ResponseHeaders(self.stream_id, whole[0], end_stream=False), self.context.client)
        yield SendHttp(ResponseData(self.stream_id, whole[1]), self.context.client)
        yield from self._end()

    @property
    def _version(self) -> str:
        begun = self._read[0]
        assert isinstance(begun, RequestHeaders)
        return begun.request.http_version

    def _answer(self, play: Play) -> layer.CommandGenerator[None]:
        self._flowless, self._call, self._read, self._play = True, None, [], play
        yield from self._send_due()

    def _leave_it(self, *more: events.Event) -> layer.CommandGenerator[None]:
        """Leave the request to the base class, with all that was read of it."""
        read, self._call, self._read = self._read, None, []
        for event in (*read, *more):
            yield from self._to_base(event)

    # -- playing ---------------------------------------------------------------------------------------------------

    def send_response(self, already_streamed: bool = False) -> layer.CommandGenerator[None]:
        """As the base class, but for a response with a Play."""
        marked = flow_state.of(self.flow)
        play, follower = marked.play, marked.follow
        if already_streamed or (play is None and follower is None):
            yield from super().send_response(already_streamed)
            return
        assert self.flow.response
        if follower:
            yield SendHttp(ResponseHeaders(self.stream_id, self.flow.response, end_stream=False), self.context.client)
            yield from self._follow(follower)
        else:
            assert play
            play.head = self.flow.response
            self._play = play
            yield from self._send_due()

    def _follow(self, follower: Follower) -> layer.CommandGenerator[None]:
        while follower.is_behind or not follower.flight.ended:
            if self._client_left():
                self._playing = True
                return  # The client has gone: the event that says so comes next.
            for piece in follower.pieces():
                yield SendHttp(ResponseData(self.stream_id, piece), self.context.client)
            if follower.is_behind or not follower.flight.ended:
                following = Following(follower, self.context.client)
                yield WiretapeFollowHook(following)
                if following.has_failed:
                    yield from self._fail("wiretape failed")
                    return
        if follower.failure:
            yield from self._fail(follower.failure)
        else:
            yield from super().send_response(already_streamed=True)

    def _fail(self, message: str) -> layer.CommandGenerator[None]:
        if not self._flowless:
            self.flow.error = flow.Error(message)
            yield HttpErrorHook(self.flow)
            self.flow.live = False
        yield SendHttp(
            ResponseProtocolError(self.stream_id, message, ErrorCode.GENERIC_SERVER_ERROR), self.context.client
        )
        self.client_state = self.server_state = self.state_errored
        yield DropStream(self.stream_id)

    def _send_due(self) -> layer.CommandGenerator[None]:
        assert self._play
        play, moment = self._play, time.monotonic()
        if not play.begun:
            if (wait := play.begins - moment) > 0:
                yield commands.RequestWakeup(wait)
                return
            play.begun = True
            yield SendHttp(ResponseHeaders(self.stream_id, play.head, end_stream=False), self.context.client)
        chunks, wait = play.due(moment)
        if chunks:
            yield from self._send(play, chunks)
        if wait:
            yield commands.RequestWakeup(wait)
            return
        self._play = None
        if play.ending:
            yield from self._stop(play.ending)
        else:
            yield from self._end()

    def _send(self, play: Play, chunks: Sequence[bytes]) -> layer.CommandGenerator[None]:
        if self.context.client.alpn == b"h2":
            # What is not timed need not be apart: HTTP/2 has frames of its own.
            for piece in chunks if play.is_timed or play.ending else (b"".join(chunks),):
                yield SendHttp(ResponseData(self.stream_id, piece), self.context.client)
        else:
            # As the HTTP/1.1 layer would, but not each chunk by itself.
            yield commands.SendData(self.context.client, play.framed(chunks))

    def _end(self) -> layer.CommandGenerator[None]:
        if not self._flowless:
            yield from super().send_response(already_streamed=True)
            return
        yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)
        yield DropStream(self.stream_id)

    # -- a live answer with a fault --------------------------------------------------------------------------------

    def start_response_stream(self) -> layer.CommandGenerator[None]:
        """As the base class; a fault can stop a live answer after its head."""
        yield from super().start_response_stream()
        fault = flow_state.of(self.flow).fault
        if fault and (ending := fault.ending_after(0)):
            yield from self._stop(ending)

    def state_stream_response_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As the base class; the pieces of a live answer with a fault go through it."""
        fault = flow_state.of(self.flow).fault
        if fault and isinstance(event, ResponseData):
            yield from self._send_faulty(fault, event.data)
            return
        if fault and isinstance(event, ResponseEndOfMessage) and fault.missed(self._pieces):
            responses.log_missed(fault, self._pieces)
        yield from super().state_stream_response_body(event)

    def _send_faulty(self, fault: Fault, piece: bytes) -> layer.CommandGenerator[None]:
        if fault.slow and not self._client_left():
            yield WiretapeWaitHook(Wait(fault.slow, self.context.client))
        self._pieces += 1
        sent = fault.chunk(self._pieces, piece)
        if self.context.options.store_streamed_bodies:
            self.response_body_buf += sent
        yield SendHttp(ResponseData(self.stream_id, sent), self.context.client)
        if ending := fault.ending_after(self._pieces):
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
            yield from self._end()
        else:
            if self.context.client.alpn not in (b"h2", b"h3"):
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


def names(context: context.Context, host: str, asked: str) -> tuple[str, ...]:
    """The names of a request's host: the one that it is sent to, and the one that its headers tell."""
    # There mitmproxy puts the server's own name in place of the client's.
    if isinstance(context.client.proxy_mode, mode_specs.ReverseMode) and not context.options.keep_host_header:
        return (host,)
    return (host, asked) if asked and asked != host else (host,)
