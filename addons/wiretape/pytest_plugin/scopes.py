"""Each test is a scope of this process's client: what pytest calls before a test, in it and after it.

A test's scope begins before its fixtures are set up, and ends when they are torn down:

    setup      POST /v1/scopes: from its answer on, the client's calls are this test's
    call       GET /v1/scopes/ID: a call without a recording fails the test, whatever the program has made of it
    teardown   DELETE /v1/scopes/ID: the account of the whole test, which its report takes to the end of the run

Fixtures that several files share are set up in the first test that needs them, whichever that is. So their calls are
not looked for in that test's session: they are in a scope of their own, in the session of the file that has the
fixture. And so are the calls that a module makes when it is imported, in the session of the module.
"""

import inspect
import os
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from wiretape.control.client import ControlClient
from wiretape.pytest_plugin import DESELECTED, asks, environment, judging, marks, modes, names
from wiretape.pytest_plugin.fixture import Wiretape
from wiretape.pytest_plugin.judging import Collected
from wiretape.pytest_plugin.marks import Marked
from wiretape.pytest_plugin.modes import RunMode
from wiretape.pytest_plugin.offline import Offline
from wiretape.pytest_plugin.running import RunningTest

_MARKED = pytest.StashKey[Marked]()
_TOLD = pytest.StashKey[dict[str, Any]]()
"""What a test's report takes to the end of the run."""

_FAILURES = (Exception, pytest.fail.Exception)
"""What a test raises that fails: neither a skip nor the end of the run."""

_SHARED = frozenset({"session", "package"})
"""What fixtures are for that are set up once for several files."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the tests of this process are to do."""

    client: str
    mode: RunMode
    """Of a test of which nothing else is said."""
    command_line: RunMode | None = None
    """That of the command line, where it has one."""
    variables: Mapping[str, str | None] | None = None
    """Those of the proxy, where only tests that ask go through it."""

    def scope(self, marked: Marked, file: str, test_id: str) -> dict[str, Any]:
        """Return what the control API is asked for."""
        mode = modes.in_force(self.command_line, marked.mode, self.mode)
        asked = {
            "client": self.client,
            "session": marked.session or names.session_of(file),
            "test_id": test_id,
            "mode": mode.of_proxy,
            "pace": marked.pace,
            "match": marked.match,
            "takes": marked.takes,
            "isolated": marked.isolated,
        }
        return {name: value for name, value in asked.items() if value not in (None, False)}

    def of_test(self, item: pytest.Item) -> dict[str, Any]:
        """Return the same for a test."""
        return self.scope(item.stash[_MARKED], _file_of(item.nodeid), names.id_of(item.nodeid))

    def is_for(self, item: pytest.Item) -> bool:
        """Return whether a test goes through the proxy."""
        return self.variables is None or asks(item)


class TestScopes:
    """Makes each test of this process a scope."""

    __test__ = False

    def __init__(self, control: ControlClient, plan: Plan, root: Path, offline: Offline | None = None) -> None:
        self._control = control
        self._plan = plan
        self._root = root
        self._offline = offline
        self._collected = Collected({}, frozenset())
        self._running: RunningTest | None = None
        self._after = ExitStack()
        """What is to be undone after the test."""

    def is_for(self, item: pytest.Item) -> bool:
        """Return whether a test goes through the proxy."""
        return self._plan.is_for(item)

    def fixture(self) -> Wiretape:
        """Return what the fixture ``wiretape`` gives to the test that runs."""
        assert self._running
        return Wiretape(self._running)

    # -- before any test runs --------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        """Import a module in a scope of its own; a miss is an error of its collection."""
        if not isinstance(collector, pytest.Module):
            return (yield)
        file = collector.nodeid
        running = RunningTest(self._control, file, self._plan.scope(Marked(), file, file))
        try:
            report: Any = yield
        finally:
            running.end()
        problem = running.last_problem()
        if problem and report.passed:
            report.outcome = "failed"
            report.longrepr = problem
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Look at what each test's markers say, and which tests there are."""
        found: list[tuple[str, str]] = []
        for item in session.items:
            if self._plan.is_for(item):
                item.stash[_MARKED] = marks.marked(item)
                found.append((_file_of(item.nodeid), self._plan.of_test(item)["session"]))
        deselected = session.config.stash.get(DESELECTED, set())
        left_out = judging.left_out(session.config, deselected)
        self._collected = Collected.of(found, left_out, is_suite=judging.is_suite(session.config, deselected))

    # -- a test ----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Begin its scope."""
        if not self._plan.is_for(item):
            return (yield)
        self._after.enter_context(environment.applied(self._plan.variables or {}, os.environ))
        self._running = RunningTest(self._control, item.nodeid, self._plan.of_test(item))
        try:
            return (yield)
        except _FAILURES:
            self._add_to_report(item, "setup")
            raise

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """Set up a fixture that several files share in a scope of its own."""
        if self._running and fixturedef.scope in _SHARED:
            file = self._file_with(fixturedef.func)
            scope = self._plan.scope(Marked(), file, f"{file}::{fixturedef.argname}")
            if file and scope["session"] != self._running.session:
                with self._running.another(scope):
                    return (yield)
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Fail it where a call had no recording, though its program may not have minded."""
        if not self._running:
            return (yield)
        try:
            result = yield
        except _FAILURES:
            self._add_to_report(item, "call")
            raise
        problem = self._problem(self._running.problem())
        if problem:
            pytest.fail(problem, pytrace=False)
        self._running.has_passed = True
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """End its scope."""
        try:
            result = yield
        except _FAILURES:
            self._end(item)
            raise
        problem = self._end(item)
        if problem:
            pytest.fail(problem, pytrace=False)
        return result

    def _end(self, item: pytest.Item) -> str:
        """End a test's scope, and say what has become wrong with it at last."""
        self._after.close()
        running = self._running
        self._running = None
        if not running:
            return ""
        running.end()
        item.stash[_TOLD] = {
            "client": self._plan.client,
            "has_passed": running.has_passed,
            "accounts": {session: account.as_json() for session, account in running.accounts.items()},
            **self._collected.told(running.session),
        }
        return self._problem(running.last_problem())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        """Let the last report of a test take its account along."""
        report: Any = yield
        if call.when == "teardown" and _TOLD in item.stash:
            report.wiretape = item.stash[_TOLD]
        return report

    def _add_to_report(self, item: pytest.Item, when: str) -> None:
        """Tell what is wrong beside the failure that the test has of its own."""
        assert self._running
        problem = self._problem(self._running.problem())
        if problem:
            item.add_report_section(when, "wiretape", problem)

    def _problem(self, of_calls: str) -> str:
        """Say what is wrong: with calls, and with what has tried to leave this machine."""
        tried = self._offline.tried() if self._offline else []
        parts = [of_calls, *(f"wiretape: offline, and it tried to reach {host}" for host in tried)]
        return "\n\n".join(filter(None, parts))

    def _file_with(self, function: Any) -> str:
        """Return the file of a function, relative to the root folder; nothing where it is not below."""
        code = getattr(inspect.unwrap(function), "__code__", None)
        if code is None or not Path(code.co_filename).is_relative_to(self._root):
            return ""
        return Path(code.co_filename).relative_to(self._root).as_posix()


def _file_of(node_id: str) -> str:
    return node_id.partition("::")[0]
