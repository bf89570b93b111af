"""Recording <-> JSON text, byte for byte. Does not know where a recording lives, nor how it goes over the wire.

Source: llama-stack's recordings; docs/reference/recording-format.md tells of the format.
"""

from collections.abc import Iterator
from functools import partial

from wiretape.codecs import json_text
from wiretape.codecs.parts import Parts
from wiretape.exceptions import RecordingError
from wiretape.recording import checks
from wiretape.recording.model import JSON, RecordedRequest, RecordedResponse, Recording


def encoded(text: str) -> bytes:
    """Return a text of a recording as it was sent, be it no UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # Half of a surrogate pair, in a recording that somebody has written.
        return text.encode("utf-8", "surrogatepass")


def dumps(recording: Recording) -> bytes:
    """The file's bytes: ASCII, indent 2, Python's float repr, one newline at the end."""
    return bytes(dumps_parts(recording))


def dumps_parts(recording: Recording) -> Parts:
    """The same, made while it is written."""
    return Parts(partial(_dumped, recording))


def _dumped(recording: Recording) -> Iterator[bytes]:
    request = recording.request
    response = recording.response
    is_2026 = recording.form == "2026"
    test_id = {"test_id": request.test_id} if is_2026 else {}
    if request.passthrough:
        payload = {} if request.is_bare else {"payload": request.body}
        asked = {**test_id, "url": request.url, "method": request.method, **payload, **request.extra}
    else:
        asked = {
            "method": request.method,
            "url": request.url,
            "headers": {},
            "body": request.body,
            "endpoint": request.endpoint,
            "model": request.model,
            **request.extra,
        }
    told = {"status": response.status, "location": response.location, "content_type": response.content_type}
    answered: dict[str, JSON] = {key: value for key, value in told.items() if value is not None}
    answered |= {"body": response.body, "is_streaming": response.is_streaming}
    if response.tail:
        answered["tail"] = [*response.tail]
    if response.envelope is not None:
        answered["envelope"] = response.envelope
    if response.error is not None:
        answered["is_exception"] = True
        answered["exception_data"] = response.error
        answered["exception_message"] = response.error.get("message", "")
    content = {**test_id, "request": asked, "response": answered, **recording.extra}
    for part in json_text.indented(content):
        yield part.encode("ascii")
    yield b"\n"


def loads(data: bytes) -> Recording:
    """A file's bytes as a recording.

    Raises RecordingError, saying what is wrong, where it is not JSON or not of a recording's shape.
    """
    content = _parse(data)
    request = loads_request(content)
    response = content.get("response")
    checks.check_response(response, None if request.passthrough else request.endpoint)
    return Recording(
        request,
        RecordedResponse(
            response["body"],
            response["is_streaming"],
            response["exception_data"] if response.get("is_exception") else None,
            response.get("status"),
            response.get("content_type"),
            response.get("location"),
            tuple(response.get("tail", ())),
            response.get("envelope"),
        ),
        "2026" if "test_id" in content else "2025-09",
        {key: value for key, value in content.items() if key not in ("test_id", "request", "response")},
    )


def loads_request(content: JSON) -> RecordedRequest:
    """The request of a file's parsed content; raises RecordingError as ``loads`` does."""
    checks.check_request(content)
    request = content["request"]
    is_sent = "payload" in request or "body" not in request
    body = "payload" if is_sent else "body"
    known: tuple[str, ...] = ("test_id", "method", "url", "headers", body, "endpoint", "model")
    if body not in request:
        known = ("test_id", "method", "url")  # A GET of the public recorder's, which has neither.
    return RecordedRequest(
        request["url"],
        request.get(body, {}),
        "" if is_sent else request["endpoint"],
        request.get("method", "POST"),
        content.get("test_id"),
        {key: value for key, value in request.items() if key not in known},
    )


def read_request(data: bytes) -> RecordedRequest:
    """Only the request of a file, without parsing the response that makes up most of it; raises as ``loads`` does."""
    head, found, _ = data.partition(b'\n  "response": {')
    if found:
        try:
            return loads_request(_parse(head.rstrip().removesuffix(b",") + b"}"))
        except RecordingError:
            pass  # Not laid out as json.dumps does it: read the whole.
    return loads_request(_parse(data))


def _parse(data: bytes) -> JSON:
    try:
        return json_text.loads(data)
    except ValueError as e:
        raise RecordingError(f"not JSON: {e}") from e
