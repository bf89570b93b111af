"""The provider's HTTP/2: streams side by side on one connection, with flow control, by h2."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

from loopback.answers import Answer, Received
from loopback.connection import ClientLeftError, Exchange, Line

if TYPE_CHECKING:
    from loopback.provider import Provider

# RFC 9113, 8.2.2: not allowed in HTTP/2.
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade"})


@dataclass
class _Stream:
    headers: list[tuple[str, str]]
    exchange: "Http2Exchange"
    body: list[bytes] = field(default_factory=list)


class Http2(Line):
    """One HTTP/2 connection."""

    def __init__(self, provider: "Provider") -> None:
        super().__init__(provider)
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self.h2 = h2.connection.H2Connection(config)
        self.window = asyncio.Event()
        self._streams: dict[int, _Stream] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.h2.initiate_connection()
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for stream in self._streams.values():
            stream.exchange.gone.set()
        self.window.set()

    def data_received(self, data: bytes) -> None:
        try:
            events = self.h2.receive_data(data)
        except h2.exceptions.ProtocolError:
            self.flush()
            self.transport.close()
            return
        for event in events:
            self._on(event)
        self.flush()

    def flush(self) -> None:
        """Send what h2 wrote."""
        self.write(self.h2.data_to_send())

    def forget(self, stream_id: int) -> None:
        """An exchange is over."""
        self._streams.pop(stream_id, None)

    def _on(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived(stream_id=int(stream_id), headers=headers):
                pairs = [(str(key), str(value)) for key, value in headers or ()]
                self._streams[stream_id] = _Stream(pairs, Http2Exchange(self, stream_id))
            case h2.events.DataReceived(stream_id=int(stream_id), data=data, flow_controlled_length=int(length)):
                self.h2.acknowledge_received_data(length, stream_id)
                if stream := self._streams.get(stream_id):
                    stream.body.append(data or b"")
            case h2.events.StreamEnded(stream_id=int(stream_id)) if stream_id in self._streams:
                self.provider.spawn(self._answer(stream_id))
            case h2.events.StreamReset(stream_id=int(stream_id)) if stream_id in self._streams:
                self._streams[stream_id].exchange.gone.set()
                self.window.set()
            case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                self.window.set()
            case h2.events.ConnectionTerminated():
                self.transport.close()

    async def _answer(self, stream_id: int) -> None:
        stream = self._streams[stream_id]
        pseudo = {key: value for key, value in stream.headers if key.startswith(":")}
        headers = tuple((key, value) for key, value in stream.headers if not key.startswith(":"))
        body, host = b"".join(stream.body), pseudo.get(":authority", "")
        received = Received(pseudo[":method"], pseudo[":path"], headers, body, host, self.sni)
        try:
            await self.provider.answer(stream.exchange, received)
        finally:
            self.forget(stream_id)


class Http2Exchange(Exchange):
    """An answer on one stream."""

    def __init__(self, line: Http2, stream_id: int) -> None:
        super().__init__()
        self._line = line
        self._id = stream_id

    def head(self, answer: Answer, headers: Sequence[tuple[str, str]]) -> None:
        sent = [(key, value) for key, value in headers if key.lower() not in _OF_THE_CONNECTION]
        self._line.h2.send_headers(self._id, [(":status", str(answer.status)), *sent])
        self._line.flush()

    def interim(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        self._line.h2.send_headers(self._id, [(":status", str(status)), *headers])
        self._line.flush()

    async def data(self, data: bytes) -> None:
        while data:
            if self.gone.is_set():
                raise ClientLeftError
            size = min(self._line.h2.local_flow_control_window(self._id), self._line.h2.max_outbound_frame_size)
            if size <= 0:
                self._line.window.clear()
                await self._line.window.wait()
                continue
            self._line.h2.send_data(self._id, data[:size])
            self._line.flush()
            data = data[size:]
            await self._line.writable.wait()

    def end(self) -> None:
        if not self.gone.is_set():
            self._line.h2.end_stream(self._id)
            self._line.flush()

    async def reset(self, *, stream_only: bool) -> None:
        if not stream_only:
            await self._line.reset()
            return
        self._line.h2.reset_stream(self._id, h2.errors.ErrorCodes.INTERNAL_ERROR)
        self._line.flush()

    def close(self) -> None:
        self._line.transport.close()
