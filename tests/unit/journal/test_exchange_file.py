"""An exchange's file: what it gives back however it was cut, and to nobody without its key."""

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wiretape.journal.exchange_file import EntryKind, EntryReader, JournalEntry, Record, Stage, StoredExchange

KEY = AESGCM(bytes(32))
RECORDS = [
    Record(EntryKind.BEGIN, 0.0, b"{}"),
    Record(EntryKind.BODY, 0.0, b"body"),
    Record(EntryKind.HEAD, 1.25, b"[200, []]"),
    Record(EntryKind.PIECE, 2.5, b"data: one\n\n"),
    Record(EntryKind.PIECE, 3.5, b""),
    Record(EntryKind.PIECE, 4.5, b"\x00" * 50),
    Record(EntryKind.ENDED, 5.5, b""),
]


def written(folder: Path, number: int = 7) -> tuple[JournalEntry, list[int]]:
    """A file with all of them, and where each of them ends."""
    entry, ends = JournalEntry(KEY, folder, number), []
    for record in RECORDS:
        entry.append(record.kind, record.at, record.data)
        ends.append(entry.size)
    return entry, ends


def read(path: Path, number: int = 7, key: AESGCM = KEY) -> list[Record]:
    reader, found = EntryReader(key, number, path), []
    while record := reader.next():
        found.append(record)
    reader.close()
    return found


def test_what_is_appended_is_read_again(tmp_path: Path) -> None:
    entry, _ = written(tmp_path)
    assert read(entry.path) == RECORDS
    assert entry.path.stat().st_size == entry.size
    assert b"data: one" not in entry.path.read_bytes()


def test_a_file_that_is_cut_at_any_byte_gives_what_is_whole_before(tmp_path: Path) -> None:
    entry, ends = written(tmp_path)
    data, cut = entry.path.read_bytes(), tmp_path / "cut"
    for size in range(len(data) + 1):
        cut.write_bytes(data[:size])
        assert read(cut) == RECORDS[: sum(end <= size for end in ends)], size


def test_a_bit_that_flips_ends_the_file_before_it(tmp_path: Path) -> None:
    entry, ends = written(tmp_path)
    data, flipped = entry.path.read_bytes(), tmp_path / "flipped"
    for place in range(len(data)):
        flipped.write_bytes(data[:place] + bytes([data[place] ^ 16]) + data[place + 1 :])
        assert read(flipped) == RECORDS[: sum(end <= place for end in ends)], place


def test_nothing_is_read_with_another_key_nor_under_another_number(tmp_path: Path) -> None:
    entry, _ = written(tmp_path)
    assert read(entry.path, key=AESGCM(b"\1" * 32)) == []
    assert read(entry.path, number=8) == []


def test_no_record_can_be_moved(tmp_path: Path) -> None:
    entry, ends = written(tmp_path)
    data, moved = entry.path.read_bytes(), tmp_path / "moved"
    moved.write_bytes(data[: ends[2]] + data[ends[3] :])
    assert read(moved) == RECORDS[:3]


def test_two_read_at_their_own_pace_while_it_grows(tmp_path: Path) -> None:
    entry = JournalEntry(KEY, tmp_path, 7)
    quick, slow = entry.reader(), entry.reader()
    assert quick.next() is None
    for record in RECORDS[:4]:
        entry.append(record.kind, record.at, record.data)
        assert quick.next() == record
    assert quick.next() is None
    assert [slow.next() for _ in range(5)] == [*RECORDS[:4], None]
    for record in RECORDS[4:]:
        entry.append(record.kind, record.at, record.data)
        assert (quick.next(), slow.next()) == (record, record)


def test_a_large_piece_and_one_that_ends_where_the_window_does(tmp_path: Path) -> None:
    entry = JournalEntry(KEY, tmp_path, 1)
    pieces = [os.urandom(size) for size in (65536 - 29, 1, 3_000_000, 65536, 10)]
    for piece in pieces:
        entry.append(EntryKind.PIECE, 0, piece)
    assert [record.data for record in read(entry.path, 1)] == pieces


def test_nothing_is_appended_after_a_failure_nor_over_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = JournalEntry(KEY, tmp_path, 7)
    entry.append(EntryKind.BEGIN, 0, b"{}")

    def half(file: int, data: bytes) -> int:
        if len(data) < 40:
            raise OSError(28, "No space left on device")
        return os.pwrite(file, data[:25], entry.size)

    with monkeypatch.context() as patched:
        patched.setattr("wiretape.journal.exchange_file.os.write", half)
        with pytest.raises(OSError, match="No space"):
            entry.append(EntryKind.PIECE, 1, b"piece")
    with pytest.raises(OSError, match="has failed before"):
        entry.append(EntryKind.PIECE, 2, b"piece")
    assert [record.kind for record in read(entry.path)] == [EntryKind.BEGIN]
    with pytest.raises(FileExistsError):
        JournalEntry(KEY, tmp_path, 7)


def test_only_its_user_can_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        entry = JournalEntry(KEY, tmp_path, 1)
    finally:
        os.umask(before)
    assert stat.S_IMODE(entry.path.stat().st_mode) == 0o600
    entry.close()


def test_the_name_says_whose_turn_it_is(tmp_path: Path) -> None:
    entry = JournalEntry(KEY, tmp_path, 12)
    assert StoredExchange.of(entry.path) == StoredExchange(entry.path, 12, Stage.LIVE, 12)
    entry.hand_over(3)
    assert StoredExchange.of(entry.path) == StoredExchange(entry.path, 12, Stage.ENDED, 3)
    for other in ("owner.lock", "writer.lock", "1-2.live", "1.ended", "x-1.ended", "-.ended", "\u0661.live", ".live"):
        assert StoredExchange.of(tmp_path / other) is None
    entry.discard()
    entry.discard()
    assert [*tmp_path.iterdir()] == []
