"""What can be done about a call that missed: have it recorded, or look for the rule that would match. Beside ``views``.

What can be done is offered to who may do it: to change what holds for a session takes the role that the control API
asks for. A rule is suggested as ``wiretape rules suggest`` does it, for the one miss, and written nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from wiretape.call_log.call import Call
from wiretape.library import rule_lines, suggestions
from wiretape.library.suggestions import Suggestion
from wiretape.metrics.counters import Counters
from wiretape.policy import Mode
from wiretape.sessions.model import Role
from wiretape.tape.config import TapeConfig
from wiretape.tape.kept_misses import KeptMiss
from wiretape.tape.tape import Tape
from wiretape.web.misses import kept_miss
from wiretape.web.pages import page
from wiretape.web.source import PageSource, Steering
from wiretape.web.views import PageError, place_of
from wiretape.web.visitor import Visitor


@dataclass(frozen=True, slots=True)
class MissOffer:
    """What can be done about a miss."""

    can_record: bool
    is_waiting: bool
    """Whether its session records what is missing by now."""
    refusal: str
    """Why it cannot be recorded, for who may."""


@dataclass(frozen=True, slots=True)
class SuggestedRule:
    """What would make a miss a hit."""

    toml: str
    """Empty where nothing would."""
    suggestion: Suggestion

    @property
    def refused(self) -> Sequence[tuple[str, Sequence[str]]]:
        """What is not suggested as it makes recordings one whose answers differ, and those."""
        told = []
        for each in self.suggestion.refused:
            lines = [line for line in rule_lines.lines(each.effect) if not line.startswith(("name", "reason"))]
            told.append(("; ".join(lines), each.names))
        return told


class MissActions:
    """Those of one proxy."""

    def __init__(self, source: PageSource, steering: Steering | None) -> None:
        self._source = source
        self._steering = steering

    def offer(self, call: Call, visitor: Visitor) -> MissOffer | None:
        """Return what can be done about a call; None where nothing can. Raises OSError."""
        if self._steering is None or kept_miss(self._source.store(), call) is None:
            return None
        if not visitor.may(Role.ADMIN, call.session):
            return MissOffer(can_record=False, is_waiting=False, refusal="")
        refusal = self._steering.refusal(call.session, is_anybody=visitor.entries is None)
        return MissOffer(not refusal, self._steering.is_waiting(call.session), refusal)

    def record(self, number: int, visitor: Visitor) -> None:
        """Have the session of a miss record what is missing until its request is there. Raises PageError, OSError."""
        steering, call, miss = self._miss(number, Role.ADMIN, visitor)
        refusal = steering.refusal(call.session, is_anybody=visitor.entries is None)
        if refusal:
            raise PageError(HTTPStatus.CONFLICT, f"It cannot be recorded: {refusal}.")
        steering.begin(call.session, miss.request)

    def stop(self, number: int, visitor: Visitor) -> None:
        """Have the session of a miss be as it was. Raises PageError and OSError."""
        steering, call, _ = self._miss(number, Role.ADMIN, visitor)
        steering.end(call.session)

    def rule(self, number: int, visitor: Visitor) -> str:
        """Return the page with the rule that would make a miss a hit. Raises PageError and OSError."""
        steering, call, miss = self._miss(number, Role.READ, visitor)
        suggested = suggested_rule(self._source, steering, call.session, miss, visitor)
        return page(
            "rule.html", title="The rule that would match", place=place_of(self._source), number=number, found=suggested
        )

    def _miss(self, number: int, role: Role, visitor: Visitor) -> tuple[Steering, Call, KeptMiss]:
        """Return a miss whose request is kept, for who has a role for its session. Raises PageError and OSError."""
        reader = self._source.calls()
        call = reader.call(number) if reader else None
        miss = kept_miss(self._source.store(), call) if call else None
        if self._steering is None or call is None or miss is None or not visitor.may_read(call.session):
            raise PageError(HTTPStatus.NOT_FOUND, "There is no such miss, or its request is not kept any more.")
        if not visitor.may(role, call.session):
            raise PageError(HTTPStatus.FORBIDDEN, f"This needs a token of the role {role} for session {call.session}.")
        return self._steering, call, miss


def suggested_rule(
    source: PageSource, steering: Steering, session: str, miss: KeptMiss, visitor: Visitor
) -> SuggestedRule:
    """Return what would make a miss a hit, by the recordings that may be looked at. Raises OSError."""
    store = source.store()
    order = [each for each in source.known().sessions.order(session) if visitor.may_read(each)]
    policy = steering.matching(session)
    config = TapeConfig(session, Mode.REPLAY, (*order[1:],), keep_misses=False)
    tape = Tape(store, config, Counters(), policy=policy)
    looked_at = suggestions.looked_at(miss, tape.near(miss.request), policy)
    (suggestion,) = suggestions.suggest([looked_at], suggestions.read(store, order))
    taken = {rule.name for rule in policy.rules}
    tables = ["\n".join(("[[match]]", *rule_lines.lines(rule_lines.named(rule, taken)))) for rule in suggestion.rules]
    return SuggestedRule("\n\n".join(tables), suggestion)
