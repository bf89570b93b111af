"""What can be done about a call that missed: who may, and what comes of it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from builders import came, chat, tape_of
from wiretape import config
from wiretape.call_log.call import Call, MissTold, Outcome, as_json
from wiretape.call_log.reader import CallReader
from wiretape.config.overrides import Known
from wiretape.library.costs import costs
from wiretape.matching.rules import MatchContext, MatchPolicy, Places
from wiretape.policy import Mode
from wiretape.recording import RecordedRequest
from wiretape.sessions import token_hash
from wiretape.sessions.model import Role
from wiretape.sessions.tokens import TokenEntry, Tokens
from wiretape.store.directory import DirectoryStore
from wiretape.store.notes import Notes
from wiretape.tape.kept_misses import KeptMisses
from wiretape.web import app
from wiretape.web.cookies import NAME
from wiretape.web.source import RecordingsAlone

OURS = {"origin": "http://testserver"}
RECORDED = chat("Hello", user="u-1")
ASKED = chat("Hello", user="u-2")


class Steered:
    """What was asked of a proxy."""

    def __init__(self) -> None:
        self.waiting: dict[str, RecordedRequest] = {}
        self.why = ""

    def matching(self, session: str) -> MatchPolicy:
        return MatchPolicy()

    def refusal(self, session: str, *, is_anybody: bool) -> str:
        return self.why

    def is_waiting(self, session: str) -> bool:
        return session in self.waiting

    def begin(self, session: str, request: RecordedRequest) -> None:
        self.waiting[session] = request

    def end(self, session: str) -> None:
        self.waiting.pop(session)


class Source(RecordingsAlone):
    """Recordings of a proxy that has answered calls."""

    token_file: Any = None
    log: Path

    def tokens(self) -> Any:
        return self.token_file

    def calls(self) -> Any:
        return CallReader([self.log])


@pytest.fixture
def source(tmp_path: Path) -> Source:
    store = DirectoryStore(tmp_path, notes=Notes(tmp_path / "notes.sqlite"))
    tape_of(store, "default", Mode.RECORD).record(RECORDED, came("Hi"))
    tape_of(store, "default", Mode.RECORD).record(chat("Hello", user="u-3"), came("Hi"))
    assert store.notes
    misses = KeptMisses(store.notes, "default")
    misses.keep(ASKED, MatchContext("openai", ("/v1/chat/completions",), "m", "agent/1.0", "default"), Places())
    (kept,) = misses.all()
    made = Source(store, Known.of(config.loads("team.toml", "")), costs())
    made.log = tmp_path / "calls.jsonl"
    calls = [
        Call(1.0, "default", "replay", Outcome.MISS, id=1, miss=MissTold(hash=kept.hash)),
        Call(2.0, "default", "replay", Outcome.HIT, id=2, recording="abc"),
    ]
    made.log.write_text("".join(f"{json.dumps(as_json(call))}\n" for call in calls))
    return made


def browser(source: Source, steered: Steered | None, role: Role | None = None) -> TestClient:
    if role:
        entry = TokenEntry("anna", "default", role, datetime.now(UTC), token_hash.digest("wt_anna"))
        source.token_file = Tokens([entry])
    made = TestClient(Starlette(routes=app.routes(source, steered)), follow_redirects=False)
    made.cookies.set(NAME, "wt_anna")
    return made


def test_a_miss_is_recorded_from_its_page_and_can_be_left(source: Source) -> None:
    steered = Steered()
    client = browser(source, steered, Role.ADMIN)
    assert 'action="/calls/1/record"' in client.get("/calls/1").text
    answer = client.post("/calls/1/record", headers=OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/calls/1")
    assert steered.waiting == {"default": ASKED}
    text = client.get("/calls/1").text
    assert 'action="/calls/1/record"' not in text
    assert 'action="/calls/1/stop"' in text
    assert client.post("/calls/1/stop", headers=OURS).status_code == 303
    assert steered.waiting == {}


@pytest.mark.parametrize("role", [Role.READ, Role.WRITE])
def test_who_may_not_change_a_session_sees_no_button_and_is_refused(source: Source, role: Role) -> None:
    steered = Steered()
    client = browser(source, steered, role)
    text = client.get("/calls/1").text
    assert "<form" not in text.partition("<main")[2]
    assert "/calls/1/rule" in text
    for path in ("/calls/1/record", "/calls/1/stop"):
        assert client.post(path, headers=OURS).status_code == 403
        assert client.post(path, headers={"origin": "http://127.0.0.1:3000"}).status_code == 403
        assert client.get(path).status_code in (404, 405)
    assert steered.waiting == {}


def test_why_it_cannot_be_recorded_is_told(source: Source) -> None:
    steered = Steered()
    steered.why = "session default is frozen"
    client = browser(source, steered)
    text = client.get("/calls/1").text
    assert "session default is frozen" in text
    assert 'action="/calls/1/record"' not in text
    assert client.post("/calls/1/record", headers=OURS).status_code == 409


def test_nothing_is_offered_of_a_hit_nor_without_a_proxy(source: Source) -> None:
    assert "What can be done" not in browser(source, Steered()).get("/calls/2").text
    assert "What can be done" not in browser(source, None).get("/calls/1").text
    for client, path in ((browser(source, Steered()), "/calls/2"), (browser(source, None), "/calls/1")):
        assert client.post(f"{path}/record", headers=OURS).status_code == 404
        assert client.get(f"{path}/rule").status_code == 404


def test_the_rule_that_would_match_is_shown_with_what_it_folds(source: Source) -> None:
    text = browser(source, Steered(), Role.READ).get("/calls/1/rule").text
    assert "[[match]]" in text
    assert "user" in text
    assert "These recordings would be the same request too" in text
