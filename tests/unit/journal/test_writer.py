"""From a journal to recordings: the same files whatever the way, in order, and nothing twice."""

import json
import logging
import os
import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchanges import BODY, PIECES, begin, body, config, keep
from samples import CHAT, load
from wiretape.journal.exchange_file import EntryKind, Stage, StoredExchange
from wiretape.journal.folder import Journal
from wiretape.journal.outcome import LogCapture, WriteOutcome
from wiretape.journal.stores import Stores
from wiretape.journal.write_job import WriteJob
from wiretape.journal.writer import JournalWriter
from wiretape.policy import Mode, Takes
from wiretape.recording import capture
from wiretape.store.atomic import write_temporary


@pytest.fixture
def log() -> Iterator[LogCapture]:
    handler = LogCapture()
    ours = logging.getLogger("wiretape")
    ours.addHandler(handler)
    level = ours.level
    ours.setLevel(logging.INFO)
    yield handler
    ours.removeHandler(handler)
    ours.setLevel(level)


def writer(journal: Journal, log: LogCapture) -> JournalWriter:
    return JournalWriter(journal.folder, Stores(), log)


def told(outcomes: list[WriteOutcome]) -> list[tuple[int, int, int]]:
    return [(each.number, each.recorded, each.unrecorded) for each in outcomes]


def names(root: Path) -> list[str]:
    return sorted(path.stem for path in root.glob("default/responses/*.json"))


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_an_exchange_becomes_the_recording(journal: Journal, log: LogCapture, tmp_path: Path) -> None:
    root = tmp_path / "recordings"
    keep(journal, config(root))
    keep(journal, config(root), status=500)
    keep(journal, config(root), b"[")
    keep(journal, config(root), body("cut"), pieces=PIECES[:5], last=EntryKind.BROKE_OFF)
    # Whoever has seen the last event has the answer, whatever the connection did then.
    keep(journal, config(root), body("left"), last=EntryKind.BROKE_OFF)
    outcomes = [*writer(journal, log).write_ended()]
    assert told(outcomes) == [(1, 1, 0), (2, 0, 1), (3, 0, 1), (4, 0, 1), (5, 1, 0)]
    assert not any(each.is_kept or each.is_unfinished for each in outcomes)
    assert (root / "default" / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()
    made = capture.loads((root / "default" / "wire" / CHAT.name).read_bytes())
    assert made.origin
    assert (made.origin.by, made.origin.at, made.origin.client) == ("ci", "2026-01-31T12:00:00Z", "curl/8.5.0")
    assert made.chunks == PIECES
    said = [[message for _, _, message in each.log] for each in outcomes]
    assert [len(lines) for lines in said] == [1, 1, 1, 1, 1]
    assert "status 500" in said[1][0]
    assert journal.folder.files(Stage.ENDED, Stage.LIVE) == []


def test_it_can_be_large_and_is_written_the_same(
    journal: Journal, log: LogCapture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for root, limit in ((tmp_path / "grouped", 1 << 20), (tmp_path / "single", 0)):
        monkeypatch.setattr("wiretape.journal.writer._LARGE", limit)
        for word in ("a", "b", "a"):
            keep(journal, config(root), body(word))
        assert sum(each.recorded for each in writer(journal, log).write_ended()) == 3
    one, other = ([(path.name, path.read_bytes()) for path in files(tmp_path / name)] for name in ("grouped", "single"))
    assert one == other
    assert len(one) == 4


def test_takes_are_numbered_in_the_order_of_their_ends(journal: Journal, log: LogCapture, tmp_path: Path) -> None:
    how = config(tmp_path, takes=Takes.SEQUENCE)
    first, second = (
        keep(journal, how, last=None, pieces=(PIECES[0].replace(b'"id":"', b'"id":"%d' % n), *PIECES[1:]))
        for n in (1, 2)
    )
    for entry in (second, first):
        entry.append(EntryKind.ENDED, 9)
        journal.hand_over(entry)
    assert told([*writer(journal, log).write_ended()]) == [(2, 1, 0), (1, 1, 0)]
    ids = [
        load(tmp_path / "default" / "responses" / name)["response"]["body"][0]["__data__"]["id"][0]
        for name in (CHAT.name, f"{CHAT.stem}.2.json")
    ]
    assert ids == ["2", "1"]


@pytest.mark.parametrize("says_so", [True, False])
@pytest.mark.parametrize("takes", [Takes.LAST, Takes.SEQUENCE])
def test_what_a_killed_writer_has_written_is_not_written_twice(  # noqa: PLR0917
    takes: Takes,
    says_so: bool,
    journal: Journal,
    log: LogCapture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = tmp_path / "recordings"
    for word in ("a", "b"):
        keep(journal, config(root, takes=takes), body(word))
    if says_so:
        next(writer(journal, log).write_ended())
    else:

        def killed(*_: object) -> None:
            raise SystemExit

        with monkeypatch.context() as patched:
            patched.setattr(StoredExchange, "moved", killed)
            with pytest.raises(SystemExit):
                next(writer(journal, log).write_ended())
    before = [(path, path.read_bytes()) for path in files(root)]
    assert len(before) == 4
    again = writer(journal, log)
    assert told([*again.told_again()]) == [(1, 1, 0)] * says_so
    assert [each.recorded for each in again.write_ended()] == [1] * (2 - says_so)
    assert [(path, path.read_bytes()) for path in files(root)] == before


def test_a_name_that_another_process_takes_meanwhile_costs_no_take(
    journal: Journal, log: LogCapture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "default" / "responses" / CHAT.name

    def meanwhile(path: Path, data: bytes) -> tuple[int, Path]:
        if not theirs.exists():
            theirs.parent.mkdir(parents=True)
            theirs.write_bytes(CHAT.read_bytes().replace(b"Hello", b"HELLO"))
        return write_temporary(path, data)

    monkeypatch.setattr("wiretape.store.grouped.write_temporary", meanwhile)
    keep(journal, config(tmp_path, takes=Takes.SEQUENCE))
    (outcome,) = writer(journal, log).write_ended()
    assert outcome.recorded == 1
    assert len(outcome.log) == 1
    # Theirs is of the same name and another request: ours has a name that says more.
    (ours,) = set(names(tmp_path)) - {CHAT.stem}
    assert ours.startswith(CHAT.stem)
    digest = capture.digest((tmp_path / "default" / "responses" / f"{ours}.json").read_bytes())
    assert capture.loads((tmp_path / "default" / "wire" / f"{ours}.json").read_bytes()).recording == digest


def test_what_the_store_refuses_stays_and_is_tried_by_the_next(
    journal: Journal, log: LogCapture, tmp_path: Path
) -> None:
    root = tmp_path / "recordings"
    root.write_text("no folder")
    keep(journal, config(root))
    worker = writer(journal, log)
    (outcome,) = worker.write_ended()
    assert (outcome.recorded, outcome.unrecorded, outcome.is_kept) == (0, 1, True)
    assert [*worker.write_ended()] == []
    assert [*worker.finish()] == []
    assert journal.folder.path.exists()
    root.unlink()
    assert [each.recorded for each in writer(journal, log).finish()] == [1]
    assert names(root) == [CHAT.stem]
    assert not journal.folder.path.exists()


def test_what_the_store_has_refused_is_written_when_it_works_again(
    journal: Journal, log: LogCapture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 0.0
    monkeypatch.setattr("wiretape.journal.writer.time.monotonic", lambda: clock)
    root = tmp_path / "recordings"
    root.write_text("no folder")
    words = [body(word) for word in "abc"]
    for word in words:
        keep(journal, config(root), word)
    worker = writer(journal, log)
    assert [each.is_kept for each in worker.write_ended()] == [True] * 3
    for _ in range(3):
        clock += 10
        assert [*worker.write_ended()] == []
    root.unlink()
    assert [*worker.write_ended()] == []  # Not looked at for each answer that ends.
    clock += 10
    keep(journal, config(root), body("d"))
    assert [(each.number, each.recorded) for each in worker.write_ended()] == [(1, 1), (2, 1), (3, 1), (4, 1)]
    assert len(names(root)) == 4


def test_at_the_end_what_was_under_way_is_judged_by_what_came(
    journal: Journal, log: LogCapture, tmp_path: Path
) -> None:
    root, whole = tmp_path / "recordings", len(PIECES)
    for count in range(whole + 1):
        keep(journal, config(root), body(count), pieces=PIECES[:count], last=None)
    journal.begin()
    worker = writer(journal, log)
    assert [*worker.write_ended()] == []
    outcomes = [*worker.finish()]
    # The last piece is the one that says that it was the last.
    assert [each.recorded for each in outcomes] == [0] * whole + [1]
    assert [each.is_unfinished for each in outcomes] == [True] * whole + [False]
    assert not journal.folder.path.exists()


def test_an_answer_in_one_piece_that_had_not_ended_is_none(journal: Journal, log: LogCapture, tmp_path: Path) -> None:
    asked = json.dumps({**json.loads(BODY), "stream": False}).encode()
    keep(journal, config(tmp_path / "recordings"), asked, pieces=(b'{"choices": []}',), last=None)
    (outcome,) = writer(journal, log).finish()
    assert (outcome.recorded, outcome.is_unfinished) == (0, True)


def test_a_torn_file_is_dropped_and_harms_no_other(journal: Journal, log: LogCapture, tmp_path: Path) -> None:
    root = tmp_path / "recordings"
    torn = keep(journal, config(root), body("torn"), last=None)
    keep(journal, config(root))
    torn.path.write_bytes(torn.path.read_bytes()[:20])
    outcomes = [*writer(journal, log).finish()]
    assert sorted((each.recorded, each.is_unfinished) for each in outcomes) == [(0, True), (1, False)]


def test_a_damaged_file_is_told_from_a_torn_one(journal: Journal, log: LogCapture, tmp_path: Path) -> None:
    damaged = keep(journal, config(tmp_path / "recordings"))
    data = damaged.path.read_bytes()
    damaged.path.write_bytes(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])
    (outcome,) = writer(journal, log).write_ended()
    assert (outcome.recorded, outcome.unrecorded, outcome.is_lost, outcome.is_unfinished) == (0, 1, True, False)
    assert "RECORDING LOST" in outcome.log[0][2]


def test_of_what_kills_each_writer_not_all_die(
    journal: Journal, log: LogCapture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wiretape.journal.writer._LARGE", 0)
    root = tmp_path / "recordings"
    for word in ("a", "b"):
        keep(journal, config(root), body(word))

    def killed(*_: object) -> bool:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(WriteJob, "write", killed)
        for _ in range(8):
            with pytest.raises(SystemExit):
                next(writer(journal, log).write_ended())
    outcomes = [*writer(journal, log).write_ended()]
    assert [(each.number, each.recorded, each.is_lost) for each in outcomes] == [(1, 0, True), (2, 1, False)]
    assert "8 processes were killed while they wrote" in outcomes[0].log[0][2]


def test_more_than_a_group(journal: Journal, log: LogCapture, tmp_path: Path) -> None:
    for number in range(150):
        keep(journal, config(tmp_path, mode=Mode.RECORD_IF_MISSING), body(number))
    assert told([*writer(journal, log).write_ended()]) == [(number, 1, 0) for number in range(1, 151)]
    assert len(names(tmp_path)) == 150


def test_what_is_no_file_of_a_journal_is_passed_over_or_told(journal: Journal, log: LogCapture, tmp_path: Path) -> None:
    root, folder = tmp_path / "recordings", journal.folder.path
    keep(journal, config(root))
    for name in ("99999999999-99999999999.ended", "99999999999.live", "-1.live", "1-.ended", "x.ended", "00000001"):
        (folder / name).write_bytes(b"garbage" * 9)
    with (folder / "00000007.live").open("wb") as sparse:
        sparse.write(struct.pack("<IBd", (1 << 30) - 1, 1, 0.0))
        sparse.truncate(1 << 30)
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "00000008.live")
        (folder / "00000009.live").symlink_to("/dev/zero")
    tracemalloc.start()
    outcomes = [*writer(journal, log).finish()]
    assert tracemalloc.get_traced_memory()[1] < 100_000_000
    tracemalloc.stop()
    assert {each.number: each.is_lost for each in outcomes if each.number > 1} == dict.fromkeys(
        (7, 8, 9) if hasattr(os, "mkfifo") else (7,), True
    )
    assert [each.recorded for each in outcomes if each.number == 1] == [1]


@pytest.mark.parametrize("change", [{"more": 1}, {"mode": "another"}, {"session": None}])
def test_what_another_version_has_left_stays_for_that(
    change: dict[str, Any], journal: Journal, log: LogCapture, tmp_path: Path
) -> None:
    entry = journal.begin()
    asked = json.loads(begin(journal, config(tmp_path / "recordings")).reader().next().data)  # type: ignore[union-attr]
    asked[0] |= change
    if None in change.values():
        del asked[0]["session"]
    entry.append(EntryKind.BEGIN, 0, json.dumps(asked).encode())
    journal.hand_over(entry)
    keep(journal, config(tmp_path / "recordings"))
    outcomes = {each.number: each for each in writer(journal, log).finish()}
    assert (outcomes[1].is_kept, outcomes[1].is_lost) == (True, False)
    assert "another version" in outcomes[1].log[0][2]
    assert [kept.number for kept in journal.folder.files(Stage.ENDED)] == [1]
    assert names(tmp_path / "recordings") == [CHAT.stem]
    for kept in journal.folder.files(*Stage):
        kept.path.unlink()
