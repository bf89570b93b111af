"""Recordings that are older than their session allows, in a real proxy."""

import json
from pathlib import Path

import httpx

from harness import Mitmdump, wait_until
from loopback import Provider
from talk import Talk, httpx_client, post, said, written

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
    with Mitmdump(recordings, "record", origin=provider, options={"wiretape_config": str(config)}) as proxy:
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
