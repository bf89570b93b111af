"""Where the calls to a place of recordings are."""

import stat
from pathlib import Path

import pytest

from wiretape.call_log.places import log_file, make_log_file, named_log_file, run_name


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "state"


def test_each_place_has_its_own(state: Path, tmp_path: Path) -> None:
    file = make_log_file("recordings")
    assert file.parent == state / "wiretape" / "calls"
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert log_file(str(tmp_path / "recordings")) == file, "whoever names it, from wherever"
    assert len({file, log_file("elsewhere"), log_file("s3://bucket/prefix"), log_file("s3://bucket")}) == 4
    assert log_file("s3://bucket/prefix/") == log_file("s3://bucket/prefix")


def test_where_the_state_folder_cannot_be_written_it_is_elsewhere(state: Path) -> None:
    state.mkdir()
    (state / "wiretape").write_text("")
    file = make_log_file("recordings")
    assert state not in file.parents
    file.touch()
    assert log_file("recordings") == file, "it is found there"
    file.unlink()


def test_a_file_that_is_named_is_a_log_or_none_yet(tmp_path: Path) -> None:
    assert named_log_file(str(tmp_path / "calls")) == tmp_path / "calls"
    (tmp_path / "empty").touch()
    named_log_file(str(tmp_path / "empty"))
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"notes\.txt is no log of calls"):
        named_log_file(str(tmp_path / "notes.txt"))
    with pytest.raises(ValueError, match="is a folder"):
        named_log_file(str(tmp_path))


def test_no_two_runs_have_one_name() -> None:
    assert len({run_name() for _ in range(100)}) == 100
