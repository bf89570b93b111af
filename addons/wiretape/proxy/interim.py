"""mitmproxy's reader of a server's HTTP/1.1, past the answers that only go before: 1xx, of which any number may come.

mitmproxy takes the first of them for the answer, and a client then waits for one that never comes. They are passed over
and not sent on, as mitmproxy does with HTTP/2: a client that asked for ``100 Continue`` has got mitmproxy's own, and
what the others tell (102, 103) no client of an API waits for; many take them for the answer too. 101 is one.
"""

import re

from mitmproxy.proxy import events, layer
from mitmproxy.proxy.layers.http._http1 import Http1Client

_INTERIM = re.compile(rb"(?:\r?\n)*HTTP/\d\.\d[ \t]+1(?!01)\d\d(?=[ \t\r\n])")


class PatientClient(Http1Client):
    """Reads an answer's head after what goes before it."""

    def read_headers(self, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
        """As the base class."""
        if isinstance(event, events.DataReceived) and self.request:
            while _INTERIM.match(bytes(self.buf)):
                if self.buf.maybe_extract_lines() is None:
                    return  # The rest of it is to come.
        yield from super().read_headers(event)


def make_patient(reading: layer.Layer) -> None:
    """Have a connection to a server of HTTP/1.1, on which nothing was sent yet, read in this way."""
    if type(reading) is Http1Client:
        # mitmproxy makes it, in the middle of a function, and lets nobody else.
        reading.__class__ = PatientClient
        reading.state = reading.read_headers
