"""A request that had no recording, and how the nearest one differs beside what was said. Below ``views``."""

import json
from dataclasses import dataclass

from wiretape.call_log.call import Call
from wiretape.codecs.differences import ABSENT, differences
from wiretape.recording import RecordedRequest
from wiretape.store.base import Store
from wiretape.tape.kept_misses import KeptMiss, KeptMisses

_SAID = ("messages", "contents", "input", "prompt", "system", "instructions", "systemInstruction", "system_instruction")
"""Members that say something: those are shown as a conversation."""

_MOST = 50
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Other:
    """A place where two requests differ that is no part of what is said."""

    path: str
    here: str
    there: str
    """Empty where it is not there, as ``here``."""


def kept_miss(store: Store, call: Call) -> KeptMiss | None:
    """Return a miss with its request; None where it is none of those that are kept."""
    if call.miss is None or not call.miss.hash or store.notes is None:
        return None
    return KeptMisses(store.notes, call.session).with_hash(call.miss.hash)


def missed(store: Store, call: Call) -> RecordedRequest | None:
    """Return the request of a miss; None where it is none of those that are kept."""
    return MissedRequests(store).of(call)


class MissedRequests:
    """The requests of misses that are kept. Each session's are read once. For one thread."""

    def __init__(self, store: Store) -> None:
        self._notes = store.notes
        self._known: dict[str, dict[str, RecordedRequest]] = {}

    def of(self, call: Call) -> RecordedRequest | None:
        """Return the request of a miss; None where it is none of those that are kept."""
        if call.miss is None or not call.miss.hash or self._notes is None:
            return None
        if call.session not in self._known:
            misses = KeptMisses(self._notes, call.session).all()
            self._known[call.session] = {each.hash: each.request for each in misses}
        return self._known[call.session].get(call.miss.hash)


def differences_beside(here: RecordedRequest, there: RecordedRequest) -> list[Other]:
    """Return where two requests differ in their parameters and tools."""
    ours = {name: value for name, value in here.body.items() if name not in _SAID}
    theirs = {name: value for name, value in there.body.items() if name not in _SAID}
    found = []
    for each in differences(ours, theirs):
        found.append(Other(each.path, _text(each.here), _text(each.there)))
        if len(found) == _MOST:
            break
    return found


def _text(value: object) -> str:
    if value is ABSENT:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
