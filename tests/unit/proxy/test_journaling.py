"""When the journal is full: new answers wait for the writer, loudly, and no longer than they may."""

import asyncio
import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from wiretape.journal.exchange_file import EntryKind, Stage
from wiretape.journal.folder import Journal
from wiretape.journal.outcome import WriteOutcome
from wiretape.journal.writer_process import WriterProcess
from wiretape.proxy import journaling
from wiretape.proxy.journaling import Journaling
from wiretape.proxy.recorder import LiveRecording, State


class Opened(SimpleNamespace):
    """As much of an exchange as is opened."""

    state = State.WAITING
    number: int | None = None

    async def open(self, journal: Journal) -> None:
        self.number = 99


async def _start(made: Journaling) -> None:
    made.start(is_recording=True)


@pytest.fixture(name="full")
def _full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Journaling, Journal]]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(journaling, "WriterProcess", lambda *_: SimpleNamespace(start=lambda: None))
    made = Journaling(lambda _: None)
    made.limit = 1000
    asyncio.run(_start(made))
    journal = made._journal
    assert journal
    entry = journal.begin()
    entry.append(EntryKind.PIECE, 0, b"x" * 900)
    journal.grown(entry)
    journal.hand_over(entry)
    yield made, journal
    for kept in journal.folder.files(*Stage):
        kept.path.unlink()
    journal.folder.remove()
    journal.release()


def test_a_new_answer_waits_until_there_is_room(
    full: tuple[Journaling, Journal], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made, journal = full
    exchange: Any = Opened()

    async def run() -> None:
        waits, call = asyncio.Event(), journal.call_when_freed

        def call_when_freed(callback: Callable[[], None]) -> None:
            call(callback)
            waits.set()

        monkeypatch.setattr(journal, "call_when_freed", call_when_freed)
        opening = asyncio.create_task(made.open(cast(LiveRecording, exchange)))
        await waits.wait()
        assert exchange.number is None
        journal.folder.files(Stage.ENDED)[0].moved(Stage.RECORDED)
        journal.written(1)
        await opening

    asyncio.run(run())
    assert exchange.number == 99
    assert "929 of 1000 bytes, wiretape_journal): answers wait" in caplog.text


def test_it_passes_when_the_writer_does_not_make_room(
    full: tuple[Journaling, Journal], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made, _ = full
    monkeypatch.setattr(journaling, "_PATIENCE", 0.01)
    for _ in range(3):
        exchange: Any = Opened()
        asyncio.run(made.open(cast(LiveRecording, exchange)))
        assert exchange.number == 99
    assert caplog.text.count("the journal is full") == 1


def test_where_there_is_no_place_for_a_journal_each_is_told_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").write_text("a file")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "state"))
    told: list[str] = []
    made = Journaling(lambda _: None)
    asyncio.run(_start(made))
    for _ in range(3):
        asyncio.run(made.open(cast(LiveRecording, Opened(lose=told.append))))
    assert len(told) == 3
    assert "let XDG_STATE_HOME name a folder" in told[0]
    assert caplog.text.count("nothing can be recorded") == 1
    asyncio.run(made.stop(1.0))


def test_what_its_store_has_refused_takes_of_the_journal_until_it_is_written_after_all(
    full: tuple[Journaling, Journal],
) -> None:
    made, journal = full
    told: list[WriteOutcome] = []
    looks: list[bool] = []

    def written(outcome: WriteOutcome) -> None:
        told.append(outcome)
        if outcome.is_kept:
            journal.kept(outcome.number)

    made._writer = cast(WriterProcess, SimpleNamespace(look=lambda: looks.append(True)))
    made._open[1] = cast(LiveRecording, SimpleNamespace(written=written))
    made._written(journal, WriteOutcome(1, unrecorded=1, is_kept=True))
    made._written(journal, WriteOutcome(1, unrecorded=1, is_kept=True))  # By the next writer.
    assert not looks
    asyncio.run(made.open(cast(LiveRecording, Opened())))
    assert looks
    made._written(journal, WriteOutcome(1, recorded=1))
    made._written(journal, WriteOutcome(1, recorded=1))
    assert [each.is_kept for each in told] == [True, False]


def test_a_journal_that_somebody_has_removed_leaves_no_key(full: tuple[Journaling, Journal]) -> None:
    made, journal = full
    made._writer = cast(WriterProcess, SimpleNamespace(end=lambda: None))
    key = journal._key_file
    shutil.rmtree(journal.folder.path)
    asyncio.run(made.open(cast(LiveRecording, Opened())))
    assert made._journal
    assert made._journal is not journal
    assert key is None or not key.parent.exists()
    made._journal.folder.remove()
    made._journal.release()


def test_what_the_writers_thread_tells_is_heard_by_the_traffics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Counters, flights and the journal's room are then touched by one thread; and it is said once."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    tells: list[Callable[[WriteOutcome], None]] = []
    writer = SimpleNamespace(start=lambda: None, end=lambda: None)

    def start_writer(_: Journal, tell: Callable[[WriteOutcome], None]) -> SimpleNamespace:
        tells.append(tell)
        return writer

    monkeypatch.setattr(journaling, "WriterProcess", start_writer)
    heard: list[tuple[str, int]] = []
    made = Journaling(lambda _: heard.append(("landed", threading.get_ident())))
    exchange = SimpleNamespace(written=lambda _: heard.append(("written", threading.get_ident())))

    def wait(_: float) -> bool:
        for _ in range(2):  # The second time by another writer: the first was killed.
            tells[0](WriteOutcome(1, recorded=1, log=[("wiretape.tape.tape", logging.INFO, "recorded it")]))
        return True

    writer.wait = wait

    async def run() -> None:
        made.start(is_recording=True)
        made._open[1] = cast(LiveRecording, exchange)
        await made.stop(1.0)

    with caplog.at_level(logging.INFO):
        asyncio.run(run())
    assert heard == [("written", threading.get_ident()), ("landed", threading.get_ident())]
    assert caplog.messages.count("recorded it") == 1
    assert made._journal
    made._journal.folder.remove()
