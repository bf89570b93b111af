"""The process that writes: the same files and the same log as without it, and nothing lost when it dies."""

import io
import json
import logging
import os
import signal
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import from_recording
from samples import CHAT, MODEL
from wiretape import capture, providers, scribe, wire
from wiretape.counters import Counters
from wiretape.finding import Takes
from wiretape.scribe import Job, Scribe, Settings
from wiretape.store.opening import Place
from wiretape.tape import Mode

ROUTE = providers.parse([("builtin", providers.builtin())]).route(
    "POST", "https", "api.fireworks.ai", 443, "/inference/v1/chat/completions"
)
BODY = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "Hello, world!"}], "stream": True}).encode()
HEADERS = (("content-type", "text/event-stream"),)


@pytest.fixture
def writer() -> Iterator[Scribe]:
    writer = Scribe()
    yield writer
    writer.close()


def settings(root: Path) -> Settings:
    return Settings(
        Place(str(root)), "default", Mode.RECORD, Takes.LAST, "2025-09", keep_captures=True, keep_errors=False
    )


ORIGIN = capture.Origin("ci", "2026-01-31T12:00:00Z", "curl/8.5.0", "0.1.0", 1234.5)


def job(status: int = 200, body: bytes = BODY) -> Job:
    assert ROUTE
    pieces = tuple(step for step in from_recording(CHAT).steps if isinstance(step, bytes))
    at = tuple(float(i) for i in range(len(pieces)))
    return Job(ROUTE, "application/json", None, body, wire.Arrived(status, HEADERS, pieces, at, True), ORIGIN)


def test_an_exchange_becomes_the_recording(writer: Scribe, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    counters = Counters()
    with caplog.at_level(logging.INFO):
        writer.write(settings(tmp_path), job(), counters)
        writer.write(settings(tmp_path), job(status=500), counters)
    assert (counters.recorded, counters.unrecorded) == (1, 1)
    assert (tmp_path / "default" / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()
    assert capture.loads((tmp_path / "default" / "wire" / CHAT.name).read_bytes()).origin == ORIGIN
    assert [(record.name, record.levelname) for record in caplog.records] == [
        ("wiretape.tape", "INFO"),
        ("wiretape.tape", "WARNING"),
    ]
    assert "status 500" in caplog.messages[1]


def test_a_request_that_cannot_be_read_is_said_so(writer: Scribe, tmp_path: Path) -> None:
    counters = Counters()
    writer.write(settings(tmp_path), job(body=b"["), counters)
    assert (counters.recorded, counters.unrecorded) == (0, 1)


def test_when_the_process_is_killed_the_next_recording_is_written_all_the_same(writer: Scribe, tmp_path: Path) -> None:
    counters = Counters()
    writer.write(settings(tmp_path), job(), counters)
    process = writer._process
    assert process
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (tmp_path / "default" / "responses" / CHAT.name).unlink()
    writer.write(settings(tmp_path), job(), counters)
    assert counters.recorded == 2
    assert (tmp_path / "default" / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()


def test_where_there_can_be_no_process_it_is_written_here(
    writer: Scribe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
    counters = Counters()
    writer.write(settings(tmp_path), job(), counters)
    assert counters.recorded == 1


def test_a_job_that_is_cut_off_is_not_begun() -> None:
    frame = struct.Struct("<dQ")
    whole = (
        json.dumps({"pieces": 1}).encode() + b"\n" + frame.pack(0, 4) + b"body" + frame.pack(1.5, 10) + b"1234567890"
    )
    for cut in range(len(whole)):
        answers = io.BytesIO()
        jobs = io.BytesIO(whole[:cut])
        if b"\n" in whole[:cut] or not cut:
            scribe.main(jobs, answers)
        assert answers.getvalue() == b""
