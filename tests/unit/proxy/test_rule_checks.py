"""What is told at a start of what rules make one, and what is refused."""

import logging
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from mitmproxy import exceptions

from builders import TABLE, RecordingTape, came, chat, tape_of
from wiretape.library.folding import Reader
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.rules import Kind, MatchPolicy, MatchRule
from wiretape.policy import Mode
from wiretape.proxy import rule_checks
from wiretape.proxy.rule_checks import StartCheck
from wiretape.proxy.runtime import Runtime
from wiretape.sessions.model import Session, Sessions
from wiretape.store.base import Store
from wiretape.store.directory import DirectoryStore
from wiretape.store.notes import Notes

TODAY = MatchRule("today", kinds=(Kind.DATES,))


@pytest.fixture
def tape(tmp_path: Path) -> RecordingTape:
    """Return the tape of a session with two recordings that differ in a date, and in their answers."""
    tape = tape_of(DirectoryStore(tmp_path), "main", Mode.RECORD)
    tape.record(chat("2026-11-30: who?"), came("Ada"))
    tape.record(chat("2026-12-01: who?"), came("Bob"))
    return tape


def runtime(*rules: MatchRule, **sessions: Session) -> Runtime:
    return Runtime(matching=MatchPolicy((*BUILT_IN, *rules)), providers=TABLE, sessions=Sessions(sessions))


def checked(store: Store, what: Runtime) -> None:
    """Let a check run to its end."""
    before = {*threading.enumerate()}
    StartCheck(store, what, ("main",)).start()
    for thread in {*threading.enumerate()} - before:
        thread.join()


def test_groups_whose_answers_differ_are_told_in_a_line(tape: RecordingTape, caplog: pytest.LogCaptureFixture) -> None:
    checked(tape.store, runtime(TODAY))
    assert [each.getMessage() for each in caplog.records] == [
        "session main: rules make 1 group of recordings one whose answers differ, so that one answers for the others: "
        "wiretape rules check tells which"
    ]


def test_where_nothing_differs_nothing_is_told(tape: RecordingTape, caplog: pytest.LogCaptureFixture) -> None:
    checked(tape.store, runtime(MatchRule("times", kinds=(Kind.UUIDS,))))
    assert not caplog.records


def test_of_very_many_it_is_told_that_they_are_not_looked_at(
    tape: RecordingTape, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_checks, "_MOST", 1)
    with caplog.at_level(logging.INFO):
        checked(tape.store, runtime(TODAY))
    (only,) = caplog.records
    assert "session main: what rules make one is not checked: it has more than 1 recordings" in only.getMessage()


def test_what_was_found_is_noted_until_a_recording_or_a_rule_changes(
    tape: RecordingTape, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_checks, "_WORTH_NOTING", 1)
    store = DirectoryStore(tmp_path, notes=Notes(tmp_path / "notes.sqlite"))
    looks: list[Runtime] = []
    read = rule_checks._reader

    def counted(of: Store, what: Runtime) -> Reader:
        looks.append(what)
        return read(of, what)

    monkeypatch.setattr(rule_checks, "_reader", counted)

    def warned(what: Runtime) -> bool:
        caplog.clear()
        checked(store, what)
        return bool(caplog.records)

    assert warned(runtime(TODAY))
    assert warned(runtime(TODAY))
    assert len(looks) == 1
    assert not warned(runtime(MatchRule("times", kinds=(Kind.UUIDS,))))
    assert len(looks) == 2
    tape.record(chat("2026-12-02: who?"), came("Ada"))
    assert warned(runtime(TODAY))
    assert len(looks) == 3


def test_the_built_in_rules_alone_are_no_reason_to_look(tape: RecordingTape) -> None:
    before = threading.active_count()
    StartCheck(tape.store, runtime(), ("main",)).start()
    assert threading.active_count() == before


def test_it_ends_when_the_proxy_does(tape: RecordingTape, caplog: pytest.LogCaptureFixture) -> None:
    before = {*threading.enumerate()}
    check = StartCheck(tape.store, runtime(TODAY), ("main",))
    check.stop()
    check.start()
    for thread in {*threading.enumerate()} - before:
        thread.join()
    assert not caplog.records


def test_a_strict_start_is_refused_and_says_which(tape: RecordingTape) -> None:
    with pytest.raises(exceptions.OptionsError) as raised:
        rule_checks.refuse(tape.store, runtime(TODAY), ("empty", "main"))
    said = str(raised.value)
    assert said.startswith("wiretape_strict_rules: session main: recordings are one by the rules today, though")
    for name in tape.store.scan("main"):
        assert name in said


def test_a_strict_start_goes_on_where_nothing_differs(tape: RecordingTape) -> None:
    rule_checks.refuse(tape.store, runtime(), ("main",))
    rule_checks.refuse(tape.store, runtime(TODAY), ("empty",))


def test_what_cannot_be_told_is_refused(tape: RecordingTape, monkeypatch: pytest.MonkeyPatch) -> None:
    def scan(_session: str) -> dict[str, str]:
        raise PermissionError(13, "no entry")

    monkeypatch.setattr(tape.store, "scan", scan)
    with pytest.raises(exceptions.OptionsError, match="cannot be told what rules make one"):
        rule_checks.refuse(tape.store, runtime(TODAY), ("main",))


def test_the_sessions_are_those_that_may_answer() -> None:
    what = runtime(top=Session("top", layers=("base",)), side=Session("side"))
    assert rule_checks.sessions_of(what, "top") == ("top", "base", "side")
    assert rule_checks.sessions_of(replace(what, sessions=Sessions()), "main") == ("main",)
