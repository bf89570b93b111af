"""Hits by rules in memory; of those that are exact tells ``test_tape_memory``."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from builders import RecordingTape, came, chat, tape_of, text_of
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.rules import MatchContext, MatchPolicy, MatchRule, Selector
from wiretape.policy import Mode
from wiretape.store.directory import DirectoryStore
from wiretape.store.lru import LruCache
from wiretape.tape.hit import Hit
from wiretape.tape.question import Question

KEY = ("POST", b"digest")
AGENT = "agent/1.0"


class Clock:
    """The clock of the memory and of the index: it stands until it is told to go on."""

    def __init__(self) -> None:
        self.moment = 1000.0

    def monotonic(self) -> float:
        return self.moment


@pytest.fixture(name="clock", autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("hit_memory", "index"):
        monkeypatch.setattr(f"wiretape.tape.{module}.time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture(name="tape")
def _tape(tmp_path: Path) -> RecordingTape:
    record(tmp_path, "Hi", "one")
    for_agent = MatchRule("seed", ignore=("$.seed",), applies=Selector(clients=("agent/*",)))
    policy = MatchPolicy((*BUILT_IN, for_agent))
    return tape_of(DirectoryStore(tmp_path), "main", Mode.REPLAY, policy=policy, memory=LruCache(1_000_000))


def record(folder: Path, answer: str, key: str) -> None:
    tape_of(DirectoryStore(folder), "main", Mode.RECORD).record(chat(prompt_cache_key=key, seed=1), came(answer))


def ask(tape: RecordingTape, client: str = AGENT, key: object = KEY, prompt_cache_key: str = "new") -> Hit | None:
    context = MatchContext(endpoints=("/v1/chat/completions",), client=client)
    question = Question(chat(prompt_cache_key=prompt_cache_key, seed=2), key, context=context)
    return tape.lookup(question) or tape.search(question)


def test_a_hit_by_rules_is_recalled_for_a_client_of_the_same_name_alone(tape: RecordingTape) -> None:
    hit = ask(tape)
    assert hit
    assert hit.rules == ("prompt-cache-key", "seed")
    assert tape.recall(KEY, AGENT) is hit
    assert ask(tape) is hit
    assert tape.recall(KEY, "curl/8") is None
    assert tape.recall(KEY) is None
    assert tape.recall(("POST", b"another"), AGENT) is None
    assert ask(tape, "curl/8") is None, "the rule is not for that one"


def test_it_is_asked_for_again_when_a_likelier_one_has_come(tape: RecordingTape, tmp_path: Path, clock: Clock) -> None:
    assert text_of(ask(tape)) == "Hi"
    record(tmp_path, "Ho", "two")
    clock.moment += 0.5
    assert tape.recall(KEY, AGENT), "nobody knows of it"
    ask(tape, key=None, prompt_cache_key="of another request")
    assert tape.recall(KEY, AGENT) is None
    clock.moment += 0.5
    kept = ask(tape)
    assert tape.recall(KEY, AGENT) is kept


def test_after_a_second_the_session_is_looked_at_again(tape: RecordingTape, tmp_path: Path, clock: Clock) -> None:
    hit = ask(tape)
    clock.moment += 2
    assert tape.recall(KEY, AGENT) is None
    assert ask(tape) is hit, "nothing has come"
    assert tape.recall(KEY, AGENT) is hit
    record(tmp_path, "Ho", "two")
    clock.moment += 2
    assert ask(tape) is not hit


def test_what_is_recorded_exactly_goes_before_it(tape: RecordingTape, tmp_path: Path, clock: Clock) -> None:
    assert ask(tape)
    live = tape_of(DirectoryStore(tmp_path), "main", Mode.RECORD)
    live.record(chat(prompt_cache_key="new", seed=2), came("exactly"))
    clock.moment += 0.01
    assert tape.recall(KEY, AGENT) is None
    hit = ask(tape)
    assert text_of(hit) == "exactly"
    assert hit
    assert hit.rules == ()
    assert tape.recall(KEY, "whoever") is hit


def test_a_file_that_changes_or_goes_ends_it(tape: RecordingTape, tmp_path: Path, clock: Clock) -> None:
    assert ask(tape)
    (path,) = tmp_path.rglob("responses/*.json")
    path.unlink()
    clock.moment += 0.01
    assert tape.recall(KEY, AGENT) is None
    assert ask(tape) is None
