"""The tapes of a proxy: one for each session and mode that was asked for. Between the fronts and the tapes.

What tapes have in common is here, so that many cost no more than one: the store, what is in memory, what is known of
each session's files, whose turn it is among takes. A tape is known by all that holds for its session, not by its name
alone: that may be another thing in a scope, or from one moment to the next. In a scope takes have turns of their own,
from the first one on: it is a part of what one client does, and begins as if nothing had been asked before.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from wiretape.matching.presets import MatchPolicies
from wiretape.matching.rules import MatchPolicy
from wiretape.metrics.counters import SessionCounters
from wiretape.policy import Mode, Takes
from wiretape.replay.take_counters import LocalTurns, Turns, TurnsOfScope
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
        policies: MatchPolicies | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``defaults`` is what holds for a session that says nothing else, ``policy`` by which rules it is matched;
        ``policies`` has those of sessions that say it themselves.

        ``memory`` is what may be kept of hits, in bytes, of all sessions together. ``clock``: seconds since 1970, by
        which recordings expire.
        """
        self.store = store
        self._sessions = sessions
        self._ledger = ledger
        self._defaults = defaults
        self._memory: LruCache[CachedHit] = LruCache(memory)
        self._indexes = Indexes(store, Background())
        self.turns = turns or LocalTurns()
        """Whose turn it is among takes, in all sessions."""
        self._policy = policy
        each = {name: sessions.get(name).freshness for name in sessions.names}
        self._freshness = {name: freshness for name, freshness in each.items() if freshness}
        self._ages = Ages(store, clock) if self._freshness else None
        self._policies = policies or MatchPolicies({})
        self._tapes: OrderedDict[Hashable, Tape] = OrderedDict()

    def use(self, sessions: Sessions) -> None:
        """From now on this is what sessions say of their own."""
        self._sessions = sessions

    def of(self, session: Session, mode: Mode, scope_id: str = "") -> Tape:
        """Return the tape of a session in a mode, in a scope or in none."""
        layers = self._sessions.changed([session]).order(session.name)[1:]
        key = session, mode, layers, scope_id
        if tape := self._tapes.get(key):
            self._tapes.move_to_end(key)
            return tape
        tape = Tape(
            self.store,
            self._defaults.for_session(session, mode, layers),
            self._ledger.of(session.name),
            memory=self._memory,
            indexes=self._indexes,
            turns=TurnsOfScope(self.turns, scope_id) if scope_id else self.turns,
            policy=self._policies.of(session.match) if session.match else self._policy,
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
        modes = {tape.mode for tape in [*self._tapes.values()] if tape.session == session}
        mode = next((mode for mode in (Mode.RECORD, Mode.RECORD_IF_MISSING) if mode in modes), None)
        return mode or said.mode or Mode.RECORD_IF_MISSING, said.takes or self._defaults.takes

    def rewind(self) -> None:
        """Start every sequence of takes again."""
        self.turns.rewind()
