"""Runs of an agent: which there are, and the steps of one. Below ``views``.

A run is the calls that have the same start of a proxy, session, scope and test id. What names it is the query of its
address, so whoever has another link may leave a part open:

    /runs/steps?run=2026-11-28T07:00:00Z-4711-0a1b2c&session=checkout&test_id=tests/test_a.py::test_total
    /runs/steps?scope=0198c2f4-1111-7222-8333-444455556666
    /runs/compare?here=QUERY&there=QUERY
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self
from urllib.parse import parse_qs, urlencode

from wiretape.call_log.call import Call
from wiretape.call_log.reader import CallReader
from wiretape.exceptions import WiretapeError
from wiretape.library import conversation
from wiretape.library.steps import Said, Step, steps_of
from wiretape.web.misses import MissedRequests
from wiretape.web.shelf import Shelf

_CALLS = 10_000
"""Calls that are looked at for a list, or for a test in a session."""

_RUNS = 200
"""Runs of a list."""

STEPS = 200
"""Steps of a page: each is read from the store."""

_LONGEST = 1000
"""Characters of a field."""


@dataclass(frozen=True, slots=True)
class RunKey:
    """Which calls are a run. What is empty is left open."""

    run: str = ""
    session: str = ""
    scope: str = ""
    test_id: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Return what an address names."""
        return cls(*(query.get(name, "")[:_LONGEST] for name in ("run", "session", "scope", "test_id")))

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Return what a query names that is itself a field of an address."""
        try:
            fields = parse_qs(text[: 4 * _LONGEST], max_num_fields=8)
        except ValueError:
            return cls()
        return cls.of({name: values[0] for name, values in fields.items()})

    @classmethod
    def of_call(cls, call: Call) -> Self:
        """Return the run that a call is of."""
        return cls(call.run, call.session, call.scope, call.test_id)

    @property
    def query(self) -> str:
        """The query of its address; empty where it names nothing."""
        given = {"run": self.run, "session": self.session, "scope": self.scope, "test_id": self.test_id}
        # Half a surrogate pair, which a client may have sent, has no place in an address.
        return urlencode({name: value for name, value in given.items() if value}, errors="replace")

    @property
    def title(self) -> str:
        """What people know it by."""
        return self.test_id or self.scope or self.session or self.run


@dataclass(slots=True)
class RunRow:
    """A run in a list."""

    key: RunKey
    first_at: float
    last_at: float
    calls: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    cost_usd: Decimal = Decimal(0)


def rows_of(reader: CallReader, session: str, may_read: Callable[[str], bool]) -> list[RunRow]:
    """Return the runs of the newest calls, that with the newest call first. Raises OSError."""
    known: dict[RunKey, RunRow] = {}
    for call in reader.calls(session=session, limit=_CALLS):
        if not may_read(call.session):
            continue
        key = RunKey.of_call(call)
        # That with the newest call stands last.
        row = known.pop(key, None) or RunRow(key, call.at, call.at)
        known[key] = row
        row.first_at = min(row.first_at, call.at)
        row.last_at = max(row.last_at, call.at)
        row.calls += 1
        row.outcomes[call.outcome] += 1
        row.tokens += (call.usage.input or 0) + (call.usage.output or 0)
        row.cost_usd += call.cost_usd or 0
    return [*reversed(known.values())][:_RUNS]


@dataclass(frozen=True, slots=True)
class RunSteps:
    """The steps of a run."""

    key: RunKey
    steps: list[Step]
    left_out: int
    """Calls that there are beyond those."""


def steps_in(reader: CallReader, shelf: Shelf, key: RunKey, may_read: Callable[[str], bool]) -> RunSteps:
    """Return the first steps of a run; none where it names nothing. Raises OSError."""
    if not key.query:
        return RunSteps(key, [], 0)
    found = reader.calls(session=key.session, scope=key.scope, run=key.run, after=0, limit=_CALLS)
    calls = [call for call in found if may_read(call.session) and key.test_id in ("", call.test_id)]
    # A call is told when it has ended: those that were under way at once stand in the order in which they began.
    calls.sort(key=lambda call: (call.at, call.id))
    steps = steps_of(_said(shelf, calls[:STEPS], may_read))
    return RunSteps(key, steps, max(0, len(calls) - STEPS))


def _said(shelf: Shelf, calls: list[Call], may_read: Callable[[str], bool]) -> Iterator[tuple[Call, Said | None]]:
    """Yield calls with what is kept of them."""
    known: dict[tuple[str, str], Said | None] = {}
    missed = MissedRequests(shelf.store)
    for call in calls:
        if not call.recording:
            request = missed.of(call)
            yield call, Said(conversation.turns_of(request), ()) if request else None
            continue
        key = call.recorded_in or call.session, call.recording
        if key not in known:
            known[key] = _recorded(shelf, *key) if may_read(key[0]) else None
        yield call, known[key]


def _recorded(shelf: Shelf, session: str, name: str) -> Said | None:
    """Return what a recording says; None where it is not there any more, or none."""
    with suppress(OSError, ValueError, WiretapeError):
        shelved = shelf.shelved(session, name)
        if shelved:
            recorded = shelved.recording
            return Said(conversation.turns_of(recorded.request), conversation.answer_of(recorded))
    return None
