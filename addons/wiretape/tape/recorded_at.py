"""When a recording was made, as far as its files tell: it is the same in every copy of them. Beside ``reader``.

A file's own time is not: of a clone of a repository it tells when it was cloned. What its capture says goes first; then
the time that the provider has given its answer. Recordings of the form 2026 have that taken out.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from wiretape import recording
from wiretape.recording import capture as captures
from wiretape.store.base import RESPONSES, WIRE, Store

UNKNOWN = 0.0
"""The time of a recording that tells none: before all others."""

_KEPT = 20_000
"""Recordings of which the time is kept."""

_MEMBERS = ("created", "created_at", "createTime")


class RecordedTimes:
    """When the recordings of one session were made. For any thread."""

    def __init__(self, store: Store, session: str) -> None:
        self._store = store
        self._session = session
        self._lock = threading.Lock()
        self._times: OrderedDict[tuple[str, Hashable], float] = OrderedDict()

    def of(self, states: Mapping[str, Hashable]) -> dict[str, float]:
        """Return the times of recordings, whose files' states are given; of one that cannot be read UNKNOWN."""
        with self._lock:
            times = {name: self._times[name, state] for name, state in states.items() if (name, state) in self._times}
        left = [name for name in states if name not in times]
        files = [(name, folder) for name in left for folder in (RESPONSES, WIRE)]
        fetched = self._store.fetch(self._session, files) if left else {}
        for name in left:
            data = {}
            for folder in (RESPONSES, WIRE):
                came = fetched.get((name, folder))
                with suppress(ValueError, OSError):
                    data[folder] = came.data if came else self._store.read(self._session, name, folder)
            times[name] = recorded_at(data.get(RESPONSES), data.get(WIRE))
        with self._lock:
            self._times.update({(name, states[name]): times[name] for name in left})
            while len(self._times) > _KEPT:
                self._times.popitem(last=False)
        return times


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
