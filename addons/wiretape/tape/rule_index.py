"""The recordings of one session by their reduced forms: which are the same as a request by rules. Beside ``index``.

Of those whose form is the present request's, the likeliest stands first:

1. the one from which the fewest values differ, as it is of the same conversation: an id that a client sends back is of
   an answer that it was played. Values that have stood for each other before do not differ (``likeness``);
2. the one of the same test;
3. the newest, by the time that its files tell (``recorded_at``); where none tells it, the last by name.

Those that only their time tells apart are as takes of one request. So with ``first`` the oldest stands first; with
``sequence`` and ``cycle`` each has its turn, the oldest first, and what stood for what does not count. Each of them has
its own takes as well: what was recorded under one identity. Of very many that are alike, 256 are looked at.

Example: an agent was recorded twice, each time with another ``prompt_cache_key``. A third run of it is answered from
the second recording, call after call, and with ``first`` from the first.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from wiretape.matching import reduction
from wiretape.matching import request as matching
from wiretape.matching.bindings import Bindings
from wiretape.matching.reduction import Reduced, Reducer
from wiretape.matching.rules import MatchPolicy, MatchRule
from wiretape.policy import Takes
from wiretape.recording import RecordedRequest
from wiretape.tape.background import Background
from wiretape.tape.index import Index
from wiretape.tape.likeness import Conversations, values_of
from wiretape.tape.question import Question
from wiretape.tape.recorded_at import RecordedTimes
from wiretape.tape.reduced_session import ReducedRequest, ReducedSession, digest_of, reduced_request

_SETS = 16
"""Sets of rules of which it is kept what they make of a session's requests."""

_ALIKE = 256
"""Recordings that only their time tells apart, of which that is looked at."""

_NOTHING_KNOWN = Conversations()


@dataclass(frozen=True, slots=True)
class Reading:
    """A question, reduced once for all sessions in which it is looked for."""

    question: Question
    by: Reducer
    present: Reduced
    values: bytes
    endpoint: str

    @property
    def key(self) -> str:
        """What is equal for requests that are the same by these rules."""
        return f"{self.by.fingerprint} {self.present.digest}"


def reading(question: Question, policy: MatchPolicy, also: tuple[MatchRule, ...] = ()) -> Reading | None:
    """Return a question, reduced by the rules that hold for it, and these; None where there are none."""
    rules = (*policy.rules_for(question.context), *also)
    if not rules:
        return None
    by = reduction.reducer(rules)
    present = by.reduce(question.request, policy.places)
    return Reading(question, by, present, values_of(present), matching.endpoint(question.request))


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """A recorded request that is the same as the present one by rules."""

    request: RecordedRequest
    """To be looked up in the present one's place."""
    rules: tuple[str, ...]
    """The names of those without which it were another one."""
    bindings: Bindings
    """What was recorded, and what is in its place now."""
    values: bytes
    """What was taken out of the recorded request."""


@dataclass(frozen=True, slots=True)
class _Alike:
    """The recordings of one identity."""

    names: tuple[str, ...]
    rank: tuple[int, bool]
    """How many values differ at least, and whether it is of another test."""


class RuleIndex:
    """Finds the recordings of one session by rules. For any thread."""

    def __init__(self, index: Index, background: Background | None = None) -> None:
        """Without a ``background`` who asks waits until all recordings are read."""
        self._index = index
        self._background = background
        self._lock = threading.Lock()
        self._sessions: OrderedDict[tuple[str, str], ReducedSession] = OrderedDict()
        self._conversations = Conversations()
        self._times = RecordedTimes(index.store, index.session)

    def matches(self, reading: Reading, takes: Takes, count_turn: Callable[[str], int]) -> Iterator[RuleMatch]:
        """Yield the recorded requests that are the same as the present one by rules, the likeliest first.

        ``count_turn`` tells how often the requests of a key had their turn before, and counts. Raises
        StillReadingError and StoreUnavailableError.
        """
        same = self._session(reading).same(digest_of(reading.present))
        for alike in self._in_order(reading, same, takes, count_turn):
            for _, stored in self._index.requests(alike.names, is_strict=True):
                with suppress(ValueError):
                    reduced = reduced_request(reading.by, stored)
                    if reduced.digest == reading.present.digest:  # Else it is another one by now.
                        yield _match(reading, matching.by_rules_of_today(stored), reduced)
                        break

    def remember(self, match: RuleMatch, reading: Reading) -> None:
        """Note that a recording has answered: what comes next of the same conversation is likely to be of it, too."""
        self._conversations.remember(match.values, reading.values)

    def _session(self, reading: Reading) -> ReducedSession:
        key = reading.by.fingerprint, reading.endpoint
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                session = ReducedSession(self._index, reading.by, reading.endpoint, self._background)
                self._sessions[key] = session
                if len(self._sessions) > _SETS:
                    self._sessions.popitem(last=False)
            self._sessions.move_to_end(key)
            return session

    def _in_order(
        self, reading: Reading, same: dict[str, ReducedRequest], takes: Takes, count_turn: Callable[[str], int]
    ) -> Iterator[_Alike]:
        """Yield what the present request is the same as, the likeliest first: what is the same exactly is not in it."""
        in_turn = takes in (Takes.SEQUENCE, Takes.CYCLE)
        found = self._by_identity(reading, same, _NOTHING_KNOWN if in_turn else self._conversations)
        for rank in sorted({each.rank for each in found}):
            alike = [each for each in found if each.rank == rank]
            if len(alike) > 1:
                alike = self._by_age(alike, same)
            if takes is Takes.LAST:
                alike.reverse()
            elif in_turn:
                alike = _from_turn(alike, takes, partial(count_turn, reading.key))
            yield from alike

    def _by_identity(
        self, reading: Reading, same: dict[str, ReducedRequest], conversations: Conversations
    ) -> list[_Alike]:
        names: dict[str, list[str]] = {}
        for name in sorted(same):
            names.setdefault(self._index.identity_of(name), []).append(name)
        names.pop(reading.question.identity, None)
        test_id = reading.question.request.test_id
        found = []
        for some in names.values():
            each = [same[name] for name in some]
            rank = min((conversations.differing(it.values, reading.values), it.test_id != test_id) for it in each)
            found.append(_Alike((*some,), rank))
        return found

    def _by_age(self, alike: Sequence[_Alike], same: dict[str, ReducedRequest]) -> list[_Alike]:
        """Return what is alike, the oldest first."""
        alike = sorted(alike, key=lambda each: each.names[-1])[-_ALIKE:]
        times = self._times.of({each.names[-1]: same[each.names[-1]].state for each in alike})
        return sorted(alike, key=lambda each: (times[each.names[-1]], each.names[-1]))


def _from_turn(alike: list[_Alike], takes: Takes, count_turn: Callable[[], int]) -> list[_Alike]:
    """Return what is alike from the one on whose turn it is; each has as many turns as it has takes."""
    row = [number for number, each in enumerate(alike) for _ in each.names]
    if len(alike) < 2:
        return alike
    turn = count_turn()
    at = row[turn % len(row)] if takes is Takes.CYCLE else row[min(turn, len(row) - 1)]
    return alike[at:] + alike[:at]


def _match(reading: Reading, stored: RecordedRequest, reduced: Reduced) -> RuleMatch:
    request = reading.question.request
    stands_for = replace(
        stored, test_id=request.test_id, base64_wanted=request.base64_wanted, moves_on=request.moves_on
    )
    rules = reduction.needed(reduced, reading.present)
    return RuleMatch(stands_for, rules, reduction.bindings(reduced, reading.present), values_of(reduced))
