"""Recording <-> JSON text, byte for byte. Does not know where a recording lives, nor how it goes over the wire.

Source: llama-stack's recordings; see the README's section on the format.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

FORMS = ("2025-09", "2026")
"""The forms in which a recording can be written; reading takes any."""

JSON = Any
"""A parsed JSON value, such as ``json.loads`` gives."""


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """The request of a recording: the arguments of the SDK call."""

    url: str
    """Base URL + endpoint, ``/v1/v1/`` included."""
    body: Mapping[str, JSON]
    endpoint: str
    """``/v1/chat/completions`` and the like."""
    method: str = "POST"

    @property
    def model(self) -> str:
        """``body["model"]``, or empty."""
        model = self.body.get("model", "")
        return model if isinstance(model, str) else ""


@dataclass(frozen=True, slots=True)
class RecordedResponse:
    """The response of a recording."""

    body: JSON
    """Elements ``{"__type__", "__data__"}``: a list for a stream and for the model list, else one."""
    is_streaming: bool
    error: Mapping[str, JSON] | None = None
    """``exception_data`` of a recorded error."""

    def elements(self) -> Sequence[Mapping[str, JSON]]:
        """The body's elements, as a sequence whatever its form."""
        if self.body is None:
            return ()
        return self.body if isinstance(self.body, list) else (self.body,)


@dataclass(frozen=True, slots=True)
class Recording:
    """One exchange."""

    request: RecordedRequest
    response: RecordedResponse
    extra: Mapping[str, JSON] = field(default_factory=dict)
    """Members of the file that are no part of the 2025-09 form, such as ``test_id``."""

    @property
    def name(self) -> str:
        """The file's name without ``.json``."""
        digest = request_hash(self.request)[:12]
        if self.request.endpoint != "/v1/models":
            return digest
        ids = sorted({str(element["__data__"].get("id")) for element in self.response.elements()})
        return f"models-{digest}-{hashlib.sha256('|'.join(ids).encode()).hexdigest()[:8]}"


def request_hash(request: RecordedRequest) -> str:
    """The 64 hex digits of a request; a file's name has the first 12."""
    text = json.dumps(
        {"method": request.method, "endpoint": urlsplit(request.url).path, "body": request.body}, sort_keys=True
    )
    return hashlib.sha256(text.encode()).hexdigest()


def dumps(recording: Recording) -> bytes:
    """The file's bytes: ASCII, indent 2, Python's float repr, one newline at the end."""
    request, response = recording.request, recording.response
    error: dict[str, JSON] = {}
    if response.error is not None:
        error = {
            "is_exception": True,
            "exception_data": response.error,
            "exception_message": response.error.get("message", ""),
        }
    content = {
        "request": {
            "method": request.method,
            "url": request.url,
            "headers": {},
            "body": request.body,
            "endpoint": request.endpoint,
            "model": request.model,
        },
        "response": {"body": response.body, "is_streaming": response.is_streaming, **error},
    }
    return (json.dumps(content, indent=2) + "\n").encode("ascii")


def loads(data: bytes) -> Recording:
    """A file's bytes as a recording.

    Raises ValueError, saying what is wrong, where it is not JSON or not of a recording's shape.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise ValueError(f"not JSON: {e}") from e
    request = loads_request(content)
    response = content.get("response")
    _must(isinstance(response, dict), "no response")
    _must("body" in response, "no response.body")
    body, streaming = response["body"], response.get("is_streaming")
    _must(isinstance(streaming, bool), "response.is_streaming is not true or false")
    error = response.get("exception_data") if response.get("is_exception") else None
    if response.get("is_exception"):
        _must(isinstance(error, dict), "response.exception_data is not an object")
    else:
        _must(isinstance(body, list) if streaming else bool(body), "response.body does not fit is_streaming")
    for element in body if isinstance(body, list) else [body] if body is not None else []:
        _must(
            isinstance(element, dict)
            and isinstance(element.get("__type__"), str)
            and isinstance(element.get("__data__"), dict),
            "an element of response.body has no __type__ and __data__",
        )
    return Recording(
        request,
        RecordedResponse(body, streaming, error),
        {key: value for key, value in content.items() if key not in ("request", "response")},
    )


def loads_request(content: JSON) -> RecordedRequest:
    """The request of a file's parsed content; raises ValueError as ``loads`` does."""
    _must(isinstance(content, dict), "not an object")
    request = content.get("request")
    _must(isinstance(request, dict), "no request")
    for key, kind in (("url", str), ("body", dict), ("endpoint", str)):
        _must(isinstance(request.get(key), kind), f"request.{key} is missing or of another type")
    return RecordedRequest(request["url"], request["body"], request["endpoint"], request.get("method", "POST"))


def read_request(data: bytes) -> RecordedRequest:
    """Only the request of a file, without parsing the response that makes up most of it; raises as ``loads`` does."""
    head, found, _ = data.partition(b'\n  "response": {')
    if found:
        try:
            return loads_request(json.loads(re.sub(rb",\s*$", b"}", head)))
        except (ValueError, RecursionError):
            pass  # Not laid out as json.dumps does it: read the whole.
    try:
        return loads_request(json.loads(data))
    except RecursionError as e:
        raise ValueError(f"not JSON: {e}") from e


def _must(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
