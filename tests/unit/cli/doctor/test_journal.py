"""The journal, as the doctor sees it: a place for it, and what killed proxies have left."""

from pathlib import Path

import pytest

from wiretape.cli.doctor import journal
from wiretape.cli.doctor.finding import State
from wiretape.journal.folder import Journal


def test_a_place_that_is_not_there_yet_is_made_by_the_first_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    [finding] = journal.findings()
    assert finding.state is State.OK
    assert f"{tmp_path}/state/wiretape/journal" in finding.said
    assert not (tmp_path / "state").exists()


def test_no_place_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write everywhere, but not below a file.
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(journal, "state_folders", lambda: [tmp_path / "file" / "a", tmp_path / "file" / "b"])
    monkeypatch.setattr(journal, "has_leftovers", lambda: False)
    [finding] = journal.findings()
    assert finding.state is State.FAULT
    assert f"{tmp_path}/file/a: Not a directory; {tmp_path}/file/b: " in finding.said
    assert "XDG_STATE_HOME" in finding.advice


def test_what_a_killed_proxy_has_left_is_told_and_that_of_one_that_lives_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    living = Journal.create(1000)
    assert [each.state for each in journal.findings()] == [State.OK]
    living.release()
    left = tmp_path / "wiretape" / "journal" / "1-0123456789abcdef"
    left.mkdir(parents=True)
    assert [each.state for each in journal.findings()] == [State.OK, State.WARNING]
    assert "wiretape recover" in [*journal.findings()][-1].advice
