"""Notes of files: kept for any number of processes, and begun anew where anything is wrong with them."""

import logging
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from wiretape.store.notes import Note, Notes

A = Note("a", "state-1", '["x"]', b"outline", b"body")
B = Note("b", "state-2", "[]")


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "notes.sqlite"


@pytest.fixture(name="notes")
def _notes(file: Path) -> Iterator[Notes]:
    notes = Notes(file)
    notes.keep("s", [A, B])
    yield notes
    notes.close()


def test_notes_of_a_session_come_back_without_their_bodies(notes: Notes) -> None:
    assert notes.all("s") == {"a": Note("a", "state-1", '["x"]', b"outline"), "b": B}
    assert notes.all("other") == {}
    assert notes.bodies("s", ["a", "b", "c"]) == {"a": b"body"}
    assert notes.bodies("other", ["a"]) == {}


def test_another_process_sees_them(notes: Notes, file: Path) -> None:
    other = Notes(file)
    assert other.bodies("s", ["a"]) == {"a": b"body"}
    other.keep("s", [Note("b", "state-3", "[1]")])
    other.close()
    assert notes.all("s")["b"].state == "state-3"


def test_a_note_takes_the_place_of_the_former_and_can_be_dropped(notes: Notes) -> None:
    notes.keep("s", [Note("a", "state-9", "[]", b"", b"new")])
    assert notes.all("s")["a"] == Note("a", "state-9", "[]")
    assert notes.bodies("s", ["a"]) == {"a": b"new"}
    notes.drop("s", ["a", "c"])
    assert [*notes.all("s")] == ["b"]
    assert notes.bodies("s", ["a"]) == {}


def test_prompts_are_in_it_so_it_is_its_owners_alone(notes: Notes, file: Path) -> None:
    del notes
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("column", ["state", "head", "outline", "session", "name"])
def test_a_note_that_the_disk_has_changed_is_none(notes: Notes, file: Path, column: str) -> None:
    notes.close()
    with sqlite3.connect(file) as opened:
        opened.execute(f"UPDATE heads SET {column} = 'other' WHERE name = 'a'")
        opened.execute("UPDATE bodies SET body = X'00' WHERE name = 'a'")
    opened.close()
    assert [*notes.all("s"), *notes.all("other")] == ["b"]
    assert notes.bodies("s", ["a"]) == {}


@pytest.mark.parametrize(
    "data", [b"no database at all, but longer than the head of one" * 10, b"SQLite format 3\0" + b"\xff" * 4096]
)
def test_what_is_no_file_of_notes_is_begun_anew(file: Path, data: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(data)
    notes = Notes(file)
    assert notes.all("s") == {}
    notes.keep("s", [B])
    assert notes.all("s") == {"b": B}
    notes.close()


def test_notes_of_another_form_are_begun_anew(notes: Notes, file: Path) -> None:
    notes.close()
    with sqlite3.connect(file) as opened:
        opened.execute("PRAGMA user_version = 77")
    opened.close()
    assert notes.all("s") == {}
    notes.keep("s", [B])
    assert notes.all("s") == {"b": B}


def test_full_notes_are_begun_anew(file: Path) -> None:
    notes = Notes(file, limit=1)
    notes.keep("s", [Note("big", "s", "x" * 200_000)])
    assert notes.all("s") == {}
    notes.keep("s", [B])
    assert notes.all("s") == {"b": B}
    assert file.stat().st_size < 100_000
    notes.close()


def test_where_none_can_be_kept_that_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    notes = Notes(tmp_path / "file" / "notes")
    with caplog.at_level(logging.WARNING):
        notes.keep("s", [A])
        assert notes.all("s") == {}
    assert len(caplog.records) == 1
    assert "is not kept" in caplog.text
    notes.close()


def test_notes_that_another_process_has_locked_stay(notes: Notes, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **more: real(path, **{**more, "timeout": 0.0}))
    impatient = Notes(file)
    other = real(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert impatient.all("s") == {}
    other.execute("COMMIT")
    other.close()
    assert [*impatient.all("s")] == ["a", "b"]
    impatient.close()
    assert [*notes.all("s")] == ["a", "b"]


# -- what rules make of files ------------------------------------------------------------------------------------------


def test_what_rules_make_of_files_is_kept_by_session_and_rules(notes: Notes, file: Path) -> None:
    notes.keep_reduced("s", "some rules", [("a", "state-1", b"form"), ("b", "state-2", b"")])
    notes.keep_reduced("s", "other rules", [("a", "state-1", b"other form")])
    notes.keep_reduced("s", "some rules", [("b", "state-3", b"new")])
    other = Notes(file)
    assert sorted(other.reduced("s", "some rules")) == [("a", "state-1", b"form"), ("b", "state-3", b"new")]
    assert other.reduced("s", "other rules") == [("a", "state-1", b"other form")]
    assert other.reduced("s", "no rules") == []
    assert other.reduced("t", "some rules") == []
    other.close()
    notes.drop("s", ["a"])
    assert notes.reduced("s", "some rules") == [("b", "state-3", b"new")]
    assert notes.reduced("s", "other rules") == []


def test_few_sets_of_rules_are_kept_of_a_session(notes: Notes) -> None:
    for number in range(20):
        notes.keep_reduced("s", f"rules {number}", [("a", "state", b"form")])
    notes.keep_reduced("t", "rules 0", [("a", "state", b"form")])
    kept = [number for number in range(20) if notes.reduced("s", f"rules {number}")]
    assert kept == [12, 13, 14, 15, 16, 17, 18, 19]
    assert notes.reduced("t", "rules 0")


def test_a_changed_row_of_theirs_is_not_believed(notes: Notes, file: Path) -> None:
    notes.keep_reduced("s", "rules", [("a", "state", b"form"), ("b", "state", b"form")])
    notes.close()
    with sqlite3.connect(file) as opened:
        opened.execute("UPDATE reduced SET form = ? WHERE name = 'a'", (b"else",))
    opened.close()
    assert notes.reduced("s", "rules") == [("b", "state", b"form")]
