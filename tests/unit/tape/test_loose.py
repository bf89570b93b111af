"""What may stand for a request that it is not the same as: asked for, told, and refused where there are two answers."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builders import came, chat, tape_of, text_of
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.rules import Loose, MatchContext, MatchPolicy
from wiretape.policy import Mode
from wiretape.recording import RecordedRequest
from wiretape.recording.capture import Origin
from wiretape.store.directory import DirectoryStore
from wiretape.store.lru import LruCache
from wiretape.tape.hit import RULES_HEADER, Hit
from wiretape.tape.loose import without_place
from wiretape.tape.question import Question
from wiretape.tape.tape import Tape

CONTEXT = MatchContext(endpoints=("/v1/chat/completions",))


def talk(*said: str, system: str = "of this machine", **more: Any) -> RecordedRequest:
    """Return a request whose system prompt is another one on another machine."""
    messages = [{"role": "system", "content": system}, *({"role": "user", "content": each} for each in said)]
    return RecordedRequest(chat().url, {"model": "m", "messages": messages, **more}, chat().endpoint)


def record(root: Path, request: RecordedRequest, answer: str, second: int = 10) -> None:
    origin = Origin("", f"2026-01-31T12:00:{second}Z", "", "1.0", 1.0)
    tape_of(DirectoryStore(root), "main", Mode.RECORD).record(request, came(answer), origin)


@pytest.fixture(name="loosely")
def _loosely(tmp_path: Path) -> Callable[..., Tape]:
    def make(*loose: Loose, mode: Mode = Mode.REPLAY) -> Tape:
        policy = MatchPolicy(BUILT_IN, loose=loose)
        return tape_of(DirectoryStore(tmp_path), "main", mode, policy=policy, memory=LruCache(1_000_000))

    return make


def ask(tape: Tape, request: RecordedRequest, key: object = None) -> Hit | None:
    question = Question(request, key, context=CONTEXT)
    return tape.lookup(question) or tape.search(question)


def why(tape: Tape, request: RecordedRequest) -> str:
    return tape.explain(request, CONTEXT).text


# -- conversation ------------------------------------------------------------------------------------------------------


def test_what_is_said_counts_without_system_and_tools(
    tmp_path: Path, loosely: Callable[..., Tape], caplog: pytest.LogCaptureFixture
) -> None:
    record(tmp_path, talk("Hello", prompt_cache_key="one"), "Hi")
    elsewhere = talk("Hello", system="of another machine", prompt_cache_key="two", tools=[{"type": "function"}])
    assert ask(loosely(), elsewhere) is None, "never by default"
    with caplog.at_level(logging.INFO):
        hit = ask(loosely(Loose.CONVERSATION), elsewhere)
    assert text_of(hit) == "Hi"
    assert hit
    assert hit.rules == ("prompt-cache-key", "without system and tools")
    assert (RULES_HEADER, "prompt-cache-key, without system and tools") in hit.answer.headers
    assert "without system and tools" in caplog.text
    assert ask(loosely(Loose.CONVERSATION), talk("Bye", system="of another machine")) is None


def test_what_is_the_same_goes_before_it(tmp_path: Path, loosely: Callable[..., Tape]) -> None:
    record(tmp_path, talk("Hello", prompt_cache_key="one"), "of this machine")
    record(tmp_path, talk("Hello", system="of that machine"), "of that machine", 11)
    tape = loosely(Loose.CONVERSATION, Loose.POSITION)
    for key in ("one", "two"):
        hit = ask(tape, talk("Hello", prompt_cache_key=key))
        assert text_of(hit) == "of this machine"


def test_of_two_answers_neither_is_given(
    tmp_path: Path, loosely: Callable[..., Tape], caplog: pytest.LogCaptureFixture
) -> None:
    record(tmp_path, talk("Hello", system="one"), "the same")
    record(tmp_path, talk("Hello", system="two"), "the same")
    tape = loosely(Loose.CONVERSATION)
    assert text_of(ask(tape, talk("Hello", system="three"))) == "the same"
    record(tmp_path, talk("Hello", system="four"), "something else")
    assert ask(tape, talk("Hello", system="five")) is None
    assert "their answers differ" in caplog.text
    assert "their answers differ" in why(tape, talk("Hello", system="five"))
    assert "their answers differ" not in why(tape, talk("Bye", system="five"))


# -- position ----------------------------------------------------------------------------------------------------------


def test_the_nth_call_gets_the_nth_recording(tmp_path: Path, loosely: Callable[..., Tape]) -> None:
    record(tmp_path, talk("a"), "first", 10)
    record(tmp_path, talk("b"), "second", 11)
    record(tmp_path, talk("c"), "third", 12)
    tape = loosely(Loose.POSITION)
    hits = [ask(tape, talk(text, system="elsewhere")) for text in ("A", "B", "C")]
    assert [text_of(hit) for hit in hits] == ["first", "second", "third"]
    assert [hit.rules for hit in hits if hit] == [("position 1",), ("position 2",), ("position 3",)]
    assert ask(tape, talk("D")) is None
    assert "position 4: there are 3 recordings of /v1/chat/completions m" in why(tape, talk("D"))


def test_each_call_counts_whatever_answers_it(tmp_path: Path, loosely: Callable[..., Tape]) -> None:
    record(tmp_path, talk("a"), "first", 10)
    record(tmp_path, talk("b"), "second", 11)
    record(tmp_path, talk("x", model="another"), "of another model", 12)
    tape = loosely(Loose.POSITION)
    assert text_of(ask(tape, talk("a"), b"key")) == "first"
    assert tape.recall(b"key") is None
    assert text_of(ask(tape, talk("X", model="another"))) == "of another model"
    assert text_of(ask(tape, talk("B"))) == "second"


def test_where_nobody_knows_which_was_first_the_answers_have_to_be_the_same(
    tmp_path: Path, loosely: Callable[..., Tape]
) -> None:
    record(tmp_path, talk("a"), "the same", 10)
    record(tmp_path, talk("b"), "the same", 10)
    record(tmp_path, talk("c"), "one", 11)
    record(tmp_path, talk("d"), "another", 11)
    tape = loosely(Loose.POSITION)
    assert [text_of(ask(tape, talk("A"))), text_of(ask(tape, talk("B")))] == ["the same", "the same"]
    assert ask(tape, talk("C")) is None
    assert "nobody knows which was first" in why(tape, talk("C"))


def test_what_is_not_recorded_at_all_is_asked_for(loosely: Callable[..., Tape]) -> None:
    tape = loosely(Loose.POSITION, mode=Mode.RECORD_IF_MISSING)
    assert ask(tape, talk("A")) is None


def test_all_places_are_counted_as_one_rule() -> None:
    assert [without_place(name) for name in ("position 1", "position 12", "today")] == ["position", "position", "today"]
