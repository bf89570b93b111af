"""mitmproxy's stream of a request, whose client has to be let in, and which keeps no more than is of use.

What is not let in is answered after its head, and its connection closed; of what is let in, a body is kept up to a
limit. Nothing is left to what a hook does not do: nothing becomes of a flow of which no hook has said that it was let
in (``grant``), and none is sent on of which none has said that it may (``FlowState.leaves``). So a hook that fails,
or was never asked, lets nothing through. Below ``playing_stream``.
"""

import logging

from mitmproxy import connection, http
from mitmproxy.flow import Error
from mitmproxy.net.http.http1 import expected_http_body_size
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers.http import DropStream, HttpLayer, HttpStream, SendHttp
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestHeaders,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import (
    HttpConnectErrorHook,
    HttpConnectHook,
    HttpErrorHook,
    HttpRequestHeadersHook,
    HttpResponseHeadersHook,
    HttpResponseHook,
)
from mitmproxy.proxy.layers.http._http1 import Http1Server
from mitmproxy.proxy.layers.http._http2 import Http2Server

from wiretape.proxy import flow_state, responses
from wiretape.proxy.layers.hooks import WiretapeLargeHook
from wiretape.proxy.layers.refusing import FailsClosed, close, hang_up

logger = logging.getLogger(__name__)

_AHEAD = 64 * 1000**2
"""Bytes of a body that may come while a hook, or a connection to a server, is waited for."""


def tell_of_error(flow: http.HTTPFlow | None) -> layer.CommandGenerator[None]:
    """Tell the addons that a flow has ended, from where nobody can wait for them."""
    if flow and flow.live:
        flow.error = Error("wiretape failed")
        hook = HttpErrorHook(flow)
        hook.blocking = False
        yield hook
        flow.live = False


class AdmittingStream(FailsClosed, HttpStream):
    """A stream that asks whose a request is before it reads what the request is."""

    _is_over = False
    """Whether the last answer of this stream was given, or waits for its time: what else comes is dropped."""
    _last: http.Response | None = None
    """That answer, while it waits."""
    sends_to: connection.Server | None = None
    """The connection that its request goes out on; None until there is one."""
    _ahead = 0
    """Bytes that came while this waited for something."""

    def __init__(self, context: context.Context, stream_id: int, limit: int) -> None:
        """``limit``: bytes of a body that are kept."""
        super().__init__(context, stream_id)
        self._limit = limit

    def handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As the base class, unless a client sends on and on what has to wait."""
        if self._paused and isinstance(event, RequestData):
            self._ahead += len(event.data)
            if self._ahead > _AHEAD:
                return close(self.context.client)
        return super().handle_event(event)

    def _to_base(self, event: events.Event) -> layer.CommandGenerator[None]:
        if not isinstance(event, RequestHeaders):
            if not self._is_over:
                yield from super()._handle_event(event)
            return
        generator = super()._handle_event(event)
        reply = None
        while True:
            try:
                command = generator.send(reply)
            except StopIteration:
                return
            if isinstance(command, HttpRequestHeadersHook):
                self._begin_flow(command.flow)
            reply = yield command
            if isinstance(command, HttpRequestHeadersHook | HttpConnectHook):
                yield from self._look_at_head()
                if self._is_over:
                    generator.close()
                    return

    def _begin_flow(self, flow: http.HTTPFlow) -> None:
        """There is a flow now, of which no addon has heard."""

    def _look_at_head(self) -> layer.CommandGenerator[None]:
        """Answer a client that was not let in, and a body that is too large by its head, before more is read."""
        marked = flow_state.of(self.flow)
        if self.flow.error:
            return  # It is no request, and the base class says so.
        if marked.grant is None:
            yield from self._end_with(self.flow.response, marked.wait)
        elif not self.flow.request.stream and self._is_large(self.flow.request):
            yield from self._ask_about_large()

    def _is_large(self, request: http.Request) -> bool:
        """Return whether a body is too large to be kept, by the head."""
        try:
            return (expected_http_body_size(request) or 0) > self._limit
        except ValueError:
            return False

    def _ask_about_large(self) -> layer.CommandGenerator[None]:
        yield WiretapeLargeHook(self.flow)
        if not self.flow.request.stream:
            yield from self._end_with(self.flow.response)

    def state_consume_request_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As the base class; a body that turns out to be too large is answered, or sent on from here."""
        if not isinstance(event, RequestData) or len(self.request_body_buf) + len(event.data) <= self._limit:
            yield from super().state_consume_request_body(event)
            return
        yield from self._ask_about_large()
        if self._is_over:
            return
        begun = bytes(self.request_body_buf)
        self.request_body_buf.clear()
        yield from self.start_request_stream()
        for piece in (begun, event.data):
            if self.client_state == self.state_stream_request_body:
                yield from self.client_state(RequestData(self.stream_id, piece))

    def handle_connect_upstream(self) -> layer.CommandGenerator[None]:
        """As the base class, unless an addon has this tunnel lead past the upstream proxy."""
        if self.context.server.via:
            yield from super().handle_connect_upstream()  # type: ignore[no-untyped-call]
        else:
            yield from self.handle_connect_regular()  # type: ignore[no-untyped-call]

    def make_server_connection(self) -> layer.CommandGenerator[bool]:
        """As the base class, for what may leave."""
        if flow_state.of(self.flow).leaves:
            is_connected = yield from super().make_server_connection()
            self.sends_to = self.context.server if is_connected else None
            return is_connected
        logger.error(
            "wiretape failed: a request that was not decided on is not sent: %s", self.flow.request.pretty_host
        )
        yield from self._end_with(None)
        return False

    def _end_with(self, answer: http.Response | None, wait: float = 0.0) -> layer.CommandGenerator[None]:
        """Give a last answer, in so many seconds, and read no more. Without one, it is that something failed."""
        self._is_over = True
        self._last = answer or responses.failure(self.flow.request.http_version)
        self.request_body_buf.clear()
        if wait:
            yield commands.RequestWakeup(wait)
        else:
            yield from self._say(self._last)

    def _say(self, answer: http.Response) -> layer.CommandGenerator[None]:
        self._last = None
        self.flow.response = answer
        if self.flow.request.method == "CONNECT":
            yield HttpConnectErrorHook(self.flow)
        else:
            yield HttpResponseHeadersHook(self.flow)
            yield HttpResponseHook(self.flow)
        self.flow.live = False
        yield from self._send_last(answer)

    def _send_last(self, answer: http.Response) -> layer.CommandGenerator[None]:
        client = self.context.client
        content = answer.raw_content
        yield SendHttp(ResponseHeaders(self.stream_id, answer, end_stream=not content), client)
        if content:
            yield SendHttp(ResponseData(self.stream_id, content), client)
        yield SendHttp(ResponseEndOfMessage(self.stream_id), client)
        yield DropStream(self.stream_id)
        if self._parent.streams:
            return  # Others' requests are on the same connection.
        talking = self._parent.connections.get(client)
        if isinstance(talking, Http2Server):
            talking.h2_conn.close_connection()  # A client that is told so sends its next request on another.
            yield commands.SendData(client, talking.h2_conn.data_to_send())
        yield from hang_up(client)

    @property
    def _parent(self) -> HttpLayer:
        parent = self.context.layers[self.context.layers.index(self) - 1]
        assert isinstance(parent, HttpLayer)
        return parent

    def _fail_closed(self) -> layer.CommandGenerator[None]:
        if self._is_over:  # Its last answer was given, or waits and will not be.
            yield from close(self.context.client)
            return
        is_begun = self._is_begun()
        self._is_over = True
        self.request_body_buf.clear()
        yield from tell_of_error(getattr(self, "flow", None))
        if not is_begun:
            yield from self._send_last(
                responses.failure("HTTP/2.0" if self.context.client.alpn == b"h2" else "HTTP/1.1")
            )
            return
        failed = ResponseProtocolError(self.stream_id, "wiretape failed", ErrorCode.GENERIC_SERVER_ERROR)
        yield SendHttp(failed, self.context.client)
        yield DropStream(self.stream_id)

    def _is_begun(self) -> bool:
        """Return whether the client has got the head of an answer."""
        sending = self._parent.connections.get(self.context.client)
        if isinstance(sending, Http1Server):
            return sending.response is not None
        stream = sending.h2_conn.streams.get(self.stream_id) if isinstance(sending, Http2Server) else None
        return stream is None or bool(stream.state_machine.headers_sent)

    def _after_the_end(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Handle what comes after the last answer was given."""
        if not isinstance(event, events.Wakeup):
            return
        if self._last:
            yield from self._say(self._last)
        else:
            yield from close(self.context.client)
