"""Each public recording, replayed by a real mitmdump to the real SDK that made it, object for object."""

import ast
import base64
import json
import shutil
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from corpus import (
    CORPUS,
    SAMPLES,
    TEST_ID,
    Clients,
    Sample,
    assert_answers,
    assert_same,
    dumped,
    each_sample,
    needs_corpus,
)
from harness import Mitmdump, client_env, environment

LISTS = ("/v1/models", "/api/tags")


@dataclass(frozen=True)
class Playing:
    """A proxy that replays one session of recordings."""

    proxy: Mitmdump
    clients: Clients
    samples: Sequence[Sample]

    def rivals(self, sample: Sample) -> list[Sample]:
        """The session's recordings of the same request, this one among them."""
        return [each for each in self.samples if each.asks == sample.asks]


def play(recordings: Path, session: str, samples: Sequence[Sample]) -> Iterator[Playing]:
    with Mitmdump(recordings, "replay", session=session) as proxy, Clients(proxy) as clients:
        yield Playing(proxy, clients, samples)


@pytest.fixture(scope="module")
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playing]:
    """A session that is one host's folder."""
    folder: str = request.param
    recordings = tmp_path_factory.mktemp("recordings")
    shutil.copytree(CORPUS / folder, recordings / "one-host" / "responses")
    yield from play(recordings, "one-host", [each for each in SAMPLES if each.folder == folder])


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playing]:
    """One session of all the recordings."""
    recordings = tmp_path_factory.mktemp("recordings")
    responses = recordings / "all" / "responses"
    responses.mkdir(parents=True)
    for each in SAMPLES:
        shutil.copyfile(each.path, responses / each.path.name)
    yield from play(recordings, "all", SAMPLES)


def assert_replayed(playing: Playing, sample: Sample) -> None:
    """Who names the recording's test is given this recording; who names none, the one there is."""
    rivals = playing.rivals(sample)
    if sample.call in LISTS:
        for test_id in (sample.test_id, None):
            assert_one_list(playing.clients.ask(sample, test_id), of_test(rivals, test_id))
    else:
        # Recordings of one request under one test (or under none) cannot be told apart: the older form goes first.
        expected = next(each for each in rivals if each.test_id == sample.test_id)
        assert_answered(playing.clients, expected, sample.test_id)
        assert_answered(playing.clients, next((each for each in rivals if not each.test_id), rivals[0]), None)
    assert playing.proxy.connects() == []


def assert_answered(clients: Clients, sample: Sample, test_id: str | None) -> None:
    if sample.error is None:
        assert_answers(clients.ask(sample, test_id), sample)
        return
    with pytest.raises(openai.APIStatusError) as raised:
        clients.ask(sample, test_id)
    error = raised.value
    assert type(error) is getattr(openai, sample.error["type"])
    assert (error.status_code, error.body) == (sample.error["status_code"], sample.error["body"])
    # The message is the SDK's own way to show the answer, which newer ones have changed: the answer itself is compared.
    shown = sample.error["message"].removeprefix(f"Error code: {error.status_code} - ")
    assert error.response.json() == ast.literal_eval(shown)


def of_test(rivals: Sequence[Sample], test_id: str | None) -> Sequence[Sample]:
    """The lists that a test is given: its own, else those of none; who names no test may have the others' too."""
    own = [each for each in rivals if each.test_id == test_id] or [each for each in rivals if each.test_id is None]
    return own or rivals


def assert_one_list(got: Sequence[Any], rivals: Sequence[Sample]) -> None:
    """Several lists of models are one: their union by id, sorted by id. One alone is as it was."""
    key = "id" if rivals[0].call == "/v1/models" else "model"
    models, recorded = unpacked([dumped(each) for each in got]), [unpacked(each.objects) for each in rivals]
    if len(rivals) == 1:
        assert_same(models, recorded[0])
        return
    assert [model[key] for model in models] == sorted({model[key] for each in recorded for model in each})
    for model in models:
        # Where lists differ in what they say of a model, the answer is what one of them says.
        said = [other for each in recorded for other in each if other[key] == model[key]]
        assert any(same(model, other) for other in said), model


def unpacked(lists: Sequence[Any]) -> list[Any]:
    """The models: Ollama's list is one object that holds them."""
    return [model for each in lists for model in each.get("models", [each])]


def same(got: Any, recorded: Any) -> bool:
    try:
        assert_same(got, recorded)
    except AssertionError:
        return False
    return True


@each_sample(beside=lambda sample: sample.folder, name="host")
def test_a_host_as_a_session_of_its_own(host: Playing, sample: Sample) -> None:
    assert_replayed(host, sample)


@each_sample()
def test_all_hosts_in_one_session(everything: Playing, sample: Sample) -> None:
    assert_replayed(everything, sample)


@needs_corpus
def test_the_whole_sample_was_played(everything: Playing) -> None:
    assert len(SAMPLES) == len({each.path.name for each in SAMPLES}) == 106
    assert len({each.folder for each in SAMPLES}) == 10
    assert everything.proxy.connects() == []


SENT_AS_NUMBERS = {"07c5fa34d9ca"}
"""Together does not heed the form that the SDK asks for: what it sent are numbers that no float32 has."""

EMBEDDINGS = [each for each in SAMPLES if each.call == "/v1/embeddings"]


@each_sample(EMBEDDINGS)
def test_embeddings_go_in_the_form_that_was_asked_for(everything: Playing, sample: Sample) -> None:
    client = everything.clients.openai(sample.base)
    answer = client.embeddings.with_raw_response.create(**sample.body, extra_headers=header(sample))
    sent = answer.http_response.json()["data"]
    for item, recorded in zip(sent, sample.objects[0]["data"], strict=True):
        if sample.body.get("encoding_format") == "float" or sample.path.stem in SENT_AS_NUMBERS:
            assert item["embedding"] == recorded["embedding"]
        else:
            assert isinstance(item["embedding"], str)
            assert floats(item["embedding"]) == numbers(recorded["embedding"])


def header(sample: Sample) -> Mapping[str, str]:
    return {TEST_ID: sample.test_id} if sample.test_id else {}


def floats(text: str) -> list[float]:
    raw = base64.b64decode(text)
    return [*struct.unpack(f"<{len(raw) // 4}f", raw)]


def numbers(embedding: str | list[float]) -> list[float]:
    return floats(embedding) if isinstance(embedding, str) else embedding


STREAMED = [each for each in SAMPLES if each.response["is_streaming"]]


@each_sample(STREAMED)
def test_a_stream_is_one_event_for_each_chunk(everything: Playing, sample: Sample) -> None:
    """Read without an SDK: every chunk in an event or a line of its own, as the provider sends it."""
    path = {"/api/embeddings": "/api/embed"}.get(sample.call, sample.call)
    base = sample.base if path.startswith("/api/") or path == "/v1/messages" else sample.base.removesuffix("/v1")
    body = sample.body
    body |= body.pop("extra_body", {})
    with environment(client_env(everything.proxy)), httpx.Client() as client:
        answer = client.post(base + path, json=body, headers=header(sample))
    assert answer.status_code == 200
    if path.startswith("/api/"):
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert len(answer.text.splitlines()) == len(sample.objects)
        return
    assert answer.headers["content-type"].startswith("text/event-stream")
    data = [line.removeprefix("data: ") for line in answer.text.split("\n") if line.startswith("data: ")]
    if path != "/v1/messages":
        assert data.pop() == "[DONE]"
    assert len([json.loads(each) for each in data]) == len(sample.objects)
