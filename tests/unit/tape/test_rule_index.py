from pathlib import Path

from builders import came, chat, tape_of, text_of
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.rules import MatchContext, MatchPolicy
from wiretape.policy import Mode
from wiretape.store.directory import DirectoryStore
from wiretape.tape.question import Question
from wiretape.tape.tape import RULES_HEADER, Hit

CONTEXT = MatchContext(endpoints=("/v1/chat/completions",))


def record(tmp_path: Path, key: str, answer: str) -> None:
    tape_of(DirectoryStore(tmp_path), "main", Mode.RECORD).record(chat(prompt_cache_key=key), came(answer))


def asked(tmp_path: Path, key: str, text: str = "Hello", policy: MatchPolicy | None = None) -> Hit | None:
    policy = MatchPolicy(BUILT_IN) if policy is None else policy
    tape = tape_of(DirectoryStore(tmp_path), "main", Mode.REPLAY, policy=policy)
    return tape.search(Question(chat(text, prompt_cache_key=key), context=CONTEXT))


def test_a_request_is_found_by_rules(tmp_path: Path) -> None:
    record(tmp_path, "one", "Hi")
    hit = asked(tmp_path, "two")
    assert text_of(hit) == "Hi"
    assert hit
    assert hit.rules == ("prompt-cache-key",)
    assert (RULES_HEADER, "prompt-cache-key") in hit.answer.headers
    assert asked(tmp_path, "two", "Bye") is None
    assert asked(tmp_path, "two", policy=MatchPolicy()) is None


def test_an_exact_hit_needs_no_rule(tmp_path: Path) -> None:
    record(tmp_path, "one", "Hi")
    record(tmp_path, "two", "Ho")
    hit = asked(tmp_path, "one")
    assert text_of(hit) == "Hi"
    assert hit
    assert hit.rules == ()
