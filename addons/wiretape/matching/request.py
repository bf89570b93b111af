"""Wire request <-> recorded request, and when two are the same. After the providers, before the tape.

A recording holds the arguments of an SDK's call: what they are of a body that was sent, the endpoint's format knows.
The query is an argument too, ``extra_query``: the recorded URL has no place for it. What was sent to a passthrough
endpoint is kept as it was.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from wiretape import redaction
from wiretape.codecs import json_text, multipart
from wiretape.providers import base as formats
from wiretape.providers.routing import OTHER, Route
from wiretape.recording import RecordedRequest
from wiretape.redaction import bodies
from wiretape.redaction import recorded as cleaning
from wiretape.redaction.rules import REDACTED

_CLIENTS_OWN = frozenset({"api-version", "version"})
"""Parameters of a query that a client is made with. They are arguments of no call: the public recorder has none."""


def recorded(route: Route, body: bytes, content_type: str = "", test_id: str | None = None) -> RecordedRequest:
    """Return the recorded form of a wire request: its body, its Content-Type, the test that it names.

    Raises ValueError, saying why, where the body is not what the endpoint takes: such a request cannot be recorded.
    """
    endpoint = route.endpoint
    redactor = redaction.DEFAULT
    url = cleaning.url(route.url, redactor)
    test_id = redactor.clean(test_id)
    if endpoint.kind == OTHER:
        payload = _without_secrets(_any_payload(body, content_type))
        return RecordedRequest(url, payload, "", endpoint.method, test_id, moves_on=True)
    if endpoint.kind == "http":
        payload = _without_secrets(_payload(body, content_type))
        return RecordedRequest(url, payload, "", endpoint.method, test_id)
    if endpoint.method == "GET":
        return RecordedRequest(url, _with_query({}, route), endpoint.recorded, test_id=test_id)
    sent = _json(body)
    if not isinstance(sent, dict):
        raise ValueError("the request's body is not a JSON object")  # noqa: TRY004  a value from outside
    format_ = formats.named(endpoint.recorded)
    arguments = _with_query(format_.arguments(_without_secrets(sent)), route)
    base64_wanted = format_.wants_base64(sent)
    return RecordedRequest(url, arguments, endpoint.recorded, test_id=test_id, base64_wanted=base64_wanted)


def _with_query(arguments: dict[str, Any], route: Route) -> dict[str, Any]:
    """Return the arguments with the wire's query among them, which has no secret and nothing that grants access."""
    mark, query = route.path.partition("?")[1:]
    parameters: dict[str, list[str]] = {}
    cleaned = cleaning.url(mark + query, redaction.DEFAULT)
    # What is no UTF-8 stays what it is: two values never become one.
    for name, value in parse_qsl(cleaned[1:], keep_blank_values=True, errors="surrogateescape"):
        if value != REDACTED:  # A key may as well come in a header.
            parameters.setdefault(name, []).append(value)
    if not parameters:
        return arguments
    several = {name: values if len(values) > 1 else values[0] for name, values in parameters.items()}
    return {**arguments, "extra_query": several}


def _without_secrets(payload: dict[str, Any]) -> dict[str, Any]:
    cleaned: dict[str, Any] = redaction.DEFAULT.recorder.clean(payload)
    redaction.DEFAULT.check(payload, cleaned, "request.body")
    return cleaned


def _json(body: bytes) -> Any:
    try:
        return json_text.loads(body, json_text.DEEPEST_ON_WIRE)
    except ValueError as e:
        raise ValueError(f"the request's body is not JSON: {e}") from e


def _payload(body: bytes, content_type: str) -> dict[str, Any]:
    media_type = content_type.partition(";")[0].strip().lower()
    if not body:
        return {}
    if media_type == "multipart/form-data":
        return multipart.parse(body, content_type, _file_without_secrets)
    if media_type.startswith("multipart/"):
        parts = multipart.parse_list(body, content_type, _file_without_secrets)
        return {"content_type": media_type, "parts": parts}
    if media_type == "application/json" or media_type.endswith("+json"):
        return _members(_json(body))
    if not media_type:
        with suppress(ValueError):
            return _members(_json(body))
    return {"content_type": media_type, **multipart.digest(_file_without_secrets(body))}


def _members(sent: Any) -> dict[str, Any]:
    return sent if isinstance(sent, dict) else {"": sent}


def _any_payload(body: bytes, content_type: str) -> dict[str, Any]:
    """Return what was sent to a path that nobody knows: whatever its body is, it can be told from others."""
    try:
        return _payload(body, content_type)
    except redaction.RefusedError:
        raise
    except ValueError:  # It is not what its content type says.
        media_type = content_type.partition(";")[0].strip().lower()
        return {"content_type": media_type, **multipart.digest(_file_without_secrets(body))}


def _file_without_secrets(content: bytes) -> bytes:
    # Its digest is part of the request, which is the same one with another key.
    cleaned = b"".join(bodies.cleaned((content,), redaction.DEFAULT.recorder))
    redaction.DEFAULT.check(content, content if cleaned == content else cleaned, "request.body")
    return cleaned


def wire_body(request: RecordedRequest) -> dict[str, Any]:
    """Return the JSON body that was sent for a recorded request, for comparing."""
    return formats.of(request).sent(request.body)


def query(request: RecordedRequest) -> dict[str, list[str]]:
    """Return the query that the SDK sends for a recorded request, as texts; none where the recorded URL has it."""
    extra = request.body.get("extra_query")
    if request.passthrough or not isinstance(extra, dict):
        return {}
    each = {name: value if isinstance(value, list) else [value] for name, value in extra.items()}
    return {name: [*map(_as_sent, values)] for name, values in each.items() if values}


def _as_sent(value: Any) -> str:
    match value:
        case str():
            return value
        case None:
            return ""
    return json.dumps(value)


def wire_query(request: RecordedRequest) -> str:
    """Return the same as a URL has it, with its question mark; empty where there is none."""
    text = urlencode(query(request), doseq=True, errors="surrogateescape")
    return f"?{text}" if text else ""


def with_less_query(request: RecordedRequest) -> Iterator[RecordedRequest]:
    """Yield the request with less and less of its query: as recordings have it that do not tell all of theirs.

    The public recorder keeps that of the call alone, and recordings that are older than this know of none.
    """
    parameters = request.body.get("extra_query")
    if not query(request) or not isinstance(parameters, dict):
        return
    of_call = {name: value for name, value in parameters.items() if name not in _CLIENTS_OWN}
    if of_call and len(of_call) < len(parameters):
        yield replace(request, body={**request.body, "extra_query": of_call})
    yield replace(request, body={name: value for name, value in request.body.items() if name != "extra_query"})


def endpoint(request: RecordedRequest) -> str:
    """Return the endpoint that a recording is of, where recordings name one endpoint in several ways."""
    return formats.of(request).name


def base(request: RecordedRequest) -> str:
    """Return the provider's base URL of a recorded request; of a passthrough endpoint its URL."""
    return request.url.removesuffix(request.endpoint) if request.endpoint else request.url


def identity(request: RecordedRequest) -> str:
    """Return a digest, 64 hex digits, that is equal for two requests whose wire forms are the same, and for no others.

    Numbers are compared as JSON writes them: ``1`` and ``1.0`` differ, as the hash in a file's name has it. The test
    that asked is no part of it.
    """
    if not request.identity:
        form = [request.method if request.passthrough else "", base(request), endpoint(request), wire_body(request)]
        if parameters := query(request):
            form.append(parameters)
        digest = hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()
        object.__setattr__(request, "identity", digest)  # It is no part of the value.
    return request.identity


def stored_identity(request: RecordedRequest) -> str:
    """Return the identity that a stored request has by the rules of today, which may be younger than its recording.

    Raises ValueError where it is nested too deeply to be looked through.
    """
    return identity(by_rules_of_today(request))


def by_rules_of_today(request: RecordedRequest) -> RecordedRequest:
    """Return a stored request as it would be recorded now. Raises ValueError where it is nested too deeply."""
    try:
        return cleaning.request(request, redaction.DEFAULT.recorder)
    except RecursionError as e:
        raise ValueError("the request is not of a sane depth: it is nested too deeply") from e


def is_stored(request: RecordedRequest, wanted: str) -> bool:
    """Return whether a stored request is the one of this identity."""
    if identity(request) == wanted:
        return True
    try:
        return stored_identity(request) == wanted
    except ValueError:
        return False
