"""The plugin for pytest, run by pytest: on files of a few lines, behind one proxy that is there for all of them.

``test_sample_suite`` runs a suite as a user has it, with a proxy of its own.
"""

import gc
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import Provider
from pages import blocks
from places import ROOT
from suites import Suite
from talk import Talk
from wiretape.policy import Mode
from wiretape.pytest_plugin import environment
from wiretape.pytest_plugin.proxy import RunningProxy, Wanted

pytest_plugins = ["pytester"]

ASK = """
import openai

def ask(text):
    with openai.OpenAI(max_retries=0) as client:
        message = {"role": "user", "content": text}
        return client.chat.completions.create(model="gpt-4o-mini", messages=[message]).choices[0].message.content
"""


@pytest.fixture(scope="module")
def talk() -> Iterator[Talk]:
    """A provider that answers anything."""
    with Provider() as provider:
        yield Talk(provider)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory, talk: Talk) -> Suite:
    """Where the proxy is, and its recordings."""
    return Suite(tmp_path_factory.mktemp("behind"), talk.provider)


@pytest.fixture(scope="module")
def proxy(suite: Suite) -> Iterator[RunningProxy]:
    """A proxy that is there before pytest is."""
    proxy = RunningProxy.start(Wanted(Mode.RECORD_IF_MISSING, suite.folder), suite.env)
    yield proxy
    assert "Traceback" not in proxy.stop()


class Tests:
    """Runs pytest on files, behind the proxy."""

    __test__ = False

    def __init__(self, pytester: pytest.Pytester, suite: Suite) -> None:
        self.pytester = pytester
        self.recordings = suite.recordings
        pytester.makepyfile(asking=ASK)

    def write(self, **files: str) -> None:
        """Write modules, by their names without the ending."""
        self.pytester.makepyfile(**{name: f"from asking import ask\n{text}" for name, text in files.items()})

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest, in this process."""
        with warnings.catch_warnings():
            # As in a program of a user's, clients are left open: here they have to go before the process does.
            warnings.simplefilter("ignore", ResourceWarning)
            result = self.pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:anyio", *arguments)
            gc.collect()
        return result

    def files(self, session: str) -> dict[str, bytes]:
        """Return the recordings of a session, by their names, with their captures."""
        folder = self.recordings / session
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.glob("*/*.json"))}


@pytest.fixture(autouse=True)
def _libraries_stay(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pytester forget the modules of a test's folder alone: a library that is imported anew has other classes."""
    folder = tmp_path_factory.getbasetemp()

    def restore(_: object) -> None:
        for name, module in [*sys.modules.items()]:
            file = getattr(module, "__file__", None)
            if file and Path(file).is_relative_to(folder):
                del sys.modules[name]

    monkeypatch.setattr("_pytest.pytester.SysModulesSnapshot.restore", restore)


@pytest.fixture
def tests(
    pytester: pytest.Pytester, suite: Suite, proxy: RunningProxy, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Tests]:
    """A folder of tests, whose pytest finds the proxy."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-secret")
    monkeypatch.delenv("CI", raising=False)
    with environment.applied(proxy.variables, os.environ):
        yield Tests(pytester, suite)


def test_it_does_nothing_until_it_is_asked(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://company.example")
    pytester.makepyfile(
        """
        import os, sys

        def test_nothing(pytestconfig):
            assert os.environ["HTTPS_PROXY"] == "http://company.example"
            assert not pytestconfig.pluginmanager.has_plugin("wiretape-scopes")

        def test_the_fixture(wiretape):
            pass
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the fixture wiretape needs --wiretape=MODE, or the marker wiretape at the test*"])
    result.stdout.no_fnmatch_line("*= wiretape =*")


def test_a_miss_fails_its_test_whatever_the_program_makes_of_it(tests: Tests) -> None:
    tests.write(test_missing="def test_asks():\n    ask('How is the weather in Oslo?')\n")
    tests.run("--wiretape=record").assert_outcomes(passed=1)
    tests.write(
        test_missing="""
def test_asks():
    try:
        ask('How is the weather in Bergen?')
    except Exception:
        pass

def test_fails_itself():
    ask('Where is Bergen?')

def test_asks_nothing():
    pass
"""
    )
    result = tests.run("--wiretape=replay")
    result.assert_outcomes(passed=1, failed=2)
    (nearest,) = [Path(name) for name in tests.files("test_missing") if name.startswith("responses/")]
    result.stdout.fnmatch_lines(
        [
            "*_ test_asks _*",
            f"The nearest recording is {nearest.stem}, which differs in:",
            '*"How is the weather in Bergen?" here, "How is the weather in Oslo?" in the recording',
            "*pytest --wiretape=update test_missing.py::test_asks",
            "*_ test_fails_itself _*",
            "*Captured wiretape call*",
            "wiretape: no recording of this request*",
        ]
    )


UPDATED = """
import pytest

@pytest.mark.parametrize("town", ["Oslo", "Bergen"])
def test_asks(town):
    ask(f"How is {town}?")

def test_asks_another():
    ask("How are you?")
"""


def test_an_update_records_what_differs_and_leaves_what_does_not(tests: Tests) -> None:
    tests.write(test_updated=UPDATED)
    tests.run("--wiretape=update").assert_outcomes(passed=3)
    before = tests.files("test_updated")
    tests.write(test_updated=UPDATED.replace("How are you?", "Who are you?"))
    result = tests.run("--wiretape=update")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["update, 2 hits, 0 misses, 1 recorded, 1 unused*", "unused in test_updated: *"])
    after = tests.files("test_updated")
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) // 3 * 4

    result = tests.run("--wiretape=update", "--wiretape-prune")
    result.stdout.fnmatch_lines(["update, 3 hits*", "1 unused recording removed."])
    left = tests.files("test_updated")
    assert left.keys() < after.keys()
    assert len(left) == len(before)
    tests.run("--wiretape=replay", "--wiretape-unused=fail").assert_outcomes(passed=3)


def test_a_report_of_what_the_calls_had_is_one_file(tests: Tests) -> None:
    tests.write(test_told="def test_asks():\n    ask('One?')\n")
    tests.run("--wiretape=update").assert_outcomes(passed=1)
    tests.write(test_told="def test_asks():\n    ask('One?')\n\ndef test_misses():\n    ask('What is new?')\n")
    result = tests.run("--wiretape=replay", "--wiretape-html", "out/report.html")
    result.stdout.fnmatch_lines(["*report.html: 2 entries, * kB"])
    text = (tests.pytester.path / "out" / "report.html").read_text("utf-8")
    assert text.index("What is new?") < text.index("One?")
    assert "test_misses" in text


@pytest.mark.parametrize(
    ("arguments", "is_judged"),
    [
        ([], True),
        (["test_unused.py"], True),
        (["-k", "asks"], False),
        (["test_unused.py::test_asks"], False),
        (["--deselect", "test_unused.py::test_idle"], False),
    ],
)
def test_unused_recordings_fail_the_run_where_whole_files_ran(
    tests: Tests, arguments: list[str], *, is_judged: bool
) -> None:
    tests.write(test_unused="def test_asks():\n    ask('One?')\n\ndef test_idle():\n    ask('Two?')\n")
    tests.run("--wiretape=update").assert_outcomes(passed=2)
    tests.write(test_unused="def test_asks():\n    ask('One?')\n\ndef test_idle():\n    pass\n")
    assert tests.run("--wiretape=replay", "--wiretape-unused=fail", *arguments).ret == int(is_judged)


def test_unused_recordings_are_told_and_may_be_ignored(tests: Tests) -> None:
    tests.write(test_told="def test_asks():\n    ask('One?')\n")
    tests.run("--wiretape=update").assert_outcomes(passed=1)
    tests.write(test_told="def test_asks():\n    pass\n")
    result = tests.run("--wiretape=replay")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["unused in test_told: *"])
    result = tests.run("--wiretape=replay", "--wiretape-unused=ignore")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("unused in *")


def test_where_a_test_does_not_run_to_its_end_nothing_is_unused(tests: Tests) -> None:
    text = "import pytest\n\ndef test_asks():\n    {}\n    ask('One?')\n"
    tests.write(test_ended=text.format("pass"))
    tests.run("--wiretape=update").assert_outcomes(passed=1)
    for early in ("pytest.skip('not today')", "pytest.xfail('not yet')", "assert False"):
        tests.write(test_ended=text.format(early))
        tests.run("--wiretape=replay", "--wiretape-unused=fail").stdout.fnmatch_lines(["test_ended * - *"])


def test_what_several_files_share_is_in_a_session_of_its_own(tests: Tests) -> None:
    tests.pytester.makeconftest(
        """
        import pytest
        from asking import ask

        @pytest.fixture(scope="session")
        def rules():
            return ask("What are the rules?")
        """
    )
    follows = "def test_follows(rules):\n    assert ask('Follow.') and rules\n"
    tests.write(test_first=follows, test_second=follows)
    tests.run("--wiretape=record").assert_outcomes(passed=2)
    assert len(tests.files("conftest")) == len(tests.files("test_first")) == len(tests.files("test_second")) == 2
    tests.run("--wiretape=replay", "test_second.py").assert_outcomes(passed=1)


def test_what_a_module_asks_when_it_is_imported_is_its_own(tests: Tests) -> None:
    text = "rules = ask('What are the {}?')\n\ndef test_follows():\n    assert rules\n"
    tests.write(test_importing=text.format("rules"))
    tests.run("--wiretape=record").assert_outcomes(passed=1)
    tests.run("--wiretape=replay").assert_outcomes(passed=1)
    tests.write(test_importing="try:\n    ask('What is it?')\nexcept Exception:\n    pass\n\ndef test_a():\n    pass\n")
    result = tests.run("--wiretape=replay")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ERROR collecting test_importing.py*", "wiretape: no recording of this request*"])


def test_a_marker_asks_for_its_test_alone(tests: Tests) -> None:
    tests.write(
        test_marker="""
import os
import pytest

@pytest.mark.wiretape(session="marked")
def test_asks(wiretape):
    assert "@127.0.0.1" in os.environ["HTTPS_PROXY"]
    assert ask("What?")
    wiretape.assert_called(times=1)

def test_does_not():
    assert "@127.0.0.1" not in os.environ["HTTPS_PROXY"]
"""
    )
    result = tests.run()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["record-if-missing, 0 hits, 0 misses, 1 recorded*"])
    assert len(tests.files("marked")) == 2


def test_a_marker_that_is_wrong_is_told_before_any_test_runs(tests: Tests) -> None:
    tests.write(test_wrong="import pytest\n\n@pytest.mark.wiretape(sesion='a')\ndef test_a():\n    pass\n")
    result = tests.run("--wiretape=replay")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*test_wrong.py::test_a: @pytest.mark.wiretape: unknown argument sesion: did you mean*"]
    )


def test_the_configuration_asks_and_may_be_wrong(tests: Tests) -> None:
    tests.write(test_configured="def test_asks():\n    ask('What?')\n")
    tests.pytester.makeini("[pytest]\nwiretape = record\n")
    tests.run().stdout.fnmatch_lines(["record, 0 hits, 0 misses, 1 recorded*"])
    tests.run("--wiretape=replay").stdout.fnmatch_lines(["replay, 1 hit, *"])
    tests.pytester.makeini("[pytest]\nwiretape = once\n")
    result = tests.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*'once' is no mode: the modes are replay, *"])


def test_the_fixture_knows_the_calls_and_changes_the_next_ones(tests: Tests) -> None:
    tests.write(
        test_fixture='''
import subprocess, sys
import openai
import pytest

PROGRAM = """
import json, urllib.request
body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "And in a program?"}]}
url = "https://api.openai.com/v1/chat/completions"
headers = {"content-type": "application/json", "authorization": "Bearer sk-test-secret"}
urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)).read()
"""

def test_knows(wiretape):
    assert ask("What?").endswith("What?")
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
    wiretape.assert_called(endpoint="/v1/chat/completions", times=2)
    first, second = wiretape.calls
    assert first.request["body"]["messages"][0]["content"] == "What?"
    assert second.answer["text"].endswith("And in a program?")
    assert wiretape.hits == (0 if first.call.outcome == "recorded" else 2)

def test_changes(wiretape):
    wiretape.fault(status=429, nth=1)
    with pytest.raises(openai.RateLimitError):
        ask("What?")
    wiretape.pace("recorded")
    assert ask("What?")
'''
    )
    tests.run("--wiretape=update").assert_outcomes(passed=2)
    tests.run("--wiretape=replay").assert_outcomes(passed=2)


def test_offline_nothing_leaves_the_tests_process(tests: Tests) -> None:
    tests.write(
        test_offline="""
import contextlib, socket

def test_swallows():
    with contextlib.suppress(OSError):
        socket.create_connection(("db.example", 5432))

def test_stays():
    ask("What?")
"""
    )
    result = tests.run("--wiretape=update", "--wiretape-offline")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["wiretape: offline, and it tried to reach db.example"])


def test_calls_between_tests_are_refused_and_fail_the_run(tests: Tests) -> None:
    tests.pytester.makeconftest(
        """
        from asking import ask

        def pytest_runtest_logfinish(nodeid):
            try:
                ask("Is it over?")
            except Exception:
                pass
        """
    )
    tests.write(test_between="def test_asks():\n    ask('What?')\n")
    result = tests.run("--wiretape=update")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["Calls outside of any test (miss: 1): *"])


def test_the_examples_of_the_guide_work(tests: Tests, talk: Talk) -> None:
    """The files of the page are written as they come, and its commands run on those that are there by then."""
    page = (ROOT / "docs" / "guides" / "pytest.md").read_text("utf-8")
    ran = 0
    for language, body in blocks.in_order(page):
        if language == "python":
            name = body.splitlines()[0].removeprefix("# ")
            (tests.pytester.path / name).write_text(body, "utf-8")
        for command in re.findall(r"^pytest (.*)$", body, re.MULTILINE) if language == "sh" else ():
            said = tests.run(*command.split("#")[0].split()).stdout.str()
            ran += 1
        for line in body.splitlines() if language == "text" else ():
            assert line in said
    assert ran == 9
    assert talk.questions
