"""The indexes of all sessions of a store, shared by all tapes. Above ``index`` and ``rule_index``."""

import threading

from wiretape.store.base import Store
from wiretape.tape.background import Background
from wiretape.tape.index import Index
from wiretape.tape.rule_index import RuleIndex


class Indexes:
    """The index of every session of a store. For any thread."""

    def __init__(self, store: Store, background: Background | None = None) -> None:
        """``background``: where many recordings are read for rules; without it who asks waits for that."""
        self._store = store
        self._background = background
        self._lock = threading.Lock()
        self._indexes: dict[str, Index] = {}
        self._by_rules: dict[str, RuleIndex] = {}

    def of(self, session: str) -> Index:
        """Return the index of a session, which is empty until it is asked for something."""
        with self._lock:
            return self._indexes.setdefault(session, Index(self._store, session))

    def by_rules(self, session: str) -> RuleIndex:
        """Return what finds the recordings of a session by rules."""
        index = self.of(session)
        with self._lock:
            return self._by_rules.setdefault(session, RuleIndex(index, self._background))
