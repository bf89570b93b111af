"""Recordings that no rule makes the same as a request, and that may stand for it: where ``wiretape_match`` asks for it.

It is for other machines, where rules do not help: another repository, another system. Never by default; each use is
said in the log, and a request is refused where it could have two answers, which a miss then tells.

conversation    what is said counts, by the rules in force, and neither ``system`` nor ``tools``. All that are the same
                so must answer the same.
position        the n-th call of a session to an endpoint and a model gets the n-th recording of these, in the order in
                which they were made (``recorded_order``). Each call counts, whatever answers it, since the proxy was
                started. What is in one group must answer the same.

Example: an agent was recorded in three calls. On another machine its first request has another list of files in it, so
it is the same by no rule. With ``position`` it gets the first recording, its second one the second.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wiretape.matching import request as matching
from wiretape.matching.bindings import Bindings
from wiretape.matching.rules import Loose, MatchPolicy, MatchRule
from wiretape.policy import Takes
from wiretape.providers import gist
from wiretape.recording import RecordedRequest
from wiretape.tape import rule_index
from wiretape.tape.config import TapeConfig
from wiretape.tape.indexes import Indexes
from wiretape.tape.lookup import Lookup
from wiretape.tape.question import Question
from wiretape.tape.reader import Candidate
from wiretape.tape.recorded_order import MOST, RecordedOrder
from wiretape.tape.snapshot import Snapshot

logger = logging.getLogger(__name__)

_COMPARED = 64
"""Recordings whose answers are compared; of more it is not told that they are the same."""

_REFUSALS = 1000
"""Requests of which it is kept why they were refused."""

WITHOUT_SYSTEM = MatchRule(
    "without system and tools",
    "It was asked for: they differ on another machine.",
    ignore=(
        "$.system",
        "$.tools",
        "$.tool_choice",
        "$.functions",
        "$.instructions",
        "$.systemInstruction",
        "$.system_instruction",
        "$.toolConfig",
        "$.tool_config",
        "$.request.systemInstruction",
        "$.request.tools",
        "$.request.toolConfig",
        "$.messages[?@.role == 'system']",
        "$.messages[?@.role == 'developer']",
        "$.input[?@.role == 'system']",
        "$.input[?@.role == 'developer']",
    ),
)


@dataclass(frozen=True, slots=True)
class LooseMatch:
    """A recording that may stand for a request."""

    lookup: Lookup
    snapshot: Snapshot
    candidate: Candidate
    rules: tuple[str, ...]
    bindings: Bindings


class LooseMatches:
    """Finds what may stand for a request of one tape. For any thread."""

    def __init__(
        self,
        config: TapeConfig,
        policy: MatchPolicy,
        lookups: Sequence[Lookup],
        indexes: Indexes,
        count_turn: Callable[[str], int],
    ) -> None:
        """``lookups`` are those of the session and of its layers, in order."""
        self._config = config
        self._policy = policy
        self._lookups = lookups
        self._indexes = [indexes.of(each.session) for each in lookups]
        self._by_rules = [indexes.by_rules(each.session) for each in lookups]
        self._orders = [RecordedOrder(index) for index in self._indexes]
        self._count_turn = count_turn
        self._lock = threading.Lock()
        self._refused: OrderedDict[str, str] = OrderedDict()

    @property
    def counts(self) -> bool:
        """Whether each call counts."""
        return Loose.POSITION in self._policy.loose

    def count(self, request: RecordedRequest) -> int:
        """Count a call of the session to an endpoint and a model, and return its place: the first has 1."""
        return 1 + self._count_turn(f"position {_called(request)} {request.test_id or ''}")

    def find(self, question: Question) -> LooseMatch | None:
        """Return what may stand for a request. Raises StillReadingError and StoreUnavailableError."""
        for way in self._policy.loose:
            match way:
                case Loose.CONVERSATION:
                    found = self._by_conversation(question)
                case Loose.POSITION:
                    found = self._by_position(question)
            if found:
                told = ", ".join(found.rules)
                logger.info("%s answers %s: %s", found.candidate.name, question.request.label, told)
                return found
        return None

    def refusal(self, request: RecordedRequest) -> str:
        """Return why nothing may stand for a request, in words; empty where nothing was found."""
        with self._lock:
            return self._refused.get(matching.identity(request), "")

    def _refuse(self, question: Question, why: str) -> None:
        with self._lock:
            self._refused[question.identity] = why
            while len(self._refused) > _REFUSALS:
                self._refused.popitem(last=False)

    def _by_conversation(self, question: Question) -> LooseMatch | None:
        reading = rule_index.reading(question, self._policy, (WITHOUT_SYSTEM,))
        assert reading
        for lookup, index in zip(self._lookups, self._by_rules, strict=True):
            found: list[LooseMatch] = []
            for match in index.matches(reading, Takes.LAST, self._count_turn):
                snapshot = lookup.reader.snapshot()
                stored = question.read_as(match.request)
                candidates = lookup.by_name(stored, snapshot) or lookup.by_content(stored, snapshot)
                found += (LooseMatch(lookup, snapshot, each, match.rules, match.bindings) for each in candidates)
                if len(found) > _COMPARED:
                    break
            if found:
                return self._unless_they_differ(question, found, "the same without system and tools")
        return None

    def _by_position(self, question: Question) -> LooseMatch | None:
        request = question.request
        assert question.place
        for lookup, index, order in zip(self._lookups, self._indexes, self._orders, strict=True):
            groups = order.groups(matching.endpoint(request), request.model, request.test_id)
            if groups is None:
                self._refuse(question, f"position: there are more than {MOST} recordings of {_called(request)}.")
                return None
            if not groups:
                continue
            place = f"position {question.place}"
            names = _at(groups, question.place)
            found = []
            for name in names:
                snapshot = lookup.reader.snapshot()
                candidate = lookup.reader.read(name, index.identity_of(name), snapshot)
                if candidate and not (self._config.only_lasting and candidate.recording.response.is_passing):
                    found.append(LooseMatch(lookup, snapshot, candidate, (place,), Bindings(())))
            if found:
                return self._unless_they_differ(question, found, f"at {place}, as nobody knows which was first")
            count = sum(map(len, groups))
            self._refuse(question, f"{place}: there are {count} recordings of {_called(request)} that can be served.")
            return None
        return None

    def _unless_they_differ(self, question: Question, found: Sequence[LooseMatch], alike: str) -> LooseMatch | None:
        """Return the first of several; None where their answers differ, or are too many to tell."""
        if len(found) == 1:
            return found[0]
        if len(found) <= _COMPARED and len({gist.gist(each.candidate.recording) for each in found}) == 1:
            return found[0]
        named = " and ".join(each.candidate.name for each in found[:2])
        why = f"refused: {len(found)} recordings are {alike}, and their answers differ, as those of {named}."
        logger.warning("%s: %s", question.request.label, why)
        self._refuse(question, why)
        return None


def without_place(rule: str) -> str:
    """Return the name of a rule as it is counted: the same for each place."""
    return "position" if rule.startswith("position ") else rule


def _called(request: RecordedRequest) -> str:
    return f"{matching.endpoint(request) or request.sent_url} {request.model}".rstrip()


def _at(groups: Sequence[tuple[str, ...]], place: int) -> tuple[str, ...]:
    """Return the recordings that may be at a place, from 1 on; none where it is behind the last."""
    first = 1
    for group in groups:
        if place < first + len(group):
            return group
        first += len(group)
    return ()
