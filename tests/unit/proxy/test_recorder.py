"""The tap on a live answer: what is in the journal at the moment at which the client can have it."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.test import tflow, tutils

from builders import tape_of
from exchanges import BODY, PIECES, ROUTE
from wiretape.call_log.call import Outcome
from wiretape.journal.exchange_file import EntryKind, EntryReader, Stage
from wiretape.journal.folder import Journal
from wiretape.journal.outcome import WriteOutcome
from wiretape.journal.write_job import WriteJob
from wiretape.policy import Mode
from wiretape.providers.usage import Usage
from wiretape.proxy import recorder
from wiretape.proxy.admission import Grant
from wiretape.proxy.open_call import OpenCall
from wiretape.proxy.recorder import LiveRecording, State
from wiretape.replay.single_flight import FlightEnd
from wiretape.store.directory import DirectoryStore
from wiretape.store.opening import StoreUrl


class Tapped:
    """An exchange whose request was sent, its journal, and the end of its stream that mitmproxy calls."""

    def __init__(self, folder: Path, limit: int = 1 << 30) -> None:
        self.tape = tape_of(DirectoryStore(folder), "default", Mode.RECORD)
        self.journal = Journal.create(limit)
        request = tutils.treq(content=BODY, headers=http.Headers(content_type="application/json", user_agent="curl/8"))
        assert ROUTE
        flow = tflow.tflow(req=request)
        self.told: list[OpenCall] = []
        self.exchange = LiveRecording(
            self.tape,
            StoreUrl(str(folder)),
            ROUTE,
            flow,
            body=BODY,
            test_id=None,
            since=0.0,
            call=OpenCall(Grant(self.tape), 0.0, self.told.append),
            by="ci",
        )

    def begin(self, http_version: str = "HTTP/2.0", **headers: str) -> Any:
        """The head of the answer comes; gives the stream's callable."""
        asyncio.run(self.exchange.open(self.journal))
        response = http.Response.make(200, b"", {"content-type": "text/event-stream"})
        response.http_version = http_version
        response.headers.pop("content-length", None)
        for name, value in headers.items():
            response.headers[name.replace("_", "-")] = value
        self.exchange.tap(response)
        return response.stream

    def records(self) -> list[tuple[EntryKind, bytes]]:
        """What somebody finds who comes when the proxy is killed now."""
        (kept,) = self.journal.folder.files(Stage.ENDED, Stage.LIVE)
        reader: EntryReader = kept.reader(self.journal.folder.cipher)
        found = []
        while record := reader.next():
            found.append((record.kind, record.data))
        reader.close()
        return found

    def kinds(self) -> list[EntryKind]:
        return [kind for kind, _ in self.records()]


@pytest.fixture(name="tapped")
def _tapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tapped]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    tapped = Tapped(tmp_path / "recordings")
    yield tapped
    for kept in tapped.journal.folder.files(Stage.ENDED, Stage.LIVE):
        kept.path.unlink()
    tapped.journal.folder.remove()
    tapped.journal.release()


BEGUN = [EntryKind.BEGIN, EntryKind.BODY, EntryKind.HEAD]


def test_a_piece_is_in_the_journal_before_it_is_passed_on(tapped: Tapped) -> None:
    keep = tapped.begin()
    for number, piece in enumerate(PIECES, 1):
        assert keep(piece) is piece
        assert tapped.records()[3:] == [(EntryKind.PIECE, each) for each in PIECES[:number]]
    # mitmproxy calls this before it sends the end.
    assert keep(b"") == b""
    assert tapped.kinds()[-1] is EntryKind.ENDED
    assert tapped.exchange.state is State.HANDED_OVER
    assert tapped.told == [], "it is not known yet whether it is recorded"
    tapped.exchange.finish(EntryKind.BROKE_OFF)
    assert tapped.kinds().count(EntryKind.ENDED) == 1


def test_where_the_length_is_known_the_end_is_there_before_the_last_piece_is_passed_on(tapped: Tapped) -> None:
    keep = tapped.begin(content_length="10")
    keep(b"01234")
    assert tapped.kinds() == [*BEGUN, EntryKind.PIECE]
    keep(b"56789")
    assert tapped.kinds() == [*BEGUN, EntryKind.PIECE, EntryKind.PIECE, EntryKind.ENDED]
    # The client leaves when it has all: that changes nothing.
    tapped.exchange.finish(EntryKind.BROKE_OFF)
    assert tapped.kinds()[-1] is EntryKind.ENDED


def test_an_answer_without_a_body_has_ended_with_its_head(tapped: Tapped) -> None:
    tapped.begin(content_length="0")
    assert tapped.kinds() == [*BEGUN, EntryKind.ENDED]


@pytest.mark.parametrize("length", ["", "-1", "1_0", "\u0661", "x", "9" * 5000])
def test_a_length_that_is_none_is_no_end(length: str, tapped: Tapped) -> None:
    keep = tapped.begin(content_length=length.encode().decode("latin-1"))
    keep(b"0")
    assert tapped.exchange.state is State.OPEN


@pytest.mark.parametrize(("ended", "last"), [(True, EntryKind.ENDED), (False, EntryKind.BROKE_OFF)])
def test_what_the_hooks_say_of_its_end(ended: bool, last: EntryKind, tapped: Tapped) -> None:
    tapped.begin()(PIECES[0])
    tapped.exchange.finish(EntryKind.ENDED if ended else EntryKind.BROKE_OFF)
    assert tapped.kinds() == [*BEGUN, EntryKind.PIECE, last]


@pytest.mark.parametrize(
    ("http_version", "headers", "is_framed"),
    [
        ("HTTP/2.0", {}, True),
        ("HTTP/1.1", {"transfer_encoding": "chunked"}, True),
        ("HTTP/1.1", {"transfer_encoding": "gzip, Chunked"}, True),
        ("HTTP/1.1", {"content_length": "5"}, True),
        ("HTTP/1.1", {}, False),
        ("HTTP/1.0", {}, False),
        ("HTTP/1.1", {"transfer_encoding": "identity"}, False),
    ],
)
def test_the_writer_is_told_whether_the_framing_has_shown_the_end(
    http_version: str, headers: dict[str, str], is_framed: bool, tapped: Tapped
) -> None:
    keep = tapped.begin(http_version, **headers)
    keep(b"12345")
    keep(b"")
    (kept,) = tapped.journal.folder.files(Stage.ENDED, Stage.LIVE)
    job = WriteJob.read(kept.reader(tapped.journal.folder.cipher))
    assert job
    assert job.has_last
    assert job.arrived
    assert (job.arrived.ended, job.arrived.is_framed) == (True, is_framed)


def test_the_writer_gets_what_was_asked_and_what_came(tapped: Tapped) -> None:
    keep = tapped.begin()
    for piece in PIECES:
        keep(piece)
    keep(b"")
    (kept,) = tapped.journal.folder.files(Stage.ENDED, Stage.LIVE)
    job = WriteJob.read(kept.reader(tapped.journal.folder.cipher))
    assert job
    assert job.arrived
    assert (job.body, job.arrived.pieces, job.arrived.ended) == (BODY, PIECES, True)
    assert (job.request.route, job.request.by, job.request.user_agent) == (ROUTE, "ci", "curl/8")
    assert job.arrived.header("content-type") == "text/event-stream"
    assert job.request.config.tape.session == "default"
    assert Path(job.request.config.place.recordings).is_absolute()


def test_no_answer_leaves_nothing(tapped: Tapped, caplog: pytest.LogCaptureFixture) -> None:
    tapped.exchange.finish(EntryKind.BROKE_OFF)
    tapped.exchange.finish(EntryKind.BROKE_OFF)
    assert tapped.journal.folder.files(Stage.ENDED, Stage.LIVE) == []
    assert tapped.tape.counters.unrecorded == 1
    assert "no answer came" in caplog.text
    assert told(tapped) == (Outcome.PASSED, ["no answer came"])


def told(tapped: Tapped) -> tuple[Outcome | None, list[str]]:
    """What is told of the call, once."""
    tapped.exchange.tell()
    tapped.exchange.tell()
    (call,) = tapped.told
    return call.outcome, call.why


def lost(tapped: Tapped, caplog: pytest.LogCaptureFixture, why: str, outcome: Outcome = Outcome.LOST) -> None:
    assert tapped.exchange.state is State.LOST
    assert (tapped.tape.counters.unrecorded, tapped.exchange.flight.ending) == (1, FlightEnd.UNSHARED)
    assert caplog.text.count("RECORDING LOST") == 1
    assert why in caplog.text
    assert tapped.journal.taken == 0
    tapped.exchange.finish(EntryKind.ENDED)
    assert tapped.tape.counters.unrecorded == 1
    told_outcome, (told_why,) = told(tapped)
    assert told_outcome is outcome
    assert why in told_why


def test_a_longer_answer_passes_and_is_lost_loudly(
    tapped: Tapped, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "LIMIT", 10)
    keep = tapped.begin()
    assert [keep(b"012345") for _ in range(5)] == [b"012345"] * 5
    lost(tapped, caplog, "longer than 10 bytes", Outcome.PASSED)
    assert tapped.journal.folder.files(Stage.ENDED, Stage.LIVE) == []


def test_beyond_the_journals_bound_it_passes_and_is_lost_loudly(
    tapped: Tapped, caplog: pytest.LogCaptureFixture
) -> None:
    tapped.journal.limit = 5000
    keep = tapped.begin()
    assert [keep(b"x" * 1000) for _ in range(9)] == [b"x" * 1000] * 9
    lost(tapped, caplog, "the journal is full (5000 bytes, wiretape_journal)")


def test_a_journal_that_fails_harms_no_client(tapped: Tapped, caplog: pytest.LogCaptureFixture) -> None:
    keep = tapped.begin()
    keep(PIECES[0])
    shutil.rmtree(tapped.journal.folder.path)
    # The file is open: what is appended goes nowhere, and that is seen at the end.
    assert keep(PIECES[1]) == PIECES[1]
    assert keep(b"") == b""
    tapped.journal.folder.path.mkdir()
    lost(tapped, caplog, "the journal cannot be written")


def test_a_journal_that_is_not_there_harms_no_client(tapped: Tapped, caplog: pytest.LogCaptureFixture) -> None:
    shutil.rmtree(tapped.journal.folder.path)
    keep = tapped.begin()
    assert (keep(b"x"), keep(b"")) == (b"x", b"")
    tapped.journal.folder.path.mkdir()
    lost(tapped, caplog, "the journal cannot be written")


def test_what_was_written_is_counted_and_makes_room(tapped: Tapped, monkeypatch: pytest.MonkeyPatch) -> None:
    tapped.begin()(b"x")
    tapped.exchange.finish(EntryKind.ENDED)
    refreshed: list[str] = []
    monkeypatch.setattr(tapped.tape, "store", SimpleNamespace(refresh=refreshed.append))
    assert tapped.journal.taken > 0
    tapped.exchange.written(WriteOutcome(1, recorded=1, recording="abc", model="m", usage={"input": 3, "output": 5}))
    assert (tapped.tape.counters.recorded, tapped.journal.taken, refreshed) == (1, 0, ["default"])
    assert told(tapped) == (Outcome.RECORDED, [])
    (call,) = tapped.told
    assert (call.recording, call.recorded_in, call.model, call.usage) == ("abc", "default", "m", Usage(3, output=5))
    assert (call.size, call.status) == (1, 200)


def test_many_large_requests_at_once_have_a_file_each(tmp_path: Path) -> None:
    """Sealing one is done aside; what is counted there is not."""
    journal = Journal.create(1 << 30)
    assert ROUTE
    tape = tape_of(DirectoryStore(tmp_path), "default", Mode.RECORD)
    flow = tflow.tflow(req=tutils.treq())
    call = OpenCall(Grant(tape), 0.0, lambda _: None)
    bodies = [bytes([65 + number]) * 300_000 for number in range(16)]
    exchanges = [
        LiveRecording(tape, StoreUrl(str(tmp_path)), ROUTE, flow, body=body, test_id=None, since=0.0, call=call)
        for body in bodies
    ]

    async def run() -> None:
        await asyncio.gather(*(each.open(journal) for each in exchanges))

    asyncio.run(run())
    assert [each.number for each in exchanges] == [*range(1, 17)]
    assert tape.counters.unrecorded == 0
    for each in exchanges:
        each.finish(EntryKind.BROKE_OFF)
    journal.folder.remove()
    journal.release()
