"""Sends requests by way of a proxy of this process, and keeps what comes back with its times. Below ``refresh``.

One request is one thread's, a connection for each: it is what a client of the standard library does, and the proxy sees
to the rest (the provider's TLS, proxies of a company, what is allowed).
"""

import asyncio
import http.client
import ssl
import time
from base64 import b64encode
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import wiretape
from wiretape.cli.certificates import trust_files
from wiretape.cli.embedded import serving
from wiretape.codecs.units import counted
from wiretape.library.refreshing import Outgoing
from wiretape.policy import Mode
from wiretape.providers.wire import LiveResponse

AGENT = f"wiretape/{wiretape.__version__} refresh"

SESSION = "refresh"
"""The session of the proxy in which they are sent: nothing is recorded in it, and its calls are told apart."""

_AT_ONCE = 4
"""Requests that are under way at once: a provider that limits them is not to be asked in vain."""

_SILENT_S = 120.0
"""Seconds for which a provider may be silent."""

_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a request."""

    live: LiveResponse | None
    sent_at: float
    """Seconds since 1970."""
    problem: str = ""
    """Why nothing came."""


async def send_all(
    outgoing: Sequence[Outgoing], settings: Sequence[str], environ: Mapping[str, str], largest: int
) -> AsyncGenerator[tuple[int, Came]]:
    """Send requests through a proxy with these settings, and yield what came of each, with its place among them.

    An answer with more than ``largest`` bytes is none. Raises StartError where there can be no proxy.
    """
    async with serving(settings, dict(environ)) as proxy:
        with trust_files(proxy.ca_pem(), environ) as trust:
            context = ssl.create_default_context(cafile=trust.pem)
        turn = asyncio.Semaphore(_AT_ONCE)

        async def send(place: int) -> tuple[int, Came]:
            async with turn:
                return place, await asyncio.to_thread(_send, outgoing[place], proxy.port, context, largest)

        tasks = [asyncio.create_task(send(place)) for place in range(len(outgoing))]
        try:
            for task in asyncio.as_completed(tasks):
                yield await task
        finally:
            for each in tasks:
                each.cancel()


def _send(outgoing: Outgoing, port: int, context: ssl.SSLContext, largest: int) -> Came:
    sent_at = time.time()
    try:
        return Came(_ask(outgoing, port, context, largest), sent_at)
    except (OSError, http.client.HTTPException, ValueError) as e:
        return Came(None, sent_at, f"no answer came: {type(e).__name__}: {e}"[:300])


def _ask(outgoing: Outgoing, port: int, context: ssl.SSLContext, largest: int) -> LiveResponse:
    parts = urlsplit(outgoing.url)
    credentials = {"proxy-authorization": f"Basic {b64encode(f'{SESSION}+{Mode.LIVE}:'.encode()).decode()}"}
    headers = {**dict(outgoing.headers), "host": parts.netloc, "user-agent": AGENT}
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=_SILENT_S, context=context)
        connection.set_tunnel(parts.hostname or "", parts.port or 443, credentials)
        target = outgoing.url.removeprefix(f"https://{parts.netloc}") or "/"
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SILENT_S)
        headers |= credentials
        target = outgoing.url
    try:
        connection.request(outgoing.method, target, outgoing.body or None, headers)
        began = time.monotonic()
        with connection.getresponse() as response:
            return _read(response, began, largest)
    finally:
        connection.close()


def _read(response: http.client.HTTPResponse, began: float, largest: int) -> LiveResponse:
    pieces: list[bytes] = []
    at: list[float] = []
    size = 0
    ended = True
    is_framed = bool(response.chunked) or response.length is not None
    try:
        while piece := response.read1(_PIECE):
            pieces.append(piece)
            at.append((time.monotonic() - began) * 1000)
            size += len(piece)
            if size > largest:
                raise ValueError(f"the answer is longer than {counted(largest, 'byte')}")
        ended = not response.length
    except (http.client.IncompleteRead, ConnectionError):
        ended = False
    return LiveResponse(response.status, tuple(response.getheaders()), pieces, at, ended, is_framed)
