"""An answer of ours as its protocol has it: a head whose framing fits the body, and when each part of that leaves.

Between the tape's hit and who sends it. A ``FramedAnswer`` is made once for each hit and protocol, and is kept with
the hit; with a fault it is made for one request. A ``Play`` is one of them on its way to one client. Where no layer of
ours can play it, a flow's response holds all of it.

    HTTP/1.1   chunked where there are several chunks, or it stops before its end; else with its length
    HTTP/2     no framing in the head: the protocol has frames of its own
    HTTP/1.0   the same; the connection's end ends the body
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from mitmproxy import http
from mitmproxy.net.http import http1 as mitmproxy_http1

from wiretape.codecs import http1, http_fields
from wiretape.network import cors
from wiretape.providers import wire
from wiretape.proxy import responses
from wiretape.proxy.calls import Faulted, Outcome, Replayed
from wiretape.proxy.open_call import OpenCall
from wiretape.replay import faults
from wiretape.replay.faults import Ending, Fault
from wiretape.replay.playback import AT_ONCE, Playback, Step, TimedAnswer
from wiretape.tape.hit import Hit


@dataclass(slots=True)
class Play:
    """An answer of ours on its way to one client."""

    head: http.Response
    """Status and headers, with the framing of the body."""
    playback: Playback
    is_in_parts: bool
    """Whether the client is to see where one chunk ends and the next begins."""
    is_chunked: bool
    """Whether the body goes in the chunked transfer coding."""
    call: OpenCall | None = None
    """What is told of it, where somebody wants to know."""

    def advance(self, now: float) -> Step:
        """Return what is to be done at this moment, by the clock of ``calls.now``."""
        step = self.playback.advance(now)
        if self.call:
            self.call.step(step, self.head.status_code, now)
        return step

    def leave(self, why: str) -> None:
        """Nothing more of it leaves: its client has gone, or we have failed."""
        if self.call:
            self.call.end(why)

    def use_head(self, head: http.Response) -> None:
        """Have another head in the place of its own, and the framing that it tells."""
        self.head = head
        self.is_chunked = _is_chunked(head)


class FramedAnswer:
    """An answer as one protocol has it, for any number of clients."""

    def __init__(self, head: http.Response, body: TimedAnswer) -> None:
        self.head = head
        self.body = body
        self.is_chunked = _is_chunked(head)
        self.is_in_parts = body.is_paced or body.ending is not None
        """Whether its chunks are apart, by their times or by what comes after them."""
        self.goes_at_once = not self.is_in_parts and sum(map(len, body.chunks)) <= AT_ONCE
        """Whether it goes out in one piece."""

    def play(self, since: float) -> Play:
        """Return it on its way to a client. ``since``: when the request's last byte came."""
        return Play(self.head, Playback(self.body, since), self.is_in_parts, self.is_chunked)

    @cached_property
    def content(self) -> bytes:
        """The body in one piece, without framing."""
        return b"".join(self.body.chunks)

    @cached_property
    def message(self) -> bytes:
        """All of it as HTTP/1.1 has it, in one piece."""
        body = body_bytes(self.body.chunks, is_chunked=self.is_chunked)
        return head_bytes(self.head) + body + end_of_body(is_chunked=self.is_chunked)

    def for_page(self, origin: str) -> "FramedAnswer":
        """Return the same for a web page of this origin, which may read it; itself where no page asks."""
        if not origin or not cors.is_origin(origin):
            return self
        head = self.head.copy()  # The one that is kept is for others too.
        responses.allow(head, origin)
        return FramedAnswer(head, self.body)


# -- bytes of HTTP/1.1 -------------------------------------------------------------------------------------------------


def _is_chunked(head: http.Response) -> bool:
    return "transfer-encoding" in head.headers


def head_bytes(head: http.Response) -> bytes:
    """Return a head as it goes out."""
    return bytes(mitmproxy_http1.assemble_response_head(head))


def body_bytes(chunks: Iterable[bytes], *, is_chunked: bool) -> bytes:
    """Return a part of a body as it goes out."""
    return b"".join(map(http1.chunk, chunks) if is_chunked else chunks)


def end_of_body(*, is_chunked: bool) -> bytes:
    """Return what goes out after the last chunk."""
    return http1.LAST_CHUNK if is_chunked else b""


# -- from what was decided ---------------------------------------------------------------------------------------------


def of_hit(hit: Hit, http_version: str) -> FramedAnswer:
    """Return a hit as a protocol has it: made once, and kept with the hit."""
    framed: FramedAnswer | None = hit.framed.get(http_version)
    if framed is None:
        framed = hit.framed[http_version] = _framed(hit, Fault(), http_version)
    return framed


def of_faulted_hit(hit: Hit, fault: Fault, http_version: str) -> FramedAnswer:
    """Return a hit that meets a fault."""
    if fault.missed(len(hit.answer.chunks)):
        responses.log_missed(fault, len(hit.answer.chunks))
    return _framed(hit, fault, http_version)


def of_status(fault: Fault) -> FramedAnswer:
    """Return an answer that is a fault itself."""
    assert fault.status
    body = fault.status.body
    head = responses.answer(wire.HttpResponse(fault.status.code, fault.status.headers, (body,)))
    return FramedAnswer(head, TimedAnswer((body,), (fault.delay,), fault.delay))


def of_outcome(outcome: Outcome | None, http_version: str, origin: str) -> Play | None:
    """Return the play of an outcome that is an answer of ours; None where it is none. ``origin``: of a web page."""
    match outcome:
        case Replayed() if outcome.fault:
            framed = of_faulted_hit(outcome.hit, outcome.fault, http_version)
        case Replayed():
            framed = of_hit(outcome.hit, http_version)
        case Faulted():
            framed = of_status(outcome.fault)
        case _:
            return None
    return framed.for_page(origin).play(outcome.request.came_at)


def flow_response(hit: Hit, fault: Fault | None, since: float, http_version: str) -> tuple[http.Response, Play | None]:
    """Return a hit as a flow's response, and how it is played where it is not to go out at once and in one piece.

    The response is the flow's own: whoever sees the flow may change it.
    """
    framed = of_faulted_hit(hit, fault, http_version) if fault else _framed(hit, Fault(), http_version)
    framed.head.raw_content = framed.content
    is_plain = len(framed.body.chunks) <= 1 and not any(hit.leaving) and framed.body.ending is None
    return framed.head, None if is_plain else framed.play(since)


def _framed(hit: Hit, fault: Fault, http_version: str) -> FramedAnswer:
    chunks, leaving, ending = faults.applied(fault, hit.answer.chunks, hit.leaving)
    if hit.answer.broken and ending is None:
        ending = Ending.RESET
    head = http.Response.make(hit.answer.status, b"", dict(hit.answer.headers))
    if hit.answer.status in http_fields.UNFRAMED:
        head.headers.pop("content-length", None)
    elif len(chunks) > 1 or ending:
        responses.unframe(head, http_version)
    else:
        head.headers["content-length"] = str(sum(map(len, chunks)))
        chunks, leaving = _sliced(chunks, leaving)
    return FramedAnswer(head, TimedAnswer(chunks, leaving, fault.delay, ending))


def _sliced(chunks: Sequence[bytes], leaving: Sequence[float]) -> tuple[tuple[bytes, ...], tuple[float, ...]]:
    """Return a body in one piece in several that are sent one by one, where its framing does not show them."""
    pieces = [
        (chunk[start : start + AT_ONCE], moment)
        for chunk, moment in zip(chunks, leaving, strict=True)
        for start in range(0, max(1, len(chunk)), AT_ONCE)
    ]
    return tuple(piece for piece, _ in pieces), tuple(moment for _, moment in pieces)
