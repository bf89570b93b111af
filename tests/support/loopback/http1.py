"""The provider's HTTP/1.1.

Requests are read by h11; answers are written by hand, because a provider here must also be able to be wrong.
"""

import contextlib
import http
from collections.abc import Sequence
from typing import TYPE_CHECKING

import h11

from loopback.answers import Answer, Framing, Received
from loopback.connection import ClientLeftError, Exchange, Line

if TYPE_CHECKING:
    from loopback.provider import Provider


class Http1(Line):
    """HTTP/1.1: one exchange after the other."""

    def __init__(self, provider: "Provider") -> None:
        super().__init__(provider)
        self._reader = _reader()
        self._request: h11.Request | None = None
        self._body: list[bytes] = []
        self._exchange: Http1Exchange | None = None

    def data_received(self, data: bytes) -> None:
        self._reader.receive_data(data)
        self._read()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._exchange:
            self._exchange.gone.set()

    def _read(self) -> None:
        while self._exchange is None and not self.transport.is_closing():
            try:
                event = self._reader.next_event()
            except h11.RemoteProtocolError as error:
                self.write(f"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n{error}".encode())
                self.transport.close()
                return
            if isinstance(event, h11.Request):
                self._request, self._body = event, []
                if self._reader.they_are_waiting_for_100_continue:
                    self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            elif isinstance(event, h11.Data):
                self._body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self.provider.spawn(self._answer(self._received()))
            else:
                return

    def _received(self) -> Received:
        assert self._request is not None
        headers = tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in self._request.headers)
        host = next((value for key, value in headers if key == "host"), "")
        method, path = self._request.method.decode(), self._request.target.decode()
        self._exchange = Http1Exchange(self)
        return Received(method, path, headers, b"".join(self._body), host, self.sni)

    async def _answer(self, received: Received) -> None:
        exchange = self._exchange
        assert exchange is not None
        await self.provider.answer(exchange, received)
        self._exchange = None
        if not exchange.reusable or received.header("connection") == "close":
            # The orderly end of an answer that is framed by it; nothing happens where the answer already broke off.
            self.transport.close()
            return
        # h11 is not told of answers: each request gets a reader of its own, with what was read ahead.
        ahead, _ = self._reader.trailing_data
        self._reader = _reader()
        if ahead:
            self._reader.receive_data(ahead)
        self._read()


class Http1Exchange(Exchange):
    """An answer over HTTP/1.1, written by hand."""

    def __init__(self, line: Http1) -> None:
        super().__init__()
        self.reusable = False
        self._line = line
        self._framing: Framing = "chunked"

    def head(self, answer: Answer, headers: Sequence[tuple[str, str]]) -> None:
        self._framing = answer.framing
        framing = {
            "chunked": [("transfer-encoding", "chunked"), ("connection", "keep-alive")],
            "length": [("connection", "keep-alive")],
            "close": [("connection", "close")],
        }[answer.framing]
        reason = ""
        with contextlib.suppress(ValueError):
            reason = http.HTTPStatus(answer.status).phrase
        lines = [f"HTTP/1.1 {answer.status} {reason}", *(f"{key}: {value}" for key, value in [*headers, *framing])]
        self._line.write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def interim(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        lines = [f"HTTP/1.1 {status} Before", *(f"{key}: {value}" for key, value in headers), "", ""]
        self._line.write("\r\n".join(lines).encode())

    async def data(self, data: bytes) -> None:
        self._line.write(b"%x\r\n%b\r\n" % (len(data), data) if self._framing == "chunked" else data)
        await self._line.writable.wait()
        if self.gone.is_set():
            raise ClientLeftError

    def end(self) -> None:
        if self._framing == "chunked":
            self._line.write(b"0\r\n\r\n")
        self.reusable = self._framing != "close"

    async def reset(self, *, stream_only: bool) -> None:
        await self._line.reset()

    def close(self) -> None:
        self._line.transport.close()


def _reader() -> h11.Connection:
    return h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
