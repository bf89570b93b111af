"""Which recording answers a request that is the same as several by rules; and that what is exact goes first."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from builders import came, chat, tape_of, text_of
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.rules import MatchContext, MatchPolicy, MatchRule
from wiretape.policy import Mode, Takes
from wiretape.providers.wire import LiveResponse
from wiretape.recording import RecordedRequest
from wiretape.recording.capture import Origin
from wiretape.store.directory import DirectoryStore
from wiretape.tape.hit import RULES_HEADER, Hit
from wiretape.tape.question import Question
from wiretape.tape.tape import Tape

CONTEXT = MatchContext(endpoints=("/v1/chat/completions",))
POLICY = MatchPolicy(BUILT_IN)

Record = Callable[..., None]
Asking = Callable[..., Hit | None]


@pytest.fixture(name="seconds")
def _seconds() -> Iterator[int]:
    return count(10)


@pytest.fixture(name="record")
def _record(tmp_path: Path, seconds: Iterator[int]) -> Record:
    """Record an answer to a chat, a second after the one before."""

    def record(
        answer: str | LiveResponse,
        *,
        at: int = 0,
        session: str = "main",
        form: str = "2025-09",
        request: RecordedRequest | None = None,
        **body: Any,
    ) -> None:
        origin = Origin("", f"2026-01-31T12:00:{at or next(seconds)}Z", "", "1.0", 1.0)
        live = came(answer) if isinstance(answer, str) else answer
        tape = tape_of(DirectoryStore(tmp_path), session, Mode.RECORD, takes=Takes.SEQUENCE, form=form)
        assert tape.record(request or chat(**body), live, origin)

    return record


@pytest.fixture(name="taped")
def _taped(tmp_path: Path) -> Callable[..., Tape]:
    def make(mode: Mode = Mode.REPLAY, policy: MatchPolicy = POLICY, **more: Any) -> Tape:
        return tape_of(DirectoryStore(tmp_path), "main", mode, policy=policy, **more)

    return make


def ask(tape: Tape, request: RecordedRequest | None = None, **body: Any) -> Hit | None:
    return tape.search(Question(request or chat(**body), context=CONTEXT))


def told(hit: Hit | None) -> str:
    return text_of(hit)


def calling(id_: str, key: str, **more: Any) -> RecordedRequest:
    """Return the second request of a loop: the model has called a tool, and gets the result."""
    call = {"id": id_, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": id_, "content": "done"},
    ]
    return RecordedRequest(
        chat().url, {**chat().body, "messages": messages, "prompt_cache_key": key, **more}, chat().endpoint
    )


# -- exact first -------------------------------------------------------------------------------------------------------


def test_a_request_is_found_by_rules(record: Record, taped: Callable[..., Tape]) -> None:
    record("Hi", prompt_cache_key="one")
    hit = ask(taped(), prompt_cache_key="two")
    assert hit
    assert told(hit) == "Hi"
    assert hit.rules == ("prompt-cache-key",)
    assert (RULES_HEADER, "prompt-cache-key") in hit.answer.headers
    assert ask(taped(), content="Bye", prompt_cache_key="two") is None
    assert ask(taped(policy=MatchPolicy()), prompt_cache_key="two") is None


def test_an_exact_hit_needs_no_rule(record: Record, taped: Callable[..., Tape]) -> None:
    record("Hi", prompt_cache_key="one")
    record("Ho", prompt_cache_key="two")
    hit = ask(taped(), prompt_cache_key="one")
    assert hit
    assert told(hit) == "Hi"
    assert hit.rules == ()
    assert not any(name == RULES_HEADER for name, _ in hit.answer.headers)


def test_what_is_exact_in_a_lower_layer_goes_before_what_needs_rules_above(
    record: Record, taped: Callable[..., Tape]
) -> None:
    record("above", prompt_cache_key="one")
    record("below", session="base", prompt_cache_key="two")
    record("below", session="base", prompt_cache_key="three")
    tape = taped(layers=("base",))
    assert told(ask(tape, prompt_cache_key="two")) == "below"
    # By rules the upper layer goes first, whatever is newer.
    assert told(ask(tape, prompt_cache_key="four")) == "above"


def test_rules_change_without_recording_anew(record: Record, taped: Callable[..., Tape]) -> None:
    record("Hi", content="It is 12:00", seed=1)
    rule = MatchRule("seed", ignore=("$.seed",))
    assert ask(taped(), content="It is 12:00", seed=2) is None
    hit = ask(taped(policy=MatchPolicy((rule,))), content="It is 12:00", seed=2)
    assert hit
    assert hit.rules == ("seed",)


@pytest.mark.parametrize("mode", [Mode.REPLAY, Mode.RECORD_IF_MISSING])
def test_a_hit_by_rules_serves_wherever_recordings_do(record: Record, taped: Callable[..., Tape], mode: Mode) -> None:
    record("Hi", prompt_cache_key="one")
    assert told(ask(taped(mode), prompt_cache_key="two")) == "Hi"


def test_a_list_of_models_is_found_exactly_alone(record: Record, taped: Callable[..., Tape]) -> None:
    listed = RecordedRequest("https://api.openai.com/v1/models", {}, "/v1/models")
    rule = MatchRule("query", ignore=("$.extra_query",))
    asked = RecordedRequest(listed.url, {"extra_query": {"limit": "2"}}, listed.endpoint)
    tape = taped(policy=MatchPolicy((*BUILT_IN, rule)))
    assert ask(tape, asked) is None
    assert ask(tape, listed) is None


def test_embeddings_are_given_as_they_are_asked_for(record: Record, taped: Callable[..., Tape]) -> None:
    url = "https://api.openai.com/v1/embeddings"
    vector = {"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}
    answer = {"object": "list", "model": "m", "data": [vector], "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    live = LiveResponse(
        200, (("content-type", "application/json"),), (json.dumps(answer).encode(),), (1.0,), ended=True
    )
    record(live, request=RecordedRequest(url, {"model": "m", "input": "a", "user": "one"}, "/v1/embeddings"))
    tape = taped(policy=MatchPolicy((MatchRule("user", ignore=("$.user",)),)))
    body = {"model": "m", "input": "a", "user": "two"}
    numbers = ask(tape, RecordedRequest(url, body, "/v1/embeddings"))
    text = ask(tape, RecordedRequest(url, body, "/v1/embeddings", base64_wanted=True))
    assert numbers
    assert json.loads(numbers.answer.body)["data"][0]["embedding"] == [0.5, 0.25]
    assert text
    assert isinstance(json.loads(text.answer.body)["data"][0]["embedding"], str)


# -- which of several --------------------------------------------------------------------------------------------------


def test_the_newest_answers_whatever_the_files_are_called_or_dated(record: Record, taped: Callable[..., Tape]) -> None:
    keys = [f"key {number}" for number in range(6)]
    for number, key in enumerate(keys):
        record(f"at {50 - number}", at=50 - number, prompt_cache_key=key)
    assert told(ask(taped(), prompt_cache_key="new")) == "at 50"
    assert told(ask(taped(takes=Takes.FIRST), prompt_cache_key="new")) == "at 45"


def test_a_client_goes_on_with_the_run_that_answered_it(record: Record, taped: Callable[..., Tape]) -> None:
    # The newer one of the first calls is of run B, of the second calls of run A.
    record("first of A", prompt_cache_key="a")
    record("first of B", prompt_cache_key="b")
    record("second of B", request=calling("call_b", "b"))
    record("second of A", request=calling("call_a", "a"))
    tape = taped()
    assert told(ask(tape, prompt_cache_key="new")) == "first of B"
    # The id of the answer that it was played tells, as what stood for what is known: even where it made one itself.
    assert told(ask(tape, calling("call_b", "new"))) == "second of B"
    assert told(ask(tape, calling("made by the client", "new"))) == "second of B"
    # The ids suffice where nothing was seen before.
    assert told(ask(taped(), calling("call_b", "another"))) == "second of B"
    assert told(ask(taped(), calling("call_a", "another"))) == "second of A"
    assert told(ask(taped(), calling("made by the client", "another"))) == "second of A"


def test_of_equally_near_ones_that_of_the_same_test_answers(record: Record, taped: Callable[..., Tape]) -> None:
    def of_test(test_id: str | None, key: str) -> RecordedRequest:
        return RecordedRequest(chat().url, {**chat().body, "prompt_cache_key": key}, chat().endpoint, test_id=test_id)

    record("of mine", request=of_test("tests/mine", "one"), form="2026")
    record("of none", request=of_test(None, "two"))
    record("of another", request=of_test("tests/another", "three"), form="2026")
    assert told(ask(taped(), of_test("tests/mine", "new"))) == "of mine"
    assert told(ask(taped(), of_test(None, "new"))) == "of none"
    # What was made for another test is for that test alone.
    assert told(ask(taped(), of_test("tests/third", "new"))) == "of none"


def test_takes_of_the_recording_are_played_as_of_an_exact_hit(record: Record, taped: Callable[..., Tape]) -> None:
    for number in (1, 2, 3):
        record(f"take {number}", prompt_cache_key="one")
    expected = {
        Takes.FIRST: ["take 1"] * 4,
        Takes.LAST: ["take 3"] * 4,
        Takes.SEQUENCE: ["take 1", "take 2", "take 3", "take 3"],
        Takes.CYCLE: ["take 1", "take 2", "take 3", "take 1"],
    }
    for takes, texts in expected.items():
        tape = taped(takes=takes)
        assert [told(ask(tape, prompt_cache_key=f"new {turn}")) for turn in range(4)] == texts


def test_what_only_time_tells_apart_has_its_turns_in_a_sequence(record: Record, taped: Callable[..., Tape]) -> None:
    record("1", prompt_cache_key="one")
    record("2", prompt_cache_key="one")
    record("3", prompt_cache_key="two")
    sequence = taped(takes=Takes.SEQUENCE)
    assert [told(ask(sequence, prompt_cache_key="new")) for _ in range(4)] == ["1", "2", "3", "3"]
    cycle = taped(takes=Takes.CYCLE)
    assert [told(ask(cycle, prompt_cache_key=f"new {turn}")) for turn in range(4)] == ["1", "2", "3", "1"]


def test_a_poll_by_rules_moves_on_with_the_recording(record: Record, taped: Callable[..., Tape]) -> None:
    def poll(nonce: str) -> RecordedRequest:
        return RecordedRequest("https://api.openai.com/v1/odd/1", {"nonce": nonce}, "", method="GET", moves_on=True)

    for status in ("queued", "running"):
        live = LiveResponse(
            200, (("content-type", "application/json"),), (json.dumps({"status": status}).encode(),), (1.0,), ended=True
        )
        record(live, request=poll("recorded"))
    policy = MatchPolicy((MatchRule("nonce", ignore=("$.nonce",)),))
    replay = taped(policy=policy)
    hits = [ask(replay, poll(f"nonce {turn}")) for turn in range(3)]
    assert [json.loads(hit.answer.body)["status"] for hit in hits if hit] == ["queued", "running", "running"]
    tape = taped(Mode.RECORD_IF_MISSING, policy)
    hits = [ask(tape, poll(f"nonce {turn}")) for turn in range(3)]
    assert [json.loads(hit.answer.body)["status"] for hit in hits if hit] == ["queued", "running"]
    assert hits[-1] is None, "what comes next is asked for"


# -- what changes meanwhile --------------------------------------------------------------------------------------------


def test_what_is_recorded_edited_or_removed_meanwhile_counts(
    record: Record, taped: Callable[..., Tape], tmp_path: Path
) -> None:
    tape = taped()
    assert ask(tape, prompt_cache_key="new") is None
    record("one", prompt_cache_key="one")
    assert told(ask(tape, prompt_cache_key="new")) == "one"
    record("two", prompt_cache_key="two")
    assert told(ask(tape, prompt_cache_key="another")) == "two"
    for path in tmp_path.rglob("responses/*.json"):
        if b'"two"' in path.read_bytes():
            path.unlink()
    assert told(ask(tape, prompt_cache_key="a third")) == "one"
    for path in tmp_path.rglob("responses/*.json"):
        path.write_text(path.read_text().replace("Hello", "Good morning"))
    assert ask(tape, prompt_cache_key="a fourth") is None
    assert told(ask(tape, content="Good morning", prompt_cache_key="a fifth")) == "one"
