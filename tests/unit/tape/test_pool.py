"""The tapes of a proxy: what the configuration says of each, and what they have in common without sharing it."""

import json
from pathlib import Path
from typing import Any

import pytest

from builders import record
from wiretape.metrics.counters import SessionCounters
from wiretape.policy import Mode, Takes
from wiretape.providers import wire
from wiretape.recording import RecordedRequest
from wiretape.replay.pacing import parse as parse_pace
from wiretape.sessions.model import Session, Sessions
from wiretape.store.directory import DirectoryStore
from wiretape.tape.config import TapeConfig
from wiretape.tape.conflicts import conflict_resolver
from wiretape.tape.hit import Hit
from wiretape.tape.pool import TapePool
from wiretape.tape.question import Question
from wiretape.tape.tape import Tape

ENDPOINT = "/v1/chat/completions"
KEY = ("POST", "key")
ASKED = RecordedRequest(
    f"https://api.openai.com/v1{ENDPOINT}", {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}, ENDPOINT
)


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "recordings")


def tapes(store: DirectoryStore, *known: Session, memory: int = 1_000_000, **defaults: Any) -> TapePool:
    return TapePool(
        store, Sessions({each.name: each for each in known}), SessionCounters(), TapeConfig(**defaults), memory=memory
    )


def of(made: TapePool, name: str, mode: Mode = Mode.REPLAY) -> Tape:
    return made.of(Session(name), mode)


def came(text: str) -> wire.LiveResponse:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return wire.LiveResponse(200, (("content-type", "application/json"),), (json.dumps(body).encode(),), (0.0,), True)


def answered(tape: Tape) -> str:
    """What somebody who asks is told: by name, and where that finds nothing by content, as a decider does it."""
    return said(tape.lookup(Question(ASKED)) or tape.search(Question(ASKED)))


def said(hit: Hit | None) -> str:
    assert hit
    content: str = json.loads(b"".join(hit.answer.chunks))["choices"][0]["message"]["content"]
    return content


def test_one_tape_for_each_session_and_mode(store: DirectoryStore) -> None:
    made = tapes(store)
    assert of(made, "one") is of(made, "one")
    assert of(made, "one") is not of(made, "two")
    assert of(made, "one") is not of(made, "one", Mode.RECORD)
    assert (of(made, "two").session, of(made, "two", Mode.LIVE).mode) == ("two", Mode.LIVE)


def test_a_tape_is_of_all_that_holds_for_its_session(store: DirectoryStore) -> None:
    made = tapes(store)
    plain = Session("one")
    others = [
        Session("one", takes=Takes.CYCLE),
        Session("one", pace=parse_pace("2x")),
        Session("one", ("base",)),
        Session("one", match=("exact",)),
    ]
    assert len({*map(id, [made.of(each, Mode.REPLAY) for each in (plain, *others)])}) == 5
    assert made.of(Session("one", pace=parse_pace("2x")), Mode.REPLAY) is made.of(others[1], Mode.REPLAY)
    assert made.of(plain, Mode.REPLAY, "scope") is not made.of(plain, Mode.REPLAY)
    assert made.of(others[2], Mode.REPLAY).config.layers == ("base",)
    with pytest.raises(ValueError, match="no way to match"):
        made.of(Session("one", match=("nobody",)), Mode.REPLAY)


def test_one_session_is_played_in_several_paces_side_by_side(store: DirectoryStore) -> None:
    made = tapes(store)
    record(of(made, "one", Mode.RECORD), ASKED, came("Hi"))
    slow, fast = Session("one", pace=parse_pace("50tps,ttft=3s")), Session("one")
    for _ in range(2):
        leaving = []
        for session in (slow, fast):
            tape = made.of(session, Mode.REPLAY, "scope")
            hit = tape.recall(KEY) or tape.lookup(Question(ASKED, KEY))
            assert hit
            leaving.append(hit.leaving[0])
        assert leaving == pytest.approx([3, 0])
        assert made.of(slow, Mode.REPLAY, "another scope").recall(KEY), "what is in memory is for all scopes of a kind"


def test_in_each_scope_takes_begin_with_the_first(store: DirectoryStore) -> None:
    made = tapes(store, takes=Takes.SEQUENCE)
    for text in ("first", "second"):
        record(of(made, "one", Mode.RECORD), ASKED, came(text))
    one, two = (made.of(Session("one"), Mode.REPLAY, scope) for scope in ("1", "2"))
    assert [answered(one), answered(two), answered(one), answered(of(made, "one"))] == [
        "first",
        "first",
        "second",
        "first",
    ]


def test_modes_of_a_session_have_its_counters_and_other_sessions_have_others(store: DirectoryStore) -> None:
    made = tapes(store)
    assert of(made, "one").counters is of(made, "one", Mode.RECORD).counters
    assert of(made, "one").counters is not of(made, "two").counters


def test_a_session_has_what_it_says_and_else_the_proxys_options(store: DirectoryStore) -> None:
    own = Session("own", takes=Takes.CYCLE, form="2026", pace=parse_pace("3tps"))
    made = tapes(store, own, takes=Takes.FIRST, keep_captures=False, keep_errors=True)
    tape = made.of(own, Mode.RECORD)
    how = tape.config
    assert (how.takes, how.form, how.keep_captures, how.keep_errors) == (Takes.CYCLE, "2026", False, True)
    other = of(made, "other", Mode.RECORD)
    assert (other.config.takes, other.config.form) == (Takes.FIRST, "2025-09")


def test_each_session_has_its_own_pace(store: DirectoryStore) -> None:
    slow = Session("slow", pace=parse_pace("50tps,ttft=3s"))
    made = tapes(store, slow)
    for name in ("slow", "fast"):
        record(of(made, name, Mode.RECORD), ASKED, came("Hi"))
    slowly, at_once = (
        made.of(slow, Mode.REPLAY).lookup(Question(ASKED, KEY)),
        of(made, "fast").lookup(Question(ASKED, KEY)),
    )
    assert slowly
    assert at_once
    assert slowly.leaving[0] == pytest.approx(3)
    assert at_once.leaving[0] == 0
    # And so from the memory that they share.
    assert made.of(slow, Mode.REPLAY).recall(KEY) is slowly
    assert of(made, "fast").recall(KEY) is at_once


def test_a_hit_in_memory_is_served_in_its_own_session_alone(store: DirectoryStore) -> None:
    made = tapes(store)
    for name in ("one", "two"):
        record(of(made, name, Mode.RECORD), ASKED, came(name))
    for name in ("one", "two", "one", "two"):
        assert said(of(made, name).lookup(Question(ASKED, KEY))) == name
        assert said(of(made, name).recall(KEY)) == name
    assert of(made, "three").recall(KEY) is None
    assert of(made, "three").lookup(Question(ASKED, KEY)) is None


def test_they_share_one_bound_of_memory(store: DirectoryStore) -> None:
    made = tapes(store, memory=12_000)
    names = [f"s{number}" for number in range(6)]
    for name in names:
        record(of(made, name, Mode.RECORD), ASKED, came(name))
        of(made, name).lookup(Question(ASKED, KEY))
    kept = [name for name in names if of(made, name).recall(KEY)]
    assert kept
    assert len(kept) < len(names)
    assert kept == names[-len(kept) :]


def test_a_tape_looks_below_in_the_order_of_the_configuration(store: DirectoryStore) -> None:
    known = [Session("top", layers=("left", "right")), Session("left", layers=("deep",)), Session("right")]
    made = tapes(store, *known)
    for name in ("right", "deep"):
        record(of(made, name, Mode.RECORD), ASKED, came(name))
    assert answered(made.of(known[0], Mode.REPLAY)) == "deep"
    record(made.of(known[1], Mode.RECORD), ASKED, came("left"))
    assert answered(made.of(known[0], Mode.REPLAY)) == "left"
    record(made.of(known[0], Mode.RECORD), ASKED, came("top"))
    assert answered(made.of(known[0], Mode.REPLAY)) == "top"
    # What is above is nobody's business below.
    assert answered(of(made, "deep")) == "deep"


def test_each_session_has_turns_of_its_own_and_rewinding_is_for_all(store: DirectoryStore) -> None:
    known = [Session(name, takes=Takes.SEQUENCE) for name in ("one", "two")]
    made = tapes(store, *known)
    for session in known:
        for number in (1, 2):
            record(made.of(session, Mode.RECORD), ASKED, came(f"{session.name} {number}"))
    one, two = (made.of(session, Mode.REPLAY) for session in known)
    assert [said(one.lookup(Question(ASKED, KEY))) for _ in range(3)] == ["one 1", "one 2", "one 2"]
    assert said(two.lookup(Question(ASKED, KEY))) == "two 1"
    made.rewind()
    assert [said(tape.lookup(Question(ASKED, KEY))) for tape in (one, two)] == ["one 1", "two 1"]


def test_a_session_that_is_layered_counts_the_takes_below_for_itself(store: DirectoryStore) -> None:
    main = Session("main", takes=Takes.SEQUENCE)
    top = Session("top", layers=("main",), takes=Takes.SEQUENCE)
    made = tapes(store, main, top)
    for number in (1, 2):
        record(made.of(main, Mode.RECORD), ASKED, came(f"take {number}"))
    assert [answered(made.of(top, Mode.REPLAY)) for _ in range(2)] == ["take 1", "take 2"]
    assert answered(made.of(main, Mode.REPLAY)) == "take 1"


def test_who_names_ever_new_sessions_fills_no_memory(store: DirectoryStore) -> None:
    made = tapes(store)
    first = of(made, "first")
    for number in range(300):
        of(made, f"s{number}")
    assert of(made, "first") is not first
    assert of(made, "first").counters is first.counters


def test_what_waited_is_settled_as_its_session_is_recorded(store: DirectoryStore) -> None:
    adding = Session("adding", mode=Mode.RECORD, takes=Takes.SEQUENCE)
    made = tapes(store, adding)
    assert made.choice("adding") == (Mode.RECORD, Takes.SEQUENCE)
    assert made.choice("unheard-of") == (Mode.RECORD_IF_MISSING, Takes.LAST)
    # A mode that somebody asked for and got counts more.
    of(made, "asked", Mode.RECORD)
    assert made.choice("asked") == (Mode.RECORD, Takes.LAST)
    record(made.of(adding, Mode.RECORD), ASKED, came("ours"))
    (name,) = store.scan("adding")
    data = store.read("adding", name)
    assert data
    settle = conflict_resolver(made.choice)
    assert settle("adding", name, data, data) == f"{name}.2"
    assert settle("unheard-of", name, data, data) is None
