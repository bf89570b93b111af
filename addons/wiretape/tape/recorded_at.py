"""When a recording was made, as far as its files tell: it is the same in every copy of them. Beside ``reader``.

A file's own time is not: of a clone of a repository it tells when it was cloned. What its capture says goes first; then
the time that the provider has given its answer. Recordings of the form 2026 have that taken out.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from wiretape import recording
from wiretape.recording import capture as captures

UNKNOWN = 0.0
"""The time of a recording that tells none: before all others."""

_MEMBERS = ("created", "created_at", "createTime")


def recorded_at(data: bytes | None, capture: bytes | None) -> float:
    """Return when a recording was made, in seconds since 1970, given its bytes and its capture's."""
    return _by_capture(capture) or _by_answer(data)


def _by_capture(capture: bytes | None) -> float:
    with suppress(ValueError):
        origin = captures.loads(capture).origin if capture else None
        return _seconds(origin.at) if origin else UNKNOWN
    return UNKNOWN


def _by_answer(data: bytes | None) -> float:
    with suppress(ValueError):
        elements = recording.loads(data).response.elements() if data else ()
        return _told(elements[0].get("__data__")) if elements else UNKNOWN
    return UNKNOWN


def _told(answer: Any) -> float:
    """Return the time that an answer has, or an event that has it within."""
    for value in (answer, answer.get("response") if isinstance(answer, Mapping) else None):
        if isinstance(value, Mapping):
            told = next((value[name] for name in _MEMBERS if value.get(name)), None)
            if told is not None:
                return _seconds(told)
    return UNKNOWN


def _seconds(told: Any) -> float:
    """Return a time, which is a text of RFC 3339 or seconds since 1970. Raises ValueError."""
    if isinstance(told, str):
        at = datetime.fromisoformat(told)
        return max(UNKNOWN, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    if isinstance(told, int | float) and 0 < told < 1e11:
        return float(told)
    return UNKNOWN
