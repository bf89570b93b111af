"""The page over HTTP: what is asked, and what a browser is let do with the answer."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from samples import SAMPLES
from wiretape import config
from wiretape.call_log.call import Call, MissTold, Outcome, as_json
from wiretape.call_log.reader import CallReader
from wiretape.config.overrides import Known
from wiretape.library.costs import RecordingCosts, costs
from wiretape.sessions import token_hash
from wiretape.sessions.model import Role
from wiretape.sessions.tokens import TokenEntry, Tokens
from wiretape.store.base import Store
from wiretape.store.opening import open_store
from wiretape.web import app
from wiretape.web.cookies import NAME
from wiretape.web.pages import CONTENT_SECURITY_POLICY

CHAT = SAMPLES["fireworks chat"]
TOKEN = "wt_0123456789"

CONFIGURATION = """
[session.default]
layers = ["base"]

[session.base]
frozen = true
"""

HOSTILE = '<script>alert("x")</script> </textarea>\u202e{{ 7 * 7 }} \x1b[31m'


class Source:
    """What the page is about."""

    def __init__(self, folder: Path, tokens: Tokens | None, calls: list[Call] | None) -> None:
        self._store = open_store(str(folder))
        self._tokens = tokens
        self._configuration = config.loads("team.toml", CONFIGURATION)
        self._report = folder / "calls.jsonl"
        self._has_calls = calls is not None
        self._report.write_text("".join(f"{json.dumps(as_json(call))}\n" for call in calls or ()))

    def store(self) -> Store:
        return self._store

    def tokens(self) -> Any:
        return self._tokens

    def known(self) -> Known:
        return Known.of(self._configuration)

    def costs(self) -> RecordingCosts:
        return costs()

    def calls(self) -> CallReader | None:
        return CallReader([self._report]) if self._has_calls else None


def client(folder: Path, token: str = "", calls: list[Call] | None = None) -> TestClient:
    """Return a browser; with a token, of a proxy that asks for one, which is good for the session ``default``."""
    tokens = (
        Tokens([TokenEntry("anna", "default", Role.READ, datetime.now(UTC), token_hash.digest(TOKEN))])
        if token
        else None
    )
    made = TestClient(Starlette(routes=app.routes(Source(folder, tokens, calls))), follow_redirects=False)
    if token:
        made.cookies.set(NAME, token)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for session in ("default", "secret"):
        responses = tmp_path / session / "responses"
        responses.mkdir(parents=True)
        (responses / CHAT.name).write_bytes(CHAT.read_bytes())
    hostile = json.loads(CHAT.read_bytes())
    hostile["request"]["body"]["messages"] = [
        {"role": HOSTILE, "content": HOSTILE},
        {"role": "tool", "content": HOSTILE},
    ]
    hostile["request"]["body"]["tools"] = [{"function": {"name": HOSTILE}}]
    hostile["request"]["body"]["model"] = HOSTILE
    (tmp_path / "default" / "responses" / "0123456789ab.json").write_text(json.dumps(hostile))
    (tmp_path / "default" / "responses" / "bad.json").write_text("{")
    return tmp_path


PAGES = ["/", "/sessions/default", f"/sessions/default/{CHAT.stem}", "/sessions/default/0123456789ab"]


@pytest.mark.parametrize(
    "path", [*PAGES, "/sessions/nobody", f"/sessions/default/{CHAT.stem}/file", "/static/style.css"]
)
def test_every_answer_says_what_a_browser_lets_it_do(folder: Path, path: str) -> None:
    headers = client(folder).get(path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    [
        *PAGES,
        "/sessions/default?search=script",
        "/compare?here=default/0123456789ab&there=default/e99f14805360",
        "/differences?before=secret&after=default",
        "/differences?before=default&after=secret",
        "/promote?source=default&target=secret",
        "/promote?source=default",
    ],
)
def test_whatever_is_recorded_is_text(folder: Path, path: str) -> None:
    text = client(folder).get(path).text
    assert "<script>alert" not in text
    assert "49 \x1b" not in text


def test_sessions_are_listed_with_what_they_stand_on_and_what_nobody_asked_for(folder: Path) -> None:
    text = client(folder, calls=CALLS).get("/").text
    rows = re.findall(r"<tr>\s*<td>(.*?)</tr>", text, re.DOTALL)
    by_name = {re.sub("<.*?>", "", row).split()[0]: row for row in rows}
    assert [*by_name] == ["base", "default", "secret"]
    assert "frozen by the configuration" in by_name["base"]
    assert "<td>base</td>" in by_name["default"]
    assert "none" in by_name["secret"], "its recording has answered a call"


def test_a_session_lists_its_recordings(folder: Path) -> None:
    text = client(folder).get("/sessions/default").text
    assert "Hello, world!" in text
    assert "bad" in text, "a file that is no recording is named"


def test_a_recording_reads_as_a_conversation(folder: Path) -> None:
    text = client(folder).get(f"/sessions/default/{CHAT.stem}").text
    assert "Hello, world!" in text
    assert "Hello! It&#39;s nice to meet you." in text
    assert "curl" in text


def test_a_file_is_given_as_it_is(folder: Path) -> None:
    answer = client(folder).get(f"/sessions/default/{CHAT.stem}/file")
    assert answer.content == CHAT.read_bytes()
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/sessions/nobody", 404),
        ("/sessions/..%2f..", 404),
        ("/sessions/default/nothing", 404),
        ("/sessions/default/bad", 422),
        (f"/sessions/default/{CHAT.stem}/wire", 404),
        ("/calls", 404),
        ("/compare", 404),
        ("/static/..%2fpages.py", 404),
        ("/static/app.py", 404),
        ("/sessions/default?first=99999999999999999999", 200),
        ("/sessions/default?first=-1", 200),
        ("/sessions/default?first=%D9%A3", 200),
    ],
)
def test_what_there_is_not_is_told(folder: Path, path: str, status: int) -> None:
    assert client(folder).get(path).status_code == status


def test_who_may_not_read_a_session_does_not_see_it(folder: Path) -> None:
    reading = client(folder, TOKEN)
    assert "secret" not in reading.get("/").text
    here = f"default/{CHAT.stem}"
    for path in ("/sessions/secret", f"/sessions/secret/{CHAT.stem}", f"/sessions/secret/{CHAT.stem}/file"):
        assert reading.get(path).status_code == 404
    assert reading.get(f"/compare?here={here}&there=secret/{CHAT.stem}").status_code == 404


def test_nothing_is_changed_by_asking(folder: Path) -> None:
    assert client(folder).post("/sessions/default").status_code == 405


CALLS = [
    Call(1.0, "secret", "replay", Outcome.HIT, "chat gpt-5", id=1, recording="e99f14805360"),
    Call(2.0, "default", "replay", Outcome.MISS, "chat gpt-5", model="gpt-5", id=2, miss=MissTold(difference=HOSTILE)),
]


def test_calls_are_listed_as_far_as_they_may_be_seen(folder: Path) -> None:
    text = client(folder, TOKEN, CALLS).get("/calls").text
    assert 'class="outcome miss"' in text
    assert "secret" not in text
    assert "<script>alert" not in text


def test_a_filter_stands_in_the_address(folder: Path) -> None:
    browser = client(folder, calls=CALLS)
    assert 'href="/calls/2"' in browser.get("/calls?outcome=miss&model=gpt").text
    assert 'href="/calls/2"' not in browser.get("/calls?outcome=hit").text
    hostile = browser.get("/calls", params={"words": HOSTILE, "session": HOSTILE}).text
    assert "<script>alert" not in hostile
    assert "&lt;script&gt;alert" in hostile, "a form has what was asked for"


RUNS = [
    Call(3.0, "default", "replay", Outcome.HIT, "x", id=3, run="r", test_id=HOSTILE, recording="0123456789ab"),
    Call(4.0, "default", "replay", Outcome.HIT, "x", id=4, run="r", test_id=HOSTILE, recording=CHAT.stem),
    Call(5.0, "default", "replay", Outcome.HIT, "x", id=5, run="r", test_id="b", recording="0123456789ab"),
    CALLS[1],
]


def test_runs_are_listed_and_shown_as_steps(folder: Path) -> None:
    browser = client(folder, calls=RUNS)
    listed = browser.get("/runs").text
    assert "<script>alert" not in listed
    assert "test_id=b" in listed
    shown = browser.get("/runs/steps", params={"test_id": HOSTILE})
    assert shown.status_code == 200
    assert "<script>alert" not in shown.text
    assert "Hello! It&#39;s nice to meet you." in shown.text
    assert f"/sessions/default/{CHAT.stem}" in shown.text
    assert "test_id=b" in browser.get("/calls/5").text, "a call leads to its run"


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ({"test_id": "b"}, "<ins>here</ins> it goes on"),
        ({"test_id": HOSTILE}, "They are the same to the end."),
        ({"session": "default"}, "<del>there</del> it goes on"),
    ],
)
def test_two_runs_are_shown_up_to_where_they_part(folder: Path, there: dict[str, str], told: str) -> None:
    query = {"here": urlencode({"test_id": HOSTILE}), "there": urlencode(there)}
    text = client(folder, calls=RUNS[:2] + RUNS[2:3]).get("/runs/compare", params=query).text
    assert "<script>alert" not in text
    assert told in text


def test_where_two_runs_part_is_marked(folder: Path) -> None:
    calls = [RUNS[0], replace(RUNS[1], test_id="c")]
    query = {"here": urlencode({"test_id": HOSTILE}), "there": "test_id=c"}
    text = client(folder, calls=calls).get("/runs/compare", params=query).text
    assert "Step 1: the runs part" in text
    assert "<script>alert" not in text


def test_a_run_is_seen_by_who_may_read_its_session(folder: Path) -> None:
    browser = client(folder, TOKEN, [CALLS[0]])
    assert "secret" not in browser.get("/runs").text
    for path in ("/runs/steps?session=secret", "/runs/steps", "/runs/compare?here=session%3Dsecret&there="):
        assert browser.get(path).status_code == 404
    assert client(folder).get("/runs").status_code == 404, "no proxy runs"


def test_who_has_no_token_is_asked_for_one(folder: Path) -> None:
    for stranger in (client(folder, "wt_wrong"), client(folder, '"; drop')):
        for path in (*PAGES, f"/sessions/default/{CHAT.stem}/file"):
            answer = stranger.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/login")
            assert "Hello" not in answer.text


def test_a_token_is_kept_where_no_script_and_no_other_site_gets_at_it(folder: Path) -> None:
    browser = client(folder, "wt_wrong")
    assert browser.post("/login", data={"token": "wt_other"}).status_code == 403
    assert browser.post("/login", data={"token": "x" * 10_000}).status_code == 403
    answer = browser.post("/login", data={"token": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    browser.cookies.set(NAME, TOKEN)
    assert "default" in browser.get("/").text
    assert f"{NAME}=" in browser.post("/logout").headers["set-cookie"]


def test_a_call_has_a_page_with_its_explanation(folder: Path) -> None:
    text = client(folder, calls=CALLS).get("/calls/2").text
    assert "Why it missed" in text
    assert "<script>alert" not in text
    assert client(folder, TOKEN, CALLS).get("/calls/1").status_code == 404, (
        "it is of a session that the token does not open"
    )
    assert client(folder, calls=CALLS).get("/calls/99").status_code == 404
    assert client(folder, calls=CALLS).get("/calls/x").status_code == 404
