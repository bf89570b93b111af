"""Which recordings rules make one, and whether their answers differ."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from builders import HELLO, TABLE, RecordingTape, Taped, came, chat, folder, name_of, tape_of
from wiretape.library.folding import Fold, Folds, Reader, context_of
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.rules import Kind, MatchPolicy, MatchRule, Selector
from wiretape.policy import Mode, Takes
from wiretape.recording import RecordedRequest, capture
from wiretape.store.directory import DirectoryStore

TODAY = MatchRule("today", kinds=(Kind.DATES,))
FOR_AGENT = replace(TODAY, name="agent/today", applies=Selector(clients=("agent/*",)))

MONDAY = chat("Today is 2026-11-30. Who?")
TUESDAY = chat("Today is 2026-12-01. Who?")


def name(request: RecordedRequest) -> str:
    return name_of(request).removesuffix(".json")


def record(tape: RecordingTape, request: RecordedRequest, answer: str, client: str = "curl/8") -> None:
    origin = capture.origin("", datetime(2026, 11, 27, tzinfo=UTC), client, 1.0, clean=str)
    assert tape.record(request, came(answer), origin)


def folds(tape: RecordingTape, *rules: MatchRule) -> Folds:
    return Reader(tape.store, MatchPolicy(rules), TABLE, is_shared=False).folds(tape.session)


def told(found: Folds) -> list[tuple[tuple[str, ...], bool]]:
    return [(fold.rules, fold.differs) for fold in found.folds]


def names(fold: Fold) -> set[str]:
    return {each for request in fold.requests for each in request.names}


@pytest.fixture
def taped(tmp_path: Path) -> Taped:
    """Make tapes on one folder."""
    return lambda mode, **options: tape_of(DirectoryStore(tmp_path), "main", mode, **options)


@pytest.fixture
def tape(taped: Taped) -> RecordingTape:
    return taped(Mode.RECORD)


def test_requests_that_a_rule_makes_one_are_told_with_the_rule(tape: RecordingTape) -> None:
    record(tape, MONDAY, "Ada")
    record(tape, TUESDAY, "Bob")
    record(tape, chat("Today is 2026-12-01. What?"), "A cat")
    found = folds(tape, *BUILT_IN, TODAY)
    assert told(found) == [(("today",), True)]
    assert names(found.folds[0]) == {name(MONDAY), name(TUESDAY)}
    assert found.folds[0].label == "/v1/chat/completions m"
    assert found.recordings == 3
    assert found.differing == [*found.folds]


def test_where_the_answers_say_the_same_that_is_told(tape: RecordingTape) -> None:
    record(tape, MONDAY, "Ada")
    record(tape, TUESDAY, "Ada")
    found = folds(tape, TODAY)
    assert told(found) == [(("today",), False)]
    assert not found.differing


def test_all_rules_that_are_needed_are_told_and_no_others(tape: RecordingTape) -> None:
    record(tape, chat("2026-11-30", prompt_cache_key="a"), "Ada")
    record(tape, chat("2026-12-01", prompt_cache_key="b"), "Bob")
    record(tape, chat("Ada", prompt_cache_key="a", metadata={"a": 1}), "Ada")
    assert told(folds(tape, *BUILT_IN, TODAY)) == [(("prompt-cache-key", "today"), True)]


def test_without_rules_there_is_nothing_to_tell(tape: RecordingTape) -> None:
    record(tape, MONDAY, "Ada")
    record(tape, TUESDAY, "Bob")
    assert not folds(tape).folds
    assert not folds(tape, *BUILT_IN).folds


def test_a_rule_for_a_client_counts_where_its_recordings_are(tape: RecordingTape) -> None:
    record(tape, MONDAY, "Ada", client="curl/8")
    record(tape, TUESDAY, "Bob", client="curl/8")
    assert not folds(tape, FOR_AGENT).folds
    # The agent may be answered with what another client has had recorded.
    wednesday = chat("Today is 2026-12-02. Who?")
    record(tape, wednesday, "Cleo", client="agent/2.1")
    (fold,) = folds(tape, FOR_AGENT).folds
    assert names(fold) == {name(MONDAY), name(TUESDAY), name(wednesday)}
    assert {each.client for each in fold.requests} == {"curl/8", "agent/2.1"}


def test_what_several_sets_of_rules_make_one_is_told_once(tape: RecordingTape) -> None:
    record(tape, MONDAY, "Ada", client="curl/8")
    record(tape, TUESDAY, "Bob", client="agent/2.1")
    assert len(folds(tape, TODAY, FOR_AGENT).folds) == 1


def test_takes_of_a_request_are_no_fold(taped: Taped) -> None:
    tape = taped(Mode.RECORD, takes=Takes.SEQUENCE)
    record(tape, MONDAY, "Ada")
    record(tape, MONDAY, "Bob")
    assert not folds(tape, TODAY).folds
    record(tape, TUESDAY, "Bob")
    record(tape, TUESDAY, "Ada")
    (fold,) = folds(tape, TODAY).folds
    assert not fold.differs, "both say the same, one after the other or not"
    assert [len(each.names) for each in fold.requests] == [2, 2]


def test_recordings_for_different_tests_stay_apart(taped: Taped) -> None:
    tape = taped(Mode.RECORD, form="2026")
    record(tape, replace(MONDAY, test_id="tests/a.py::one"), "Ada")
    record(tape, replace(TUESDAY, test_id="tests/a.py::two"), "Bob")
    assert not folds(tape, TODAY).folds
    record(tape, replace(TUESDAY, test_id="tests/a.py::one"), "Bob")
    assert len(folds(tape, TODAY).folds) == 1


def test_what_is_no_recording_is_told(tape: RecordingTape) -> None:
    record(tape, MONDAY, "Ada")
    (folder(tape) / "abc.json").write_text("{}")
    found = folds(tape, TODAY)
    assert [*found.broken] == ["abc"]
    assert found.recordings == 1


def test_a_recording_without_a_capture_is_of_an_unknown_client(taped: Taped) -> None:
    tape = taped(Mode.RECORD, keep_captures=False)
    record(tape, MONDAY, "Ada")
    record(tape, TUESDAY, "Bob")
    assert not folds(tape, FOR_AGENT).folds
    assert len(folds(tape, TODAY).folds) == 1


def test_very_many_are_shared_out_and_are_the_same(tape: RecordingTape) -> None:
    record(tape, MONDAY, "Ada")
    data = (folder(tape) / f"{name(MONDAY)}.json").read_text()
    for number in range(450):
        day = f"20{number // 28 + 10}-11-{number % 28 + 1:02}"
        (folder(tape) / f"{number}.json").write_text(data.replace("2026-11-30", day))
    shared = Reader(tape.store, MatchPolicy((TODAY,)), TABLE, is_shared=True).folds(tape.session)
    assert shared == folds(tape, TODAY)
    assert len(shared.folds[0].requests) == 451


# A recorded request -> by what rules are chosen for it: provider and the endpoint's names.
CONTEXTS = {
    "of an SDK": (HELLO, "openai", ("/v1/chat/completions", "/chat/completions")),
    "as it was sent": (
        RecordedRequest("https://api.anthropic.com/v1/messages", {"model": "m"}, ""),
        "anthropic",
        ("/messages",),
    ),
    "of nobody whom the table names": (chat(host="llm.example"), "", ("/v1/chat/completions",)),
}


@pytest.mark.parametrize(("request_", "provider", "endpoints"), CONTEXTS.values(), ids=CONTEXTS)
def test_whose_request_it_was(request_: RecordedRequest, provider: str, endpoints: tuple[str, ...]) -> None:
    found = context_of(request_, "agent/2", "main", TABLE)
    assert (found.provider, found.model, found.client, found.session) == (provider, "m", "agent/2", "main")
    assert {*endpoints} <= {*found.endpoints}
