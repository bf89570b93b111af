"""A stream that reads its request before there is a flow, and answers without one where the answer is ours.

A flow costs more than all else that a hit needs: three dozen addons are asked about it five times. So the request is
read here first, as far as it may be answered here; a hit in memory goes out at once, and of any other request the
addon is asked what becomes of it. What is not ours to answer gets a flow after all, with every event that was read,
and is the base class's. The states READING and DECIDING of ``playing_stream``:

    READING    a head that may be answered here, and its body   READING
               whole, a hit in memory that goes out at once     ENDED
               whole, a hit in memory that is timed             PLAYING
               whole, anything else                             DECIDING
               anything unusual, too large, of no session       DELEGATED
    DECIDING   an answer of ours                                PLAYING
               none: a miss, or a request to be recorded        DELEGATED
"""

from mitmproxy import http
from mitmproxy.proxy import context, events, layer, mode_specs
from mitmproxy.proxy.layers.http import HTTPMode, validate_request
from mitmproxy.proxy.layers.http._events import HttpEvent, RequestData, RequestEndOfMessage, RequestHeaders

from wiretape.network.dns_rebinding import Stranger, Visits
from wiretape.policy import Mode
from wiretape.proxy import flow_state, framing, host_agreement, reverse_clients, upgrades
from wiretape.proxy.admission import Grant
from wiretape.proxy.calls import LARGEST, IncomingRequest, Outcome, RequestHead, now
from wiretape.proxy.decide import Decider
from wiretape.proxy.framing import FramedAnswer
from wiretape.proxy.host_agreement import host_of
from wiretape.proxy.layers.hooks import Asking, WiretapeDecideHook
from wiretape.proxy.layers.playing_stream import PlayingStream, State
from wiretape.sessions.access import AccessDeniedError


class DirectStream(PlayingStream):
    """A stream that has a flow only where the answer is not ours."""

    def __init__(
        self,
        context: context.Context,
        stream_id: int,
        decider: Decider | None,
        outcome: Outcome | None,
        limit: int = LARGEST,
        *,
        visits: Visits | None = None,
    ) -> None:
        """Without a decider, or where it is decided what becomes of the request, there is a flow at once."""
        super().__init__(context, stream_id, limit)
        self._decider = decider
        self._outcome = outcome
        self._visits = visits
        self._stranger: Stranger | None = None
        self._head_read: tuple[RequestHead, Grant] | None = None
        """The request's head and whose it is, while it is read here."""
        self._read: list[HttpEvent] = []
        """All that has come of it."""
        self._size = 0
        """Bytes of its body by now."""
        if decider and outcome is None:
            self._state = State.READING

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self._visits and isinstance(event, RequestHeaders):
            # mitmproxy puts the server's name in place of the one that is asked for before its hook for headers.
            self._stranger = reverse_clients.stranger(self._visits, event.request)
        if self._state is State.READING and not self._is_over:
            yield from self._while_reading(event)
        else:
            yield from super()._handle_event(event)

    def _begin_flow(self, flow: http.HTTPFlow) -> None:
        state = flow_state.of(flow)
        state.outcome = self._outcome
        state.stranger = self._stranger

    # -- READING -----------------------------------------------------------------------------------------------------

    def _while_reading(self, event: events.Event) -> layer.CommandGenerator[None]:
        match event:
            case RequestHeaders():
                self._head_read = self._called(event)
                self._read.append(event)
                if self._head_read is None:
                    yield from self._delegate()
            case RequestData() if self._head_read:
                self._read.append(event)
                self._size += len(event.data)
                if self._size > self._limit:
                    yield from self._delegate()
            case RequestEndOfMessage() if self._head_read:
                self._read.append(event)
                yield from self._answer(*self._head_read)
            case events.Start():
                yield from self._to_base(event)
            case _:
                yield from self._delegate(event)

    def _called(self, event: RequestHeaders) -> tuple[RequestHead, Grant] | None:
        """Return the head of a request and whose it is, where it may be answered here."""
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
        assert self._decider
        credentials = (asked.headers.get(name) for name in ("proxy-authorization", "x-wiretape-session"))
        try:
            grant = self._decider.admission.grant(self.context.client, *credentials)
        except AccessDeniedError:
            return None
        scheme, host, port = to
        hosts = names(self.context, host, asked.pretty_host)
        if grant.mode is Mode.REPLAY:
            told = (*hosts, *map(host_of, asked.headers.get_all("host")))
            if host_agreement.disagree(self._decider.runtime.providers, self.context.client, scheme, told, port):
                return None
        head = RequestHead(
            asked.method,
            scheme,
            hosts,
            port,
            asked.path,
            asked.headers.get("content-type", ""),
            test_id=asked.headers.get("x-wiretape-test-id"),
            origin=asked.headers.get("origin", ""),
        )
        return (head, grant) if self._decider.may_answer(head, grant) else None

    def _answer(self, head: RequestHead, grant: Grant) -> layer.CommandGenerator[None]:
        """Answer a request that has come whole, or find out who does."""
        assert self._decider
        first = self._read[0]
        last = self._read[-1]
        assert isinstance(first, RequestHeaders)
        body = b"".join(event.data for event in self._read if isinstance(event, RequestData))
        # In one piece it is the same bytes for whoever it is delegated to.
        self._read = [first, RequestData(self.stream_id, body), last] if body else [first, last]
        request = IncomingRequest.build(head, grant, body, came_at=now())
        version = first.request.http_version
        if hit := self._decider.recall(request):
            yield from self._serve(framing.of_hit(hit, version).for_page(head.origin), request.came_at)
        else:
            yield from self._decide(request, version)

    def _serve(self, framed: FramedAnswer, came_at: float) -> layer.CommandGenerator[None]:
        """Send an answer that was in memory: at once where nothing is to be timed."""
        self._forget_request()
        if not framed.goes_at_once or self.context.client.alpn != b"h2":
            yield from self._begin(framed.play(came_at))
            return
        yield self._head(framed.head)
        yield self._data(framed.content)
        yield from self._finish()

    # -- DECIDING ----------------------------------------------------------------------------------------------------

    def _decide(self, request: IncomingRequest, http_version: str) -> layer.CommandGenerator[None]:
        self._state = State.DECIDING
        asking = Asking(request)
        yield WiretapeDecideHook(asking)
        self._outcome = asking.outcome
        if asking.has_failed:
            yield from self._fail_closed()
        elif play := framing.of_outcome(asking.outcome, http_version, request.head.origin):
            self._forget_request()
            yield from self._begin(play)
        else:
            yield from self._delegate()

    # -- DELEGATED ---------------------------------------------------------------------------------------------------

    def _delegate(self, event: events.Event | None = None) -> layer.CommandGenerator[None]:
        """Leave the request to the base class, with all that was read of it, and then this event."""
        read = self._read
        self._state = State.DELEGATED
        self._forget_request()
        for each in read:
            yield from self._to_base(each)
        if event:
            yield from self._to_base(event)

    def _forget_request(self) -> None:
        self._head_read = None
        self._read = []


def names(context: context.Context, host: str, asked: str) -> tuple[str, ...]:
    """The names of a request's host: the one that it is sent to, and the one that its headers tell."""
    # There mitmproxy puts the server's own name in place of the client's.
    if isinstance(context.client.proxy_mode, mode_specs.ReverseMode) and not context.options.keep_host_header:
        return (host,)
    return (host, asked) if asked and asked != host else (host,)
