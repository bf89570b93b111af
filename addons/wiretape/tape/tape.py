"""One session's recordings, as they are asked: a mode, a session and a store -> hit or miss. Between fronts and store.

Fronts ask with values and get values; they never see a file. What is asked is a ``Question``, and it is looked for in
up to three steps, of which a front takes the next one where the one before gave nothing:

    recall    by the request's bytes, in memory. It waits for nothing: for the thread that carries traffic
    lookup    in the session, then in its layers: under the names that the recording has if it was made here
    search    the same whatever the files' names are. In a large session this takes a while, at first. Then by rules

All but ``recall`` may block on the store: a front whose thread carries traffic calls them from another one.

What holds:

- A request is looked for exactly first, in all layers; then by the rules in force, in all layers. A hit by rules says
  which rules were needed. Two requests that are the same by rules, and come at once, share no live answer.
- A layer is asked only where the session above it has been looked through. Else what has another name there would be
  passed over for what lies below.
- Where the store cannot tell, that is an error (StoreUnavailableError) and never a miss. Where recordings are being
  read for rules, it is one that says what to wait for (StillReadingError); what is found exactly never waits for that.
- A recording that is older than its session allows may not answer: that is ExpiredError, which says what comes of it,
  and never a miss (see ``expiry``).
- A tape of the mode record-if-missing has no answer that depends on who asked, or when; one of replay has. So a hit in
  memory is known by that, too.

How a recording is written is in ``recorder``.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from wiretape.exceptions import StoreUnavailableError
from wiretape.matching import aliases
from wiretape.matching import request as matching
from wiretape.matching.rules import MatchContext, MatchPolicy
from wiretape.metrics.counters import Counters
from wiretape.policy import Freshness, Takes
from wiretape.providers import wire
from wiretape.providers.asked_model import model_of
from wiretape.recording import RecordedRequest
from wiretape.recording import capture as captures
from wiretape.replay import pacing
from wiretape.replay.take_counters import LocalTurns, Turns
from wiretape.store.base import Store
from wiretape.store.lru import LruCache
from wiretape.tape import rule_index
from wiretape.tape.ages import Ages
from wiretape.tape.config import TapeConfig
from wiretape.tape.expiry import Expiry
from wiretape.tape.hit import NOTHING, Hit
from wiretape.tape.hit_memory import CachedHit, HitMemory
from wiretape.tape.indexes import Indexes
from wiretape.tape.lookup import Lookup, MovedOn
from wiretape.tape.loose import LooseMatches
from wiretape.tape.mismatch import Explanation, NearRecording
from wiretape.tape.miss_explainer import MissExplainer
from wiretape.tape.question import Question
from wiretape.tape.reader import Candidate
from wiretape.tape.snapshot import Snapshot

EXACTLY = MatchPolicy()
"""Without rules."""

NOBODY = MatchContext()
"""Of whom nothing is known."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What answers a request, and where it was found."""

    lookup: Lookup
    snapshot: Snapshot
    candidates: list[Candidate]
    """One; of a list of models there may be several, which are one answer together."""


class Tape:
    """One session's recordings."""

    def __init__(
        self,
        store: Store,
        config: TapeConfig,
        counters: Counters,
        *,
        memory: LruCache[CachedHit] | None = None,
        indexes: Indexes | None = None,
        turns: Turns | None = None,
        policy: MatchPolicy = EXACTLY,
        freshness: Mapping[str, Freshness] | None = None,
        ages: Ages | None = None,
    ) -> None:
        """``memory``, ``indexes``, ``turns`` and ``ages`` may be shared with other tapes on the same store.

        ``policy``: by which rules a request may be the same as another one. ``freshness``: how old the recordings of
        sessions may be, which ``ages`` tells.
        """
        self.config = config
        # On the way of each request.
        self.session = config.session
        self.mode = config.mode
        self.named = config.named
        """The end of each line in the log that is about this session; nothing for the one called ``default``."""
        self.counters = counters
        self.store = store
        indexes = indexes or Indexes(store)
        self._count_turn = partial((turns or LocalTurns()).next, config.session)
        self._sessions = config.session, *config.layers
        self._lookups = [Lookup(indexes.of(each), self._count_turn, config) for each in self._sessions]
        self._policy = policy
        self._by_rules = [indexes.by_rules(each) for each in self._sessions]
        own = [indexes.of(each) for each in self._sessions]
        self._loose = LooseMatches(config, policy, self._lookups, indexes, self._count_turn)
        self._expiry = Expiry(config, freshness or {}, ages, counters)
        self._misses = MissExplainer(store, self._lookups, indexes, policy, keeps_misses=config.keep_misses)
        self._hits = HitMemory(
            store,
            config,
            # Where each call counts, none is answered without a look.
            LruCache(0) if memory is None or self._loose.counts else memory,
            own,
            policy=policy,
            clock=ages.clock if ages else time.time,
        )
        self.counts_calls = self._loose.counts
        """Whether an answer depends on how many calls came before."""
        # On the way of each request.
        self.recall = self._hits.recall

    @property
    def location(self) -> str:
        """Where the recordings are, for people."""
        return self.store.where(self.session)

    def is_empty(self) -> bool:
        """Return whether there is no recording, in the session or below it. Raises OSError."""
        return not any(self.store.scan(session) for session in self._sessions)

    def lookup(self, question: Question) -> Hit | None:
        """Return the answer to a request, where its recording has a name of its own.

        Where the index is quick, and where each file takes a while, it is found whatever its name is.
        """
        return self._hits.confirmed(question) or self._answer_to(question, thorough=not self.store.is_quick)

    def likeness(self, question: Question) -> str:
        """Return what is equal for requests that are the same, exactly or by the rules in force."""
        reading = rule_index.reading(question, self._policy)
        return reading.present.digest if reading else question.identity

    @property
    def needs_search(self) -> bool:
        """Whether what ``lookup`` does not find may be found by ``search``."""
        return self.store.is_quick and not all(lookup.is_quick for lookup in self._lookups)

    def search(self, question: Question) -> Hit | None:
        """Return the answer to a request, whatever the name of its recording is."""
        return self._answer_to(question, thorough=True)

    def _answer_to(self, question: Question, *, thorough: bool) -> Hit | None:
        """Look for a request; then for what its client would have sent to the provider.

        A client that was played an answer of the form 2026 sends back ids that no provider has given.
        """
        self._expiry.prepare()
        if question.turn is None and question.request.moves_on and self.config.asks_again:
            # It is counted whether it has a recording or not: the next one is the one after it.
            question.turn = self._count_turn(question.identity)
        if question.place is None and self._loose.counts:
            question.place = self._loose.count(question.request)
        snapshots: list[Snapshot] = []
        try:
            hit = self._look(question, snapshots, thorough=thorough)
            if hit or (self.needs_search and not thorough):
                return hit
            readings = aliases.readings(question.request, self._ids_that_came)
            return self._answer_to_any([question, *map(question.read_as, readings)], snapshots, thorough=thorough)
        except MovedOn:
            return None

    def _answer_to_any(self, questions: Sequence[Question], snapshots: list[Snapshot], *, thorough: bool) -> Hit | None:
        """Look for each reading of a question, of which the first was looked for exactly. Raises MovedOn."""
        exactly = (self._look(each, snapshots, thorough=thorough) for each in questions[1:])
        by_rules = (self._look_by_rules(each, snapshots) for each in questions)
        loosely = (self._look_loosely(each) for each in questions)
        return next((hit for hit in chain(exactly, by_rules, loosely) if hit), None)

    def _ids_that_came(self, id_: str) -> list[str]:
        return [*chain.from_iterable(lookup.ids_that_came(id_) for lookup in self._lookups)]

    def _look(self, question: Question, snapshots: list[Snapshot], *, thorough: bool) -> Hit | None:
        """Look for a request exactly; ``snapshots`` gets what was looked at. Raises MovedOn."""
        mark = self._hits.mark()
        found = self._find(question, snapshots, thorough=thorough)
        # Unless the request itself may be found yet, by a search.
        if found is None and (thorough or not self.needs_search):
            found = self._find_with_less_query(question, snapshots, thorough=thorough)
        if found is None:
            return None
        until = self._answers_until(question.request, found)
        hit = self._hit(question.request, found)
        if self._may_be_kept(question.request, found, snapshots):
            self._hits.keep(question, hit, snapshots, mark, until)
        return hit

    def _look_by_rules(self, question: Question, snapshots: list[Snapshot]) -> Hit | None:
        """Look for a recording that is the same by the rules in force: it is looked up in the request's place.

        ``snapshots`` has where it was looked for exactly. Raises MovedOn.
        """
        if question.request.is_model_list:
            return None  # All files of a session may be parts of it.
        reading = rule_index.reading(question, self._policy)
        if reading is None:
            return None
        mark = self._hits.mark()
        for index in self._by_rules:
            for match in index.matches(reading, self.config.takes, self._count_turn):
                found = self._find(self._in_place_of(question, match.request), snapshots, thorough=True)
                if found is None:
                    continue
                until = self._answers_until(question.request, found)
                index.remember(match, reading)
                hit = self._hit(question.request, found).by_rules(match.rules, match.bindings)
                if self._may_be_kept(question.request, found, snapshots):
                    self._hits.keep(question, hit, snapshots, mark, until)
                return hit
        return None

    def _look_loosely(self, question: Question) -> Hit | None:
        """Look for a recording that may stand for a request, where that was asked for."""
        if question.request.is_model_list:
            return None
        match = self._loose.find(question)
        if match is None:
            return None
        found = _Found(match.lookup, match.snapshot, [match.candidate])
        self._answers_until(question.request, found)
        return self._hit(question.request, found).by_rules(match.rules, match.bindings)

    def _in_place_of(self, question: Question, request: RecordedRequest) -> Question:
        """Return a question for a recorded request in the present one's place: its turns are those of the recording."""
        in_place = question.read_as(request)
        if question.turn is not None:
            in_place.turn = self._count_turn(in_place.identity)
        return in_place

    def _find(self, question: Question, snapshots: list[Snapshot], *, thorough: bool) -> _Found | None:
        """Find what answers a request; ``snapshots`` gets what was looked at."""
        return self._find_in_layers(question, snapshots, thorough=thorough, has_whole_query=True)

    def _find_with_less_query(self, question: Question, snapshots: list[Snapshot], *, thorough: bool) -> _Found | None:
        """Find a recording that does not tell all of its request's query, as those of the public recorder."""
        for less in matching.with_less_query(question.request):
            reading = question.read_as(less)
            if match := self._find_in_layers(reading, snapshots, thorough=thorough, has_whole_query=False):
                return match
        return None

    def _find_in_layers(
        self, question: Question, snapshots: list[Snapshot], *, thorough: bool, has_whole_query: bool
    ) -> _Found | None:
        doubt: StoreUnavailableError | None = None
        for lookup in self._lookups:
            snapshot = lookup.reader.snapshot()
            snapshots.append(snapshot)
            candidates = lookup.by_name(question, snapshot)
            if not candidates:
                if not (thorough or lookup.is_quick):
                    return None  # It may be here under another name, and what is below comes after that.
                candidates = lookup.by_content(question, snapshot)
            if not has_whole_query:
                # What is known to be of the shorter query is no answer to the longer one.
                candidates = [each for each in candidates if not lookup.reader.tells_query(each.name, snapshot)]
            if candidates:
                return _Found(lookup, snapshot, candidates)
            doubt = doubt or snapshot.doubt
        if doubt:
            raise doubt
        return None

    def _answers_until(self, request: RecordedRequest, match: _Found) -> float:
        """Return until when a recording may answer, in seconds since 1970. Raises ExpiredError where it may not."""
        return self._expiry.check(match.lookup.reader, match.candidates, match.snapshot, moves_on=request.moves_on)

    def _hit(self, request: RecordedRequest, match: _Found) -> Hit:
        first = match.candidates[0]
        usage, tokens = wire.usage(first.recording.request, first.recording.response)
        if request.moves_on and request.method != "POST":
            # A question about what was made before makes no tokens.
            usage = NOTHING
            tokens = 0
        answer = _answer(request, match)
        return Hit(
            first.name,
            answer,
            leaving=pacing.schedule(self.config.pace, len(answer.chunks), answer.at, tokens),
            tokens=tokens,
            size=sum(map(len, answer.chunks)),
            label=request.label,
            model=model_of(request),
            session=match.lookup.session,
            usage=usage,
        )

    def _may_be_kept(self, request: RecordedRequest, match: _Found, snapshots: list[Snapshot]) -> bool:
        """Return whether the next equal request gets the same answer, while no file changes that was looked at."""
        if self.config.takes not in (Takes.FIRST, Takes.LAST) or match.candidates[0].has_turns:
            return False  # The other takes have their turns.
        if request.is_model_list or request.moves_on:
            return False  # Of a list of models any new file is a part; a poll gets the next state.
        return all(each.is_whole for each in snapshots)

    def explain(
        self,
        request: RecordedRequest,
        context: MatchContext = NOBODY,
        *,
        is_offline: bool = False,
        is_open: bool = True,
    ) -> Explanation:
        """Return why a request has no recording, in replay, or in other modes while offline.

        ``context``: whose it is; ``is_open``: whether who asks may know what other sessions have.
        """
        refusal = self._loose.refusal(request)
        question = Question(request, context=context)
        return self._misses.explain(question, refusal, is_offline=is_offline, is_open=is_open)

    def near(self, request: RecordedRequest) -> list[NearRecording]:
        """Return the recordings of a request's endpoint that are the likeliest to be the nearest. Raises OSError."""
        return self._misses.near(request)

    def keep_miss(self, request: RecordedRequest, context: MatchContext) -> None:
        """Keep a request that has no recording for ``wiretape rules suggest``, where misses are kept. Never raises."""
        self._misses.keep(Question(request, context=context))


def _answer(request: RecordedRequest, match: _Found) -> wire.HttpResponse:
    """Return what goes out: the bytes of the capture where there is one, else what is made of the recording."""
    first = match.candidates[0]
    base64_wanted = request.base64_wanted
    capture = match.lookup.reader.capture(first.name, match.snapshot) if len(match.candidates) == 1 else None
    if capture is None:
        return wire.answer([each.recording for each in match.candidates], base64_wanted=base64_wanted)
    digest = captures.digest(first.data)
    if answer := wire.captured(first.recording, capture, digest, base64_wanted=base64_wanted):
        return answer
    rendered = wire.answer([first.recording], base64_wanted=base64_wanted)
    # Still in the old time, where it still has as many chunks.
    return replace(rendered, at=(*capture.at,)) if len(capture.at) == len(rendered.chunks) else rendered
