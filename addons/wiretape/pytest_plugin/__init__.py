"""The plugin for pytest: one proxy for a run, a client for each process that runs tests, a scope for each test.

This module is what pytest imports in every run of everybody who has installed it. It declares the options, and imports
the others when a run or a marker asks for them. In their order:

``names``        a file of tests -> the session's name, a test -> its ``test_id``
``modes``        what ``--wiretape`` and a marker say, and which of the two holds
``marks``        what the markers of a test say, checked
``proxy``        a proxy of the run's own, in a process of its own, or the one that is there
``environment``  the variables by which programs find it, with this process's client in them
``account``      what became of a test's calls, and what is wrong with it
``offline``      nothing of this process leaves the machine
``running``      a test that runs: its scopes, and what became of its calls
``fixture``      the fixture ``wiretape``
``judging``      of which sessions it can be told what no test asks for any more
``scopes``       each test as a scope: what pytest calls before, in and after it
``start``        puts these together when a run begins
``saved``        how much longer providers would have taken
``summary``      the end of the run: a line, a table, the exit code
``html_report``  what the calls were answered with, as one file
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from wiretape.pytest_plugin.fixture import Wiretape
    from wiretape.pytest_plugin.scopes import TestScopes
    from wiretape.pytest_plugin.summary import Summary

MODES = ("replay", "record", "record-if-missing", "update", "live")
UNUSED = ("ignore", "warn", "fail")

SCOPES = "wiretape-scopes"
"""The name of the plugin that is registered where tests go through the proxy."""

DESELECTED = pytest.StashKey[set[str]]()
"""The files of which not all tests run."""

_MARKER = (
    "wiretape(session=..., mode=..., pace=..., match=[...], takes=..., isolated=False): the test's calls to LLM APIs "
    "are recorded and replayed; by default in the session of its file"
)

_NOTHING_RUNS = ("help", "version", "collectonly", "showfixtures", "show_fixtures_per_test", "markers")
"""Options with which no test runs."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what can be asked for."""
    group = parser.getgroup("wiretape", "recording and replaying calls to LLM APIs (wiretape)")
    group.addoption(
        "--wiretape",
        choices=MODES,
        help="Run the tests behind a proxy that replays calls to LLM APIs, or records them. update: record what has no "
        "recording, and tell which recordings no test asks for any more.",
    )
    group.addoption(
        "--wiretape-offline",
        action="store_true",
        help="Nothing leaves this machine, whatever it is for: what tries to fails the test.",
    )
    group.addoption(
        "--wiretape-unused",
        choices=UNUSED,
        default="warn",
        help="What becomes of recordings that no test has asked for, where all tests of their file have passed.",
    )
    group.addoption("--wiretape-prune", action="store_true", help="Remove these recordings.")
    group.addoption(
        "--wiretape-html",
        metavar="FILE",
        help="Write what the run's calls were answered with into one file of HTML, misses first.",
    )
    parser.addini("wiretape", "The mode of every run without --wiretape: " + ", ".join(MODES))
    parser.addini("wiretape_options", "Options of the proxy, a NAME=VALUE in each line.", type="linelist")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin before anything of the user's is imported: a client reads the variables when it is made."""
    options = early_config.known_args_namespace
    is_asked = options.wiretape or early_config.getini("wiretape")
    if is_asked and not any(getattr(options, name, None) for name in _NOTHING_RUNS):
        from wiretape.pytest_plugin import start

        start.whole_run(early_config)


def pytest_configure(config: pytest.Config) -> None:
    """Tell of the marker, and listen to what the tests' processes tell."""
    config.addinivalue_line("markers", _MARKER)
    needs_mode = config.option.wiretape_offline or config.option.wiretape_prune
    if needs_mode and not config.pluginmanager.has_plugin(SCOPES) and not config.option.collectonly:
        raise pytest.UsageError("--wiretape-offline and --wiretape-prune are for a run with a mode: --wiretape=replay")
    if config.option.wiretape_html and find_spec("jinja2") is None:
        raise pytest.UsageError("--wiretape-html needs the package jinja2: pip install jinja2")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reports(config), "wiretape-reports")


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Note of which files not all tests run: what the others ask for tells not whether a recording is in use."""
    files = {item.nodeid.partition("::")[0] for item in items}
    items[0].config.stash.setdefault(DESELECTED, set()).update(files)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin now where it is a marker that asks."""
    config = session.config
    if config.pluginmanager.has_plugin(SCOPES) or config.option.collectonly:
        return
    if any(asks(item) for item in session.items):
        from wiretape.pytest_plugin import start

        start.marked_tests(session)


def asks(item: pytest.Item) -> bool:
    """Return whether a test itself asks for the proxy."""
    return item.get_closest_marker("wiretape") is not None


@pytest.fixture
def wiretape(request: pytest.FixtureRequest) -> "Wiretape":
    """The calls that this test makes: what became of them, and what is to become of the next ones."""
    scopes: TestScopes | None = request.config.pluginmanager.get_plugin(SCOPES)
    if not scopes or not scopes.is_for(request.node):
        pytest.fail("the fixture wiretape needs --wiretape=MODE, or the marker wiretape at the test", pytrace=False)
    return scopes.fixture()


class Reports:
    """What was told of tests, whichever process ran them. It is silent where nothing was."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._told: list[tuple[str, dict[str, Any]]] = []
        self._summary: Summary | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test's report tells."""
        told = getattr(report, "wiretape", None)
        if told is not None:
            self._told.append((report.nodeid, told))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Sum it up, and let the run fail where that is asked for."""
        if self._told:
            from wiretape.pytest_plugin import summary

            self._summary = summary.of(self._config, self._told)
            if self._summary.fails and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write a line and a table."""
        if self._summary:
            self._summary.write(terminalreporter)
        elif self._config.option.wiretape_html:
            terminalreporter.line("wiretape: no report is written, as no test went through the proxy")
