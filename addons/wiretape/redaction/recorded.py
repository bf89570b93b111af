"""Takes secrets out of a recording that exists already, and tells where they are, for ``wiretape verify`` and
``redact``.

It finds the secrets that ``bodies`` would take out of the live answer, in the form that the recording gives them. So it
finds nothing in what was recorded under the same rules, and it can clean a recording that is older than a rule.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from typing import Any
from urllib.parse import quote, unquote_plus

from wiretape.codecs import python_text
from wiretape.codecs.remade import Remade
from wiretape.recording import RecordedRequest, RecordedResponse, Recording
from wiretape.redaction import bodies, streams
from wiretape.redaction.redactor import DEFAULT, Finding, Redactor
from wiretape.redaction.rules import REDACTED, RedactionPolicy
from wiretape.rewriting import changes
from wiretape.rewriting.spans import replaced

_GRANTING = frozenset({"key", "sig", "signature", "upload_id", "x-amz-signature", "x-goog-signature"})
"""Parameters that are secrets in a query. Elsewhere, these names stand for much else."""

_STATUS = "Error code: "
"""How the message of an SDK's error begins; it ends with the answer, written as a Python value."""


def clean(recording: Recording, redactor: Redactor) -> Recording:
    """Return a recording without its secrets; the recording itself where it has none."""
    recorded_request = request(recording.request, redactor)
    recorded_response = response(recording.response, redactor)
    extra = redactor.clean(recording.extra)
    if recorded_request is recording.request and recorded_response is recording.response and extra is recording.extra:
        return recording
    return replace(recording, request=recorded_request, response=recorded_response, extra=extra)


def request(recorded_request: RecordedRequest, redactor: Redactor) -> RecordedRequest:
    """Return a request without its secrets; the request itself where it has none."""
    cleaned = replace(
        recorded_request,
        url=url(recorded_request.url, redactor),
        body=redactor.clean(recorded_request.body),
        test_id=redactor.clean(recorded_request.test_id),
        extra=redactor.clean(recorded_request.extra),
    )
    if cleaned == recorded_request:
        return recorded_request
    return cleaned


def url(text: str, redactor: Redactor) -> str:
    """Return a URL without its secrets, which stand in its path, or in its query under a name that tells."""
    return _url(text, redactor, redactor.policy)


def header(name: str, value: str) -> str:
    """Return the value of a header without its secrets, by the rules in force."""
    cleaned: str = DEFAULT.clean({name: value})[name]
    return url(cleaned, DEFAULT) if name.endswith(("location", "-url")) else cleaned


@lru_cache(1000)
def _url(text: str, redactor: Redactor, _policy: RedactionPolicy) -> str:
    path, mark, query = text.partition("?")
    if mark:
        query = "&".join(_pair(pair, redactor) for pair in query.split("&"))
    return redactor.text(path + mark + query)


def _pair(pair: str, redactor: Redactor) -> str:
    name, mark, value = pair.partition("=")
    decoded = unquote_plus(value)
    replacement = None
    if value:
        replacement = redactor.member(unquote_plus(name), decoded)
    if value and replacement is None and name.lower() in _GRANTING and decoded != REDACTED:
        replacement = REDACTED
    if replacement is None:
        return pair
    return f"{name}{mark}{quote(replacement, safe='')}"


def response(recorded_response: RecordedResponse, redactor: Redactor) -> RecordedResponse:
    """Return a response without its secrets; the response itself where it has none."""
    body = bodies.cleaned_again(recorded_response.body, lambda body: _body(recorded_response, body, redactor))
    error = recorded_response.error and _error(recorded_response.error, redactor)
    location = recorded_response.location and url(recorded_response.location, redactor)
    tail = recorded_response.tail
    if tail:
        spans = bodies.secrets_of_lines(tail, redactor)
        if spans:
            tail = tuple(replaced("\n".join(tail), spans).split("\n"))
    envelope = redactor.clean(recorded_response.envelope)
    cleaned = replace(recorded_response, body=body, error=error, location=location, tail=tail, envelope=envelope)
    if cleaned == recorded_response:
        return recorded_response
    return cleaned


def _body(recorded_response: RecordedResponse, body: Any, redactor: Redactor) -> Any:
    if isinstance(body, str):
        return redactor.text(body)
    if _is_lines(recorded_response):
        spans = bodies.secrets_of_lines(body, redactor)
        if not spans:
            return body
        return replaced("\n".join(body), spans).split("\n")
    if _is_bytes(recorded_response):
        return _bytes(body, redactor)
    elements = _elements(body)
    secrets = streams.secrets(elements, redactor)
    if not secrets:
        return body
    cleaned = changes.renamed(changes.applied(elements, secrets.changes), secrets.names)
    if elements is body:
        return cleaned
    return cleaned[0]


def _is_bytes(recorded_response: RecordedResponse) -> bool:
    """Tell whether the body is recorded as its bytes: it is no text, such as a stream of AWS's messages."""
    return recorded_response.content_type is not None and isinstance(recorded_response.body, dict)


def _bytes(body: dict[str, str], redactor: Redactor) -> dict[str, str]:
    pieces = (base64.b64decode(body["base64"]),)
    cleaned = bodies.cleaned(pieces, redactor)
    if cleaned is pieces:
        return body
    return {"base64": base64.b64encode(b"".join(cleaned)).decode("ascii")}


def _is_lines(recorded_response: RecordedResponse) -> bool:
    """Tell whether the body is recorded as the lines of a stream of events."""
    return (
        recorded_response.is_streaming
        and isinstance(recorded_response.body, list | Remade)
        and all(isinstance(e, str) for e in recorded_response.body)
    )


def _elements(body: Any) -> Sequence[Any]:
    if isinstance(body, list | Remade):
        return body
    return [body]


def _error(error: Mapping[str, Any], redactor: Redactor) -> Mapping[str, Any]:
    message = error.get("message")
    if isinstance(message, str):
        message = _message(message, redactor)
    cleaned: dict[str, Any] = redactor.clean({**error, "message": message})
    if cleaned == error:
        return error
    return cleaned


def _message(message: str, redactor: Redactor) -> str:
    """Return an error's message without its secrets. It may hold the answer as a Python value, which
    has members too.
    """
    head, mark, written = message.partition(" - ")
    if head.startswith(_STATUS) and mark:
        try:
            value = python_text.value(written)
        except ValueError:
            return message
        cleaned = redactor.clean(value)
        if cleaned is not value:
            return f"{head}{mark}{cleaned}"
    return message


def findings(content: Mapping[str, Any], recording: Recording, redactor: Redactor) -> Iterator[Finding]:
    """Yield where a recording has secrets. ``content`` is its parsed file, which may hold more than the
    recording does.
    """
    for finding in _findings(content, recording, redactor):
        yield Finding(redactor.text(finding.path), finding.detector)  # The name of a member may itself be a secret.


def _findings(content: Mapping[str, Any], recording: Recording, redactor: Redactor) -> Iterator[Finding]:
    recorded_response = recording.response
    others = {name: value for name, value in content["response"].items() if name not in ("body", "tail")}
    yield from redactor.find({**content, "response": others})
    if url(recording.request.url, redactor) != redactor.text(recording.request.url):
        yield Finding("request.url", "member")
    if recorded_response.location and url(recorded_response.location, redactor) != redactor.text(
        recorded_response.location
    ):
        yield Finding("response.location", "member")
    yield from _in_body(recorded_response, redactor)
    if recorded_response.tail:
        yield from _in_lines("response.tail", recorded_response.tail, redactor)
    message = None
    if recorded_response.error:
        message = recorded_response.error.get("message")
    if isinstance(message, str) and _message(message, redactor) != message and redactor.text(message) == message:
        yield Finding("response.exception_data.message", "member")


def _in_body(recorded_response: RecordedResponse, redactor: Redactor) -> Iterator[Finding]:
    body = recorded_response.body
    where = "response.body"
    if isinstance(body, str):
        yield from (Finding(where, span.detector) for span in redactor.spans(body))
    elif _is_lines(recorded_response):
        yield from _in_lines(where, body, redactor)
    elif _is_bytes(recorded_response):
        if _bytes(body, redactor) is not body:
            yield Finding(where, "in what it encodes")
    else:
        secrets = streams.secrets(_elements(body), redactor)
        for change in secrets.changes:
            if not change.is_first:
                continue
            path = change.path
            if not isinstance(body, list):
                path = path[1:]
            step = changes.shown(path)
            if not step.startswith("["):
                step = f".{step}"
            yield Finding(f"{where}{step}", change.detector)
        yield from (Finding(where, "name of a member") for _ in secrets.names)


def _in_lines(where: str, lines: Sequence[str], redactor: Redactor) -> Iterator[Finding]:
    ends = [*accumulate(len(line) + 1 for line in lines)]
    for span in bodies.secrets("\n".join(lines), redactor):
        line = next(index for index, end in enumerate(ends) if span.start < end)
        yield Finding(f"{where}[{line}]", span.detector)
