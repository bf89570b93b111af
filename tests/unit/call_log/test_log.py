"""Calls that are told from any thread, and are in the file then."""

import io
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from wiretape.call_log.call import Call, MissTold, Outcome, as_json
from wiretape.call_log.log import CallLog
from wiretape.call_log.preparing import CallTemplate
from wiretape.call_log.reader import CallReader
from wiretape.providers.usage import Usage

MISS = Call(1764316800.25, "checkout", "replay", Outcome.MISS, miss=MissTold("0123", text="all of it"), bytes=7)
SECRET = "sk-proj-" + "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA" * 2


def call(number: int) -> Call:
    return Call(float(number), "s", "replay", Outcome.HIT, f"call {number}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


@pytest.fixture
def log(file: Path) -> Iterator[CallLog]:
    log = CallLog(file, "run-1")
    yield log
    log.close()


def test_what_was_added_is_there_after_a_flush(log: CallLog, file: Path) -> None:
    log.add(MISS)
    log.add(lambda: call(2))
    assert log.flush()
    first, second = CallReader([file]).calls()
    assert as_json(first) == as_json(MISS) | {"id": 1, "run": "run-1"}
    assert (second.id, second.request) == (2, "call 2")


def test_each_thread_may_add(log: CallLog, file: Path) -> None:
    def add() -> None:
        for at in range(100):
            log.add(call(at))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.flush()
    assert [each.id for each in CallReader([file]).calls()] == [*range(1, 401)]


def test_a_call_that_is_made_again_is_made_once_and_has_its_own_times(log: CallLog, file: Path) -> None:
    made = []

    def make() -> Call:
        made.append(1)
        return call(0)

    template = CallTemplate(make)
    log.add_like(template, 10.0, 10.5)
    log.flush()
    log.add_like(template, 20.0, 20.001)
    log.flush()
    first, second = CallReader([file]).calls()
    assert made == [1]
    assert (first.first_byte_ms, first.total_ms) == (500, 500)
    assert second.total_ms == pytest.approx(1)
    assert second.at - first.at == pytest.approx(10, abs=1), "by the clock of the machine, which may be set"


def test_a_call_that_cannot_be_made_costs_no_other_one(
    log: CallLog, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log.add(lambda: call(1 // 0))
    log.add(call(2))
    log.flush()
    assert [each.request for each in CallReader([file]).calls()] == ["call 2"]
    assert "a call cannot be told" in caplog.text


def test_its_price_is_asked_for_where_it_is_made(file: Path) -> None:
    threads = set()

    def price(provider: str, model: str, usage: Usage, at: float) -> Decimal | None:
        threads.add(threading.current_thread())
        return Decimal("0.000001") * (usage.output or 0) if (provider, model, at) == ("openai", "m", 5.0) else None

    log = CallLog(file, "r", price)
    log.add(Call(5.0, "s", "replay", Outcome.HIT, provider="openai", model="m", usage=Usage(output=7)))
    log.add(call(1))
    log.close()
    known, unknown = CallReader([file]).calls()
    assert (known.cost_usd, unknown.cost_usd) == (Decimal("0.000007"), None)
    assert threading.main_thread() not in threads


def test_each_different_call_is_accounted_for_with_how_many_there_are(file: Path) -> None:
    accounts = []
    log = CallLog(file, "r", account=lambda call, times: accounts.append((call.request, call.run, times)))
    again = CallTemplate(lambda: call(0))
    for at in range(1, 4):
        log.add_like(again, 0.0, 1.0)
        log.add(call(at))
    log.close()
    assert sorted(accounts) == [("call 0", "r", 3), *((f"call {at}", "r", 1) for at in range(1, 4))]


def test_an_account_that_fails_costs_no_call(file: Path, caplog: pytest.LogCaptureFixture) -> None:

    def account(_: Call, times: int) -> None:
        divmod(times, 0)

    log = CallLog(file, "r", account=account)
    for at in range(2):
        log.add(call(at))
        assert log.flush()
    log.close()
    assert len(CallReader([file]).calls()) == 2
    assert "calls cannot be told" in caplog.text


def test_a_report_has_a_line_for_each_call(file: Path) -> None:
    for path in (file, None):
        report = io.StringIO()
        report.name = "report"
        log = CallLog(path, "r", report=report)
        log.add(MISS)
        log.add_like(CallTemplate(lambda: call(2)), 0.0, 0.25)
        log.close()
        told = [json.loads(line) for line in report.getvalue().splitlines()]
        assert [each["id"] for each in told] == [1, 2]
        assert told[0] == as_json(MISS) | {"id": 1, "run": "r"}
        assert told[1]["total_ms"] == 250


def test_nobody_else_may_read_it(log: CallLog, file: Path) -> None:
    log.add(MISS)
    log.flush()
    assert {stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()} == {0o600}


def test_no_secret_is_in_the_file(log: CallLog, file: Path) -> None:
    log.add(
        Call(
            0.0,
            "s",
            "replay",
            Outcome.MISS,
            f"GET /{SECRET}",
            test_id=SECRET,
            client=SECRET,
            model=SECRET,
            why=(f"it has {SECRET}",),
            miss=MissTold(difference=f"{SECRET} here", text=f"all: {SECRET}"),
        )
    )
    log.flush()
    log.close()
    (told,) = CallReader([file]).calls()
    assert told.request.startswith("GET /")
    written = b"".join(each.read_bytes() for each in file.parent.iterdir())
    assert SECRET[:20].encode() not in written
    assert b"all: " in written


def test_the_oldest_go(file: Path) -> None:
    log = CallLog(file, "r", most=50)
    again = CallTemplate(lambda: call(0))
    for at in range(130):
        log.add(call(at))
        log.add_like(again, 0.0, 1.0)
        log.flush()
    log.close()
    kept = CallReader([file]).calls()
    assert 40 <= len(kept) <= 50
    assert [each.id for each in kept] == [*range(261 - len(kept), 261)], "the newest, and numbers go on"
    assert kept[-1].request == "call 0"
    assert {each.request for each in kept[::2] if each.request != "call 0"} or kept[1].request


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_disk_that_fails_is_told_once_and_hinders_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "no folder").write_text("")
    with Path("/dev/full").open("w", encoding="utf-8") as report:
        log = CallLog(tmp_path / "no folder" / "calls.sqlite", "r", report=report)
        for at in range(3):
            log.add(call(at))
            assert log.flush()
        log.close()
    told = [record.getMessage() for record in caplog.records]
    assert [each.partition(":")[0] for each in told] == [
        "the log of calls cannot be written, and the traffic goes on without it",
        "the report cannot be written any more",
        "3 calls are in no log",
    ]
    assert "/dev/full: No space left on device" in told[1]


def test_a_disk_that_works_again_has_what_comes_then(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.write_text("")
    log = CallLog(folder / "calls.sqlite", "r")
    log.add(call(1))
    log.flush()
    folder.unlink()
    log.add(call(2))
    log.close()
    assert [each.request for each in CallReader([folder / "calls.sqlite"]).calls()] == ["call 2"]


def test_what_nobody_writes_fills_no_memory(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("wiretape.call_log.log._WAITING", 3)
    going = threading.Event()

    def slow() -> Call:
        going.set()
        written.wait(60)
        return call(0)

    written = threading.Event()
    log = CallLog(file, "r")
    log.add(slow)
    assert going.wait(60)
    for at in range(1, 9):
        log.add(call(at))
    written.set()
    log.close()
    assert [each.request for each in CallReader([file]).calls()] == ["call 0", "call 1", "call 2", "call 3"]
    assert "5 calls are in no log" in caplog.text


WRITES = """
import sys
from pathlib import Path
from wiretape.call_log.call import Call, Outcome
from wiretape.call_log.log import CallLog
from wiretape.call_log.preparing import CallTemplate
log = CallLog(Path(sys.argv[1]), sys.argv[2], most=400)
again = CallTemplate(lambda: Call(0.0, sys.argv[2], "replay", Outcome.HIT, "again"))
for at in range(50):
    for _ in range(10):
        log.add_like(again, 0.0, 1.0)
    log.add(Call(float(at), sys.argv[2], "replay", Outcome.HIT, f"call {at}"))
    assert log.flush(60)
log.close()
"""


def test_two_processes_write_one_file(file: Path) -> None:
    """Each makes what the other refers to go away, again and again."""
    command = [sys.executable, "-c", WRITES, str(file)]
    running = [subprocess.Popen([*command, run], stderr=subprocess.PIPE, env=os.environ) for run in ("a", "b")]
    errors = [each.communicate()[1] for each in running]
    assert errors == [b"", b""]
    kept = CallReader([file]).calls()
    assert kept[-1].id == 2 * 50 * 11
    assert [each.id for each in kept] == [*range(kept[0].id, kept[-1].id + 1)], "none is without what it refers to"
    assert {(each.session, each.run) for each in kept} <= {("a", "a"), ("b", "b")}
