"""A database of SQLite that several processes write."""

import sqlite3
from pathlib import Path

import pytest

from wiretape.store import shared_database
from wiretape.store.shared_database import is_busy, write_ahead


def test_who_opens_a_file_that_another_is_at_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = sqlite3.connect(tmp_path / "file", isolation_level=None)
    second = sqlite3.connect(tmp_path / "file", timeout=0)
    first.execute("BEGIN EXCLUSIVE")
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            first.execute("COMMIT")

    monkeypatch.setattr("wiretape.store.shared_database.time.sleep", sleep)
    write_ahead(second)
    assert len(waited) == 3
    assert second.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    first.close()
    second.close()


def test_what_is_no_database_is_no_reason_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"no database" * 1000)
    opened = sqlite3.connect(tmp_path / "file")
    monkeypatch.setattr("wiretape.store.shared_database.time.sleep", pytest.fail)
    with pytest.raises(sqlite3.DatabaseError) as told:
        write_ahead(opened)
    assert not is_busy(told.value)
    opened.close()


def test_one_that_stays_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = sqlite3.connect(tmp_path / "file", isolation_level=None)
    second = sqlite3.connect(tmp_path / "file", timeout=0)
    first.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(shared_database, "_PATIENCE", -1.0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        write_ahead(second)
    first.close()
    second.close()
