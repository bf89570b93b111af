"""Misses and recordings -> the fewest rules that make the misses hits. Over ``proposals``, which looks at one miss.

A proposal is tried before it is told: the misses and all recordings of their endpoint are really reduced by it. Then,
for the misses of one client and endpoint,

1. what makes recordings one whose answers differ is refused, each proposal by itself, then all that are left together;
2. what is needed for no miss is left out: what remains are the fewest and the smallest;
3. it is told which misses become hits, and what else becomes one.

Nothing is proposed that leaves out the conversation, the model, the tools or what a model answers by: ``proposals``.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from wiretape import recording as recordings
from wiretape.library import proposals
from wiretape.library.proposals import Proposed
from wiretape.matching import reduction
from wiretape.matching import request as matching
from wiretape.matching.rules import Kind, MatchPolicy, MatchRule, Selector, Unordered
from wiretape.providers import gist
from wiretape.recording import RecordedRequest
from wiretape.store.base import Store
from wiretape.tape import comparison, mismatch
from wiretape.tape.comparison import Side
from wiretape.tape.kept_misses import KeptMiss
from wiretape.tape.mismatch import NearRecording

_TRIED = 6
"""Recordings beside the nearest one with which a miss is compared."""

_DIRECTORIES = MatchRule("paths", kinds=(Kind.PATHS,))
"""It takes out the directories of the client, wherever they stand."""

_WHOLE = (
    _DIRECTORIES,
    *(MatchRule(each, unordered=(each,)) for each in Unordered),
    MatchRule("numbers", numbers=True),
    MatchRule("whitespace", whitespace=True),
)
"""Rules for a whole request. Each is proposed where it leaves less that cannot be left out."""

type Effects = tuple[MatchRule, ...]
"""Rules that each do one thing at one place."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A recording that a miss may become."""

    name: str
    request: RecordedRequest
    """By the rules on secrets of today."""
    gist: str
    """Equal for answers that say the same."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A miss, and what is nearest to it."""

    miss: KeptMiss
    rules: Effects
    """The rules that hold for it."""
    nearest: NearRecording | None
    proposed: Effects = ()
    refused: tuple[str, ...] = ()
    """What differs and is never left out, and why."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A proposal that makes recordings one whose answers differ."""

    effect: MatchRule
    names: tuple[str, ...]
    """Some of these recordings."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What is suggested for one client and endpoint."""

    applies: Selector
    rules: tuple[MatchRule, ...]
    """To be added; none where nothing helps."""
    hits: tuple[str, ...]
    """Misses that are hits by them, by their hashes."""
    hits_now: tuple[str, ...]
    """Misses that would be hits by now."""
    folded: tuple[tuple[str, ...], ...]
    """Recordings that become one by them besides, and answer the same."""
    refused: tuple[Refused, ...]
    missed: tuple[Missed, ...]


def looked_at(miss: KeptMiss, near: Sequence[NearRecording], policy: MatchPolicy) -> Missed:
    """Return a miss with what could be left out of it. ``near``: the recordings of which one is the nearest."""
    rules = policy.rules_for(miss.context)
    if not near:
        return Missed(miss, rules, None)
    here = Side(miss.request, reduction.places_of(miss.request))
    nearest = mismatch.nearest_of(miss.request, near, MatchPolicy(rules, here.places))
    # By its letters another turn of the conversation may be nearer than the one that was meant.
    tried = [nearest, *near[:_TRIED]]
    found = [_proposed(rules, here, each.side, (_DIRECTORIES,)) for each in tried]
    best, recording = min(zip(found, tried, strict=True), key=lambda each: (len(each[0].refused), len(each[0].rules)))
    if best.refused:
        best = _proposed(rules, here, recording.side, _WHOLE)
    return Missed(miss, rules, recording, best.rules, best.refused)


def _proposed(rules: Effects, here: Side, there: Side, whole: Effects) -> Proposed:
    """Return what could be left out. ``whole``: rules for a whole request that may be part of it."""
    found = proposals.propose(comparison.compare(rules, here, there))
    kept: Effects = ()
    for each in whole:
        if not found.refused:
            break
        without = proposals.propose(comparison.compare((*rules, *kept, each), here, there))
        if len(without.refused) < len(found.refused):
            kept = (*kept, each)
            found = without
    return Proposed((*kept, *found.rules), found.refused)


def selector(miss: KeptMiss) -> Selector:
    """Return whom a rule is for that a miss asks for: its client in any version, and its endpoint."""
    product = miss.context.client.split(" ", 1)[0].partition("/")[0]
    clients = (f"{product}/*",) if product and product != miss.context.client and "*" not in product else ()
    return Selector(endpoints=miss.context.endpoints[:1], clients=clients)


def read(store: Store, sessions: Sequence[str]) -> dict[str, list[Stored]]:
    """Return the recordings of a session and of those below it, by endpoint. Raises OSError."""
    stored: dict[str, list[Stored]] = defaultdict(list)
    for session in sessions:
        before = "" if session == sessions[0] else f"{session}/"
        for name in sorted(store.scan(session)):
            try:
                recording = recordings.loads(store.read(session, name) or b"")
                request = matching.by_rules_of_today(recording.request)
            except ValueError:
                continue  # It answers nobody; wiretape verify tells.
            stored[matching.endpoint(request)].append(Stored(before + name, request, gist.gist(recording)))
    return stored


def suggest(missed: Sequence[Missed], stored: Mapping[str, Sequence[Stored]]) -> Iterator[Suggestion]:
    """Yield what is suggested, for each client and endpoint. ``stored``: the recordings of each endpoint."""
    together: dict[tuple[Selector, Effects], list[Missed]] = defaultdict(list)
    for each in missed:
        together[selector(each.miss), each.rules].append(each)
    for (applies, rules), those in together.items():
        endpoint = matching.endpoint(those[0].miss.request)
        yield _Trial(applies, rules, those, stored.get(endpoint, ())).suggestion()


@dataclass(frozen=True, slots=True)
class _Tried:
    """What the reduced forms are by some effects."""

    stored: tuple[str, ...]
    """Of each recording: equal for those that are one, of one test."""
    hits: frozenset[int]
    """The misses that are hits."""


class _Trial:
    """Tries proposals on the misses of one client and the recordings of one endpoint."""

    def __init__(self, applies: Selector, rules: Effects, missed: Sequence[Missed], stored: Sequence[Stored]) -> None:
        self._applies = applies
        self._rules = rules
        self._missed = missed
        self._stored = stored
        self._known: dict[Effects, _Tried] = {}
        self._before = self._tried(())

    def suggestion(self) -> Suggestion:
        """Return what is left of the proposals after they were tried."""
        effects = dict.fromkeys(effect for each in self._missed for effect in each.proposed)
        kept, refused = self._without_harm([*effects])
        hits = self._tried(kept).hits
        for effect in kept:
            fewer = tuple(each for each in kept if each is not effect)
            if self._tried(fewer).hits == hits:
                kept = fewer
        gained = hits - self._before.hits
        hashes = dict.fromkeys(self._missed[number].miss.hash for number in sorted(gained))
        now = dict.fromkeys(self._missed[number].miss.hash for number in sorted(self._before.hits))
        rules = tuple(joined(kept, self._applies)) if gained else ()
        folded = tuple(names for names, _ in self._new_groups(kept)) if gained else ()
        return Suggestion(self._applies, rules, (*hashes,), (*now,), folded, tuple(refused), tuple(self._missed))

    def _without_harm(self, effects: Sequence[MatchRule]) -> tuple[Effects, list[Refused]]:
        """Return the effects that make no recordings one whose answers differ, and those that do."""
        kept: Effects = ()
        refused = []
        for effect in effects:
            # What does no harm alone may do it beside another one.
            if harm := self._harm((effect,)) or self._harm((*kept, effect)):
                refused.append(Refused(effect, harm))
            else:
                kept = (*kept, effect)
        return kept, refused

    def _harm(self, effects: Effects) -> tuple[str, ...]:
        """Return recordings that become one by some effects though their answers differ; none where all is well."""
        return next((names for names, differs in self._new_groups(effects) if differs), ())

    def _new_groups(self, effects: Effects) -> Iterator[tuple[tuple[str, ...], bool]]:
        """Yield the recordings that become one by some effects, and whether their answers differ."""
        groups: dict[str, list[int]] = defaultdict(list)
        for number, form in enumerate(self._tried(effects).stored):
            groups[form].append(number)
        for numbers in groups.values():
            gists: dict[str, set[str]] = defaultdict(set)
            for number in numbers:
                gists[self._before.stored[number]].add(self._stored[number].gist)
            if len(gists) > 1:
                differs = len({frozenset(each) for each in gists.values()}) > 1
                yield tuple(sorted(self._stored[number].name for number in numbers)), differs

    def _tried(self, effects: Effects) -> _Tried:
        """Return what the recordings and the misses are by some effects."""
        tried = self._known.get(effects)
        if tried is None:
            # Not one that is kept: each remembers the texts that it has looked through.
            by = reduction.Reducer((*self._rules, *joined(effects, self._applies)))
            digests = [_digest(by, each.request) for each in self._stored]
            forms = [f"{digest} {each.request.test_id}" for digest, each in zip(digests, self._stored, strict=True)]
            there = {*digests}
            hits = (number for number, each in enumerate(self._missed) if _digest(by, each.miss.request) in there)
            tried = self._known[effects] = _Tried((*forms,), frozenset(hits))
        return tried


def _digest(by: reduction.Reducer, request: RecordedRequest) -> str:
    return by.reduce(request, reduction.places_of(request)).digest


def joined(effects: Iterable[MatchRule], applies: Selector) -> Iterator[MatchRule]:
    """Yield rules that do what many small ones do: one for all that is left out, and one for each set of kinds."""
    effects = [*effects]
    rule = MatchRule(
        "suggested",
        "What varies from run to run.",
        applies,
        ignore=tuple(path for each in effects for path in each.ignore),
        ids=tuple(path for each in effects for path in each.ids),
        replace=tuple(replacement for each in effects for replacement in each.replace),
        unordered=tuple(unordered for each in effects for unordered in each.unordered),
        numbers=any(each.numbers for each in effects),
        whitespace=any(each.whitespace for each in effects),
    )
    bare = MatchRule(rule.name, rule.reason, applies)
    if rule != bare:
        yield rule
    for number, (kinds, paths) in enumerate(_kinds(effects).items(), 1):
        yield replace(bare, name=f"suggested-kinds-{number}", kinds=kinds, paths=paths)


def _kinds(effects: Iterable[MatchRule]) -> dict[tuple[Kind, ...], tuple[str, ...]]:
    """Return the kinds that are looked for, each set with the paths where; without a path it is everywhere."""
    everywhere: set[Kind] = set()
    at: dict[str, set[Kind]] = defaultdict(set)
    for each in effects:
        for path in each.paths:
            at[path] |= {*each.kinds}
        if not each.paths:
            everywhere |= {*each.kinds}
    paths: dict[tuple[Kind, ...], tuple[str, ...]] = {}
    for path, kinds in at.items():
        those = tuple(kind for kind in Kind if kind in kinds - everywhere)
        if those:
            paths[those] = (*paths.get(those, ()), path)
    if everywhere:
        # It is no set of one of the paths: these have none of its kinds.
        paths[tuple(kind for kind in Kind if kind in everywhere)] = ()
    return paths
