"""A recorded request, sent once more: what goes out and to whom, and what becomes of the answer."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from builders import SEEDS, TABLE, arrived, came, chat, tape_of
from corpus import SAMPLES
from wiretape import config
from wiretape import recording as recordings
from wiretape.library import refreshing
from wiretape.library.drift import DriftKind
from wiretape.library.refreshing import NotSendableError, Outgoing, StoredRecording
from wiretape.matching import request as matching
from wiretape.policy import Mode
from wiretape.providers.routing import Providers
from wiretape.recording import RecordedRequest, RecordedResponse, Recording
from wiretape.recording.capture import Origin
from wiretape.redaction.rules import REDACTED
from wiretape.store.base import WIRE
from wiretape.store.directory import DirectoryStore
from wiretape.tape.question import Question

KEYS = {
    "OPENAI_API_KEY": "sk-openai",
    "ANTHROPIC_API_KEY": "sk-anthropic",
    "GEMINI_API_KEY": "of-gemini",
    "FIREWORKS_API_KEY": "fw",
    "CEREBRAS_API_KEY": "csk",
    "TOGETHER_API_KEY": "tg",
}
ANSWER = RecordedResponse({"a": 1}, is_streaming=False, status=200)
MADE = Origin("", "2020-01-01T00:00:00Z", "", "1", 1.0)


def outgoing(request: RecordedRequest, environ: Mapping[str, str] = KEYS, providers: Providers = TABLE) -> Outgoing:
    return Outgoing.of(Recording(request, ANSWER), providers, environ)


def sent(url: str, method: str = "POST", **body: Any) -> Outgoing:
    return outgoing(RecordedRequest(url, body, "", method))


@pytest.mark.parametrize("path", [*SEEDS, *(sample.path for sample in SAMPLES)], ids=lambda path: path.stem[:12])
def test_what_is_sent_is_what_was_recorded_or_it_is_told_why_nothing_is(path: Path) -> None:
    recording = recordings.loads(path.read_bytes())
    if recording.request.endpoint == "/api/pull":
        with pytest.raises(NotSendableError, match="does not have all that was sent"):
            Outgoing.of(recording, TABLE, KEYS)
        return
    out = Outgoing.of(recording, TABLE, KEYS)
    parts = urlsplit(out.url)
    route = TABLE.route(out.method, parts.scheme, parts.hostname or "", parts.port or 443, parts.path)
    assert route
    body = json.loads(out.body) if out.body else {}
    again = matching.recorded(route, out.body, "application/json", recording.request.test_id)
    assert matching.identity(again) == matching.identity(recording.request)
    assert out.method == ("GET" if not out.body else "POST")
    assert body.get("model", "") == recording.request.model
    assert "extra_body" not in body
    keys = [value for name, value in out.headers if name in ("authorization", "x-api-key", "x-goog-api-key")]
    assert len(keys) == (urlsplit(out.url).hostname not in ("0.0.0.0", "localhost"))


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("https://api.openai.com/v1/moderations", {"authorization": "Bearer sk-openai"}),
        (
            "https://api.anthropic.com/v1/messages",
            {"x-api-key": "sk-anthropic", "anthropic-version": "2023-06-01"},
        ),
        (
            "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent",
            {"x-goog-api-key": "of-gemini"},
        ),
        ("http://127.0.0.1:8000/v1/rerank", {}),
    ],
)
def test_each_provider_gets_its_own_key_in_its_own_header(url: str, headers: dict[str, str]) -> None:
    told = dict(sent(url, a=1).headers)
    assert headers.items() <= told.items()
    assert not [value for value in told.values() if value not in headers.values() and "sk-" in value]


GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent"


def test_of_several_variables_the_first_that_is_set_counts() -> None:
    request = RecordedRequest(GEMINI, {"a": 1}, "")
    for environ, key in (
        ({"GOOGLE_API_KEY": "one", "GEMINI_API_KEY": "two"}, "one"),
        ({"GOOGLE_API_KEY": "  ", "GEMINI_API_KEY": "two\n"}, "two"),
    ):
        assert ("x-goog-api-key", key) in outgoing(request, environ).headers
    with pytest.raises(NotSendableError, match="GOOGLE_API_KEY or GEMINI_API_KEY is not set"):
        outgoing(request, {})
    with pytest.raises(NotSendableError, match="can stand in no header") as raised:
        outgoing(request, {"GOOGLE_API_KEY": "one\r\nx: two"})
    assert "one" not in str(raised.value)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (RecordedRequest("https://evil.example/v1/v1/embeddings", {"input": "a"}, "/v1/embeddings"), "names no such"),
        (RecordedRequest("https://api.openai.com/v1/files", {}, "", "POST"), "names no such endpoint"),
        (RecordedRequest("https://api.openai.com/v1/videos/v1", {}, "", "DELETE"), "names no such endpoint"),
        (RecordedRequest("https://api.openai.com:1e3/v1/moderations", {"a": 1}, ""), "none that can be asked"),
        (RecordedRequest("https://[api.openai.com/v1/moderations", {"a": 1}, ""), "none that can be asked"),
        (RecordedRequest("https://api.openai.com/v1/embeddings/v1/chat/completions", {}, "/v1/chat/completions"), "no"),
        (RecordedRequest("https://eu.api.openai.com/v1/moderations", {"a": 1}, ""), "gets no key, as a pattern alone"),
        (
            RecordedRequest("https://api.githubcopilot.com/models", {}, "", "GET"),
            "which key copilot takes is not known",
        ),
        (
            RecordedRequest("https://api.openai.com/v1/moderations", {"input": f"a {REDACTED}"}, ""),
            "a secret was taken",
        ),
        (RecordedRequest(f"https://api.openai.com/v1/moderations?a={REDACTED}", {"a": 1}, ""), "a secret was taken"),
        (RecordedRequest("https://api.openai.com/v1/audio/transcriptions", {"file": "a"}, ""), "not have all that was"),
        (RecordedRequest("http://localhost:11434/api/pull", {"stream": True}, "/api/pull"), "not have all that was"),
    ],
)
def test_what_cannot_be_sent_is_told(request_: RecordedRequest, why: str) -> None:
    with pytest.raises(NotSendableError, match=why):
        outgoing(request_)


def test_a_host_that_the_team_names_gets_the_key_that_it_names() -> None:
    own = """
    [[provider]]
    name = "azure"
    hosts = ["mine.openai.azure.com"]
    base = "/openai/v1"
    endpoints = ["openai"]
    api_key = ["AZURE_OPENAI_API_KEY"]
    api_key_header = "api-key"
    headers = { X-Team = "seven" }
    """
    providers = config.loads("wiretape.toml", own).providers()
    environ = {"AZURE_OPENAI_API_KEY": "of-azure"}
    request = RecordedRequest("https://mine.openai.azure.com/openai/v1/moderations", {"a": 1}, "")
    assert {("api-key", "of-azure"), ("x-team", "seven")} <= {*outgoing(request, environ, providers).headers}
    strange = RecordedRequest("https://evil.openai.azure.com/openai/v1/moderations", {"a": 1}, "")
    with pytest.raises(NotSendableError, match="which key azure takes is not known"):
        outgoing(strange, environ, providers)


def test_a_query_is_sent_as_it_was_recorded() -> None:
    base = RecordedRequest(
        "https://api.openai.com/v1/v1/embeddings",
        {"input": "a", "model": "m", "extra_query": {"api-version": "1"}},
        "/v1/embeddings",
    )
    out = outgoing(base)
    assert out.url == "https://api.openai.com/v1/embeddings?api-version=1"
    assert json.loads(out.body) == {"input": "a", "model": "m"}


# -- which ones --------------------------------------------------------------------------------------------------------


def stored(name: str, content: str = "Hi", **more: Any) -> StoredRecording:
    return StoredRecording("main", name, b"", Recording(chat(content, **more), ANSWER))


def test_a_sample_has_some_of_each_kind_before_it_has_more_of_one() -> None:
    items = [stored("a1"), stored("a2"), stored("a3"), stored("b1", host="api.cerebras.ai"), stored("c1", model="n")]
    assert [each.name for each in refreshing.sample(items, 4)] == ["a1", "b1", "c1", "a2"]
    assert [each.name for each in refreshing.sample(items, 9)] == ["a1", "b1", "c1", "a2", "a3"]


@pytest.mark.parametrize("pattern", ["ab12", "ab*", "m", "/v1/chat/completions", "https://api.openai.com/*"])
def test_a_pattern_is_of_a_name_a_model_an_endpoint_or_a_url(pattern: str) -> None:
    assert refreshing.matches(stored("ab12"), pattern)
    assert not refreshing.matches(stored("ab12"), f"{pattern}x")


# -- what comes back ---------------------------------------------------------------------------------------------------


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> DirectoryStore:
    store = DirectoryStore(tmp_path)
    tape_of(store, "main", Mode.RECORD).record(chat("Hi"), came("Hello"), MADE)
    return store


def of(store: DirectoryStore) -> StoredRecording:
    (name,) = store.scan("main")
    data = store.read("main", name)
    assert data
    return StoredRecording("main", name, data, recordings.loads(data))


def test_what_came_takes_the_place_of_the_recording_and_its_capture(store: DirectoryStore) -> None:
    refreshed = refreshing.judge(of(store), came("Good day"), 1_800_000_000.0, "wiretape refresh")
    assert refreshed.drift is not None
    assert not refreshed.drift
    refreshing.accept(store, refreshed)
    now = of(store)
    assert b"Good day" in now.data
    origin = refreshing.origin_of(store, now)
    assert origin
    assert (origin.at, origin.client) == ("2027-01-15T08:00:00Z", "wiretape refresh")
    tape = tape_of(store, "main", Mode.REPLAY)
    hit = tape.lookup(Question(chat("Hi")))
    assert hit
    assert b"Good day" in hit.answer.body
    with pytest.raises(ValueError, match="was recorded anew meanwhile"):
        refreshing.accept(store, refreshed)
    assert store.exists("main", now.name, WIRE)


@pytest.mark.parametrize("status", [401, 402, 429, 503])
def test_what_says_nothing_of_the_request_is_no_drift(status: int, store: DirectoryStore) -> None:
    refreshed = refreshing.judge(of(store), arrived(b'{"error": {"message": "no"}}', status=status), 0.0, "")
    assert (refreshed.drift, refreshed.problem) == (None, f"it was answered with status {status}")


def test_a_model_that_is_gone_is(store: DirectoryStore) -> None:
    body = b'{"error": {"message": "no", "code": "model_not_found"}}'
    refreshed = refreshing.judge(of(store), arrived(body, status=404), 0.0, "")
    assert refreshed.drift
    assert [each.kind for each in refreshed.drift.findings] == [DriftKind.STATUS]


def test_an_answer_that_is_not_whole_is_compared_with_nothing(store: DirectoryStore) -> None:
    body = b'data: {"choices": [{"index": 0, "delta": {"content": "Hel"}}]}\n\n'
    cut = arrived(body, content_type="text/event-stream", ended=False)
    refreshed = refreshing.judge(of(store), cut, 0.0, "")
    assert refreshed.drift is None
    assert "broke off" in refreshed.problem
