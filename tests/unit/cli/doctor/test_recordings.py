"""The recordings, as the doctor sees them: the store, a sample of what is in it, and its clock."""

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from places import SHIPPED
from wiretape.cli.doctor import recordings
from wiretape.cli.doctor.finding import Finding
from wiretape.policy import Mode
from wiretape.store.opening import StoreUrl


def found(where: object, mode: Mode | None = None) -> dict[str, Finding]:
    return {f"{each.check}, {each.state}": each for each in recordings.findings(StoreUrl(str(where)), mode)}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The shipped recordings, to be changed."""
    shutil.copytree(SHIPPED / "default", tmp_path / "recordings" / "default")
    return tmp_path / "recordings"


def test_sound_ones_are_counted_and_nothing_is_left_behind(copy: Path) -> None:
    before = sorted(copy.rglob("*"))
    assert found(copy).keys() == {"store, ok", "clock, ok", "recordings, ok"}
    assert "4 recordings looked at, and no fault" in found(copy)["recordings, ok"].said
    assert sorted(copy.rglob("*")) == before


def test_of_many_a_sample_is_looked_at_and_its_size_is_told(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "SAMPLE", 2)
    finding = found(copy)["recordings, ok"]
    assert "2 of 4 recordings looked at" in finding.said
    assert finding.advice == "all: wiretape verify"


def test_a_fault_is_told_with_the_first_file(copy: Path) -> None:
    first = min((copy / "default" / "responses").iterdir())
    first.write_text("{}", "utf-8")
    finding = found(copy)["recordings, fault"]
    assert str(first) in finding.said
    assert "wiretape verify" in finding.advice


def test_a_folder_that_is_not_there_yet_is_no_fault(tmp_path: Path) -> None:
    assert found(tmp_path / "none" / "yet").keys() == {"recordings, ok", "store, ok", "clock, ok"}
    assert "record first" in found(tmp_path / "none", Mode.REPLAY)["recordings, ok"].advice


def test_a_place_that_cannot_be_written_to_is_a_fault_unless_nothing_is_recorded(tmp_path: Path) -> None:
    # Root may write everywhere, but not below a file.
    (tmp_path / "file").write_bytes(b"")
    assert "store, fault" in found(tmp_path / "file" / "x")
    assert "store, warning" in found(tmp_path / "file" / "x", Mode.REPLAY)


def test_clocks_that_are_apart_are_told(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "_time_of_writing", lambda place: time.time() - 3600)
    assert "3,600 seconds apart" in found(copy)["clock, warning"].said
    monkeypatch.undo()
    tomorrow = time.time() + 86400
    os.utime(min((copy / "default" / "responses").iterdir()), (tomorrow, tomorrow))
    assert "which is still to come" in found(copy)["clock, warning"].said


def test_a_store_that_is_silent_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(recordings, "_ALTOGETHER", 0.01)
    monkeypatch.setattr(recordings, "_findings", lambda place, mode: iter([never.wait()]))
    try:
        assert "does not answer" in found(tmp_path)["recordings, fault"].said
    finally:
        never.set()


def test_a_bucket_that_there_is_not_is_told_within_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "secret-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    seen = found("s3://bucket/prefix")
    assert seen.keys() == {"store, fault", "recordings, fault"}
    assert "secret" not in str(seen)
