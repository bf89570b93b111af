"""What the store has of a call or a session: requests, answers, recordings. Between the API and the store.

What is a secret was taken out when it was written. What cannot be read is told as if it were not there: the API is no
``wiretape verify``.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from wiretape import recording
from wiretape.call_log.call import Call, told_at
from wiretape.library import transcript
from wiretape.recording import RecordedRequest, Recording
from wiretape.store.base import RESPONSES, WIRE, Store
from wiretape.tape.kept_misses import KeptMisses
from wiretape.tape.recorded_at import UNKNOWN, recorded_at

_REMEMBERED = 20_000
"""Recordings of which it is remembered what they are."""


@dataclass(frozen=True, slots=True)
class KeptRecording:
    """A recording of a session."""

    name: str
    session: str
    endpoint: str
    model: str
    recorded_at: float
    test_id: str

    def as_json(self) -> dict[str, Any]:
        """Return it as a value of JSON."""
        return {
            "name": self.name,
            "session": self.session,
            "endpoint": self.endpoint,
            "model": self.model,
            "recorded_at": told_at(self.recorded_at) if self.recorded_at != UNKNOWN else None,
            "test_id": self.test_id,
        }


class KeptRecordings:
    """Tells which recordings there are. It reads each file once, for as long as that is as it is. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str, Hashable], KeptRecording | None] = OrderedDict()

    def of(self, store: Store, session: str) -> list[KeptRecording]:
        """Return those of a session, by their names. Raises OSError."""
        states = store.scan(session)
        found = {name: self._read(store, session, name, state) for name, state in sorted(states.items())}
        return [each for each in found.values() if each]

    def _read(self, store: Store, session: str, name: str, state: Hashable) -> KeptRecording | None:
        key = (f"{store.url}#{session}", name, state)
        with self._lock:
            if key in self._known:
                return self._known[key]
        made = None
        with suppress(ValueError):
            data = store.read(session, name)
            made = _made(session, name, data, store.read(session, name, WIRE)) if data is not None else None
        with self._lock:
            self._known[key] = made
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return made


def _made(session: str, name: str, data: bytes, capture: bytes | None) -> KeptRecording:
    request = recording.read_request(data)
    where = request.endpoint or request.url
    return KeptRecording(name, session, where, request.model, recorded_at(data, capture), request.test_id or "")


def request_and_answer(store: Store, call: Call) -> Mapping[str, Any]:
    """Return ``request`` and ``answer`` of a call as values of JSON, or None for what is not kept."""
    kept = _recording(store, call)
    if kept:
        return {"request": _request(kept.request), "answer": _answer(kept)}
    missed = _missed(store, call)
    return {"request": _request(missed) if missed else None, "answer": None}


def _recording(store: Store, call: Call) -> Recording | None:
    if not call.recording:
        return None
    with suppress(OSError, ValueError):
        data = store.read(call.recorded_in or call.session, call.recording, RESPONSES)
        return recording.loads(data) if data is not None else None
    return None


def _missed(store: Store, call: Call) -> RecordedRequest | None:
    """Return the request of a miss, where it is one of those that are kept."""
    if call.miss is None or not call.miss.hash or store.notes is None:
        return None
    kept = KeptMisses(store.notes, call.session).with_hash(call.miss.hash)
    return kept.request if kept else None


def _request(request: RecordedRequest) -> dict[str, Any]:
    return {
        "method": request.method,
        "url": request.sent_url,
        "endpoint": request.endpoint,
        "model": request.model,
        "body": request.body,
    }


def _answer(kept: Recording) -> dict[str, Any]:
    response = kept.response
    status: Any = response.status
    if response.error is not None:
        status = response.error.get("status_code")
    if not isinstance(status, int):
        status = 200
    return {
        "status": status,
        "text": transcript.text(kept),
        "is_streaming": response.is_streaming,
        "body": response.body if response.error is None else response.error,
    }
