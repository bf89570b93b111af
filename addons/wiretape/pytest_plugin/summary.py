"""The end of a run: a line, a table of its sessions, and whether the run fails for it."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from wiretape.call_log.call import Call
from wiretape.codecs.units import counted
from wiretape.library import compare, unused
from wiretape.library.unused import Evidence, Unused
from wiretape.pytest_plugin import saved
from wiretape.pytest_plugin.account import Account
from wiretape.pytest_plugin.modes import RunMode
from wiretape.pytest_plugin.start import RUN, Run
from wiretape.store.base import Store
from wiretape.store.opening import open_store

_CENT = Decimal("0.01")

_ROWS = 20
"""Sessions that the table has at most, unless pytest is told to say more."""

_NAMED = 10
"""Recordings that are named of one session."""


@dataclass(slots=True)
class SessionOfRun:
    """A session, and what its tests have made of it."""

    name: str
    tests: int = 0
    """How many there are."""
    is_whole: bool = False
    """Whether nothing was left out of its files."""
    passed: set[str] = field(default_factory=set)
    account: Account = field(default_factory=Account)
    saved_s: float = 0.0
    """Seconds that providers would have taken longer."""
    unused: Unused | None = None
    """What no test has asked for; None where that cannot be judged."""

    @property
    def unused_names(self) -> list[str]:
        """The names of the recordings that no test has asked for."""
        return [name for request in self.unused.requests for name in request.names] if self.unused else []

    def add(self, node_id: str, told: Mapping[str, Any]) -> None:
        """Add what a report has told of one of its tests."""
        self.tests = told["tests"]
        self.is_whole = told["is_whole"]
        if told["has_passed"]:
            self.passed.add(node_id)

    @property
    def can_be_judged(self) -> bool:
        """Whether all of its tests have run to their end."""
        return self.is_whole and len(self.passed) == self.tests

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to say of it but its hits."""
        account = self.account
        return not (account.misses or account.recorded or account.passed or account.lost or self.unused_names)


@dataclass(slots=True)
class Summary:
    """What is to be said at the end."""

    sessions: Sequence[SessionOfRun]
    run: Run | None
    unused: str
    """What becomes of unused recordings: ``ignore``, ``warn`` or ``fail``."""
    outside: Mapping[str, int] = field(default_factory=dict)
    """Calls that no test has made, by what became of them."""
    pruned: int = 0
    html: Path | None = None
    """Where a report is to go."""
    calls: Sequence[Call] = ()
    recordings: str = ""
    """Where they are."""

    @property
    def unused_count(self) -> int:
        """How many recordings no test has asked for."""
        return sum(len(session.unused_names) for session in self.sessions)

    @property
    def fails(self) -> bool:
        """Whether the run fails for what no test has failed for."""
        return bool(self.outside) or (self.unused == "fail" and self.unused_count > self.pruned)

    def write(self, terminal: pytest.TerminalReporter) -> None:
        """Write it, when the proxy has ended and has nothing more to say."""
        said = self.run.proxy.stop() if self.run and self.run.proxy else ""
        total = sum((session.account for session in self.sessions), Account())
        mode = f"{self.run.mode}, " if self.run else ""
        terminal.section("wiretape")
        terminal.line(f"{mode}{', '.join(self._parts(total))}")
        for row in table(self._rows(is_all=terminal.verbosity > 0)):
            terminal.line(row)
        for line in (*self._problems(), *said.splitlines(), *self._report()):
            terminal.line(line)

    def _report(self) -> Iterable[str]:
        """Write the report that was asked for, now that all recordings are written, and say so."""
        if self.html is None:
            return
        if self.run is None:
            yield f"{self.html} is not written: the calls are known to the processes that ran the tests alone"
            return
        from wiretape.pytest_plugin import html_report

        store = open_store(self.recordings)
        try:
            yield html_report.write(self.html, self.calls, store)
        except OSError as e:
            yield f"{self.html} is not written: {e}"
        finally:
            store.close()

    def _parts(self, total: Account) -> list[str]:
        parts = [
            counted(total.hits, "hit"),
            counted(len(total.misses), "miss", "misses"),
            f"{len(total.recorded):,} recorded",
            f"{self.unused_count:,} unused",
        ]
        more = {"faults": total.faults, "refused": total.refused, "lost": total.lost}
        more["sent to a provider and not recorded"] = total.passed
        parts += [f"{number:,} {word}" for word, number in more.items() if number]
        if total.hits:
            parts.append(f"{sum(session.saved_s for session in self.sessions):.1f} s saved")
        if total.saved_usd is not None:
            parts.append(f"{money(total.saved_usd)} USD saved")
        if total.spent_usd is not None:
            parts.append(f"{money(total.spent_usd)} USD spent")
        return parts

    def _rows(self, *, is_all: bool) -> Sequence[SessionOfRun]:
        """Return the sessions that the table shows: those of which there is more to say first."""
        if is_all or len(self.sessions) <= _ROWS:
            return self.sessions
        return sorted(self.sessions, key=lambda session: session.is_plain)[:_ROWS]

    def _problems(self) -> Iterable[str]:
        """Say what else there is to do."""
        if self.outside:
            calls = ", ".join(f"{outcome}: {number}" for outcome, number in self.outside.items())
            yield (
                f"Calls outside of any test ({calls}): they are neither recorded nor replayed. Make them in a test or "
                "a fixture, and let no thread or program outlive its test."
            )
        if self.pruned:
            yield f"{counted(self.pruned, 'unused recording')} removed."
            return
        for session in self.sessions:
            names = session.unused_names
            if names:
                shown = ", ".join(names[:_NAMED])
                more = len(names) - _NAMED
                yield f"unused in {session.name}: {shown}{f' and {more} more' if more > 0 else ''}"
        if self.unused_count:
            yield "No test asks for these any more: pytest --wiretape=update --wiretape-prune removes them."


def of(config: pytest.Config, reports: Iterable[tuple[str, Mapping[str, Any]]]) -> Summary:
    """Return what is to be said of a run, given what its tests' reports have told. With ``--wiretape-prune`` remove
    what is unused.
    """
    sessions: dict[str, SessionOfRun] = {}
    clients: set[str] = set()
    for node_id, told in reports:
        for name, account in told["accounts"].items():
            sessions.setdefault(name, SessionOfRun(name)).account += Account.of(account)
        sessions[told["session"]].add(node_id, told)
        clients.add(told["client"])
    run = config.stash.get(RUN, None)
    summary = Summary([sessions[name] for name in sorted(sessions)], run, config.option.wiretape_unused)
    if config.option.wiretape_html:
        summary.html = config.invocation_params.dir / config.option.wiretape_html
    if run:
        _ask(run, summary, clients, is_pruned=config.option.wiretape_prune)
    return summary


def _ask(run: Run, summary: Summary, clients: Container[str], *, is_pruned: bool) -> None:
    """Find out what the proxy knows beside the accounts of tests."""
    status = run.control.status()
    calls = [call for call in run.calls() if call.run == status["run"] and call.client in clients]
    summary.outside = Counter(str(call.outcome) for call in calls if not call.scope)
    summary.calls = calls
    summary.recordings = status["recordings"]
    store = open_store(status["recordings"])
    seconds = saved.seconds(calls, store)
    for session in summary.sessions:
        session.saved_s = seconds.get(session.name, 0.0)
        if run.mode is not RunMode.LIVE and summary.unused != "ignore" and session.can_be_judged:
            session.unused = _unused(store, session.name, calls)
            if is_pruned:
                unused.remove(store, session.unused)
                summary.pruned += session.unused.count
    store.close()


def _unused(store: Store, session: str, calls: Iterable[Call]) -> Unused:
    """Return the recordings of a session that no call had or made."""
    used = frozenset(call.recording for call in calls if (call.recorded_in or call.session) == session)
    names = store.scan(session).keys()
    if names <= used:
        # So it is as a rule, and then none of them is read.
        return Unused(session, (), len(names), (), {})
    known = Evidence(1, 0, 0.0, 0.0, frozenset({session}), {session: used})
    return unused.find(compare.contents(store, session), known)


def money(text: str) -> str:
    """Return an amount for people: of less than a cent, more digits."""
    amount = Decimal(text)
    return f"{amount:.2f}" if not amount or amount >= _CENT else f"{amount:.4f}"


def table(sessions: Sequence[SessionOfRun]) -> Iterable[str]:
    """Yield the lines of a table."""
    rows = [["session", "tests", "hits", "misses", "recorded", "unused", "seconds saved", "USD saved"]]
    rows += [_row(session) for session in sessions]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *figures in rows:
        right = [text.rjust(width) for text, width in zip(figures, widths[1:], strict=True)]
        yield "  ".join([name.ljust(widths[0]), *right])


def _row(session: SessionOfRun) -> list[str]:
    account = session.account
    unused = "-" if session.unused is None else str(session.unused.count)
    numbers = [session.tests, account.hits, len(account.misses), len(account.recorded)]
    saved_usd = "-" if account.saved_usd is None else money(account.saved_usd)
    return [session.name, *map(str, numbers), unused, f"{session.saved_s:.1f}", saved_usd]
