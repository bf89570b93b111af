"""What a provider sends, as values: an answer is a head and steps; here they get their content coding.

No socket in here: ``provider`` and ``http2`` carry the steps out.
"""

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any, Literal

import brotli
import zstandard

Coding = Literal["gzip", "br", "zstd"]
Framing = Literal["chunked", "length", "close"]
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Wait:
    """Go on when the event is set: a test proves that one chunk arrived before the next was sent."""

    event: Event


@dataclass(frozen=True)
class Sleep:
    """Go on after so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Reset:
    """Break off with a TCP RST; with ``stream_only`` and HTTP/2 a RST_STREAM, and the connection lives on."""

    stream_only: bool = False


@dataclass(frozen=True)
class Close:
    """Break off with an orderly close (close_notify and FIN) before the end that the framing promised."""


@dataclass(frozen=True)
class EndEarly:
    """End the framing cleanly here (terminating chunk, END_STREAM) and leave the other steps out."""


@dataclass(frozen=True)
class Interim:
    """Send an answer that only goes before the answer (1xx)."""

    status: int
    headers: Headers = ()


Step = bytes | Wait | Sleep | Reset | Close | EndEarly | Interim


def realistic_headers(content_type: str) -> Headers:
    """The headers that providers send around a body, among them some that must never reach a recording."""
    return (
        ("date", "Fri, 26 Sep 2025 20:59:59 GMT"),
        ("content-type", content_type),
        ("server", "cloudflare"),
        ("x-request-id", "req_4f1c0ffee0ddba11"),
        ("x-ratelimit-remaining-requests", "599"),
        ("cache-control", "no-cache"),
        ("set-cookie", "__cf_bm=set-cookie-secret; path=/; HttpOnly; Secure; SameSite=None"),
        ("cf-ray", "9854c0ffee0d1234-SJC"),
    )


SSE_HEADERS = realistic_headers("text/event-stream; charset=utf-8")


@dataclass(frozen=True)
class Answer:
    """One response. Each ``bytes`` step leaves as one transfer chunk (HTTP/2: one DATA frame) of its own."""

    status: int = 200
    headers: Sequence[tuple[str, str]] = SSE_HEADERS
    steps: Sequence[Step] = field(default_factory=list)
    coding: Coding | None = None
    framing: Framing = "chunked"
    before: Sequence[Step] = ()
    """What is done before the head is sent."""

    def insert(self, index: int, *steps: Step) -> "Answer":
        """The same answer with these steps put before step ``index``."""
        return replace(self, steps=[*self.steps[:index], *steps, *self.steps[index:]])

    @property
    def body(self) -> bytes:
        """All bytes of the steps, before any content coding."""
        return b"".join(step for step in self.steps if isinstance(step, bytes))


@dataclass(frozen=True)
class Received:
    """A request as it arrived. ``path`` has the query; ``sni`` is the name of the TLS handshake."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    host: str
    sni: str = ""

    def header(self, name: str) -> str | None:
        """The first value of this header, whatever the case of its name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def coded(answer: Answer) -> list[Step]:
    """The steps with their content coding, flushed for each chunk, up to the step that ends the answer.

    The coding's own trailer comes as a chunk of its own, as from a server that learns of the end after the last chunk.
    """
    chunk, finish = _coder(answer.coding)
    steps: list[Step] = []
    for step in answer.steps:
        if isinstance(step, EndEarly):
            break
        steps.append(chunk(step) if isinstance(step, bytes) else step)
    steps.append(finish())
    # An empty transfer chunk would be the end of the stream.
    return [step for step in steps if step != b""]


def promised_length(steps: Sequence[Step]) -> int:
    """The content-length to announce: more than what is sent when the stream breaks off before its end."""
    cut = next((i for i, step in enumerate(steps) if isinstance(step, Reset | Close)), None)
    length = sum(len(step) for step in steps if isinstance(step, bytes))
    if cut is not None and not any(isinstance(step, bytes) for step in steps[cut:]):
        return length + 1
    return length


def _coder(coding: Coding | None) -> tuple[Callable[[bytes], bytes], Callable[[], bytes]]:
    match coding:
        case None:
            return (lambda data: data), lambda: b""
        case "gzip":
            gzip = zlib.compressobj(wbits=31)
            return (lambda data: gzip.compress(data) + gzip.flush(zlib.Z_SYNC_FLUSH)), gzip.flush
        case "br":
            br = brotli.Compressor()
            return (lambda data: bytes(br.process(data) + br.flush())), lambda: bytes(br.finish())
        case "zstd":
            zstd = zstandard.ZstdCompressor().compressobj()
            block = zstandard.COMPRESSOBJ_FLUSH_BLOCK
            return (lambda data: zstd.compress(data) + zstd.flush(block)), zstd.flush
