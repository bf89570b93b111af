"""mitmproxy's readers of HTTP/1.1, for what they do not expect of a server or a client. Below ``http``.

- Before an answer there may be any number that only go before (1xx). mitmproxy takes the first for the answer, and a
  client then waits for one that never comes. They are passed over and not sent on, as mitmproxy does with HTTP/2: a
  client that asked for ``100 Continue`` has got mitmproxy's own, and for what the others tell (102, 103) no client of
  an API waits; many take them for the answer too. 101 is one.
- After a chunked body there may be trailers, for which mitmproxy raises. They are dropped.
- A connection tells whether it is idle, and whether it has been for too long.
"""

import re
import time

import h11
from h11._readers import ChunkedReader
from h11._receivebuffer import ReceiveBuffer
from mitmproxy.proxy import events, layer
from mitmproxy.proxy.layers.http._http1 import Http1Client, Http1Connection, Http1Server

_INTERIM = re.compile(rb"(?:\r?\n)*HTTP/\d\.\d[ \t]+1(?!01)\d\d(?=[ \t\r\n])")
_TIMEOUT = re.compile(r"\btimeout\s{0,9}=\s{0,9}(\d{1,9})", re.ASCII | re.IGNORECASE)

_IDLE_S = 4.0
"""Seconds after which an idle connection is not used again: many servers close theirs after five, and some say when."""

_BEGIN = 64
"""Bytes at the beginning of a head that tell which it is."""


class _Untrailed(Http1Connection):
    """Reads a body without the trailers that may come after it."""

    def read_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As the base class."""
        if type(self.body_reader) is ChunkedReader:  # It has read nothing yet.
            self.body_reader = _WithoutTrailers()
        yield from super().read_body(event)


class PatientServer(_Untrailed, Http1Server):
    """Reads what a client sends."""


class PatientClient(_Untrailed, Http1Client):
    """Reads what a server sends."""

    _done_at: float | None = None
    """When its last answer was done, by ``time.monotonic``; None where its connection cannot be used again."""

    _keeps_s = _IDLE_S
    """Seconds after which it is not used again."""

    @property
    def is_idle(self) -> bool:
        """Return whether its connection can be used again."""
        return self._done_at is not None and self.stream_id is None

    @property
    def is_stale(self) -> bool:
        """Return whether it has been idle for so long that the server may be about to close it."""
        return self._done_at is not None and self.is_idle and time.monotonic() - self._done_at > self._keeps_s

    def read_headers(self, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
        """As the base class, after what goes before the answer."""
        if isinstance(event, events.DataReceived) and self.request:
            while _INTERIM.match(self.buf._data[:_BEGIN]):
                if self.buf.maybe_extract_lines() is None:
                    return  # The rest of it is to come.
        yield from super().read_headers(event)

    def mark_done(self, *, request: bool = False, response: bool = False) -> layer.CommandGenerator[None]:
        """As the base class."""
        if self.response and (said := _TIMEOUT.search(self.response.headers.get("keep-alive", ""))):
            self._keeps_s = min(_IDLE_S, int(said[1]) - 1.0)
        yield from super().mark_done(request=request, response=response)
        self._done_at = time.monotonic() if self.stream_id is None and self.state == self.read_headers else None


class _WithoutTrailers(ChunkedReader):
    def __call__(self, buf: ReceiveBuffer) -> h11.Data | h11.EndOfMessage | None:
        event = super().__call__(buf)
        return h11.EndOfMessage() if isinstance(event, h11.EndOfMessage) else event


def make_patient(reading: layer.Layer) -> None:
    """Have a connection to a server of HTTP/1.1, on which nothing was sent yet, read in this way."""
    if type(reading) is Http1Client:
        # mitmproxy makes it, in the middle of a function, and lets nobody else.
        reading.__class__ = PatientClient
        reading.state = reading.read_headers
