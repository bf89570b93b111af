"""What the calls of a run were answered with, as one file of HTML: ``--wiretape-html FILE``.

Misses come first: they are what somebody looks for in a report of a run that failed. Calls that had the same recording
are one entry, which says how many they were, and of which tests.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from wiretape.call_log.call import Call, Outcome
from wiretape.codecs.units import counted
from wiretape.exceptions import WiretapeError
from wiretape.store.base import Store
from wiretape.web.misses import missed
from wiretape.web.report import Entry, entry, entry_of_call, report
from wiretape.web.shelf import Shelf

MOST = 500
"""Entries of a report."""

_TESTS = 20
"""Tests that an entry names."""

_ORDER = (Outcome.MISS, Outcome.LOST, Outcome.REFUSED, Outcome.PASSED, Outcome.FAULT, Outcome.RECORDED)
"""Outcomes in the order in which their calls stand; of what is not here, all come after."""


@dataclass(slots=True)
class _Calls:
    """Calls that are one entry."""

    first: Call
    count: int = 0
    tests: dict[str, None] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """What became of them."""
        return f"{self.first.outcome}, {self.count:,} calls" if self.count > 1 else str(self.first.outcome)

    @property
    def why(self) -> str:
        """What else there is to say of them."""
        miss = self.first.miss
        lines = [*self.first.why]
        if miss:
            lines += [miss.text or miss.difference, miss.hint]
        lines += [*self.tests][:_TESTS]
        if len(self.tests) > _TESTS:
            lines.append(f"and {len(self.tests) - _TESTS:,} more tests")
        return "\n".join(line for line in lines if line)


def write(file: Path, calls: Iterable[Call], store: Store) -> str:
    """Write the report of a run, and return what to say of it. Raises OSError."""
    grouped = _grouped(calls)
    shelf = Shelf(store, reads_ahead=False)
    entries = [_entry(shelf, each) for each in grouped[:MOST]]
    data = report("What the run's calls were answered with", entries)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    left = f"; {len(grouped) - MOST:,} more are left out" if len(grouped) > MOST else ""
    return f"{file}: {counted(len(entries), 'entry', 'entries')}, {len(data) / 1000:,.0f} kB{left}"


def _grouped(calls: Iterable[Call]) -> Sequence[_Calls]:
    found: dict[tuple[str, ...], _Calls] = {}
    for number, call in enumerate(calls):
        what = call.recording or (call.miss.hash if call.miss else "") or f"call {number}"
        calls_of_one = found.setdefault((str(call.outcome), call.recorded_in or call.session, what), _Calls(call))
        calls_of_one.count += 1
        if call.test_id:
            calls_of_one.tests[call.test_id] = None
    order = {outcome: place for place, outcome in enumerate(_ORDER)}
    return sorted(found.values(), key=lambda each: order.get(each.first.outcome, len(order)))


def _entry(shelf: Shelf, calls: _Calls) -> Entry:
    call = calls.first
    if call.recording:
        with suppress(OSError, ValueError, WiretapeError):
            shelved = shelf.shelved(call.recorded_in or call.session, call.recording)
            if shelved:
                return entry(shelved, calls.note, calls.why)
    return entry_of_call(call, missed(shelf.store, call), calls.note, calls.why)
