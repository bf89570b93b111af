"""When recordings were made: by their captures, else by commits, else by nothing."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wiretape.recording.capture import Origin
from wiretape.store import committed
from wiretape.store.directory import DirectoryStore
from wiretape.tape.ages import Ages
from wiretape.tape.background import StillReadingError

CAPTURED = Origin("", "2026-01-02T03:04:05Z", "", "1", 1.0)
AT = 1_767_323_045.0


class Bucket:
    """Any store that is no folder."""


@pytest.fixture(name="ages")
def _ages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ages:
    folder = tmp_path / "main" / "responses"
    folder.mkdir(parents=True)
    for name in ("old", "changed", "strange"):
        (folder / f"{name}.json").write_text("{}")
        os.utime(folder / f"{name}.json", (1000, 1000))
    (tmp_path / "main" / "wire").mkdir()
    (tmp_path / "main" / "responses" / "captured.json").write_text("{}")
    (tmp_path / "main" / "wire" / "captured.json").write_text("{}")

    def of_git(_: Path, names: list[str]) -> dict[str, float]:
        assert sorted(names) == ["changed.json", "old.json", "strange.json"], "a capture tells it better"
        return {"old.json": 5.0, "changed.json": 6.0}

    monkeypatch.setattr(committed, "committed", of_git)
    return Ages(DirectoryStore(tmp_path))


def read(ages: Ages, session: str) -> None:
    """Wait for the commits, as who looks something up does."""
    try:
        ages.wait_for_commits(session)
    except StillReadingError as e:
        e.done.result(60)
    ages.wait_for_commits(session)


def test_a_capture_goes_first_then_a_commit_then_a_change_since_then(ages: Ages, tmp_path: Path) -> None:
    read(ages, "main")
    assert ages.recorded_at("main", "old", CAPTURED) == AT
    assert ages.recorded_at("main", "old", None) == 5.0
    assert ages.recorded_at("main", "strange", None) is None
    os.utime(tmp_path / "main" / "responses" / "changed.json", (2000, 2000))
    assert ages.recorded_at("main", "changed", None) == 2000.0


def test_commits_are_read_once_and_beside(ages: Ages, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Callable[[], None]] = []
    begin = ages._background.begin

    def counted(work: Callable[[], None]) -> object:
        begun.append(work)
        return begin(work)

    monkeypatch.setattr(ages._background, "begin", counted)
    read(ages, "main")
    read(ages, "main")
    assert len(begun) == 1


def test_of_a_capture_that_tells_no_time_nothing_is_known(ages: Ages) -> None:
    assert ages.recorded_at("main", "strange", Origin("", "yesterday", "", "1", 1.0)) is None


def test_a_bucket_has_no_commits() -> None:
    ages = Ages(Bucket())  # type: ignore[arg-type]
    ages.wait_for_commits("main")
    assert ages.recorded_at("main", "old", None) is None


def test_what_was_said_is_no_news() -> None:
    ages = Ages(Bucket())  # type: ignore[arg-type]
    assert [ages.is_news("a"), ages.is_news("a"), ages.is_news("b")] == [True, False, True]
