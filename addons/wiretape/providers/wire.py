"""Recording <-> HTTP status, headers and bytes. Between the recording and whoever speaks HTTP; knows no proxy.

Going out, a hit becomes the bytes that the provider would send. Coming in, the bytes of an answer become a response
fit for a recording, or the reason why they cannot be one. How, is in ``sdk_answers`` and ``passed_on``.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from wiretape.codecs import http_fields, json_text
from wiretape.matching import request
from wiretape.providers import answers, passthrough, sdk_answers, sdk_errors
from wiretape.providers.answers import (
    BrokeOffError,
    HoldsError,
    HttpResponse,
    LiveResponse,
    StatusError,
    UnrecordableError,
    decoded,
)
from wiretape.recording import MODEL_LISTS, RecordedRequest, RecordedResponse, Recording, checks, who_asked
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
]

_BASE64_EMBEDDING = re.compile(rb'"embedding"\s*:\s*"')

_LASTING = frozenset({400, 404, 413, 422})
"""Statuses that the same request would get again: what was wrong is the request. The others say nothing about it."""

_PARTIAL = 206
"""A part of what a URL leads to: which one is asked for in a header."""


def response(asked: RecordedRequest, arrived: LiveResponse, *, keep_errors: bool = False) -> RecordedResponse:
    """The recorded response of a live answer, which has no content coding any more.

    Raises Unrecordable where the exchange did not end well, or holds what another such request need not get. With
    ``keep_errors`` every status is recorded, and of an answer that broke off or holds an error what came of it.
    """
    if not (keep_errors or _is_worth_keeping(asked, arrived.status)):
        raise StatusError(f"the provider answered with status {arrived.status}")
    if arrived.status in http_fields.EMPTY:  # It has no content, whatever came.
        arrived = replace(arrived, pieces=(), at=())
    if keep_errors and arrived.is_abandoned and arrived.status >= 400:
        # Who retries leaves as soon as it has seen the status: what came is what it got.
        arrived = replace(arrived, ended=True)
    if (
        not keep_errors
        and arrived.status >= 400
        and who_asked.is_meant(answers.value_of(answers.whole(arrived.pieces)))
    ):
        raise StatusError(f"the provider answered with status {arrived.status}, which is about who asked")
    try:
        made = _response(asked, arrived)
    except UnrecordableError as e:
        if not keep_errors or arrived.is_abandoned:
            raise
        made = _kept(arrived, e)
    content = {"body": made.body, "is_streaming": made.is_streaming, "status": made.status}
    content |= {"content_type": made.content_type, "is_exception": made.error is not None, "exception_data": made.error}
    content |= {"location": made.location, "tail": made.tail, "envelope": made.envelope}
    try:
        # What could not be read again must not be written.
        checks.check_response(content, None if asked.passthrough else asked.endpoint)
    except ValueError as e:
        raise UnrecordableError(f"the answer is none of {request.endpoint(asked) or asked.url}: {e}") from e
    return made


def _is_worth_keeping(asked: RecordedRequest, status: int) -> bool:
    """Return whether an answer says something about the request, and not about when it came or who sent it."""
    if asked.passthrough and 200 <= status < 300:
        return status != _PARTIAL
    return status == 200 or status in _LASTING


def _kept(arrived: LiveResponse, problem: UnrecordableError) -> RecordedResponse:
    """What is kept of an answer that is no whole one of its endpoint. Raises the problem where nothing can be."""
    status = None if arrived.status == 200 else arrived.status
    match problem:
        case HoldsError(body=None) if arrived.status == 200:
            return replace(answers.as_sent(arrived), error=sdk_errors.inside(problem.error))
        case HoldsError() if arrived.status == 200:
            error = sdk_errors.inside(problem.error)
            return RecordedResponse(problem.body, problem.is_streaming, error, tail=problem.tail)
        case BrokeOffError() if problem.elements:
            error = sdk_errors.broke_off(str(problem), ended=arrived.ended)
            return RecordedResponse(problem.elements, is_streaming=True, error=error, status=status)
    if 200 < arrived.status < 400 and arrived.ended:
        return answers.as_sent(arrived)
    if any(arrived.pieces):
        return replace(answers.as_sent(arrived), error=sdk_errors.broke_off(str(problem), ended=arrived.ended))
    raise problem


def _response(asked: RecordedRequest, arrived: LiveResponse) -> RecordedResponse:
    if asked.passthrough:
        return passthrough.read(asked, arrived)
    if arrived.status == 200:
        return sdk_answers.read(asked, arrived)
    if arrived.status < 400:  # To an SDK it is an answer like others.
        return replace(sdk_answers.read(asked, arrived), status=arrived.status, location=answers.location_of(arrived))
    answers.must_have_ended(arrived)
    error = sdk_errors.describe(asked, arrived.status, b"".join(arrived.pieces))
    content_type = answers.content_type_of(arrived) if isinstance(error["body"], str) else None
    return RecordedResponse(None, is_streaming=False, error=error, content_type=content_type)


def answer(recordings: Sequence[Recording], *, base64_wanted: bool = False) -> HttpResponse:
    """What the provider would send: one recording, or the several of a model list.

    ``base64_wanted``: embeddings go as base64 of their numbers, as the live request asked.
    """
    first = recordings[0].response
    asked = recordings[0].request
    if first.error is not None and not first.is_partial:
        status, body = sdk_errors.answer(first.error)
        known = answers.JSON_TYPE if body[:1] in (b"{", b"[") else answers.TEXT
        return HttpResponse(status, known if first.content_type is None else answers.typed(first.content_type), (body,))
    if asked.passthrough or first.content_type is not None:
        return passthrough.written(first)
    if asked.endpoint in MODEL_LISTS and not first.is_partial:
        return sdk_answers.model_list(asked.endpoint, recordings)
    if not first.is_streaming:
        return sdk_answers.single(asked, first, base64_wanted=base64_wanted)
    return sdk_answers.stream(asked, first)


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


def error(status: int, message: str, code: str, *, retry: bool = False) -> HttpResponse:
    """An answer of our own in the providers' error form, which SDKs raise at once, unless they may ``retry``."""
    content = {"error": {"message": message, "type": code, "code": code, "param": None}}
    headers = answers.JSON_TYPE if retry else (*answers.JSON_TYPE, ("x-should-retry", "false"))
    return HttpResponse(status, headers, (json_text.dumps(content),))


_TOKENS = dict.fromkeys(("completion_tokens", "output_tokens", "candidatesTokenCount", "eval_count")).keys()
"""Where the providers' usage says them, in the order in which they are looked for."""

_MOST_TOKENS = 10**9


def tokens(recording: Recording) -> int:
    """Completion tokens of a recording: by its usage, else its chunks, each nearly a token."""
    response = recording.response
    elements = [element["__data__"] for element in response.elements()]
    if recording.request.passthrough:
        elements = passthrough.objects(response)
    for element in reversed(elements):
        nested = element.get("response")
        if not isinstance(nested, dict):
            nested = element
        for holder in (nested.get("usage") or nested.get("usageMetadata"), nested):
            # Most chunks have none of them: that is told in one step.
            if isinstance(holder, dict) and not _TOKENS.isdisjoint(holder):
                for key in _TOKENS:
                    count = holder.get(key)
                    if isinstance(count, int) and 0 <= count <= _MOST_TOKENS:
                        return count
    return len(elements) if response.is_streaming else 0
