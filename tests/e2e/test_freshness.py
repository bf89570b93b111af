"""Recordings that are older than their session allows, and those that a provider would answer otherwise by now."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness import Mitmdump, wait_until
from loopback import Provider, by_request, error_answer, from_recording
from samples import CHAT, FIREWORKS_CHAT, MODEL, RESPONSES, SAMPLES, load
from shell_user import User
from talk import Talk, httpx_client, post, said, written
from wiretape.call_log.call import Outcome
from wiretape.call_log.reader import CallReader
from wiretape.library import compare, unused, verify
from wiretape.store.directory import DirectoryStore

SESSIONS = """
[session.strict]
max_age = "90d"
on_expiry = "fail"

[session.again]
max_age = "90d"
on_expiry = "rerecord"

[session.soft]
max_age = "90d"
"""


def made_at(recordings: Path, session: str) -> str:
    """When a session's only recording was made, by its capture."""
    (capture,) = (recordings / session / "wire").glob("*.json")
    at: str = json.loads(capture.read_bytes())["made"]["at"]
    return at


def make_old(recordings: Path) -> None:
    """Have all recordings be of the year before."""
    for capture in recordings.glob("*/wire/*.json"):
        text = capture.read_text("utf-8")
        capture.write_text(text.replace(json.loads(text)["made"]["at"], "2020-01-01T00:00:00Z"), "utf-8")


def ask(proxy: Mitmdump, session: str, mode: str) -> httpx.Response:
    with httpx_client(proxy, f"{session}+{mode}:") as client:
        return post(client, "hello")


def test_an_old_recording_answers_or_is_refused_or_is_made_anew(provider: Provider, tmp_path: Path) -> None:
    talk = Talk(provider)
    recordings = tmp_path / "recordings"
    config = tmp_path / "wiretape.toml"
    config.write_text(SESSIONS)
    sessions = ("strict", "again", "soft")
    log = tmp_path / "calls.sqlite"
    options = {"wiretape_config": str(config), "wiretape_call_log": str(log)}
    with Mitmdump(recordings, "record", origin=provider, options=options) as proxy:
        first = {session: said(ask(proxy, session, "record")) for session in sessions}
        wait_until(lambda: [*recordings.glob("*/wire/*.json")][2:])
        make_old(recordings)

        refused = [ask(proxy, "strict", mode) for mode in ("replay", "record-if-missing")]
        for answer in refused:
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "recording_expired")
            assert "session strict allows 90 days" in answer.json()["error"]["message"]

        assert said(ask(proxy, "soft", "record-if-missing")) == first["soft"]
        assert said(ask(proxy, "again", "replay")) == first["again"]
        assert len(talk.questions) == 3, "up to here nothing was sent"

        anew = said(ask(proxy, "again", "record-if-missing"))
        assert anew != first["again"]
        wait_until(lambda: made_at(recordings, "again") != "2020-01-01T00:00:00Z")
        # From now on it is young, in memory too.
        assert [said(ask(proxy, "again", "record-if-missing")) for _ in range(2)] == [anew, anew]
        assert len(talk.questions) == 4
        assert written(recordings) == {session: ["hello"] for session in sessions}
        for session in ("soft", "again"):
            assert proxy.log().count(f"and session {session} allows 90 days: it answers all the same") == 1
        proxy.stop()
        assert "3 recordings older than max_age" in proxy.log()
        proxy.assert_sound()

    # By the log of the same calls nothing is unused but what nobody has asked for.
    refused_calls = CallReader([log]).calls(outcomes=[Outcome.MISS])
    assert [(call.session, call.miss is not None) for call in refused_calls] == [("strict", True)] * 2
    shutil.copy(CHAT, recordings / "strict" / "responses")
    known = unused.evidence(CallReader([log]), since=0.0)
    store = DirectoryStore(recordings)
    found = {session: unused.find(compare.contents(store, session), known) for session in sessions}
    assert {session: [each.names for each in of.requests] for session, of in found.items()} == {
        "strict": [(CHAT.stem,)],
        "again": [],
        "soft": [],
    }


# -- wiretape refresh --------------------------------------------------------------------------------------------------

CEREBRAS = SAMPLES["cerebras completions"]
KEYS = {"FIREWORKS_API_KEY": "fw-secret-of-a-test", "CEREBRAS_API_KEY": "csk-secret-of-a-test"}


@pytest.fixture(name="user")
def _user(tmp_path: Path) -> User:
    """Somebody whose folder has the four sample recordings."""
    (tmp_path / "user").mkdir()
    user = User(tmp_path, tmp_path / "user")
    shutil.copytree(RESPONSES, user.folder / "recordings" / "main" / "responses")
    return user


def refreshed(user: User, *flags: str, env: Mapping[str, str] = KEYS) -> tuple[int, dict[str, Any], str]:
    """Exit code, what is told of each recording, and what is said."""
    result = user.wiretape("refresh", "--json", *flags, env=env)
    rows = json.loads(result.stdout) if result.stdout else []
    return result.returncode, {row["name"]: row for row in rows}, result.stderr


def test_providers_are_asked_again_and_what_drifts_is_told_and_replaced(provider: Provider, user: User) -> None:
    to = user.to(provider)
    folder = user.folder / "recordings" / "main"
    provider.on("*", by_request(*SAMPLES.values()))
    code, rows, said_ = refreshed(user, *to)
    assert (code, len(rows)) == (0, 4), said_
    assert all(row["drift"] == [] and row["likeness"] == 1.0 for row in rows.values())
    assert "0 of 4 answers drifted" in said_
    keys = {received.header("authorization") for received in provider.requests}
    assert keys == {f"Bearer {key}" for key in KEYS.values()}
    assert not [
        each for key in KEYS.values() for each in folder.rglob("*") if each.is_file() and key in each.read_text()
    ]

    # The model of the chats is another one from now on, and one completion is refused.
    changed = dict(load(CHAT)) | {
        "response": json.loads(json.dumps(load(CHAT)["response"]).replace(MODEL, f"{MODEL}-v2"))
    }
    provider.on(FIREWORKS_CHAT, from_recording(changed))
    provider.on("/v1/completions", error_answer(429, "slow down"))
    before = {path.stem: path.read_bytes() for path in (folder / "responses").iterdir()}
    code, rows, said_ = refreshed(user, *to, "--accept")
    assert code == 1
    assert rows[CHAT.stem]["drift"] == [{"kind": "model", "text": f"{MODEL} -> {MODEL}-v2"}]
    assert rows[CHAT.stem]["accepted"]
    assert rows[CEREBRAS.stem]["problem"] == "it was answered with status 429"
    assert "2 of 4 answers drifted, 1 could not be compared, 2 recordings replaced" in said_
    after = {path.stem: path.read_bytes() for path in (folder / "responses").iterdir()}
    assert [name for name in before if before[name] != after[name]] == sorted(
        row["name"] for row in rows.values() if row.get("accepted")
    )
    assert b"-v2" in after[CHAT.stem]
    assert [fault for name, data in after.items() for fault in verify.verify(name, data).faults] == []
    assert {path.stem for path in (folder / "wire").iterdir()} == {
        row["name"] for row in rows.values() if row.get("accepted")
    }
