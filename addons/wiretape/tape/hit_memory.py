"""The hits that a tape has given lately, in memory, for as long as they are what it would give now. Below ``tape``.

A hit is known by the bytes of its request. It is served only as long as all files are as they were when it was looked
up: those that were read, and those that were looked for in vain. Within 5 ms that is taken for granted.

A hit by rules is known by the client as well, as rules are chosen by it: another one may need other rules, or be
refused. What has come to the session since may be likelier; so beside its files the index is to know of no change, and
to have looked a second ago at most. A hit that was found exactly is asked for first: it costs what it did.

The memory is shared by tapes of several sessions, and of one session in several modes, scopes and moments: a hit is
another one where anything holds by which it is chosen or played. So it is known by all of that, too.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from wiretape.matching.rules import MatchPolicy
from wiretape.providers.answers import HttpResponse
from wiretape.store.base import Store
from wiretape.store.lru import LruCache
from wiretape.tape.config import TapeConfig
from wiretape.tape.expiry import NEVER
from wiretape.tape.hit import Hit
from wiretape.tape.index import Index
from wiretape.tape.question import Question
from wiretape.tape.snapshot import FileStates, Snapshot, is_unchanged

_TRUSTED = 0.005
"""Seconds for which a hit in memory is served without a look at its files."""

_LOOKS = 200
"""Files whose states are looked at within a millisecond."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment before a look-up."""

    at: float
    """By ``time.monotonic``."""
    numbers: tuple[int, ...]
    """What the index of each session knew, as the number of its next change."""


@dataclass(slots=True)
class CachedHit:
    """A hit in memory, and what it was made of."""

    hit: Hit
    states: tuple[tuple[str, FileStates], ...]
    """Of each session that was looked into: the files and their states."""
    checked: float
    """When the files were last seen to be as they were, by ``time.monotonic``."""
    numbers: tuple[int, ...]
    """What the indexes knew then: it counts for a hit by rules."""
    until: float
    """When its recording expires, in seconds since 1970."""


class HitMemory:
    """The hits of one tape. For any thread."""

    def __init__(
        self,
        store: Store,
        config: TapeConfig,
        memory: LruCache[CachedHit],
        indexes: Sequence[Index],
        *,
        policy: MatchPolicy,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``memory`` may be shared with other tapes; ``indexes`` are those of the session and of its layers.

        ``clock``: seconds since 1970, by which recordings expire.
        """
        self._store = store
        found = config.session, config.layers, config.only_lasting, config.own_tests_only
        played = config.takes, config.pace, policy.choice
        # One text, whose hash is known from the first time on.
        self._tape = repr((found, played))
        self._memory = memory
        self._indexes = indexes
        self._has_rules = bool(policy.rules)
        self._clock = clock

    def recall(self, key: Hashable, client: str = "") -> Hit | None:
        """Return the hit of a request that was looked up lately, where that can be told at once."""
        cached = self._memory.get((self._tape, key))
        if cached is None:
            if not self._has_rules:
                return None
            cached = self._memory.get((self._tape, key, client))
            if cached is None or not self._knows_no_change(cached):
                return None
        if time.monotonic() - cached.checked < _TRUSTED:
            return cached.hit
        looks = sum(len(files) for _, files in cached.states)
        if self._store.is_quick and looks <= _LOOKS and self._is_current(cached):
            return cached.hit
        return None

    def confirmed(self, question: Question) -> Hit | None:
        """Return the hit of a request that was looked up lately; it waits for the store. Raises OSError."""
        if question.key is None:
            return None
        key = self._tape, question.key
        if cached := self._memory.get(key):
            if self._is_current(cached):
                return cached.hit
            self._memory.drop(key)
        if not self._has_rules:
            return None
        by_client = *key, question.context.client
        if cached := self._memory.get(by_client):
            if self._store.is_quick:
                for index in self._indexes:
                    index.refresh()
            if self._knows_no_change(cached) and self._is_current(cached):
                return cached.hit
            self._memory.drop(by_client)
        return None

    def mark(self) -> Mark:
        """Return this moment: what is looked up after it may be kept with it."""
        return Mark(time.monotonic(), self._numbers())

    def keep(
        self, question: Question, hit: Hit, snapshots: Sequence[Snapshot], mark: Mark, until: float = NEVER
    ) -> None:
        """Keep the hit of a request, ``until`` its recording expires."""
        if question.key is None:
            return
        states: dict[str, dict[tuple[str, str], Hashable]] = {}
        for each in snapshots:
            known = states.setdefault(each.session, {})
            # Of a file that was looked at twice the first state counts: what it was then has been made use of.
            known.update({file: state for file, state in each.states().items() if file not in known})
        key: Hashable = self._tape, question.key
        if hit.rules:
            key = self._tape, question.key, question.context.client
        cached = CachedHit(hit, (*states.items(),), mark.at, mark.numbers, until)
        self._memory.put(key, cached, _size(hit.answer))

    def _numbers(self) -> tuple[int, ...]:
        return tuple(index.number for index in self._indexes)

    def _knows_no_change(self, cached: CachedHit) -> bool:
        return cached.numbers == self._numbers() and all(index.is_fresh for index in self._indexes)

    def _is_current(self, cached: CachedHit) -> bool:
        if cached.until != NEVER and self._clock() > cached.until:
            return False
        try:
            unchanged = all(is_unchanged(self._store, session, states) for session, states in cached.states)
        except OSError:
            return False  # Told in a moment, when it is read.
        if unchanged:
            cached.checked = time.monotonic()
        return unchanged


def _size(answer: HttpResponse) -> int:
    """Return the bytes of memory that an answer takes, kept in chunks and framed, nearly."""
    return 2 * sum(map(len, answer.chunks)) + 120 * len(answer.chunks) + 4096
