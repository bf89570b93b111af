"""An error <-> its recorded form, ``exception_data``, as OpenAI's SDK raises it; whether an answer is one; one of ours.

Endpoints whose SDKs raise errors of their own say so in their formats.
"""

import json
from collections.abc import Mapping
from typing import Any

from wiretape.codecs import json_text, python_text
from wiretape.recording import ENDED_EARLY, encoded

_LONGEST = 1 << 16
"""Characters of a message in which the answer is looked for: Python's own parser takes its time."""

_TYPES = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
}


def describe(status: int, body: bytes) -> dict[str, Any]:
    """Return the error as OpenAI's SDK raises it. Source: openai-python's ``_make_status_error_from_response``."""
    text = body.decode("utf-8", "surrogateescape")
    try:
        answer = json_text.loads(body, json_text.DEEPEST_ON_WIRE)
    except ValueError:
        answer = None
    type_ = _TYPES.get(status) or ("InternalServerError" if status >= 500 else "APIStatusError")
    if answer is None:
        return described("openai", type_, text or f"Error code: {status}", status, text)
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    return described("openai", type_, f"Error code: {status} - {answer}", status, error)


def broke_off(reason: str, *, ended: bool) -> dict[str, Any]:
    """An answer that is not whole, as the SDK raises it: no status, no body. ``ended``: the end of its body came."""
    return described("openai", ENDED_EARLY if ended else "APIConnectionError", reason, None, None)


def inside(error: Any) -> dict[str, Any]:
    """An error that an answer of status 200 holds, as the SDK raises it in the middle of a stream: no status."""
    said = error.get("message") if isinstance(error, dict) else error
    message = said if isinstance(said, str) and said else "An error occurred during streaming"
    return described("openai", "APIError", message, None, error)


def described(provider: str, type_: str, message: str, status: int | None, body: Any) -> dict[str, Any]:
    """Return an error that an SDK raised, as a recording has it."""
    return {
        "category": "provider_sdk",
        "provider": provider,
        "type": type_,
        "message": message,
        "status_code": status,
        "body": body,
    }


def own(_: int, message: str, code: str) -> dict[str, Any]:
    """Return an error of this proxy's own, as servers of OpenAI's API write theirs."""
    return {"error": {"message": message, "type": code, "code": code, "param": None}}


def own_plain(_: int, message: str, code: str) -> dict[str, Any]:
    """Return the same as servers write it whose errors are a message and no object around it."""
    return {"message": message, "code": code}


def answer(error: Mapping[str, Any]) -> tuple[int, bytes]:
    """Return status and body of a recorded error.

    The message holds the whole answer as Python writes it, ``body`` only the error in it.
    """
    status = status_of(error)
    body = error.get("body")
    _, found, written = str(error.get("message", "")).partition(f"Error code: {status} - ")
    if found and len(written) <= _LONGEST:
        try:
            return status, compact(python_text.value(written))
        except ValueError:
            pass  # Cut off, or of another SDK: the error itself is left.
    if isinstance(body, str):
        return status, encoded(body)
    return status, compact({"error": body})


def status_of(error: Mapping[str, Any]) -> int:
    """Return the status of a recorded error; 500 where it says none."""
    status = error.get("status_code")
    return status if isinstance(status, int) and 400 <= status < 600 else 500


def compact(value: Any) -> bytes:
    """Return a value as JSON, as servers write errors."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def holds(value: Any, event: str = "") -> bool:
    """Return whether what came is an error, or has one in it: an answer, an event, a line, an element of an array.

    ``event`` is the event's name. A member that is there and says nothing (``null``, ``{"code": null}``) is no error.
    """
    if is_name(event) or event in _FAILURES:
        return True
    if isinstance(value, dict):
        if is_name(value.get("type")) or is_name(value.get("event_type")) or value.get("object") == "error":
            return True
        return _says(value.get("error")) or _is_failure(value) or _has_failed(value.get("choices"))
    return isinstance(value, list) and any(isinstance(item, dict) and holds(item) for item in value)


def is_name(name: Any) -> bool:
    """Return whether events of this name, or type, are errors: ``error``, ``conversation.response.error``."""
    return isinstance(name, str) and name.endswith("error") and (name == "error" or name.endswith(".error"))


def _says(error: Any) -> bool:
    return any(error.values()) if isinstance(error, dict) else bool(error)


_FAILURES = frozenset({"response.failed", "thread.run.failed"})
"""Names, or types, of the events with which all has failed: where one tool of several has, the answer goes on."""


def _is_failure(value: Mapping[str, Any]) -> bool:
    """Return whether an answer says that all has failed, in one of the ways of those that have no ``error``."""
    type_ = value.get("type")
    if isinstance(type_, str) and type_ in _FAILURES:
        return True
    if value.get("success") is False and (_says(value.get("errors")) or value.get("code") or value.get("message")):
        return True
    told = value.get("base_resp")
    return isinstance(told, dict) and bool(told.get("status_code"))


def _has_failed(choices: Any) -> bool:
    """Return whether a choice has an error, as routers of several providers send it."""
    if not isinstance(choices, list):
        return False
    for choice in choices:
        if isinstance(choice, dict) and (choice.get("finish_reason") == "error" or _says(choice.get("error"))):
            return True
    return False


def said(value: Any) -> Any:
    """What an error says went wrong: its member of that name, or all of it; an empty text where it is none."""
    if isinstance(value, dict):
        for member in ("error", "errors", "base_resp"):
            if _says(value.get(member)):
                return value[member]
    return value or ""
