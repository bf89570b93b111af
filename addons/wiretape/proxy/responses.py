"""An answer of ours as mitmproxy's layers send it: its head, its chunks, each in its time, and how it ends.

Between the tape's hit and the layers: ``lane`` and ``stream`` play it piece by piece; where neither can, a flow's
response holds all of it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mitmproxy import connection, http
from mitmproxy.proxy import commands

from wiretape.codecs import http1, http_fields
from wiretape.network import cors
from wiretape.providers import wire
from wiretape.proxy.desk import Decision, IncomingRequest
from wiretape.replay import faults
from wiretape.replay.faults import Ending, Fault
from wiretape.replay.single_flight import Follower
from wiretape.sessions.access import AccessDeniedError
from wiretape.tape.tape import Hit

logger = logging.getLogger(__name__)

AT_ONCE = 256 * 1024
"""Bytes of an answer that are sent before others have their turn: to encrypt more takes too long for them."""

_SOON = 0.0001
"""Seconds until what is due goes on that is more."""

_EARLY = 0.001
"""Seconds by which a chunk may leave early: timers are up to a millisecond late, and its way takes time."""


@dataclass(slots=True)
class Play:
    """An answer under way. Times are those of ``time.monotonic``."""

    head: http.Response
    """Status and headers, with the framing of the body."""
    chunks: Sequence[bytes]
    leaving: Sequence[float]
    """When each chunk is to leave."""
    ending: Ending | None = None
    """What comes after the chunks, where it is not the answer's end."""
    begins: float = 0.0
    """When the head may leave."""
    begun: bool = False
    """Whether it has."""
    sent: int = 0
    """Chunks that have left."""

    def due(self, now: float) -> tuple[Sequence[bytes], float]:
        """The chunks that leave now, and in how many seconds the next is due: 0 where none is left."""
        first = self.sent
        size = 0
        while self.sent < len(self.chunks) and size < AT_ONCE and self.leaving[self.sent] - now <= _EARLY:
            size += len(self.chunks[self.sent])
            self.sent += 1
        left = max(_SOON, self.leaving[self.sent] - now - _EARLY) if self.sent < len(self.chunks) else 0.0
        return self.chunks[first : self.sent], left

    @property
    def is_timed(self) -> bool:
        """Whether a chunk is to wait for its time."""
        return any(moment > self.begins for moment in self.leaving)

    @property
    def is_chunked(self) -> bool:
        """Whether the body goes in the chunked transfer coding."""
        return "transfer-encoding" in self.head.headers

    def framed(self, chunks: Sequence[bytes]) -> bytes:
        """Chunks as HTTP/1.1 has them, without what ends the body."""
        return b"".join(map(http1.chunk, chunks) if self.is_chunked else chunks)


@dataclass
class Asking:
    """A call that a layer has read, and the answer that it waits for."""

    call: IncomingRequest
    decision: Decision | None = None
    has_failed: bool = False
    """Whether deciding has: then the call is refused, and nothing becomes of it."""


@dataclass
class WiretapeDecideHook(commands.StartHook):
    """Completes when it is decided what becomes of a call."""

    asking: Asking


@dataclass(slots=True)
class Following:
    """A stream that follows a flight, and for whom."""

    follower: Follower
    client: connection.Client
    has_failed: bool = False
    """Whether waiting has: then there is no following."""


@dataclass
class WiretapeFollowHook(commands.StartHook):
    """Completes when the flight has more pieces, or has ended, or the client has gone."""

    following: Following


@dataclass(frozen=True, slots=True)
class Wait:
    """So many seconds, for whom."""

    seconds: float
    client: connection.Client


@dataclass
class WiretapeWaitHook(commands.StartHook):
    """Completes after so many seconds, or when the client has gone."""

    wait: Wait


@dataclass
class WiretapeLargeHook(commands.StartHook):
    """Completes when the flow, whose body is larger than one that is kept, has an answer or is to be streamed."""

    flow: http.HTTPFlow


@dataclass
class WiretapeResetHook(commands.StartHook):
    """Completes when the client's connection has been reset, where it is one that can be."""

    client: connection.Client


def plan(hit: Hit, fault: Fault | None, since: float, http_version: str) -> Play:
    """How a hit is played. ``since`` is when the request's last byte came."""
    if fault is None and (known := hit.framed.get(http_version)):
        leaving = [since + (moment - known.begins) for moment in known.leaving]
        return Play(known.head, known.chunks, leaving, known.ending, since)
    made = _plan(hit, fault or Fault(), since, http_version)
    if fault is None:
        hit.framed[http_version] = made
    return made


def _plan(hit: Hit, fault: Fault, since: float, http_version: str) -> Play:
    chunks, leaving, ending = faults.applied(fault, hit.answer.chunks, hit.leaving)
    if hit.answer.broken and ending is None:
        ending = Ending.RESET
    head = http.Response.make(hit.answer.status, b"", dict(hit.answer.headers))
    if hit.answer.status in http_fields.UNFRAMED:
        head.headers.pop("content-length", None)
    elif len(chunks) > 1 or ending:
        unframe(head, http_version)
    else:
        head.headers["content-length"] = str(sum(map(len, chunks)))
        chunks, leaving = _sliced(chunks, leaving)
    if fault.missed(len(hit.answer.chunks)):
        log_missed(fault, len(hit.answer.chunks))
    return Play(head, chunks, [since + moment for moment in leaving], ending, since + fault.delay)


def _sliced(chunks: Sequence[bytes], leaving: Sequence[float]) -> tuple[tuple[bytes, ...], tuple[float, ...]]:
    """A body in one piece in several that are sent one by one, where its framing does not show them."""
    pieces = [
        (chunk[start : start + AT_ONCE], moment)
        for chunk, moment in zip(chunks, leaving, strict=True)
        for start in range(0, max(1, len(chunk)), AT_ONCE)
    ]
    return tuple(piece for piece, _ in pieces), tuple(moment for _, moment in pieces)


def plan_status(fault: Fault, since: float) -> Play:
    """How an answer is played that is a fault itself."""
    assert fault.status
    made = answer(wire.HttpResponse(fault.status.code, fault.status.headers, (fault.status.body,)))
    return Play(made, (fault.status.body,), (since + fault.delay,), None, since + fault.delay)


def decided(made: Decision | None, http_version: str, origin: str = "") -> Play | None:
    """The answer that was decided on, where it is ours. ``origin``: of the web page that asks."""
    if made is None:
        return None
    if made.hit:
        return for_page(plan(made.hit, made.fault, made.since, http_version), origin)
    if made.fault and made.fault.status:
        return for_page(plan_status(made.fault, made.since), origin)
    return None


def for_page(play: Play, origin: str) -> Play:
    """The same for a web page of this origin, which may read it; as it is where no page asks."""
    if not cors.is_origin(origin):
        return play
    head = play.head.copy()  # It may be of others too.
    allow(head, origin)
    return replace(play, head=head)


def allow(response: http.Response, origin: str) -> None:
    """Let a web page of this origin read an answer."""
    for name, value in cors.allowance(origin, response.headers):
        response.headers[name] = value


def preflight(asked: http.Request) -> http.Response:
    """The answer to a web page that asks whether it may ask."""
    headers = cors.permission(asked.headers)
    response = http.Response.make(204, b"", dict(headers))
    response.headers.pop("content-length", None)
    return response


def response(hit: Hit, fault: Fault | None, since: float, http_version: str) -> tuple[http.Response, Play | None]:
    """A hit as a flow's response, and how it is played where it is not to go out at once and in one piece."""
    made = _plan(hit, fault or Fault(), since, http_version)
    made.head.raw_content = b"".join(made.chunks)
    return made.head, made if len(made.chunks) > 1 or any(hit.leaving) or made.ending else None


def answer(made: wire.HttpResponse) -> http.Response:
    """An answer in one piece."""
    response = http.Response.make(made.status, made.body, dict(made.headers))
    if made.status in http_fields.UNFRAMED:
        response.headers.pop("content-length", None)
    return response


_CODES = {413: "request_too_large", 500: "internal_error", 503: "recordings_unavailable"}
"""Status -> the error's code; of all others ``session_refused``."""

_FAILURE = AccessDeniedError(500, "an error inside wiretape, which its log tells; nothing is sent to a provider")


def refusal(denied: AccessDeniedError, http_version: str = "HTTP/1.1") -> http.Response:
    """The answer to somebody who stays outside: the last one on its connection."""
    code = _CODES.get(denied.status, "session_refused")
    made = answer(wire.error(denied.status, f"wiretape: {denied}", code, retry=denied.status == 503))
    if denied.status == 407:  # RFC 9110, 15.5.8: it comes with this.
        made.headers["proxy-authenticate"] = 'Basic realm="wiretape"'
    if http_version.startswith("HTTP/1"):  # HTTP/2 has no such header.
        made.headers["connection"] = "close"
    return made


def failure(http_version: str = "HTTP/1.1") -> http.Response:
    """The answer to a request on which something of ours has failed."""
    return refusal(_FAILURE, http_version)


def shared(status: int, headers: Sequence[tuple[str, str]], http_version: str) -> http.Response:
    """The head of a live answer that is shared, as a flow's response."""
    made = http.Response.make(status, b"")
    made.headers = http.Headers([(_encoded(name), _encoded(value)) for name, value in headers])
    for name in ("transfer-encoding", "connection", "keep-alive"):
        made.headers.pop(name, None)
    _frame(made, http_version)
    return made


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")  # As mitmproxy has decoded it.


def unframe(made: http.Response, http_version: str) -> None:
    """Announce no length: the body will have another one."""
    made.headers.pop("content-length", None)
    _frame(made, http_version)


def _frame(made: http.Response, http_version: str) -> None:
    # A body of unknown length: chunked; HTTP/2 has its own frames, HTTP/1.0 the connection's end.
    if "content-length" not in made.headers and http_version == "HTTP/1.1":
        made.headers["transfer-encoding"] = "chunked"


def log_missed(fault: Fault, count: int) -> None:
    """Say that a fault was not all reached."""
    logger.warning("fault: %s: was not all reached: the answer had %d chunks", fault, count)
