"""A recording -> the same without secrets, and where they are. After ``streams`` and ``bodies``; what verify asks.

It finds what ``bodies`` takes out of a live answer, in the form that a recording gives it: so nothing is found in what
was recorded with the same rules, and a recording that is older than a rule can be cleaned.
"""

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
from wiretape.redaction.redactor import Finding, Redactor
from wiretape.redaction.rules import REDACTED, RedactionPolicy
from wiretape.redaction.spans import replaced

_GRANTING = frozenset({"key", "sig", "signature", "upload_id", "x-amz-signature", "x-goog-signature"})
"""Parameters of a query that are secrets there, and names of much else elsewhere."""

_STATUS = "Error code: "
"""With this begins the message of an SDK's error, which ends in the answer as Python writes it."""


def clean(recording: Recording, redactor: Redactor) -> Recording:
    """Return a recording without its secrets; the recording itself where it has none."""
    asked = request(recording.request, redactor)
    answered = response(recording.response, redactor)
    extra = redactor.clean(recording.extra)
    if asked is recording.request and answered is recording.response and extra is recording.extra:
        return recording
    return replace(recording, request=asked, response=answered, extra=extra)


def request(asked: RecordedRequest, redactor: Redactor) -> RecordedRequest:
    """Return a request without its secrets; the request itself where it has none."""
    cleaned = replace(
        asked,
        url=url(asked.url, redactor),
        body=redactor.clean(asked.body),
        test_id=redactor.clean(asked.test_id),
        extra=redactor.clean(asked.extra),
    )
    if cleaned == asked:
        return asked
    return cleaned


def url(text: str, redactor: Redactor) -> str:
    """Return a URL without its secrets: those of its path, and what the names of its query say."""
    return _url(text, redactor, redactor.policy)


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


def response(answered: RecordedResponse, redactor: Redactor) -> RecordedResponse:
    """Return a response without its secrets; the response itself where it has none."""
    body = bodies.cleaned_again(answered.body, lambda body: _body(answered, body, redactor))
    error = answered.error and _error(answered.error, redactor)
    location = answered.location and url(answered.location, redactor)
    tail = answered.tail
    if found := bodies.secrets_of_lines(tail, redactor) if tail else ():
        tail = tuple(replaced("\n".join(tail), found).split("\n"))
    envelope = redactor.clean(answered.envelope)
    cleaned = replace(answered, body=body, error=error, location=location, tail=tail, envelope=envelope)
    if cleaned == answered:
        return answered
    return cleaned


def _body(answered: RecordedResponse, body: Any, redactor: Redactor) -> Any:
    if isinstance(body, str):
        return redactor.text(body)
    if _is_lines(answered):
        found = bodies.secrets_of_lines(body, redactor)
        if not found:
            return body
        return replaced("\n".join(body), found).split("\n")
    elements = _elements(body)
    found_in = streams.secrets(elements, redactor)
    if not found_in:
        return body
    cleaned = streams.renamed(streams.applied(elements, found_in.changes), found_in.names)
    if elements is body:
        return cleaned
    return cleaned[0]


def _is_lines(answered: RecordedResponse) -> bool:
    """Return whether the body is the lines of a stream of events."""
    return (
        answered.is_streaming
        and isinstance(answered.body, list | Remade)
        and all(isinstance(e, str) for e in answered.body)
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
    """Return an error's message, in which the answer is written as a Python value: that has names of members too."""
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
    """Yield where a recording has secrets; ``content`` is its file, which may hold more than the recording does."""
    for finding in _findings(content, recording, redactor):
        yield Finding(redactor.text(finding.path), finding.detector)  # A member's name may be one.


def _findings(content: Mapping[str, Any], recording: Recording, redactor: Redactor) -> Iterator[Finding]:
    answered = recording.response
    others = {name: value for name, value in content["response"].items() if name not in ("body", "tail")}
    yield from redactor.find({**content, "response": others})
    if url(recording.request.url, redactor) != redactor.text(recording.request.url):
        yield Finding("request.url", "member")
    if answered.location and url(answered.location, redactor) != redactor.text(answered.location):
        yield Finding("response.location", "member")
    yield from _in_body(answered, redactor)
    if answered.tail:
        yield from _in_lines("response.tail", answered.tail, redactor)
    message = None
    if answered.error:
        message = answered.error.get("message")
    if isinstance(message, str) and _message(message, redactor) != message and redactor.text(message) == message:
        yield Finding("response.exception_data.message", "member")


def _in_body(answered: RecordedResponse, redactor: Redactor) -> Iterator[Finding]:
    body = answered.body
    where = "response.body"
    if isinstance(body, str):
        yield from (Finding(where, span.detector) for span in redactor.spans(body))
    elif _is_lines(answered):
        yield from _in_lines(where, body, redactor)
    else:
        found = streams.secrets(_elements(body), redactor)
        for change in found.changes:
            if not change.is_first:
                continue
            path = change.path if isinstance(body, list) else change.path[1:]
            step = streams.shown(path)
            yield Finding(where + step if step.startswith("[") else f"{where}.{step}", change.detector)
        yield from (Finding(where, "name of a member") for _ in found.names)


def _in_lines(where: str, lines: Sequence[str], redactor: Redactor) -> Iterator[Finding]:
    ends = [*accumulate(len(line) + 1 for line in lines)]
    for span in bodies.secrets("\n".join(lines), redactor):
        line = next(index for index, end in enumerate(ends) if span.start < end)
        yield Finding(f"{where}[{line}]", span.detector)
