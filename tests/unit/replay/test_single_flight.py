"""What followers are told and when, and what they read."""

import gzip
import zlib
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wiretape.codecs.content_coding import ContentDecoder
from wiretape.journal.exchange_file import EntryKind, JournalEntry
from wiretape.replay.single_flight import FlightEnd, SharedResponse

KEY = AESGCM(bytes(32))


def entry(folder: Path, number: int = 1) -> JournalEntry:
    made = JournalEntry(KEY, folder, number)
    made.append(EntryKind.BEGIN, 0, b"{}")
    made.append(EntryKind.HEAD, 1, b"[]")
    return made


def test_each_change_calls_those_who_wait_once(tmp_path: Path) -> None:
    flight, calls = SharedResponse(), []

    def wait(name: str) -> None:
        flight.call_when_changed(lambda: calls.append(name))

    wait("head")
    flight.begin(200, (("content-type", "text/event-stream"),), entry(tmp_path))
    wait("piece")
    wait("piece too")
    flight.changed()
    flight.changed()
    assert calls == ["head", "piece", "piece too"]
    wait("end")
    flight.end(FlightEnd.BROKE_OFF, "the provider broke off")
    flight.end(FlightEnd.WHOLE)
    assert calls[3:] == ["end"]
    assert (flight.ended, flight.failure) == (True, "the provider broke off")


def test_a_follower_reads_what_came_and_then_what_comes(tmp_path: Path) -> None:
    flight, made = SharedResponse(), entry(tmp_path)
    assert flight.follower() is None
    flight.begin(200, (), made)
    made.append(EntryKind.PIECE, 2, b"one")
    follower = flight.follower()
    assert follower
    assert ([*follower.pieces()], follower.is_behind) == ([b"one"], False)
    made.append(EntryKind.PIECE, 3, b"two")
    made.append(EntryKind.PIECE, 4, b"three")
    assert follower.is_behind
    assert [*follower.pieces()] == [b"two", b"three"]
    made.append(EntryKind.ENDED, 5)
    made.hand_over(1)
    # Written and removed: who follows has it still, who comes now finds the recording.
    late = flight.follower()
    made.path.unlink()
    assert ([*follower.pieces()], follower.is_behind, follower.failure) == ([], False, "")
    assert late
    assert [*late.pieces()] == [b"one", b"two", b"three"]
    assert flight.follower() is None


def test_much_is_read_in_parts(tmp_path: Path) -> None:
    flight, made = SharedResponse(), entry(tmp_path)
    flight.begin(200, (), made)
    pieces = [bytes([number]) * 300_000 for number in range(9)]
    for piece in pieces:
        made.append(EntryKind.PIECE, 1, piece)
    follower = flight.follower()
    assert follower
    read = [*follower.pieces()]
    assert 0 < len(read) < 9
    while follower.is_behind:
        read += follower.pieces()
    assert read == pieces


def test_many_small_ones_are_read_in_parts(tmp_path: Path) -> None:
    flight, made = SharedResponse(), entry(tmp_path)
    flight.begin(200, (), made)
    for number in range(1000):
        made.append(EntryKind.PIECE, number, b"x")
    follower = flight.follower()
    assert follower
    counts = []
    while follower.is_behind:
        counts.append(len([*follower.pieces()]))
    assert (sum(counts), max(counts)) == (1000, 200)


def test_a_journal_that_cannot_be_read_is_the_end(tmp_path: Path) -> None:
    flight, made = SharedResponse(), entry(tmp_path)
    flight.begin(200, (), made)
    made.append(EntryKind.PIECE, 1, b"one")
    made.path.write_bytes(made.path.read_bytes()[:-1] + b"?")
    follower = flight.follower()
    assert follower
    assert ([*follower.pieces()], follower.is_behind) == ([], False)
    assert follower.failure == "the journal cannot be read"


def test_what_cannot_be_read_as_it_comes_is_decoded_in_parts(tmp_path: Path) -> None:
    flight, made = SharedResponse(), entry(tmp_path)
    flight.begin(200, (), made)
    compressor = zlib.compressobj(wbits=31)
    coded = [compressor.compress(bytes(50 << 20)) + compressor.flush(), gzip.compress(b"more")]
    made.append(EntryKind.PIECE, 1, coded[0])
    follower = flight.follower(ContentDecoder("gzip"))
    assert follower
    size, largest = 0, 0
    while follower.is_behind:
        part = sum(map(len, follower.pieces()))
        size, largest = size + part, max(largest, part)
    assert (size, largest < 3 << 20) == (50 << 20, True)
    made.append(EntryKind.PIECE, 2, coded[1])
    assert (b"".join(follower.pieces()), follower.is_behind, follower.failure) == (b"more", False, "")
    made.append(EntryKind.PIECE, 3, b"\x1f\x8b\x08\xff, and no gzip")
    assert follower.is_behind
    assert ([*follower.pieces()], follower.is_behind) == ([], False)
    assert "not what its content coding says" in follower.failure
