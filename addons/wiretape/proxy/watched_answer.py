"""A live answer that is not recorded, on its way to its client: counted, and looked at for its tokens when it is whole.

Between a flow's response and what is told of its call. Pieces pass as they come; they are kept as long as there are few
enough of them, and are read in the thread of the log.
"""

from mitmproxy import http

from wiretape.codecs import content_coding
from wiretape.matching import request as matching
from wiretape.providers import wire
from wiretape.providers.asked_model import model_of
from wiretape.providers.routing import OTHER, Route
from wiretape.providers.usage import Usage
from wiretape.proxy.open_call import OpenCall
from wiretape.recording import RecordedRequest
from wiretape.tape.hit import NOTHING

_MOST = 4 << 20
"""Bytes of an answer, and of a request, that are read: to read more takes too long from the traffic's thread."""


class WatchedAnswer:
    """Counts what passes. For the thread that carries the traffic, but for ``usage``."""

    def __init__(
        self, call: OpenCall, route: Route | None, flow: http.HTTPFlow, recorded: RecordedRequest | None
    ) -> None:
        """``recorded``: the request, where it was read."""
        assert flow.response
        self._call = call
        self._route = route
        self._recorded = recorded
        self._body = flow.request.raw_content or b""
        self._content_type = flow.request.headers.get("content-type", "")
        self._is_coded = "content-encoding" in flow.request.headers
        self._head = flow.response.status_code, tuple(flow.response.headers.items(multi=True))
        self._pieces: list[bytes] = []
        self._is_read = flow.response.status_code == 200 and route is not None and route.endpoint.kind != OTHER
        call.size = 0
        if self._is_read:
            call.usage = self.usage

    def take(self, piece: bytes) -> bytes:
        """Let a piece pass. Never raises."""
        size = self._call.size = (self._call.size or 0) + len(piece)
        if self._is_read:
            self._pieces.append(piece)
            if size > _MOST:
                self._is_read = False
                self._pieces.clear()
        return piece

    def usage(self) -> Usage:
        """Return the tokens that the answer says that it took; what the request says is noted of the call. For the
        thread of the log, when nothing more passes.
        """
        try:
            recorded = self._recorded or self._read_request()
            if recorded is None:
                return NOTHING
            self._call.model = model_of(recorded)
            self._call.request = recorded.label
            pieces = [each for each in self._pieces if each]
            if not pieces:
                return NOTHING
            response = wire.response(recorded, self._plain(pieces), keep_errors=True)
            return wire.usage(recorded, response)[0]
        except (ValueError, wire.UnrecordableError, RecursionError):
            return NOTHING

    def _plain(self, pieces: list[bytes]) -> wire.LiveResponse:
        """Return the answer without its content coding. Raises ValueError, also where there is too much of it."""
        status, headers = self._head
        coding = ",".join(value for name, value in headers if name.lower() == "content-encoding")
        plain = content_coding.decode(pieces, coding, _MOST * 4)
        others = tuple(each for each in headers if each[0].lower() != "content-encoding")
        live = wire.LiveResponse(status, others, plain, [0.0] * len(plain), ended=True)
        return live.without_empty()

    def _read_request(self) -> RecordedRequest | None:
        """Read the request, of which in ``live`` nobody has."""
        if self._route is None or self._is_coded or len(self._body) > _MOST:
            return None
        return matching.recorded(self._route, self._body, self._content_type, None)
