"""The recordings of one session by their reduced forms: which are the same as a request by rules. Beside ``index``.

For each set of rules that is asked for, the requests of an endpoint are reduced once; what is new is added, and what
has changed is reduced again. Of those whose form is the present request's, the likeliest stands first:

1. the one from which the fewest values differ, as it is of the same conversation: an id that a client sends back is of
   an answer that it was played;
2. the one of the same test;
3. the newest: the last by name, as far as nothing else is known.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace

from wiretape.matching import reduction
from wiretape.matching import request as matching
from wiretape.matching.bindings import Bindings
from wiretape.matching.reduction import Reduced, Reducer
from wiretape.matching.rules import MatchPolicy
from wiretape.recording import RecordedRequest
from wiretape.tape.index import Index
from wiretape.tape.question import Question

_SETS = 16
"""Sets of rules of which it is kept what they make of a session's requests."""


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """A recorded request that is the same as the present one by rules."""

    request: RecordedRequest
    """To be looked up in the present one's place."""
    rules: tuple[str, ...]
    """The names of those without which it were another one."""
    bindings: Bindings
    """What was recorded, and what is in its place now."""


class RuleIndex:
    """Finds the recordings of one session by rules. For any thread."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._forms: OrderedDict[tuple[str, str], dict[str, tuple[Hashable, str]]] = OrderedDict()
        """By rules and endpoint: of each recording its state and the digest of its reduced form."""

    def matches(self, question: Question, policy: MatchPolicy) -> Iterator[RuleMatch]:
        """Yield the recorded requests that are the same as the present one by rules, the likeliest first.

        Raises StoreUnavailableError.
        """
        rules = policy.rules_for(question.context)
        if not rules:
            return
        by = reduction.reducer(rules)
        present = by.reduce(question.request, policy.places)
        names = self._names(question, by, present)
        found = []
        for name, request in self._index.requests(names):
            stored = matching.by_rules_of_today(request)
            reduced = by.reduce(stored, reduction.places_of(stored))
            if reduced.digest == present.digest:
                likeness = -reduction.distance(reduced, present), stored.test_id == question.request.test_id, name
                found.append((likeness, stored, reduced))
        for _, stored, reduced in sorted(found, key=lambda each: each[0], reverse=True):
            yield _match(question.request, present, stored, reduced)

    def _names(self, question: Question, by: Reducer, present: Reduced) -> list[str]:
        """Return the recordings whose reduced form is that of the present request."""
        endpoint = matching.endpoint(question.request)
        states = self._index.states_of(endpoint)
        with self._lock:
            key = by.fingerprint, endpoint
            forms = self._forms.setdefault(key, {})
            self._forms.move_to_end(key)
            if len(self._forms) > _SETS:
                self._forms.popitem(last=False)
            for name in forms.keys() - states.keys():
                del forms[name]
            new = [name for name, state in states.items() if name not in forms or forms[name][0] != state]
            for name, request in self._index.requests(new):
                stored = matching.by_rules_of_today(request)
                forms[name] = states[name], by.reduce(stored, reduction.places_of(stored)).digest
            return [name for name, (_, digest) in forms.items() if digest == present.digest]


def _match(request: RecordedRequest, present: Reduced, stored: RecordedRequest, reduced: Reduced) -> RuleMatch:
    asked = replace(stored, test_id=request.test_id, base64_wanted=request.base64_wanted, moves_on=request.moves_on)
    return RuleMatch(asked, reduction.needed(reduced, present), reduction.bindings(reduced, present))
