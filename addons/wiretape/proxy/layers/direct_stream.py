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
from wiretape.proxy.host_agreement import host_of
from wiretape.proxy.layers.hooks import Asking, WiretapeDecideHook
from wiretape.proxy.layers.playing_stream import PlayingStream, State
from wiretape.sessions.access import AccessDeniedError
from wiretape.tape.hit import Hit


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
                self._head_read = self._read_head(event)
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

    def _read_head(self, event: RequestHeaders) -> tuple[RequestHead, Grant] | None:
        """Return the head of a request and whose it is, where it may be answered here."""
        assert self._decider
        request = event.request
        address = self._address(request)
        if address is None or self._is_unusual(event):
            return None
        authorization = request.headers.get("proxy-authorization")
        session = request.headers.get("x-wiretape-session")
        try:
            grant = self._decider.admission.grant(self.context.client, authorization, session)
        except AccessDeniedError:
            return None
        scheme, host, port = address
        hosts = names(self.context, host, request.pretty_host)
        if grant.mode is Mode.REPLAY:
            told = (*hosts, *map(host_of, request.headers.get_all("host")))
            if host_agreement.disagree(self._decider.runtime.providers, self.context.client, scheme, told, port):
                return None
        head = RequestHead(
            request.method,
            scheme,
            hosts,
            port,
            request.path,
            request.headers.get("content-type", ""),
            test_id=grant.test_of(request.headers.get("x-wiretape-test-id")),
            user_agent=request.headers.get("user-agent", ""),
            origin=request.headers.get("origin", ""),
        )
        return (head, grant) if self._decider.may_answer(head, grant) else None

    def _address(self, request: http.Request) -> tuple[str, str, int] | None:
        """Return scheme, host and port that a request goes to; None where it does not tell."""
        if self.mode is HTTPMode.transparent:
            server = self.context.server
            scheme = "https" if server.tls else "http"
            return (scheme, server.address[0], server.address[1]) if server.address else None
        return (request.scheme, request.host, request.port) if request.host else None

    def _is_unusual(self, event: RequestHeaders) -> bool:
        request = event.request
        options = self.context.options
        return bool(
            self._stranger
            or event.replay_flow
            or self.mode is HTTPMode.upstream
            or request.method in ("CONNECT", "HEAD")
            or upgrades.is_one(request)
            or options.body_size_limit
            or "expect" in request.headers
            or "content-encoding" in request.headers
            or self._is_large(request)
            or validate_request(self.mode, request, options.validate_inbound_headers)
        )

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
            yield from self._serve(request, hit, version)
        else:
            yield from self._decide(request, version)

    def _serve(self, request: IncomingRequest, hit: Hit, http_version: str) -> layer.CommandGenerator[None]:
        """Send an answer that was in memory: at once where nothing is to be timed."""
        assert self._decider
        self._forget_request()
        framed = framing.of_hit(hit, http_version).for_page(request.head.origin)
        if not framed.goes_at_once or self.context.client.alpn != b"h2":
            play = framed.play(request.came_at)
            play.call = self._decider.teller.open_hit(request, hit)
            yield from self._begin(play)
            return
        yield self._head(framed.head)
        yield self._data(framed.content)
        self._decider.teller.hit(request, hit)
        yield from self._finish()

    # -- DECIDING ----------------------------------------------------------------------------------------------------

    def _decide(self, request: IncomingRequest, http_version: str) -> layer.CommandGenerator[None]:
        assert self._decider
        self._state = State.DECIDING
        asking = Asking(request)
        yield WiretapeDecideHook(asking)
        self._outcome = asking.outcome
        if asking.has_failed:
            self._decider.teller.fail(request)
            yield from self._fail_closed()
        elif play := framing.of_outcome(asking.outcome, http_version, request.head.origin):
            play.call = self._decider.teller.open_play(asking.outcome)
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


def names(context: context.Context, host: str, told: str) -> tuple[str, ...]:
    """Return the names of a request's host: the one that it is sent to, and the one that its headers tell."""
    # There mitmproxy puts the server's own name in place of the client's.
    if isinstance(context.client.proxy_mode, mode_specs.ReverseMode) and not context.options.keep_host_header:
        return (host,)
    return (host, told) if told and told != host else (host,)
