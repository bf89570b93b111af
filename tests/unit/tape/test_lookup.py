"""Which recordings of a session answer a request: by name or by content, and which of its takes is played."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from builders import came, chat
from wiretape import recording
from wiretape.exceptions import StoreUnavailableError
from wiretape.matching.request import identity
from wiretape.policy import Mode, Takes
from wiretape.providers import wire
from wiretape.recording import RecordedRequest
from wiretape.store.directory import DirectoryStore
from wiretape.tape.config import TapeConfig
from wiretape.tape.index import Index
from wiretape.tape.indexed import Known
from wiretape.tape.lookup import Lookup, MovedOn
from wiretape.tape.question import Question
from wiretape.tape.reader import Candidate
from wiretape.tape.snapshot import Snapshot

HELLO = chat("Hello")
NAME = recording.request_name(HELLO, "2025-09")
POLL = RecordedRequest("https://api.openai.com/v1/videos/v1", {}, "", "GET", moves_on=True)
JOB = RecordedRequest("https://api.openai.com/v1/jobs", {}, "", "POST", moves_on=True)
MODELS = RecordedRequest("https://api.openai.com/v1/v1/models", {}, "/v1/models", "GET")


def answer(text: str, status: int) -> wire.LiveResponse:
    return wire.LiveResponse(status, (("content-type", "application/json"),), (text.encode(),), (1.0,), True)


def taken(text: str) -> wire.LiveResponse:
    """A take by its word: a status is a failure, and a state is a poll's answer."""
    if text.isdigit():
        return answer('{"error": {"message": "no"}}', int(text))
    if text == "models":
        return answer(
            '{"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "o"}]}', 200
        )
    if text in ("queued", "running", "completed"):
        return answer(f'{{"id": "v1", "status": "{text}"}}', 200)
    return came(text)


class Rig:
    """A session, and look-ups in it."""

    def __init__(self, root: Path, **chosen: object) -> None:
        self.store = DirectoryStore(root)
        self.index = Index(self.store, "s")
        self._turns: Counter[str] = Counter()
        config = TapeConfig("s", **{"mode": Mode.REPLAY, **chosen})  # type: ignore[arg-type]
        self.lookup = Lookup(self.index, self._turn, config)

    def _turn(self, id_: str) -> int:
        self._turns[id_] += 1
        return self._turns[id_] - 1

    def put(self, name: str, request: RecordedRequest, text: str, form: str = "2025-09") -> None:
        response = wire.response(request, taken(text), keep_errors=True)
        self.store.write("s", name, recording.dumps(recording.make(request, response, form)), replace=True)

    def put_takes(self, request: RecordedRequest, takes: str) -> None:
        name = recording.request_name(request, "2025-09")
        for number, text in enumerate(takes.split(), 1):
            self.put(name if number == 1 else f"{name}.{number}", request, text)

    def by_name(self, request: RecordedRequest, turn: int | None = None) -> list[Candidate]:
        return self.lookup.by_name(Question(request, turn=turn), self.snapshot())

    def by_content(self, request: RecordedRequest) -> list[Candidate]:
        return self.lookup.by_content(Question(request), self.snapshot())

    def snapshot(self) -> Snapshot:
        return Snapshot(self.store, "s")

    def plays(self, request: RecordedRequest, times: int) -> str:
        """Return which takes are played, by their numbers; 0 where there is none."""
        numbers = []
        for _ in range(times):
            candidates = self.by_name(request)
            numbers.append(candidates[0].name.partition(".")[2] or "1" if candidates else "0")
        return " ".join(numbers)


@pytest.mark.parametrize(
    ("takes", "recorded", "mode", "played"),
    [
        (Takes.LAST, "a b c", Mode.REPLAY, "3 3 3 3"),
        (Takes.FIRST, "a b c", Mode.REPLAY, "1 1 1 1"),
        (Takes.SEQUENCE, "a b c", Mode.REPLAY, "1 2 3 3"),
        (Takes.CYCLE, "a b c", Mode.REPLAY, "1 2 3 1"),
        (Takes.LAST, "429 b", Mode.REPLAY, "1 2 2 2"),
        (Takes.LAST, "a 429 503 b", Mode.REPLAY, "2 3 4 4"),
        (Takes.LAST, "a 429", Mode.REPLAY, "2 2 2 2"),
        (Takes.FIRST, "429 b c", Mode.REPLAY, "1 2 2 2"),
        (Takes.FIRST, "429 503", Mode.REPLAY, "1 2 2 2"),
        (Takes.LAST, "429 b", Mode.RECORD_IF_MISSING, "2 2 2 2"),
        (Takes.SEQUENCE, "a 401 c", Mode.RECORD_IF_MISSING, "1 3 3 3"),
        (Takes.CYCLE, "401 b c", Mode.RECORD_IF_MISSING, "2 3 2 3"),
        (Takes.SEQUENCE, "401", Mode.RECORD_IF_MISSING, "0 0 0 0"),
    ],
)
def test_the_takes_that_are_played(tmp_path: Path, takes: Takes, recorded: str, mode: Mode, played: str) -> None:
    rig = Rig(tmp_path, takes=takes, mode=mode)
    rig.put_takes(HELLO, recorded)
    assert rig.plays(HELLO, 4) == played


@pytest.mark.parametrize(("recorded", "has_turns"), [("a", False), ("a b", False), ("429 b", True)])
def test_a_take_with_another_beside_it_has_turns(tmp_path: Path, recorded: str, *, has_turns: bool) -> None:
    rig = Rig(tmp_path)
    rig.put_takes(HELLO, recorded)
    assert [each.has_turns for each in rig.by_name(HELLO)] == [has_turns]


@pytest.mark.parametrize(
    ("request_", "recorded", "turn", "chosen", "played"),
    [
        (POLL, "queued running", 1, {}, "2"),
        (POLL, "queued running", 2, {}, "asked for"),
        (POLL, "queued completed", 2, {}, "2"),
        (POLL, "queued running", 2, {"is_offline": True}, "1"),
        (POLL, "queued running", 2, {"mode": Mode.REPLAY}, "1"),
        (JOB, "queued running", 2, {}, "2"),
    ],
)
def test_what_moves_on_is_asked_for_after_its_last_state(
    tmp_path: Path, *, request_: RecordedRequest, recorded: str, turn: int, chosen: dict[str, object], played: str
) -> None:
    rig = Rig(tmp_path, **{"mode": Mode.RECORD_IF_MISSING, **chosen})
    rig.put_takes(request_, recorded)
    try:
        said = rig.by_name(request_, turn)[0].name.partition(".")[2] or "1"
    except MovedOn:
        said = "asked for"
    assert said == played


@pytest.mark.parametrize(
    ("name", "by_name", "by_content"),
    [
        (NAME, True, True),
        (f"{NAME}-{identity(HELLO)[:8]}", True, True),
        (recording.request_name(HELLO, "2026"), True, True),
        ("by-hand", False, True),
        (f"{NAME}.2", False, True),
    ],
)
def test_a_name_that_was_made_here_is_found_without_the_index(
    tmp_path: Path, name: str, *, by_name: bool, by_content: bool
) -> None:
    rig = Rig(tmp_path)
    rig.put(name, HELLO, "a")
    assert (bool(rig.by_name(HELLO)), bool(rig.by_content(HELLO))) == (by_name, by_content)
    assert (rig.by_name(chat("Other")), rig.by_content(chat("Other"))) == ([], [])


@pytest.mark.parametrize(
    ("recorded", "asks", "answers"),
    [
        ("a", "a", "a"),
        ("a", None, "a"),
        ("a", "b", ""),
        ("- a", "a", "a"),
        ("- a", "b", "-"),
        ("- a", None, "-"),
        ("b a", None, "b"),
    ],
)
def test_one_of_another_test_answers_only_who_names_none(
    tmp_path: Path, recorded: str, asks: str | None, answers: str
) -> None:
    rig = Rig(tmp_path)
    for number, test in enumerate(recorded.split()):
        rig.put(f"n{number}", chat_of(None if test == "-" else test), "text", "2026")
    found = rig.by_content(chat_of(asks))
    assert [each.recording.request.test_id or "-" for each in found] == answers.split()


@pytest.mark.parametrize(
    ("recorded", "form", "answers"), [("a", "2026", "a"), ("b", "2026", ""), ("-", "2026", ""), ("-", "2025-09", "")]
)
def test_a_test_that_is_isolated_is_answered_by_its_own_alone(
    tmp_path: Path, recorded: str, form: str, answers: str
) -> None:
    rig = Rig(tmp_path, own_tests_only=True)
    request = chat_of(None if recorded == "-" else recorded)
    name = recording.request_name(request, form)
    rig.put(name, request, "text", form)
    for find in (rig.by_name, rig.by_content):
        assert [each.recording.request.test_id for each in find(chat_of("a"))] == answers.split()
    if not answers:
        (why,) = rig.lookup.obstacles(Question(chat_of("a")))
        assert f"{name}.json is of this request, but for" in why


def chat_of(test: str | None) -> RecordedRequest:
    return RecordedRequest(HELLO.url, HELLO.body, HELLO.endpoint, test_id=test)


@pytest.mark.parametrize(
    ("recorded", "asks", "answers"),
    [
        ("-", None, "-"),
        ("- -", None, "- -"),
        ("- a a b", "a", "a a"),
        ("- a b", None, "-"),
        ("- a", "b", "-"),
        ("a b", None, "a b"),
        ("a", "b", ""),
    ],
)
def test_lists_of_models_are_one_list_of_one_test(
    tmp_path: Path, recorded: str, asks: str | None, answers: str
) -> None:
    rig = Rig(tmp_path)
    for number, test in enumerate(recorded.split()):
        rig.put(f"n{number}", replace(MODELS, test_id=None if test == "-" else test), "models", "2026")
    found = rig.by_content(replace(MODELS, test_id=asks))
    assert [each.recording.request.test_id or "-" for each in found] == answers.split()


@pytest.mark.parametrize(("tests", "answers"), [("a", "a"), ("a a", "a a"), ("a c", "")])
def test_a_list_that_is_named_as_all_tests_have_it_is_for_all(tmp_path: Path, tests: str, answers: str) -> None:
    rig = Rig(tmp_path)
    for number, test in enumerate(tests.split()):
        asked = replace(MODELS, test_id=test)
        rig.put(f"models-{recording.request_hash(asked, '2026')}-{number}", asked, "models", "2026")
    found = rig.by_content(replace(MODELS, test_id="b"))
    assert [each.recording.request.test_id for each in found] == answers.split()


@pytest.mark.parametrize(
    ("recorded", "played"), [("models 404 models", "n0 n2"), ("404 403", "n1"), ("401 models", "n1"), ("", "")]
)
def test_what_was_answered_in_place_of_a_list_is_none_where_there_is_one(
    tmp_path: Path, recorded: str, played: str
) -> None:
    rig = Rig(tmp_path)
    for number, text in enumerate(recorded.split()):
        rig.put(f"n{number}", MODELS, text)
    assert [each.name for each in rig.by_content(MODELS)] == played.split()


def test_it_is_quick_when_all_files_were_read(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    assert not rig.lookup.is_quick
    rig.by_content(HELLO)
    assert rig.lookup.is_quick


def test_a_list_of_models_waits_for_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(tmp_path)
    problem = StoreUnavailableError("a file")
    monkeypatch.setattr(rig.index, "find", lambda *_: Known([], problem))
    assert rig.by_name(MODELS) == []
    with pytest.raises(StoreUnavailableError):
        rig.by_content(MODELS)
    snapshot = rig.snapshot()
    assert rig.lookup.by_content(Question(HELLO), snapshot) == []
    assert snapshot.doubt is problem


@pytest.mark.parametrize(
    ("mode", "recorded", "said"),
    [
        (Mode.REPLAY, "a", []),
        (Mode.RECORD_IF_MISSING, "401", ["depends on who asked, or when: replay serves it."]),
        (Mode.REPLAY, "{", ["is there, and cannot be served: "]),
    ],
)
def test_a_miss_is_told_what_is_in_its_way(tmp_path: Path, mode: Mode, recorded: str, said: list[str]) -> None:
    rig = Rig(tmp_path, mode=mode)
    if recorded == "{":
        rig.store.write("s", NAME, b"{", replace=True)
    else:
        rig.put(NAME, HELLO, recorded)
    rig.by_content(HELLO)
    told = rig.lookup.obstacles(Question(HELLO))
    assert len(told) == len(said)
    for line, part in zip(told, said, strict=True):
        assert part in line
        assert str(rig.store.path("s", NAME)) in line


def test_a_miss_is_told_of_the_test_that_has_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.put("a", chat_of("a"), "text", "2026")
    rig.by_content(HELLO)
    (told,) = rig.lookup.obstacles(Question(chat_of("b")))
    assert told.endswith("is of this request, but for test a alone, and this one is for test b.")


@pytest.mark.parametrize(("name", "is_looked_up", "has"), [(NAME, False, True), ("x", False, False), ("x", True, True)])
def test_whether_there_is_one_is_told_by_name_or_as_far_as_is_known(
    tmp_path: Path, name: str, *, is_looked_up: bool, has: bool
) -> None:
    rig = Rig(tmp_path)
    rig.put(name, HELLO, "a")
    if is_looked_up:
        rig.by_content(HELLO)
    assert rig.lookup.has(Question(HELLO)) is has


def test_broken_files_are_named(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.store.write("s", "broken", b"{", replace=True)
    rig.by_content(HELLO)
    (told,) = rig.lookup.broken()
    assert told.startswith(f"{rig.store.path('s', 'broken')}: ")


def test_another_session_is_looked_into_by_the_same_choices(tmp_path: Path) -> None:
    rig = Rig(tmp_path, takes=Takes.FIRST)
    other = rig.lookup.of(Index(rig.store, "t"))
    assert (rig.lookup.session, other.session, other.reader.session) == ("s", "t", "t")
    rig.put_takes(HELLO, "a b")
    (rig.store.root / "s").rename(rig.store.root / "t")
    (candidate,) = other.by_name(Question(HELLO), other.reader.snapshot())
    assert candidate.name == NAME
