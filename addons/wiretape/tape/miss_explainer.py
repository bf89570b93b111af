"""What is gathered to explain a miss: obstacles, other sessions, the nearest recordings. Beside ``tape``.

What is said of it is in ``mismatch``.
"""

from collections.abc import Sequence

from wiretape.codecs import printable
from wiretape.matching import request as matching
from wiretape.matching.outline import Near, outline
from wiretape.matching.rules import MatchPolicy
from wiretape.recording import RecordedRequest
from wiretape.store.base import Store
from wiretape.tape import mismatch
from wiretape.tape.indexes import Indexes
from wiretape.tape.kept_misses import KeptMisses
from wiretape.tape.lookup import Lookup
from wiretape.tape.mismatch import Explanation, NearRecording
from wiretape.tape.question import Question

_CANDIDATES = 24
"""Recordings that are read to tell which is the nearest."""

_OTHERS = 100
"""Sessions that are looked into for what this one has not."""

_BROKEN = 3
"""Files, or sessions, that are named where there may be many."""


class MissExplainer:
    """Explains the misses of one tape."""

    def __init__(
        self, store: Store, lookups: Sequence[Lookup], indexes: Indexes, policy: MatchPolicy, *, keeps_misses: bool
    ) -> None:
        """``lookups`` are those of the tape's session and of its layers, in order."""
        self._store = store
        self._lookups = lookups
        self._own = lookups[0]
        self._indexes = indexes
        self._policy = policy
        self._kept = KeptMisses(store.notes, self._own.session) if keeps_misses and store.notes else None

    def explain(self, question: Question, refusal: str = "", *, is_offline: bool, is_open: bool) -> Explanation:
        """Return why a request has no recording.

        ``refusal``: why none may stand for it that is not the same. ``is_open``: whether who asks may know what other
        sessions have.
        """
        how = (
            "To record it, send it once with wiretape_mode=record-if-missing and the provider's key\n"
            f'(session "{self._own.session}" below {self._store.url}).'
        )
        if is_offline:
            how = f"The proxy is offline (wiretape_offline): nothing is sent to anybody.\n{how}"
        if refusal:
            how = f"{printable.line(refusal)}\n{how}"
        obstacles = [problem for lookup in self._lookups for problem in lookup.obstacles(question)]
        if is_open and self._store.is_quick:
            obstacles += self._elsewhere(question)
        nearest = [] if obstacles else self.near(question.request)
        if not obstacles and not nearest:
            obstacles = self._own.broken()[:_BROKEN]
        by = MatchPolicy(self._policy.rules_for(question.context), self._policy.places)
        return mismatch.explain(question.request, nearest, how, obstacles, by)

    def keep(self, question: Question) -> None:
        """Keep a request that has no recording, where misses are kept. It never raises."""
        if self._kept:
            self._kept.keep(question.request, question.context, self._policy.places)

    def near(self, request: RecordedRequest) -> list[NearRecording]:
        """Return the recordings whose requests are nearest by their outlines, the nearest first."""
        drawn = outline(request)
        candidates: list[tuple[Near, Lookup]] = []
        for lookup in self._lookups:
            near = lookup.nearest(drawn, matching.endpoint(request), _CANDIDATES)
            candidates += ((each, lookup) for each in near)
        candidates.sort(key=lambda each: -each[0].likeness)
        best = candidates[:_CANDIDATES]
        recordings = []
        for lookup in self._lookups:
            before = "" if lookup is self._own else f"{lookup.session}/"
            names = [near.name for near, where in best if where is lookup]
            recordings += [NearRecording(before + name, each) for name, each in lookup.requests(names)]
        return recordings

    def _elsewhere(self, question: Question) -> list[str]:
        """Return which sessions have the recording that this one, and what it stands on, has not."""
        own = {lookup.session for lookup in self._lookups}
        others = [each for each in self._store.sessions() if each not in own][:_OTHERS]
        having = [each for each in others if self._own.of(self._indexes.of(each)).has(question)]
        ask = f"ask for it, or: wiretape session promote {{}} --into {self._own.session}"
        return [f"Session {each} has a recording of this request: {ask.format(each)}." for each in having[:_BROKEN]]
