"""What is said of a miss: obstacles, other sessions, the nearest recording."""

import json
from dataclasses import replace
from pathlib import Path

from builders import HELLO, Taped, arrived, came, chat, files, folder, found, name_of
from wiretape.matching.rules import Kind, MatchContext, MatchPolicy, MatchRule, Selector
from wiretape.metrics.counters import Counters
from wiretape.policy import Mode
from wiretape.recording import request_hash


def test_a_miss_is_explained(taped: Taped, tmp_path: Path) -> None:
    taped(Mode.RECORD, "team").record(chat("Hello", temperature=0.5), came())
    tape = taped(Mode.REPLAY, "team")
    asked = chat("Hello", temperature=0.7)
    message = tape.explain(asked).text
    assert request_hash(asked)[:12] in message
    assert name_of(chat("Hello", temperature=0.5)).removesuffix(".json") in message
    assert "temperature: 0.7 here, 0.5 in the recording" in message
    assert "wiretape_mode=record-if-missing" in message
    assert "team" in message
    assert str(tmp_path) in message


def test_a_miss_with_nothing_recorded_is_explained(taped: Taped) -> None:
    told = taped().explain(HELLO)
    assert request_hash(HELLO)[:12] in told.text
    assert str(told) == f"{told.hash}: There is no recording of this endpoint at all."


def test_explaining_counts_and_writes_nothing(taped: Taped) -> None:
    tape = taped()
    tape.explain(HELLO)
    assert tape.counters == Counters()
    assert files(tape) == {}


def test_what_is_of_this_request_and_does_not_answer_is_told(taped: Taped) -> None:
    asked = replace(HELLO, test_id="tests/a.py::one")
    taped(Mode.RECORD, form="2026").record(asked, came())
    tape = taped(Mode.REPLAY)
    other = replace(HELLO, test_id="tests/b.py::two")
    assert found(tape, other) is None
    told = str(tape.explain(other))
    assert "for test tests/a.py::one alone, and this one is for test tests/b.py::two" in told
    (path,) = folder(tape).iterdir()
    path.write_bytes(path.read_bytes()[:-300])
    assert found(tape, asked) is None
    assert f"{path} is there, and cannot be served: not JSON" in str(tape.explain(asked))


def test_a_stream_that_broke_off_is_told(taped: Taped) -> None:
    asked = chat(stream=True)
    chunk = {"id": "x", "choices": [{"index": 0, "delta": {"content": "Hi"}}], "created": 1}
    cut = arrived(f"data: {json.dumps(chunk)}\n\n".encode(), content_type="text/event-stream", ended=False)
    taped(Mode.RECORD, keep_errors=True).record(asked, cut)
    tape = taped(Mode.REPLAY)
    assert found(tape, asked) is None
    assert "its stream broke off: wiretape_record_errors serves it" in str(tape.explain(asked))


def test_another_session_that_has_it_is_named_to_who_may_know(taped: Taped) -> None:
    taped(Mode.RECORD, "main").record(HELLO, came())
    tape = taped(Mode.REPLAY, "checkout")
    assert found(tape, HELLO) is None
    told = tape.explain(HELLO).text
    assert "Session main has a recording of this request" in told
    assert "wiretape session promote main --into checkout" in told
    assert "main" not in tape.explain(HELLO, is_open=False).text


def test_the_nearest_may_be_in_a_layer(taped: Taped) -> None:
    taped(Mode.RECORD, "base").record(HELLO, came())
    tape = taped(Mode.REPLAY, "top", layers=("base",))
    name = name_of(HELLO).removesuffix(".json")
    assert tape.explain(chat("Hello!")).nearest == f"base/{name}"


def test_where_there_is_none_at_all_what_is_broken_is_told(taped: Taped) -> None:
    tape = taped(Mode.REPLAY)
    folder(tape).mkdir(parents=True)
    (folder(tape) / "abc.json").write_text("{}")
    assert found(tape, HELLO) is None
    assert f"{folder(tape)}/abc.json: no request" in str(tape.explain(HELLO))


def test_the_rules_are_those_that_hold_for_who_asks(taped: Taped) -> None:
    of_agent = MatchRule("today", applies=Selector(clients=("agent/*",)), kinds=(Kind.DATES,))
    taped(Mode.RECORD).record(chat("Today is 2026-11-26. Who?"), came())
    tape = taped(Mode.REPLAY, policy=MatchPolicy((of_agent,)))
    asked = chat("Today is 2026-11-27. What?")
    assert "Today is <date>. What?" in tape.explain(asked, MatchContext(client="agent/2.1")).difference
    assert "Today is 2026-11-27. What?" in tape.explain(asked, MatchContext(client="curl/8")).difference
