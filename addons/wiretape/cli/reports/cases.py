"""The calls of a run, gathered: of calls of which the same is to be said, it is said once, with how many they are.

A client that gets an error asks again, and a program asks the same thing in a loop: a report of ten thousand lines that
say one thing is read by nobody. Sans-IO.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from wiretape.call_log.call import Call, Outcome

MOST = 10_000
"""Cases that are told apart."""

FAILED = frozenset({Outcome.MISS, Outcome.LOST, Outcome.REFUSED})
"""What a report shows as a failure."""


@dataclass(slots=True)
class Case:
    """Calls of which the same is to be said."""

    call: Call
    """The first of them."""
    count: int = 0
    seconds: float = 0.0
    """How long all of them took."""

    @property
    def has_failed(self) -> bool:
        """Whether it is a failure."""
        return self.call.outcome in FAILED

    @property
    def reason(self) -> str:
        """Why it is one, in a line."""
        if self.call.miss:
            return self.call.miss.difference or "there is no recording of it"
        return "; ".join(self.call.why) or f"it was {self.call.outcome}"

    @property
    def explanation(self) -> str:
        """The same at length."""
        if self.call.miss and self.call.miss.text:
            return self.call.miss.text
        return "\n".join(self.call.why) or self.reason


@dataclass(slots=True)
class RunCalls:
    """All calls of a run."""

    cases: list[Case] = field(default_factory=list)
    """In the order in which they came."""
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    calls: int = 0
    left_out: int = 0
    """Calls of which no case tells, as there are too many."""
    spent: Decimal | None = None
    """In USD; None where no price is known."""
    saved: Decimal | None = None

    @property
    def failures(self) -> list[Case]:
        """The cases that are failures."""
        return [case for case in self.cases if case.has_failed]


def gathered(calls: Iterable[Call]) -> RunCalls:
    """Gather the calls of a run."""
    run = RunCalls()
    cases: dict[tuple[object, ...], Case] = {}
    for call in calls:
        run.calls += 1
        run.outcomes[call.outcome] += 1
        _count_cost(run, call)
        key = (call.session, call.test_id, call.request, call.outcome, call.recording, call.miss, call.why)
        case = cases.get(key)
        if case is None:
            if len(cases) == MOST:
                run.left_out += 1
                continue
            case = cases[key] = Case(call)
            run.cases.append(case)
        case.count += 1
        case.seconds += (call.total_ms or 0.0) / 1000
    return run


def _count_cost(run: RunCalls, call: Call) -> None:
    if call.cost_usd is None:
        return
    if call.is_paid:
        run.spent = (run.spent or Decimal(0)) + call.cost_usd
    elif call.outcome in (Outcome.HIT, Outcome.FOLLOWED):
        run.saved = (run.saved or Decimal(0)) + call.cost_usd
