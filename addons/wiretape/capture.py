"""The wire beside the recording: an answer's own bytes and times <-> JSON text. Beside ``recording``, and as sans-IO.

A recording holds what an answer means, a capture how it came: absent fields absent, comments kept, a character split
where it was split; and who had it recorded. It names the digest of its recording: when someone edits that, the
capture's bytes are void.
"""

import base64
import binascii
import hashlib
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from wiretape import __version__, jsontext, redact

_KEPT = re.compile(
    r"content-type|retry-after|server-timing|openai-processing-ms|openai-version|openai-model|x-should-retry"
    r"|(?:x-|anthropic-)?ratelimit-.+|fireworks-.+|x-inference-.+|x-groq-region|x-envoy-upstream-service-time"
)
"""Headers worth keeping: what a client may act upon. Never a cookie, nor who asked."""

_NEVER = re.compile(r".*(?:account|organization|project|user|tenant|key|token-id|deployment-id|request-id).*")


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


def origin(by: str, at: datetime, user_agent: str, took: float) -> Origin:
    """Where a recording of this version comes from. ``at`` has a time zone."""
    # What cannot be printed goes first, or it would hide a secret; and a cut one would not be known as one.
    client = redact.clean("".join(filter(str.isprintable, user_agent)))[:CLIENT_LENGTH]
    # The request's end was told by another clock, which may be set meanwhile.
    return Origin(by, at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), client, __version__, max(0.0, took))


@dataclass(frozen=True, slots=True)
class Capture:
    """An answer as it came."""

    recording: str
    """``sha256:`` and the hex digest of the recording's bytes."""
    status: int
    headers: tuple[tuple[str, str], ...]
    chunks: tuple[bytes, ...] | None
    """The body without its content coding, transfer chunk by transfer chunk; None where it is not kept."""
    at: tuple[float, ...]
    """When each chunk came: milliseconds from the request's last byte."""
    origin: Origin | None = None
    """None in captures that were made before there was any."""


def digest(recording: bytes) -> str:
    """What a capture knows its recording by."""
    return f"sha256:{hashlib.sha256(recording).hexdigest()}"


def kept(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The headers worth keeping, their names in lower case, in the order in which they came."""
    lowered = ((name.lower(), value) for name, value in headers)
    return tuple((name, value) for name, value in lowered if _KEPT.fullmatch(name) and not _NEVER.fullmatch(name))


def dumps(capture: Capture) -> bytes:
    """The file's bytes: a line a chunk, so that a diff shows the chunk that changed."""
    members: dict[str, Any] = {"recording": capture.recording}
    if capture.origin:
        members["made"] = _made(capture.origin)
    members |= {"status": capture.status, "headers": capture.headers}
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in members.items()]
    file = io.BytesIO()
    file.write(("{\n" + ",\n".join(lines)).encode("ascii"))
    if capture.chunks is not None:
        file.write(b',\n  "chunks": [')
        # One after the other: of a large answer the whole text would be there three times.
        for number, (at, data) in enumerate(zip(capture.at, capture.chunks, strict=True)):
            file.write(f"{',' if number else ''}\n    {json.dumps(_chunk(at, data))}".encode("ascii"))
        file.write(b"\n  ]" if capture.chunks else b"\n\n  ]")
    file.write(b"\n}\n")
    return file.getvalue()


def _made(origin: Origin) -> dict[str, Any]:
    return {
        "by": origin.by,
        "at": origin.at,
        "client": origin.client,
        "wiretape": origin.wiretape,
        "took_ms": round(origin.took, 3),
    }


def _chunk(at: float, data: bytes) -> dict[str, Any]:
    try:
        return {"at": round(at, 3), "text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"at": round(at, 3), "base64": base64.b64encode(data).decode("ascii")}


def loads(data: bytes) -> Capture:
    """A file's bytes as a capture. Raises ValueError, saying what is wrong."""
    try:
        content = jsontext.loads(data)
        chunks: Sequence[dict[str, Any]] | None = content.get("chunks")
        return Capture(
            str(content["recording"]),
            int(content["status"]),
            tuple((str(name), str(value)) for name, value in content["headers"]),
            None if chunks is None else tuple(_bytes(chunk) for chunk in chunks),
            tuple(float(chunk["at"]) for chunk in chunks or ()),
            _origin(content.get("made")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error) as e:
        raise ValueError(f"not a capture: {type(e).__name__}: {e}") from e


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
        }:
            return Origin(by, at, client, version, float(took))
    raise ValueError("what it says of who made it is in no known form")


def _bytes(chunk: dict[str, Any]) -> bytes:
    if "text" in chunk:
        return str(chunk["text"]).encode("utf-8")
    return base64.b64decode(chunk["base64"], validate=True)
