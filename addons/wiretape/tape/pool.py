"""The tapes of a proxy: one for each session and mode that was asked for. Between the fronts and the tapes.

What tapes have in common is here, so that many cost no more than one: the store, what is in memory, what is known of
each session's files, whose turn it is among takes.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from wiretape.matching.rules import MatchPolicy
from wiretape.metrics.counters import SessionCounters
from wiretape.policy import Mode, Takes
from wiretape.replay.take_counters import LocalTurns, Turns
from wiretape.sessions.model import Session, Sessions
from wiretape.store.base import Store
from wiretape.store.lru import LruCache
from wiretape.tape.ages import Ages
from wiretape.tape.background import Background
from wiretape.tape.config import DEFAULT_CONFIG, TapeConfig
from wiretape.tape.hit_memory import CachedHit
from wiretape.tape.indexes import Indexes
from wiretape.tape.tape import EXACTLY, Tape

_TAPES = 256
"""Tapes that are kept; another is made anew when it is asked for."""


class TapePool:
    """Makes tapes, and keeps them. For the thread that carries the traffic."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        ledger: SessionCounters,
        defaults: TapeConfig = DEFAULT_CONFIG,
        *,
        memory: int = 0,
        turns: Turns | None = None,
        policy: MatchPolicy = EXACTLY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``defaults`` is what holds for a session that says nothing else, ``policy`` by which rules it is matched.

        ``memory`` is what may be kept of hits, in bytes, of all sessions together. ``clock``: seconds since 1970, by
        which recordings expire.
        """
        self.store = store
        self._sessions = sessions
        self._ledger = ledger
        self._defaults = defaults
        self._memory: LruCache[CachedHit] = LruCache(memory)
        self._indexes = Indexes(store, Background())
        self._turns = turns or LocalTurns()
        self._policy = policy
        each = {name: sessions.get(name).freshness for name in sessions.names}
        self._freshness = {name: freshness for name, freshness in each.items() if freshness}
        self._ages = Ages(store, clock) if self._freshness else None
        self._tapes: OrderedDict[tuple[str, Mode], Tape] = OrderedDict()

    def of(self, session: Session, mode: Mode) -> Tape:
        """Return the tape of a session in a mode."""
        key = session.name, mode
        if tape := self._tapes.get(key):
            self._tapes.move_to_end(key)
            return tape
        tape = Tape(
            self.store,
            self._defaults.for_session(session, mode, self._sessions.order(session.name)[1:]),
            self._ledger.of(session.name),
            memory=self._memory,
            indexes=self._indexes,
            turns=self._turns,
            policy=self._policy,
            freshness=self._freshness,
            ages=self._ages,
        )
        self._tapes[key] = tape
        if len(self._tapes) > _TAPES:
            self._tapes.popitem(last=False)
        return tape

    def choice(self, session: str) -> tuple[Mode, Takes]:
        """Return in which mode a session is recorded, and which of its takes answers: for what waited for its store."""
        said = self._sessions.get(session)
        mode = next((mode for mode in (Mode.RECORD, Mode.RECORD_IF_MISSING) if (session, mode) in self._tapes), None)
        return mode or said.mode or Mode.RECORD_IF_MISSING, said.takes or self._defaults.takes

    def rewind(self) -> None:
        """Start every sequence of takes again."""
        self._turns.rewind()
