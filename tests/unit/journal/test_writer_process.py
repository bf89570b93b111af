"""The process that writes: nothing lost when it dies, nothing run that lies about, nothing left when it ends."""

import json
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchanges import body, config, keep
from harness import wait_until
from samples import CHAT
from wiretape.journal import isolated
from wiretape.journal.exchange_file import EntryKind
from wiretape.journal.folder import Journal
from wiretape.journal.outcome import WriteOutcome, say
from wiretape.journal.writer_process import WriterProcess


class Writing:
    """A journal, the process that writes from it, and what it told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.journal = Journal.create(1 << 30)
        self.outcomes: dict[int, WriteOutcome] = {}
        self.process = WriterProcess(self.journal, self._tell)
        self.process.start()

    def _tell(self, outcome: WriteOutcome) -> None:
        if outcome.number not in self.outcomes:
            say(outcome.log)
        self.outcomes.setdefault(outcome.number, outcome)

    def keep(self, word: object, last: EntryKind | None = EntryKind.ENDED) -> None:
        keep(self.journal, config(self.root), body(word), last=last)
        self.process.look()

    def wait_for(self, count: int) -> None:
        wait_until(lambda: len(self.outcomes) >= count, 30)

    @property
    def recorded(self) -> int:
        return sum(each.recorded for each in self.outcomes.values())

    def files(self) -> int:
        return len([*self.root.glob("default/responses/*.json")])

    def pid(self) -> int:
        found = wait_until(lambda: self.process.process_id, 30)
        assert found
        return found


@pytest.fixture
def writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Writing]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    writing = Writing(tmp_path / "recordings")
    yield writing
    writing.process.end()
    assert writing.process.wait(60)
    writing.journal.release()
    assert not writing.journal.folder.path.exists()


def test_it_writes_what_has_ended_and_tells(writing: Writing, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        writing.keep("Hello, world!")
        writing.keep("under way", last=None)
        writing.wait_for(1)
    assert (writing.root / "default" / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()
    assert [record.name for record in caplog.records] == ["wiretape.tape.recorder"]


def test_it_ends_when_all_is_written_and_takes_the_journal_with_it(writing: Writing) -> None:
    for number in range(100):
        writing.keep(number)
    writing.process.end()
    assert writing.process.wait(60)
    assert (writing.recorded, writing.files()) == (100, 100)
    assert not writing.journal.folder.path.exists()


def test_killed_again_and_again_it_loses_nothing_and_counts_nothing_twice(
    writing: Writing, caplog: pytest.LogCaptureFixture
) -> None:
    for round_number in range(4):
        process = writing.pid()
        for number in range(40):
            writing.keep(f"{round_number}-{number}")
        writing.wait_for(40 * round_number + 1)
        os.kill(process, signal.SIGKILL)
        wait_until(lambda killed=process: writing.process.process_id not in (None, killed), 30)  # type: ignore[misc]
    writing.wait_for(160)
    assert (writing.recorded, writing.files()) == (160, 160)
    # However often it is killed: the proxy does not do its work.
    assert "by the proxy itself" not in caplog.text
    assert "it was ended by signal 9): it is started again" in caplog.text
    assert sum("recorded" in message for message in caplog.messages if "failed" not in message) <= 160


def test_it_ends_at_no_signal_that_is_for_the_proxy(writing: Writing) -> None:
    process = writing.pid()
    writing.keep("a")
    writing.wait_for(1)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(process, number)
    writing.keep("b")
    writing.wait_for(2)
    assert writing.process.process_id == process


def test_where_there_can_be_no_process_the_proxy_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    writing = Writing(tmp_path / "recordings")
    writing.keep("a")
    writing.wait_for(1)
    writing.keep("b")
    writing.process.end()
    assert writing.process.wait(60)
    assert (writing.recorded, writing.files()) == (2, 2)
    assert "recordings are written by the proxy itself" in caplog.text
    assert not writing.journal.folder.path.exists()
    writing.journal.release()


NAMES = [
    *("random", "logging", "json", "os", "io", "re", "struct", "signal", "select", "typing", "dataclasses", "tempfile"),
    *("sitecustomize", "usercustomize", "encodings", "wiretape", "orjson", "cryptography", "brotli", "zstandard"),
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that is full of what programs import."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in NAMES:
        text = f"open({str(folder / 'ran')!r}, 'a').write({name!r})\nraise SystemExit('a module of the checkout')\n"
        (folder / f"{name}.py").write_text(text)
        (folder / f"{name}-package").mkdir()
    return folder


def test_nothing_of_the_folder_it_is_started_in_is_run(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(checkout))
    monkeypatch.setenv("PYTHONSTARTUP", str(checkout / "random.py"))
    monkeypatch.setenv("PYTHONINSPECT", "1")
    # As it is for who was started with python -m in that folder.
    monkeypatch.setattr(sys, "path", ["", str(checkout), *sys.path])
    monkeypatch.chdir(checkout)
    writing = Writing(tmp_path / "recordings")
    writing.keep("a")
    writing.wait_for(1)
    assert writing.process.process_id
    writing.process.end()
    assert writing.process.wait(60)
    writing.journal.release()
    assert writing.recorded == 1
    assert not (checkout / "ran").exists()


def test_it_is_isolated_and_knows_only_folders_of_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "lib" / "site-packages"
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), "site-packages", str(installed), str(installed)])
    python, flag, program, path, module = isolated.command("wiretape.journal.writer_process")
    assert (python, flag, module) == (sys.executable, "-I", "wiretape.journal.writer_process")
    assert Path(program).is_absolute()
    assert json.loads(path) == [str(installed)]
