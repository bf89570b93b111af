"""The wire beside the recording: an answer's own bytes and times <-> JSON text. Beside ``recording``, and as sans-IO.

A recording holds what an answer means, a capture how it came: absent fields absent, comments kept, a character split
where it was split. It names the digest of its recording: when someone edits that, the capture's bytes are void.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from wiretape import jsontext

_KEPT = re.compile(
    r"content-type|retry-after|server-timing|openai-processing-ms|openai-version|openai-model|x-should-retry"
    r"|(?:x-|anthropic-)?ratelimit-.+|fireworks-.+|x-inference-.+|x-groq-region|x-envoy-upstream-service-time"
)
"""Headers worth keeping: what a client may act upon. Never a cookie, nor who asked."""

_NEVER = re.compile(r".*(?:account|organization|project|user|tenant|key|token-id|deployment-id|request-id).*")


@dataclass(frozen=True, slots=True)
class Capture:
    """An answer as it came."""

    recording: str
    """``sha256:`` and the hex digest of the recording's bytes."""
    status: int
    headers: tuple[tuple[str, str], ...]
    chunks: tuple[bytes, ...]
    """The body without its content coding, transfer chunk by transfer chunk."""
    at: tuple[float, ...]
    """When each chunk came: milliseconds from the request's last byte."""


def digest(recording: bytes) -> str:
    """What a capture knows its recording by."""
    return f"sha256:{hashlib.sha256(recording).hexdigest()}"


def kept(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The headers worth keeping, their names in lower case, in the order in which they came."""
    lowered = ((name.lower(), value) for name, value in headers)
    return tuple((name, value) for name, value in lowered if _KEPT.fullmatch(name) and not _NEVER.fullmatch(name))


def dumps(capture: Capture) -> bytes:
    """The file's bytes: a line a chunk, so that a diff shows the chunk that changed."""
    head = {"recording": capture.recording, "status": capture.status, "headers": capture.headers}
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    chunks = (json.dumps(_chunk(at, data)) for at, data in zip(capture.at, capture.chunks, strict=True))
    body = ",\n".join(f"    {chunk}" for chunk in chunks)
    return ("{\n" + "\n".join(lines) + '\n  "chunks": [\n' + body + "\n  ]\n}\n").encode("ascii")


def _chunk(at: float, data: bytes) -> dict[str, Any]:
    try:
        return {"at": round(at, 3), "text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"at": round(at, 3), "base64": base64.b64encode(data).decode("ascii")}


def loads(data: bytes) -> Capture:
    """A file's bytes as a capture. Raises ValueError, saying what is wrong."""
    try:
        content = jsontext.loads(data)
        chunks: Sequence[dict[str, Any]] = content["chunks"]
        return Capture(
            str(content["recording"]),
            int(content["status"]),
            tuple((str(name), str(value)) for name, value in content["headers"]),
            tuple(_bytes(chunk) for chunk in chunks),
            tuple(float(chunk["at"]) for chunk in chunks),
        )
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as e:
        raise ValueError(f"not a capture: {type(e).__name__}: {e}") from e


def _bytes(chunk: dict[str, Any]) -> bytes:
    if "text" in chunk:
        return str(chunk["text"]).encode("utf-8")
    return base64.b64decode(chunk["base64"], validate=True)
