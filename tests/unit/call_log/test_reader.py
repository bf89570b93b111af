"""What became of calls, read from logs and from reports."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from wiretape.call_log.call import Call, Outcome
from wiretape.call_log.log import CallLog
from wiretape.call_log.reader import AskedFor, CallReader, Run
from wiretape.call_log.report import ReportWriter

CALLS = [
    Call(1.0, "a", "replay", Outcome.HIT, recording="one", recorded_in="base"),
    Call(2.0, "a", "replay", Outcome.MISS, scope="s1"),
    Call(3.0, "b", "replay", Outcome.HIT, scope="s1", recording="one", recorded_in="base"),
    Call(4.0, "b", "record", Outcome.RECORDED, recording="two", recorded_in="b"),
]


@pytest.fixture(params=["log", "report"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Two calls of a run, and two of another one."""
    path = tmp_path / "calls"
    if request.param == "report":
        with path.open("w", encoding="utf-8") as opened:
            numbered = [replace(each, id=at + 1, run="x" if at < 2 else "y") for at, each in enumerate(CALLS)]
            ReportWriter(opened).write(numbered)
        return path
    for run, calls in (("x", CALLS[:2]), ("y", CALLS[2:])):
        log = CallLog(path, run)
        for call in calls:
            log.add(call)
        log.close()
    return path


def test_calls_are_chosen(file: Path) -> None:
    reader = CallReader([file])
    assert [call.id for call in reader.calls()] == [1, 2, 3, 4]
    assert [call.id for call in reader.calls(session="a")] == [1, 2]
    assert [call.id for call in reader.calls(scope="s1")] == [2, 3]
    assert [call.id for call in reader.calls(run="y")] == [3, 4]
    assert [call.id for call in reader.calls(outcomes=[Outcome.HIT, Outcome.RECORDED])] == [1, 3, 4]
    assert [call.id for call in reader.calls(after=2)] == [3, 4]
    assert [call.id for call in reader.calls(since=3.0)] == [3, 4]
    assert [call.id for call in reader.calls(limit=2)] == [3, 4], "the newest, where nobody says from where"
    assert [call.id for call in reader.calls(after=0, limit=2)] == [1, 2]
    assert reader.calls(session="a", scope="none") == []


def test_calls_before_another_one(file: Path) -> None:
    reader = CallReader([file])
    assert [call.id for call in reader.calls(before=4, limit=2)] == [2, 3]
    assert [call.id for call in reader.calls(before=4, session="a")] == [1, 2]
    assert reader.calls(before=1) == []


def test_one_call(file: Path) -> None:
    reader = CallReader([file])
    assert reader.call(3) == replace(CALLS[2], id=3, run="y")
    assert reader.call(9) is None
    assert reader.newest() == 4


def test_runs(file: Path) -> None:
    assert CallReader([file]).runs() == [Run("x", 1.0, 2.0, 2, {"a"}), Run("y", 3.0, 4.0, 2, {"b"})]


def test_recordings_that_were_asked_for(file: Path) -> None:
    reader = CallReader([file])
    assert reader.recordings() == [
        AskedFor("b", "two", 1, 4.0, {"y"}, {"b"}),
        AskedFor("base", "one", 2, 3.0, {"x", "y"}, {"a", "b"}),
    ]
    assert reader.recordings(session="a") == [AskedFor("base", "one", 1, 1.0, {"x"}, {"a"})]
    assert reader.recordings(scope="s1") == [AskedFor("base", "one", 1, 3.0, {"y"}, {"b"})]
    assert reader.recordings(runs=["y"]) == [
        AskedFor("b", "two", 1, 4.0, {"y"}, {"b"}),
        AskedFor("base", "one", 1, 3.0, {"y"}, {"b"}),
    ]


def test_files_of_several_jobs(tmp_path: Path, file: Path) -> None:
    other = tmp_path / "other"
    log = CallLog(other, "z")
    log.add(replace(CALLS[0], at=1.5))
    log.close()
    reader = CallReader([file, other, tmp_path / "not there"])
    assert [call.run for call in reader.calls()] == ["x", "z", "x", "y", "y"]
    assert [run.run for run in reader.runs()] == ["x", "z", "y"]
    assert reader.recordings(session="a") == [AskedFor("base", "one", 2, 1.5, {"x", "z"}, {"a"})]


def test_what_is_new_is_read_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "calls"
    log = CallLog(path, "r")
    reader = CallReader([path])
    assert reader.calls(session="a", after=0) == [], "nobody has called yet"
    for call in CALLS:
        log.add(call)
    log.flush()
    assert [call.id for call in reader.calls(session="a", after=0)] == [1, 2]
    log.add(CALLS[0])
    log.flush()
    assert [call.id for call in reader.calls(session="a", after=2)] == [5]
    log.close()
    assert reader.calls(after=5) == []


def test_a_log_that_is_just_being_made_has_no_calls(tmp_path: Path) -> None:
    path = tmp_path / "calls"
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("PRAGMA journal_mode = WAL")
        assert path.stat().st_size
        reader = CallReader([path])
        assert (reader.calls(), reader.runs(), reader.recordings(), reader.newest()) == ([], [], [], 0)


def test_another_programs_database_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "other"
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("CREATE TABLE calls (id)")
    with pytest.raises(ValueError, match="other is no log of calls"):
        CallReader([path]).calls()


@pytest.mark.parametrize("text", ["no call\n", '{"at": 5}\n', "[]\n", "SQLite format 3\0" + "x" * 5000])
def test_what_is_neither_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other"
    path.write_text(text)
    for look in (CallReader([path]).calls, CallReader([path]).runs, CallReader([path]).recordings):
        with pytest.raises(ValueError, match="other is no"):
            look()
