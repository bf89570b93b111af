"""How two sessions differ, and what is taken over from one into the other: who may, and what is checked."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from samples import CHAT, SAMPLES
from wiretape import config
from wiretape.config.overrides import Known
from wiretape.library.costs import costs
from wiretape.library.promotion import plan
from wiretape.sessions import token_hash
from wiretape.sessions.model import Role
from wiretape.sessions.tokens import TokenEntry, Tokens
from wiretape.store import freezing
from wiretape.store.directory import DirectoryStore
from wiretape.store.freezing import Frozen
from wiretape.web import app
from wiretape.web.cookies import NAME
from wiretape.web.source import RecordingsAlone

OTHER = SAMPLES["cerebras completions"]
SECRET = b"sk-proj-" + b"aB3dE5fG7hJ9kL1mN2pQ" * 3
OURS = {"origin": "http://testserver"}
PLAN = "/promote?source=mine&target=main"
ROLES = {
    "wt_admin": (("mine", Role.READ), ("main", Role.ADMIN)),
    "wt_write": (("mine", Role.ADMIN), ("main", Role.WRITE)),
    "wt_blind": (("main", Role.ADMIN),),
}


class Source(RecordingsAlone):
    """Recordings, of a proxy with tokens where there are some."""

    token_file: Any = None

    def tokens(self) -> Any:
        return self.token_file


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    made = DirectoryStore(tmp_path)
    for session, text in (("main", b"Hello!"), ("mine", b"Howdy!")):
        made.write(session, CHAT.stem, CHAT.read_bytes().replace(b"Hello!", text), replace=True)
    made.write("mine", OTHER.stem, OTHER.read_bytes(), replace=True)
    return made


def browser(store: DirectoryStore, token: str = "", configuration: str = "") -> TestClient:
    source = Source(store, Known.of(config.loads("team.toml", configuration)), costs())
    if token:
        now = datetime.now(UTC)
        source.token_file = Tokens(
            TokenEntry(text, session, role, now, token_hash.digest(text))
            for text, each in ROLES.items()
            for session, role in each
        )
    made = TestClient(Starlette(routes=app.routes(source)), follow_redirects=False)
    if token:
        made.cookies.set(NAME, token)
    return made


def marks(client: TestClient) -> list[str]:
    return re.findall(r'name="accepted" value="(\w+)"', client.get(PLAN).text)


def accept(client: TestClient, *accepted: str, headers: dict[str, str] | None = None) -> Any:
    data = {"source": "mine", "target": "main", "accepted": [*accepted]}
    return client.post("/promote", data=data, headers=OURS if headers is None else headers)


def test_two_sessions_are_shown_with_what_differs(store: DirectoryStore) -> None:
    text = browser(store).get("/differences?before=main&after=mine").text
    assert "1 answered differently" in text
    assert "1 only in" in text
    assert "<ins>Howdy</ins><del>Hello</del>" in text
    assert "Nothing has drifted" in text
    assert "/promote?source=mine&amp;target=main" in text


def test_a_session_that_may_not_be_read_is_not_compared(store: DirectoryStore) -> None:
    for path in ("/differences?before=main&after=mine", "/differences?before=mine&after=main", PLAN):
        assert browser(store, "wt_blind").get(path).status_code == 404
    for path in ("/differences?before=main", "/differences?before=..&after=main", "/promote?source=nobody&target=main"):
        assert browser(store).get(path).status_code == 404


def test_what_is_accepted_is_taken_over_and_the_rest_stays(store: DirectoryStore) -> None:
    client = browser(store)
    wanted = plan(store, "mine", "main")
    replacing = next(step for step in wanted.steps if step.old)
    assert marks(client) == [step.mark for step in wanted.steps]
    before = store.read("main", CHAT.stem)
    answer = accept(client, replacing.mark)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PLAN}&done=1")
    assert store.read("main", CHAT.stem) == store.read("mine", CHAT.stem) != before
    assert store.read("main", OTHER.stem) is None, "it was left out"
    assert "1 request is taken over" in client.get(answer.headers["location"]).text
    assert accept(client).headers["location"].endswith("done=0")


def test_nothing_is_taken_over_that_is_not_as_it_was_shown(store: DirectoryStore) -> None:
    client = browser(store)
    accepted = marks(client)
    for session in ("mine", "main"):
        now = store.read(session, CHAT.stem) or b""
        store.write(session, CHAT.stem, now.replace(b"nice", b"good"), replace=True)
        assert accept(client, *accepted).status_code == 409
        assert store.read("main", OTHER.stem) is None, "the others are not taken over either"
        accepted = marks(client)
    assert accept(client, *accepted).status_code == 303


def test_a_recording_with_a_secret_cannot_be_accepted_and_others_can(store: DirectoryStore) -> None:
    store.write("mine", CHAT.stem, CHAT.read_bytes().replace(b"Hello!", SECRET), replace=True)
    client = browser(store)
    assert "what looks like a secret" in client.get(PLAN).text
    bad, good = sorted(plan(store, "mine", "main").steps, key=lambda step: not step.faults)
    assert accept(client, bad.mark, good.mark).status_code == 409
    assert store.read("main", OTHER.stem) is None
    assert accept(client, good.mark).status_code == 303
    assert store.read("main", OTHER.stem) == OTHER.read_bytes()
    assert SECRET not in (store.read("main", CHAT.stem) or b"")


def test_nothing_comes_into_a_frozen_session(store: DirectoryStore) -> None:
    accepted = marks(browser(store))
    configured = browser(store, configuration="[session.main]\nfrozen = true\n")
    assert configured.get(PLAN).status_code == 409
    assert accept(configured, *accepted).status_code == 409
    freezing.freeze(store, "main", Frozen("anna"))
    assert accept(browser(store), *accepted).status_code == 409
    assert store.read("main", OTHER.stem) is None


@pytest.mark.parametrize(("token", "status"), [("wt_write", 403), ("wt_blind", 404), ("wt_admin", 303), ("wt_no", 303)])
def test_who_may_not_change_a_session_is_refused(store: DirectoryStore, token: str, status: int) -> None:
    answer = accept(browser(store, token), *[step.mark for step in plan(store, "mine", "main").steps])
    assert answer.status_code == status
    assert (store.read("main", OTHER.stem) is not None) == (token == "wt_admin")


def test_who_may_not_change_a_session_sees_no_button(store: DirectoryStore) -> None:
    differences = "/differences?before=main&after=mine"
    assert "/promote" in browser(store, "wt_admin").get(differences).text
    assert "/promote" not in browser(store, "wt_write").get(differences).text
    assert browser(store, "wt_write").get(PLAN).status_code == 403
    assert "<option>main</option>" in browser(store, "wt_admin").get("/promote?source=mine").text
    assert "<option>main</option>" not in browser(store, "wt_write").get("/promote?source=mine").text


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": "http://127.0.0.1:3000"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "cross-site"}],
)
def test_no_other_page_has_anything_taken_over(store: DirectoryStore, headers: dict[str, str]) -> None:
    for client in (browser(store), browser(store, "wt_admin")):
        accepted = [step.mark for step in plan(store, "mine", "main").steps]
        assert accept(client, *accepted, headers=headers).status_code == 403
        query = "&".join(f"accepted={mark}" for mark in accepted)
        assert client.get(f"{PLAN}&{query}").status_code == 200
        assert client.post("/promote", content=b"x" * 1_000_001, headers=OURS).status_code == 413
    assert store.read("main", OTHER.stem) is None


def test_a_step_is_known_by_all_that_is_shown_of_it(store: DirectoryStore) -> None:
    step = next(step for step in plan(store, "mine", "main").steps if step.old)
    (old,) = step.old
    assert replace(step, old=(replace(old, data="other"),)).mark != step.mark
    assert replace(step, copies=()).mark != step.mark
