"""The file of calls: made again where it is gone, put aside where it is damaged, left alone where it is another's."""

import sqlite3
from pathlib import Path

import pytest

from wiretape.call_log.database import CallDatabase, Entry, NotOursError, Row, What


def row(text: str = "x") -> Row:
    return Entry(What("run", "s", "", "hit", "", "", f'"{text}"')), 1.0, None, None


def told(file: Path) -> list[str]:
    with sqlite3.connect(file) as opened:
        return [each for (each,) in opened.execute("SELECT told FROM calls JOIN whats ON number = what ORDER BY id")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


def test_what_is_the_same_is_there_once(file: Path) -> None:
    database = CallDatabase(file, 100)
    again = row()
    assert database.write([again, again, row("y")]) == 1
    assert database.write([again]) == 4
    database.close()
    with sqlite3.connect(file) as opened:
        assert opened.execute("SELECT count(*) FROM whats").fetchone() == (2,)


def test_a_file_that_was_removed_is_made_again(file: Path) -> None:
    database = CallDatabase(file, 100)
    again = row("again")
    database.write([again])
    for each in file.parent.iterdir():
        each.unlink()
    database.write([again])
    database.close()
    assert told(file) == ['"again"']


def test_a_file_that_is_damaged_is_put_aside(file: Path) -> None:
    file.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    database = CallDatabase(file, 100)
    database.write([row()])
    database.close()
    assert told(file) == ['"x"']
    assert file.with_name("calls.sqlite.broken").stat().st_size == 5016


def test_another_programs_database_is_left_alone(file: Path) -> None:
    with sqlite3.connect(file) as opened:
        opened.execute("CREATE TABLE theirs (value)")
    before = file.read_bytes()
    database = CallDatabase(file, 100)
    with pytest.raises(NotOursError):
        database.write([row()])
    database.close()
    with sqlite3.connect(file) as opened:
        assert opened.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]
    assert len(file.read_bytes()) == len(before)


def test_it_is_bounded_in_bytes_too(file: Path) -> None:
    database = CallDatabase(file, 10**6, limit=200_000)
    for at in range(60):
        database.write([row(f"{at}" + "x" * 8000) for _ in range(5)])
    database.close()
    assert file.stat().st_size < 400_000
    kept = told(file)
    assert 5 <= len(kept) < 60
    assert kept[-1].startswith('"59')


def test_a_full_disk_costs_what_does_not_fit_and_nothing_else(file: Path) -> None:
    database = CallDatabase(file, 100)
    database.write([row("first")])
    database.write([row("second")])
    assert database._opened
    database._opened.execute("PRAGMA max_page_count = 1")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        database.write([row("x" * 8000) for _ in range(50)])
    database.write([row("third")])
    database.close()
    assert told(file) == ['"first"', '"second"', '"third"'], "all of a batch is written, or none"
