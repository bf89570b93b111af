"""The wire beside the recording: an answer's own bytes and times <-> JSON text. Beside ``recording``, and as sans-IO.

A recording holds what an answer means, a capture how it came: absent fields absent, comments kept, a character split
where it was split; and who had it recorded. It names the digest of its recording: when someone edits that, the
capture's bytes are void.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from wiretape import __version__
from wiretape.codecs import http_fields, json_text
from wiretape.codecs.parts import Parts, digest

__all__ = ["Capture", "Origin", "digest", "dumps", "dumps_parts", "kept", "loads", "origin"]

_LONGEST = 86_400_000.0
"""Milliseconds from a request to its answer's last byte: a day."""

_LATEST = 1e15

CLIENT_LENGTH = 200
"""Characters that are kept of a client's name for itself."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a recording comes from."""

    by: str
    """The name of the token with which it was made; empty where the proxy was open."""
    at: str
    """When its last byte came: RFC 3339, in UTC, to the second."""
    client: str
    """The client's User-Agent, without what it may not hold."""
    wiretape: str
    """The version that recorded."""
    took: float
    """Milliseconds from the request's last byte to the answer's last byte."""
    query: str | None = None
    """The query of the request, where its recording tells it: one that has no query was asked for without one. None of
    a recording that may not tell it."""


def origin(
    by: str, at: datetime, user_agent: str, took: float, query: str | None = None, *, clean: Callable[[str], str]
) -> Origin:
    """Return where a recording of this version comes from. ``at`` has a time zone.

    ``clean`` takes secrets out of a text: names may hold one.
    """
    # What cannot be printed goes first, or it would hide a secret; and a cut one would not be known as one.
    client = clean("".join(filter(str.isprintable, user_agent)))[:CLIENT_LENGTH]
    time = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    # The request's end was told by another clock, which may be set meanwhile.
    return Origin(clean(by), time, client, __version__, max(0.0, took), query)


@dataclass(frozen=True, slots=True)
class Capture:
    """An answer as it came."""

    recording: str
    """``sha256:`` and the hex digest of the recording's bytes."""
    status: int
    headers: tuple[tuple[str, str], ...]
    chunks: Sequence[bytes] | None
    """The body without its content coding, transfer chunk by transfer chunk; None where it is not kept."""
    at: Sequence[float]
    """When each chunk came: milliseconds from the request's last byte."""
    origin: Origin | None = None
    """None in captures that were made before there was any."""
    base64_wanted: bool = False
    """Whether the request asked for embeddings as base64, which its recording does not show."""

    @property
    def beside(self) -> list[Any]:
        """What it says beside its body, as a JSON value that can be looked through for secrets."""
        told = [self.origin.by, self.origin.client, self.origin.query] if self.origin else []
        return [*({name: value} for name, value in self.headers), *told]


def kept(headers: Iterable[tuple[str, str]], clean: Callable[[str, str], str]) -> tuple[tuple[str, str], ...]:
    """Return the headers worth keeping, their names in lower case, in the order in which they came.

    ``clean`` takes secrets out of a value, given the header's name.
    """
    lowered = ((name.lower(), value) for name, value in headers)
    worth = [(name, value) for name, value in lowered if http_fields.is_kept(name) and http_fields.is_value(value)]
    return tuple((name, clean(name, value)) for name, value in worth)


def dumps(capture: Capture) -> bytes:
    """The file's bytes: a line a chunk, so that a diff shows the chunk that changed."""
    return bytes(dumps_parts(capture))


def dumps_parts(capture: Capture) -> Parts:
    """The same, made while it is written."""
    return Parts(partial(_dumped, capture))


def _dumped(capture: Capture) -> Iterator[bytes]:
    members: dict[str, Any] = {"recording": capture.recording}
    if capture.origin:
        members["made"] = _made(capture.origin)
    members |= {"status": capture.status, "headers": capture.headers}
    if capture.base64_wanted:
        members["encoding_format"] = "base64"
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in members.items()]
    yield ("{\n" + ",\n".join(lines)).encode("ascii")
    if capture.chunks is not None:
        yield b',\n  "chunks": ['
        for number, (at, data) in enumerate(zip(capture.at, capture.chunks, strict=True)):
            yield f"{',' if number else ''}\n    {json.dumps(_chunk(at, data))}".encode("ascii")
        yield b"\n  ]" if capture.chunks else b"\n\n  ]"
    yield b"\n}\n"


def _made(origin: Origin) -> dict[str, Any]:
    return {
        "by": origin.by,
        "at": origin.at,
        "client": origin.client,
        "wiretape": origin.wiretape,
        "took_ms": round(origin.took, 3),
    } | ({} if origin.query is None else {"query": origin.query})


def _chunk(at: float, data: bytes) -> dict[str, Any]:
    at = min(max(0.0, at), _LONGEST)  # The request's end was told by another clock, which may be set meanwhile.
    try:
        return {"at": round(at, 3), "text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"at": round(at, 3), "base64": base64.b64encode(data).decode("ascii")}


def loads(data: bytes) -> Capture:
    """A file's bytes as a capture. Raises ValueError, saying what is wrong.

    What it gives can be sent as it is: a capture may come from a stranger, and its bytes go to a client unseen.
    """
    try:
        content = json_text.loads(data)
    except ValueError as e:
        raise ValueError(f"not a capture: not JSON: {e}") from e
    _must(isinstance(content, dict), "not an object")
    recording = content.get("recording")
    status = content.get("status")
    _must(isinstance(recording, str), "recording is no text")
    _must(http_fields.is_status(status), "status is no HTTP status from 200 to 599")
    chunks = content.get("chunks")
    _must(chunks is None or isinstance(chunks, list), "chunks is no list")
    return Capture(
        recording,
        status,
        _headers(content.get("headers")),
        None if chunks is None else tuple(map(_bytes, chunks)),
        _times(chunks or ()),
        _origin(content.get("made")),
        content.get("encoding_format") == "base64",
    )


def _must(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(f"not a capture: {message}")


def _headers(value: Any) -> tuple[tuple[str, str], ...]:
    _must(isinstance(value, list), "headers is no list")
    headers = []
    for each in value:
        match each:
            case [str(name), str(text)]:
                _must(http_fields.is_kept(name), f"header {name!r} is none that a capture keeps")
                _must(http_fields.is_value(text), f"the value of header {name} holds what no header can")
                headers.append((name, text))
            case _:
                _must(False, "a header is no pair of name and value")
    return tuple(headers)


def _bytes(chunk: Any) -> bytes:
    match chunk:
        case {"text": str(text)}:
            with _saying("the text of a chunk is no Unicode"):
                return text.encode("utf-8")
        case {"base64": str(text)}:
            with _saying("the base64 of a chunk is none"):
                return base64.b64decode(text, validate=True)
    raise ValueError("not a capture: a chunk has neither text nor base64")


@contextmanager
def _saying(what: str) -> Iterator[None]:
    try:
        yield
    except ValueError as e:
        raise ValueError(f"not a capture: {what}") from e


def _times(chunks: Iterable[Any]) -> tuple[float, ...]:
    times: list[float] = []
    last = 0.0
    for chunk in chunks:
        at = chunk.get("at")
        # NaN is not between any two.
        is_time = isinstance(at, int | float) and not isinstance(at, bool) and last <= at <= _LONGEST
        _must(is_time, f"the time of chunk {len(times) + 1} is no number of milliseconds, up to a day, that goes on")
        last = float(at)
        times.append(last)
    return tuple(times)


def _origin(made: Any) -> Origin | None:
    match made:
        case None:
            return None
        case {
            "by": str(by),
            "at": str(at),
            "client": str(client),
            "wiretape": str(version),
            "took_ms": int() | float() as took,
        } if not isinstance(took, bool) and abs(took) < _LATEST and isinstance(made.get("query", ""), str):
            return Origin(by, at, client, version, float(took), made.get("query"))
    raise ValueError("not a capture: what it says of who made it is in no known form")
