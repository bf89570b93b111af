"""Which recordings nobody asked for, by calls of many runs."""

from pathlib import Path

import pytest

from builders import came, chat, name_of, tape_of
from wiretape.call_log.call import Call, Outcome
from wiretape.call_log.log import CallLog
from wiretape.call_log.reader import CallReader
from wiretape.library import compare, unused
from wiretape.library.unused import Evidence, Unused
from wiretape.policy import Mode, Takes
from wiretape.recording import RecordedRequest
from wiretape.recording.capture import Origin
from wiretape.store.base import WIRE
from wiretape.store.directory import DirectoryStore

MADE = Origin("", "2026-01-01T00:00:00Z", "", "1", 1.0)
ONE, TWO, THREE = chat("one"), chat("two"), chat("three")


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> DirectoryStore:
    """A session with three requests, of which the second has two takes."""
    store = DirectoryStore(tmp_path / "recordings")
    tape = tape_of(store, "main", Mode.RECORD, takes=Takes.SEQUENCE)
    for request in (ONE, TWO, TWO, THREE):
        tape.record(request, came("Hi"), MADE)
    return store


def name(request: RecordedRequest) -> str:
    return name_of(request).removesuffix(".json")


def hit(recording: str, session: str = "main", recorded_in: str = "", at: float = 100.0) -> Call:
    return Call(at, session, "replay", Outcome.HIT, recording=recording, recorded_in=recorded_in or session)


def known(folder: Path, runs: dict[str, list[Call]], since: float = 0.0) -> Evidence:
    """What is known of runs, each in a file of its own."""
    files = []
    for run, calls in runs.items():
        log = CallLog(folder / f"{run}.sqlite", run)
        for call in calls:
            log.add(call)
        log.close()
        files.append(folder / f"{run}.sqlite")
    return unused.evidence(CallReader(files), since)


def found(store: DirectoryStore, by: Evidence) -> Unused:
    return unused.find(compare.contents(store, "main"), by)


def test_what_no_run_has_asked_for_is_unused(store: DirectoryStore, tmp_path: Path) -> None:
    by = known(tmp_path, {"first": [hit(name(ONE)), hit(name(ONE))], "second": [hit(name(THREE), at=200.0)]})
    of_main = found(store, by)
    assert [each.names for each in of_main.requests] == [(name(TWO), f"{name(TWO)}.2")]
    assert (of_main.count, of_main.recordings, of_main.gone) == (2, 4, ())
    assert (by.runs, by.calls, by.first_at, by.last_at) == (2, 3, 100.0, 200.0)


def test_takes_of_one_request_stay_together(store: DirectoryStore, tmp_path: Path) -> None:
    by = known(tmp_path, {"run": [hit(f"{name(TWO)}.2")]})
    assert [each.names for each in found(store, by).requests] == sorted([(name(ONE),), (name(THREE),)])


def test_what_a_run_has_made_is_used_and_what_it_did_not_find_is_not(store: DirectoryStore, tmp_path: Path) -> None:
    calls = [
        Call(1.0, "main", "record", Outcome.RECORDED, recording=name(ONE), recorded_in="main"),
        Call(1.0, "main", "replay", Outcome.MISS),
        hit("removed"),
    ]
    of_main = found(store, known(tmp_path, {"run": calls}))
    assert name(ONE) not in [each.names[0] for each in of_main.requests]
    assert of_main.gone == ("removed",)


def test_an_answer_from_a_layer_counts_for_the_layer(store: DirectoryStore, tmp_path: Path) -> None:
    by = known(tmp_path, {"run": [hit(name(ONE), session="checkout", recorded_in="main")]})
    assert name(ONE) not in [each.names[0] for each in found(store, by).requests]
    assert (by.judges("checkout"), by.judges("main"), by.tells_of("main")) == (True, False, True)


def test_older_runs_can_be_left_out(store: DirectoryStore, tmp_path: Path) -> None:
    runs = {"old": [hit(name(ONE))], "new": [hit(name(THREE), at=200.0)]}
    assert name(ONE) in [each.names[0] for each in found(store, known(tmp_path, runs, since=150.0)).requests]
    by = known(tmp_path / "none", {}, since=150.0)
    assert (by.runs, by.used, by.judges("main"), by.tells_of("main")) == (0, {}, False, False)


def test_captures_go_with_their_recordings_and_all_else_stays(store: DirectoryStore, tmp_path: Path) -> None:
    of_main = found(store, known(tmp_path, {"run": [hit(name(ONE))]}))
    unused.remove(store, of_main)
    unused.remove(store, of_main)
    assert [*store.scan("main")] == [name(ONE)]
    assert [path.stem for path in (store.root / "main" / WIRE).iterdir()] == [name(ONE)]


def test_what_was_recorded_anew_meanwhile_stays(store: DirectoryStore, tmp_path: Path) -> None:
    of_main = found(store, known(tmp_path, {"run": [hit(name(ONE)), hit(name(TWO))]}))
    tape_of(store, "main", Mode.RECORD).record(THREE, came("another"))
    with pytest.raises(ValueError, match="was recorded anew meanwhile: ask again"):
        unused.remove(store, of_main)
    assert store.exists("main", name(THREE))
