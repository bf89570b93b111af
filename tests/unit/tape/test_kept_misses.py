"""Requests that had no recording, kept on this machine."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from builders import HELLO, chat, route, tape_of
from wiretape.matching import reduction
from wiretape.matching import request as matching
from wiretape.matching.rules import MatchContext, Places
from wiretape.policy import Mode
from wiretape.recording import RecordedRequest, request_hash
from wiretape.store.directory import DirectoryStore
from wiretape.store.notes import Note, Notes
from wiretape.tape import kept_misses
from wiretape.tape.kept_misses import KeptMisses

CONTEXT = MatchContext("openai", ("/v1/chat/completions",), "m", "agent/2.1", "main")
NOWHERE = Places()
KEY = "sk-proj-" + "Zx9" * 20


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path / "index" / "notes.sqlite")


@pytest.fixture
def kept(notes: Notes) -> KeptMisses:
    return KeptMisses(notes, "main")


REQUESTS = {
    "of an SDK": replace(HELLO, test_id="tests/a.py::one"),
    "as it was sent": RecordedRequest("https://api.anthropic.com/v1/messages", {"model": "m", "é": [1, None]}, ""),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_miss_is_kept_as_it_was(kept: KeptMisses, request_: RecordedRequest) -> None:
    kept.keep(request_, CONTEXT, NOWHERE)
    (only,) = kept.all()
    assert (only.request, only.context) == (request_, CONTEXT)
    assert only.hash == request_hash(request_)[:12]
    assert only.at.startswith("20")


def test_the_directories_of_the_client_are_kept_where_a_text_names_them(kept: KeptMisses) -> None:
    places = Places(cwd=("/home/a/proj",), home=("/home/b",))
    kept.keep(chat("in /home/a/proj"), CONTEXT, places)
    (only,) = kept.all()
    assert reduction.places_of(only.request) == Places(cwd=("/home/a/proj",))


def test_the_last_ones_are_kept_each_once(kept: KeptMisses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_misses, "MOST", 3)
    for word in ("one", "two", "three", "one", "four"):
        kept.keep(chat(word), CONTEXT, NOWHERE)
    assert [each.request for each in kept.all()] == [chat("three"), chat("one"), chat("four")]


def test_each_session_has_its_own(notes: Notes, kept: KeptMisses) -> None:
    kept.keep(HELLO, CONTEXT, NOWHERE)
    assert not KeptMisses(notes, "other").all()
    assert not notes.all("main"), "what is noted of recordings is elsewhere"


def test_a_very_large_one_is_not_kept(kept: KeptMisses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_misses, "_LARGEST", 10)
    kept.keep(HELLO, CONTEXT, NOWHERE)
    assert not kept.all()


def test_no_secret_is_kept_and_nobody_else_may_read_it(kept: KeptMisses, tmp_path: Path) -> None:
    body = f'{{"model": "m", "messages": [{{"role": "user", "content": "{KEY}"}}]}}'.encode()
    request = matching.recorded(route(), body, "application/json")
    kept.keep(request, replace(CONTEXT, client=f"agent/{KEY}"), NOWHERE)
    (only,) = kept.all()
    assert only.context.client.startswith("agent/")
    file = tmp_path / "index" / "notes.sqlite"
    assert KEY.encode() not in file.read_bytes()
    assert KEY not in str(only)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_another_version_has_kept_is_passed_over(notes: Notes, kept: KeptMisses) -> None:
    kept.keep(HELLO, CONTEXT, NOWHERE)
    notes.keep("main#misses", [Note("a", "2026", '{"client": "x"}', body=b"no zlib"), Note("b", "2026", "[]")])
    assert [each.request for each in kept.all()] == [HELLO]


def test_a_tape_keeps_them_unless_it_is_told_not_to(tmp_path: Path, notes: Notes) -> None:
    store = DirectoryStore(tmp_path / "recordings", notes=notes)
    tape_of(store, "main", Mode.REPLAY, keep_misses=False).keep_miss(HELLO, CONTEXT)
    assert not KeptMisses(notes, "main").all()
    tape_of(store, "main", Mode.REPLAY).keep_miss(HELLO, CONTEXT)
    assert len(KeptMisses(notes, "main").all()) == 1
    tape_of(DirectoryStore(tmp_path / "recordings"), "main", Mode.REPLAY).keep_miss(HELLO, CONTEXT)
