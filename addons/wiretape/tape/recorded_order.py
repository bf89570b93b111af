"""The recordings of a session in the order in which they were made, as far as that is known. Below ``loose``.

Known is the second in which each was made. Of those of one second each has to go on from the one before, as an agent's
next request does: it begins with all that the other one says. Else nobody knows which was first; they are one group.
Where a recording tells no time, nothing is known of its place, so all are one group.
"""

import threading
from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from wiretape.matching import outline
from wiretape.matching import request as matching
from wiretape.tape.index import Index
from wiretape.tape.recorded_at import UNKNOWN, RecordedTimes

MOST = 2000
"""Recordings of an endpoint that are put in order."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """A recording, and what its place depends on."""

    name: str
    model: str
    test_id: str | None
    at: float
    said: tuple[bytes, ...]
    """Its conversation, a digest for each message."""


class RecordedOrder:
    """The recordings of one session. For any thread."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._times = RecordedTimes(index.store, index.session)
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, list[Ordered]]] = {}
        """By endpoint: the number of the index's next change when they were read, and all of them."""

    def groups(self, endpoint: str, model: str, test_id: str | None) -> list[tuple[str, ...]] | None:
        """Return the recordings of an endpoint and a model in their order; None where they are too many.

        Those of the test are meant where it has any, else those of no test. Raises StoreUnavailableError.
        """
        recordings = self._of(endpoint)
        if recordings is None:
            return None
        of_model = [each for each in recordings if each.model == model]
        of_test = [each for each in of_model if each.test_id == test_id]
        return _grouped(of_test or [each for each in of_model if each.test_id is None])

    def _of(self, endpoint: str) -> list[Ordered] | None:
        with self._lock:
            changes = self._index.changes(endpoint, -1)
            number, known = self._known.get(endpoint, (-1, []))
            if number != changes.number:
                states = {name: state for name, state in changes.states.items() if state is not None}
                if len(states) > MOST:
                    return None
                known = self._read(states)
                self._known[endpoint] = changes.number, known
            return known

    def _read(self, states: dict[str, Hashable]) -> list[Ordered]:
        times = self._times.of(states)
        made = []
        for name, stored in self._index.requests([*states], is_strict=True):
            with suppress(ValueError):
                request = matching.by_rules_of_today(stored)
                said = outline.conversation(request)
                made.append(Ordered(name, request.model, request.test_id, times[name], said))
        return made


def _grouped(recordings: Sequence[Ordered]) -> list[tuple[str, ...]]:
    """Return names in order; those of which nobody knows which was first are one group."""
    if not recordings:
        return []
    if any(each.at == UNKNOWN for each in recordings):
        return [tuple(sorted(each.name for each in recordings))]
    by_second: dict[int, list[Ordered]] = {}
    for each in recordings:
        by_second.setdefault(int(each.at), []).append(each)
    groups: list[tuple[str, ...]] = []
    for second in sorted(by_second):
        at_once = sorted(by_second[second], key=lambda each: (len(each.said), each.name))
        if all(_goes_on(one, two) for one, two in pairwise(at_once)):
            groups += ((each.name,) for each in at_once)
        else:
            groups.append(tuple(each.name for each in at_once))
    return groups


def _goes_on(one: Ordered, two: Ordered) -> bool:
    return len(one.said) < len(two.said) and two.said[: len(one.said)] == one.said
