"""A suite as a user has it, of 200 tests, in ``sample_suite``: recorded once, replayed by one process and by four."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import Provider
from suites import SAMPLE, Ran, Suite
from talk import Talk

pytestmark = [
    pytest.mark.skipif(not shutil.which("node"), reason="node is not on the path"),
    # Three of these run 200 tests, each in processes of their own.
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        Talk(provider)
        yield provider


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Suite:
    return Suite(tmp_path_factory.mktemp("sample"), provider, SAMPLE)


@pytest.fixture(scope="module")
def recorded(suite: Suite, provider: Provider) -> Suite:
    """The suite with its recordings; nothing has answered but the provider."""
    ran = suite.run("-q", "--wiretape=record")
    assert ran.counts == {"passed": 200}, ran.output
    assert provider.requests
    return suite


@pytest.fixture(scope="module")
def replayed(recorded: Suite, provider: Provider) -> Ran:
    """The same, replayed by one process: nothing has asked the provider, and no recording has changed."""
    asked = len(provider.requests)
    files = recorded.files()
    ran = recorded.run("-q", "--wiretape=replay", "--wiretape-unused=fail")
    assert ran.counts == {"passed": 200}, ran.output
    assert len(provider.requests) == asked
    assert recorded.files() == files
    return ran


def test_no_call_and_no_secret_is_missing_or_left(recorded: Suite) -> None:
    sessions = {name.partition("/")[0] for name in recorded.files()}
    assert sessions == {f"tests.{path.stem}" for path in (SAMPLE / "tests").glob("*.py")}
    assert not any(b"sk-test-secret" in data for data in recorded.files().values())


def rows(ran: Ran) -> dict[str, list[str]]:
    """What the table tells, by sessions: tests, hits, misses, recorded, unused."""
    cells = [line.split() for line in ran.told.splitlines() if re.match(r"tests\.", line)]
    return {name: figures[:5] for name, *figures in cells}


def test_the_account_tells_of_every_call(replayed: Ran) -> None:
    told = rows(replayed)
    assert told["tests.test_streams"] == ["40", "40", "0", "0", "0"]
    assert told["tests.conftest"] == ["0", "1", "0", "0", "-"]
    assert "replay, 204 hits, 0 misses, 0 recorded, 0 unused" in replayed.told


def test_four_processes_have_the_same_account(recorded: Suite, replayed: Ran) -> None:
    ran = recorded.run("-q", "--wiretape=replay", "--wiretape-unused=fail", "-n4")
    assert ran.counts == {"passed": 200}, ran.output
    told = rows(ran)
    # A fixture for the whole run is set up once in each process that needs it.
    assert told.keys() == rows(replayed).keys()
    assert {**told, "tests.conftest": rows(replayed)["tests.conftest"]} == rows(replayed)


def test_one_prompt_that_changed_fails_one_test_and_one_test_removed_leaves_its_recordings(
    recorded: Suite, replayed: Ran
) -> None:
    del replayed
    edit(recorded.folder / "tests" / "test_other_ways.py", '"the host"', '"the hostess"')
    edit(recorded.folder / "tests" / "test_sync.py", "def test_asks_twice", "def asks_twice")
    ran = recorded.run("-q", "--wiretape=replay", "tests/test_other_ways.py", "tests/test_sync.py")
    assert ran.counts == {"failed": 1, "passed": 69}, ran.output
    assert '"Greet the hostess." here, "Greet the host." in the recording' in ran.output
    (unused,) = re.findall(r"^unused in (\S+): (.*)$", ran.output, re.MULTILINE)
    assert unused[0] == "tests.test_sync"
    names = unused[1].split(", ")
    asked = [recorded.files()[f"tests.test_sync/responses/{name}.json"] for name in names]
    assert len(names) == 2
    assert sum(b"Tell a joke." in data for data in asked) == sum(b"Tell another one." in data for data in asked) == 1


def edit(path: Path, before: str, after: str) -> None:
    """Change one place of a file."""
    text = path.read_text("utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, after), "utf-8")
