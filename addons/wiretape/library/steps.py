"""A run of an agent as steps: its calls in order, with what each request says that none before it had said. Sans-IO.

A program that goes on with a conversation sends all of it each time. What is new in a request is what follows the turns
that it has in common with one before it, without the answer to that one, which comes back as a turn of the assistant.
Several conversations may go on at once: each request is held against some before it, and goes on from the one with
which it has the most in common.

    request 1   system, user                                 new: system, user
    answer      assistant calls a tool
    request 2   system, user, assistant, tool                new: tool

Two runs are the same up to the first step whose request or answer differs. Ids of calls are no difference: each answer
has others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from wiretape.call_log.call import Call
from wiretape.library.conversation import Part, PartKind, Turn

_BACK = 8
"""Requests before one that it is held against."""

_GIST = 160
"""Characters."""


@dataclass(frozen=True, slots=True)
class Said:
    """What is kept of a call."""

    request: Sequence[Turn]
    answer: Sequence[Turn]
    """Empty where it has none, as a miss."""


@dataclass(frozen=True, slots=True)
class Step:
    """A call of a run."""

    number: int
    """From 1 on."""
    call: Call
    said: Said | None
    """None where nothing is kept of it."""
    new: Sequence[Turn] = ()
    """The turns of its request that no request before it had."""
    follows: int = 0
    """The number of the step with which its request begins; 0 where it begins anew."""

    @property
    def answer(self) -> Sequence[Turn]:
        """What was answered."""
        return self.said.answer if self.said else ()

    @property
    def tools(self) -> list[str]:
        """The names of the tools that the answer calls."""
        return [part.name for turn in self.answer for part in turn.parts if part.kind is PartKind.TOOL_CALL]


@dataclass(frozen=True, slots=True)
class Totals:
    """What steps took together."""

    input: int
    output: int
    cost_usd: Decimal
    """What the tokens cost at the provider, paid or not."""
    spent_usd: Decimal
    """Of that: what was paid."""
    unpriced: int
    """Calls with tokens whose price is not known."""


@dataclass(slots=True)
class Parting:
    """Where two runs part."""

    same: list[tuple[Step, Step]] = field(default_factory=list)
    """The steps up to there."""
    here: Step | None = None
    """The first step that differs; None where this run has ended."""
    there: Step | None = None


def steps_of(calls: Iterable[tuple[Call, Said | None]]) -> list[Step]:
    """Return calls, in the order in which they came, as steps."""
    steps: list[Step] = []
    for number, (call, said) in enumerate(calls, 1):
        if said is None:
            steps.append(Step(number, call, None))
            continue
        former, common = _former(steps, said.request)
        new = said.request[common:]
        if former and former.said and new and _is_echo(new[0], former.said.answer):
            new = new[1:]
        steps.append(Step(number, call, said, new, former.number if former else 0))
    return steps


def _former(steps: Sequence[Step], request: Sequence[Turn]) -> tuple[Step | None, int]:
    """Return the step from which a request goes on, and how many turns both have in common at their beginning."""
    best: Step | None = None
    most = 0
    for step in reversed(steps[-_BACK:]):
        if step.said:
            common = _common(step.said.request, request)
            if common > most:
                best = step
                most = common
    return best, most


def _common(here: Sequence[Turn], there: Sequence[Turn]) -> int:
    length = min(len(here), len(there))
    return next((place for place in range(length) if here[place] != there[place]), length)


def _is_echo(turn: Turn, answer: Sequence[Turn]) -> bool:
    """Return whether a turn of a request is the answer to the one before it, which people have read there."""
    return turn.role == "assistant" and any(_spoken(turn) == _spoken(each) for each in answer)


def _spoken(turn: Turn) -> list[tuple[PartKind, str, str]]:
    """Return what a turn says without what was thought, which programs often leave out when they go on."""
    return [(part.kind, part.text.strip(), part.name) for part in turn.parts if part.kind is not PartKind.REASONING]


def totals(steps: Iterable[Step]) -> Totals:
    """Return what steps took together."""
    read = written = unpriced = 0
    cost = spent = Decimal(0)
    for step in steps:
        call = step.call
        read += call.usage.input or 0
        written += call.usage.output or 0
        if call.cost_usd is None:
            unpriced += call.usage.output is not None
            continue
        cost += call.cost_usd
        if call.is_paid:
            spent += call.cost_usd
    return Totals(read, written, cost, spent, unpriced)


def parting(here: Sequence[Step], there: Sequence[Step]) -> Parting:
    """Return where two runs part: the steps before it, and the first one that differs, or that only one of them has."""
    found = Parting()
    for one, two in zip(here, there, strict=False):
        if not _are_same(one, two):
            break
        found.same.append((one, two))
    next_ = len(found.same)
    found.here = here[next_] if next_ < len(here) else None
    found.there = there[next_] if next_ < len(there) else None
    return found


def _are_same(one: Step, two: Step) -> bool:
    """Return whether two steps ask the same and are answered the same; what is not kept is not known to be."""
    if one.said is None or two.said is None:
        return False
    if one.call.recording and one.call.recording == two.call.recording and one.call.outcome == two.call.outcome:
        return one.call.recorded_in == two.call.recorded_in or one.said == two.said
    return without_ids(one.said.request) == without_ids(two.said.request) and without_ids(
        one.said.answer
    ) == without_ids(two.said.answer)


def without_ids(turns: Iterable[Turn]) -> list[Turn]:
    """Return turns without the ids of calls of tools, which are others in each answer."""
    return [replace(turn, parts=tuple(replace(part, id="") for part in turn.parts)) for turn in turns]


def gist(turns: Sequence[Turn]) -> str:
    """Return in a line what turns say, the last one at least: ``weather({"city": "Bern"})``."""
    said = [_gist(part) for turn in turns[-1:] for part in turn.parts if part.kind is not PartKind.REASONING]
    text = " ".join(" · ".join(each for each in said if each).split())
    return text if len(text) <= _GIST else f"{text[:_GIST]}…"


def _gist(part: Part) -> str:
    text = part.text[: 4 * _GIST]
    match part.kind:
        case PartKind.TOOL_CALL:
            return f"{part.name}({' '.join(text.split())})"
        case PartKind.TOOL_RESULT:
            return f"→ {text}"
        case PartKind.TEXT | PartKind.REFUSAL:
            return text
    return part.kind
