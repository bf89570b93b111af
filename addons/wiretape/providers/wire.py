"""Recording <-> HTTP status, headers and bytes. Between the recording and whoever speaks HTTP; knows no proxy.

Going out, a hit becomes the bytes that the provider would send. Coming in, the bytes of an answer become a response
fit for a recording, or the reason why they cannot be one. How, the format of each endpoint knows: see ``base``.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from wiretape.codecs import http_fields, json_text
from wiretape.providers import answers, base, sdk_errors
from wiretape.providers.answers import (
    BrokeOffError,
    HoldsError,
    HttpResponse,
    LiveResponse,
    StatusError,
    UnrecordableError,
    decoded,
)
from wiretape.providers.routing import Route
from wiretape.providers.usage import Usage
from wiretape.recording import RecordedRequest, RecordedResponse, Recording, checks, who_asked
from wiretape.recording.capture import Capture

__all__ = [
    "HttpResponse",
    "LiveResponse",
    "StatusError",
    "UnrecordableError",
    "answer",
    "captured",
    "decoded",
    "error",
    "response",
    "tokens",
    "usage",
]

_BASE64_EMBEDDING = re.compile(rb'"embedding"\s*:\s*"')

_LASTING = frozenset({400, 404, 413, 422})
"""Statuses that the same request would get again: what was wrong is the request. The others say nothing about it."""

_PARTIAL = 206
"""A part of what a URL leads to: which one is asked for in a header."""


def response(request: RecordedRequest, live: LiveResponse, *, keep_errors: bool = False) -> RecordedResponse:
    """Return the recorded response of a live answer, which has no content coding any more.

    Raises UnrecordableError where the exchange did not end well, or holds what another such request need not get. With
    ``keep_errors`` every status is recorded, and of an answer that broke off or holds an error what came of it.
    """
    if not (keep_errors or _is_worth_keeping(request, live.status)):
        raise StatusError(f"the provider answered with status {live.status}")
    if live.status in http_fields.EMPTY:  # It has no content, whatever came.
        live = replace(live, pieces=(), at=())
    if keep_errors and live.is_abandoned and live.status >= 400:
        # Who retries leaves as soon as it has seen the status: what came is what it got.
        live = replace(live, ended=True)
    is_error = live.status >= 400
    if is_error and not keep_errors and who_asked.is_meant(answers.value_of(answers.whole(live.pieces))):
        raise StatusError(f"the provider answered with status {live.status}, which is about who asked")
    endpoint = base.of(request)
    try:
        recorded = endpoint.parse(request, live)
    except UnrecordableError as e:
        if not keep_errors or live.is_abandoned:
            raise
        recorded = _kept(live, e)
    content = {"body": recorded.body, "is_streaming": recorded.is_streaming, "status": recorded.status}
    content |= {"content_type": recorded.content_type, "location": recorded.location, "tail": recorded.tail}
    content |= {"is_exception": recorded.error is not None, "exception_data": recorded.error}
    content |= {"envelope": recorded.envelope}
    try:
        # What could not be read again must not be written.
        checks.check_response(content, None if request.passthrough else request.endpoint)
    except ValueError as e:
        raise UnrecordableError(f"the answer is none of {endpoint.name or request.url}: {e}") from e
    return recorded


def _is_worth_keeping(request: RecordedRequest, status: int) -> bool:
    """Return whether an answer says something about the request, and not about when it came or who sent it."""
    if request.passthrough and 200 <= status < 300:
        return status != _PARTIAL
    return status == 200 or status in _LASTING


def _kept(live: LiveResponse, problem: UnrecordableError) -> RecordedResponse:
    """Return what is kept of an answer that is no whole one of its endpoint. Raises the problem where nothing is."""
    status = None if live.status == 200 else live.status
    match problem:
        case HoldsError(body=None) if live.status == 200:
            return replace(answers.as_sent(live), error=sdk_errors.inside(problem.error))
        case HoldsError() if live.status == 200:
            error = sdk_errors.inside(problem.error)
            return RecordedResponse(problem.body, problem.is_streaming, error, tail=problem.tail)
        case BrokeOffError() if problem.elements:
            error = sdk_errors.broke_off(str(problem), ended=live.ended)
            return RecordedResponse(problem.elements, is_streaming=True, error=error, status=status)
    if 200 < live.status < 400 and live.ended:
        return answers.as_sent(live)
    if any(live.pieces):
        return replace(answers.as_sent(live), error=sdk_errors.broke_off(str(problem), ended=live.ended))
    raise problem


def answer(recordings: Sequence[Recording], *, base64_wanted: bool = False) -> HttpResponse:
    """Return what the provider would send: by one recording, or by the several of a list of models.

    ``base64_wanted``: embeddings go as base64 of their numbers, as the live request asked.
    """
    return base.of(recordings[0].request).render(recordings, base64_wanted=base64_wanted)


def captured(recording: Recording, capture: Capture, digest: str, *, base64_wanted: bool) -> HttpResponse | None:
    """The answer as it once came, where the capture belongs to this recording and it can be the answer to this request.

    Whoever asks for embeddings as the recorded request did gets what that got. To the other one they go as it asked.
    """
    if capture.recording != digest or capture.chunks is None:
        return None
    asked_otherwise = base64_wanted != capture.base64_wanted
    if asked_otherwise and base64_wanted != bool(_BASE64_EMBEDDING.search(b"".join(capture.chunks))):
        return None
    if capture.status in http_fields.EMPTY:
        return HttpResponse(capture.status, capture.headers, ())
    return HttpResponse(
        capture.status, capture.headers, (*capture.chunks,), (*capture.at,), recording.response.broke_off
    )


def error(status: int, message: str, code: str, route: Route | None = None, *, retry: bool = False) -> HttpResponse:
    """Return an answer of our own in the error form of the API that was asked, which SDKs raise at once.

    ``route`` is where the request leads, where that is known. ``retry``: whether the SDK may ask again.
    """
    endpoint = base.named(route.endpoint.recorded if route else "")
    content = endpoint.own_error(route.sent_url if route else "", status, message, code)
    headers = answers.JSON_TYPE if retry else (*answers.JSON_TYPE, ("x-should-retry", "false"))
    return HttpResponse(status, headers, (json_text.dumps(content),))


def usage(request: RecordedRequest, recorded: RecordedResponse) -> tuple[Usage, int]:
    """Return what a response says of its tokens, and how many it completes: by that, else by its chunks, each nearly a
    token.
    """
    endpoint = base.of(request)
    elements = endpoint.elements(recorded)
    told = endpoint.usage(elements)
    if told.output is not None:
        return told, told.output
    return told, len(elements) if recorded.is_streaming else 0


def tokens(recording: Recording) -> int:
    """Return the completion tokens of a recording, nearly."""
    return usage(recording.request, recording.response)[1]
