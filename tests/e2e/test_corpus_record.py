"""Each public recording, made again: the real SDK asks, a provider on loopback answers as the real one did, and the
file that a real mitmdump writes is the public one, byte for byte, name included."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
import pytest

from corpus import API_KEY, SAMPLES, TEST_ID, Clients, Sample, assert_answers, each_sample, needs_corpus
from harness import Mitmdump, client_env, environment, wait_until
from loopback import Answer, Provider, Received, from_recording

PLAIN_HOSTS = ("localhost", "0.0.0.0")
"""Ollama's, which speak plain HTTP; every other host of the sample has TLS."""


class Provided:
    """What the providers answer next, and what they were asked last: one recording at a time."""

    def __init__(self) -> None:
        self.answer: Answer
        self.received: list[Received] = []

    def __call__(self, received: Received) -> Answer:
        self.received.append(received)
        return self.answer


@dataclass(frozen=True)
class Recording:
    """A proxy that records, between real SDKs and two providers."""

    proxy: Mitmdump
    clients: Clients
    provided: Provided
    responses: Path

    def record(self, sample: Sample) -> Path:
        """The file that is written of one exchange."""
        sent = as_sent(sample)
        self.provided.answer = from_recording(sent)
        self.provided.received.clear()
        before = self.outcomes()
        if sample.error:
            with pytest.raises(getattr(openai, sample.error["type"])):
                self.clients.ask(sample, sample.test_id)
        else:
            objects = self.clients.ask(sample, sample.test_id)
            if sent is sample.content:
                assert_answers(objects, sample)
        outcomes = wait_until(lambda: self.outcomes()[len(before) :])
        assert len(outcomes) == 1, outcomes
        _, _, name = outcomes[0].partition(" recorded ")
        assert name, outcomes
        return self.responses / f"{name.partition(': ')[0]}.json"

    def outcomes(self) -> list[str]:
        return [line for line in self.proxy.log().splitlines() if "recorded" in line or "LOST" in line]


@pytest.fixture(scope="module")
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    form: str = request.param
    recordings = tmp_path_factory.mktemp("recordings")
    provided = Provided()
    with Provider() as provider, Provider(tls=False) as plain:
        for each in (provider, plain):
            each.on("*", provided)
        origins = {"*": provider.port, **dict.fromkeys(PLAIN_HOSTS, plain.port)}
        with (
            Mitmdump(
                recordings,
                "record",
                session="corpus",
                origin=provider,
                options={"wiretape_format": form},
                env={"TO_LOOPBACK_ORIGIN": json.dumps(origins)},
            ) as proxy,
            Clients(proxy) as clients,
        ):
            yield Recording(proxy, clients, provided, recordings / "corpus" / "responses")


def as_sent(sample: Sample) -> Mapping[str, Any]:
    """The recording with what its provider may have sent where the 2026 form took the noise out."""
    if sample.form != "2026" or "payload" in sample.request or sample.call in ("/v1/models", "/api/ps"):
        return sample.content
    content: dict[str, Any] = json.loads(sample.path.read_bytes())
    for number, element in enumerate(sample.elements):
        if element is None:
            continue
        body = content["response"]["body"]
        data = (body[number] if isinstance(body, list) else body)["__data__"]
        for key, value in (("id", "chatcmpl-AbC123xyz"), ("created", 1769817600)):
            if key in data:
                data[key] = value
    return content


# -- what is not the public file, and why ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """A way in which what is recorded today is not the public file."""

    why: str
    of: frozenset[str]
    """The recordings, named as ``short`` names them."""
    expected: Callable[[Any, Received], Any] = lambda content, received: content
    """What is recorded instead of the public content."""


def as_chat(content: Any, received: Received) -> Any:
    request = content["request"]
    base = request["url"].removesuffix(request["endpoint"])
    request |= {"url": f"{base}/v1/chat/completions", "endpoint": "/v1/chat/completions"}
    return content


def without_encoding_format(content: Any, received: Received) -> Any:
    assert content["request"]["body"].pop("encoding_format") == "base64"
    return content


def with_mapping(content: Any, received: Received) -> Any:
    assert "id_normalization_mapping" not in content
    test_id = {"test_id": content.get("test_id")}
    return test_id | content | {"id_normalization_mapping": {}}


def without_extra_body(content: Any, received: Received) -> Any:
    assert content["request"]["body"].pop("extra_body") == {}
    body = content["response"]["body"]
    for element in body if isinstance(body, list) else [body]:
        element["__data__"]["id"] = f"rec-{digest_2026(content)[:12]}"
    return content


def with_created_0(content: Any, received: Received) -> Any:
    models = [element["__data__"] for element in content["response"]["body"]]
    assert any(model["created"] for model in models)
    for model in models:
        model["created"] = 0
    return content


def without_metadata(content: Any, received: Received) -> Any:
    assert [*content["request"].pop("provider_metadata")] == ["openai_sdk_version"]
    return content


def in_the_order_sent(content: Any, received: Received) -> Any:
    request = content["request"]
    sent = received.json()
    assert sent == request["payload"]
    assert [*sent] != [*request["payload"]]
    request["payload"] = sent
    return content


DIFFERENCES = [
    Difference(
        "the 2026 form's older variant, which says of completions that nothing was sent beside the SDK's own arguments",
        frozenset({"2069c594e1ba", "48ec6eaf6b51", "c03bc36fc4c1", "ff97e1130a00"}),
        without_extra_body,
    ),
    Difference(
        "a list of models of before ogx 1.5.0: when they were created",
        frozenset(
            {
                "64a2277c90f0",
                "models-64a2277c90f0-0b98574d",
                "models-64a2277c90f0-44869b1b",
                "models-64a2277c90f0-8e7053e4",
                "models-bd3df37825f3-d5d684a3",
                "models-bd3df37825f3-f15cee9a",
                "models-ebcefc293018-0da7d1b1",
                "models-ec5698e73e22-46bed5ab",
            }
        ),
        with_created_0,
    ),
    Difference(
        "chat recordings that an older recorder filed under /v1/completions: on the wire they are chat",
        frozenset({"4014dd44c15f", "53f557a067b8", "e29300494763", "12913f20f6ac", "177ba8517262", "c9667519ad7c"}),
        as_chat,
    ),
    Difference(
        "endpoint /chat/completions, from a time when the recorder's endpoints had no /v1",
        frozenset({"dbc41d2417e1", "f1ea938b0b0d"}),
        as_chat,
    ),
    Difference(
        "the caller asked for base64 by name: on the wire that is the same as the SDK's own asking for it",
        frozenset({"24e106063719"}),
        without_encoding_format,
    ),
    Difference(
        "a list of models named after its request alone, as an older recorder did",
        frozenset({"4a3a4447b16b", "64a2277c90f0"}),
    ),
    Difference(
        "a list of models whose digest is not that of the ids in the file: it was made of something else",
        frozenset({"models-bd032f995f2a-3255f444", "models-4a3a4447b16b-3057338f"}),
    ),
    Difference(
        "the 2026 form's older variant, which has no id_normalization_mapping",
        frozenset(
            {
                "2069c594e1ba",
                "2e343d7d4768",
                "48ec6eaf6b51",
                "5d49c5e43bf8",
                "64a2277c90f0",
                "c03bc36fc4c1",
                "ca1e663fded1",
                "ff97e1130a00",
                "models-64a2277c90f0-44869b1b",
                "models-bd3df37825f3-d5d684a3",
                "6a31576af40e",
                "70bc90399eac",
                "47a484434dfe",
                "995712d2e444",
                "d45c9a9229e7",
                "dba5042d6691",
            }
        ),
        with_mapping,
    ),
    Difference(
        "provider_metadata names the SDK that the recorder ran in: a proxy does not see it in a body",
        frozenset({"699793266b0b", "fba0daba0302", "models-64a2277c90f0-8e7053e4"}),
        without_metadata,
    ),
    Difference(
        "anthropic's SDK sends the payload's keys in an order of its own; the order sent is the order recorded",
        frozenset({"2703eb8f17f3", "93eb42f3bd69", "d13b333401fa", "f22657bfd86d"}),
        in_the_order_sent,
    ),
]


def short(sample: Sample) -> str:
    """A recording's name with the first twelve digits of a long hash."""
    return re.sub(r"[0-9a-f]{64}", lambda match: match[0][:12], sample.path.stem)


def expected(sample: Sample, received: Received) -> tuple[str, bytes]:
    """Name and content of the file that is to be written."""
    differences = [each for each in DIFFERENCES if short(sample) in each.of]
    if not differences:
        return sample.path.name, sample.path.read_bytes()
    content = json.loads(sample.path.read_bytes())
    for each in differences:
        content = each.expected(content, received)
    file = name(sample, content), (json.dumps(content, indent=2) + "\n").encode("ascii")
    assert file != (sample.path.name, sample.path.read_bytes()), "no difference: take it out of the table"
    return file


def name(sample: Sample, content: Any) -> str:
    """The name by the format's rules, written here a second time; the 2026 form's hash is the file's own."""
    request = content["request"]
    if sample.form == "2026" and (sample.call == "/v1/models" or request.get("body") != sample.request.get("body")):
        digest = digest_2026(content)
    elif sample.form == "2026":
        digest = re.findall(r"[0-9a-f]{64}", sample.path.stem)[0]
    else:
        hashed = {"method": "POST", "endpoint": urlsplit(request["url"]).path, "body": request["body"]}
        digest = hashlib.sha256(json.dumps(hashed, sort_keys=True).encode()).hexdigest()[:12]
    if sample.call not in ("/v1/models", "/api/tags"):
        return f"{digest}.json"
    models = [model for each in sample.objects for model in each.get("models", [each])]
    ids = sorted({model["id" if sample.call == "/v1/models" else "model"] for model in models})
    return f"models-{digest}-{hashlib.sha256('|'.join(ids).encode()).hexdigest()[:8]}.json"


def digest_2026(content: Any) -> str:
    """As ogx 1.5.0 has it, where there is neither a long decimal nor a file search in the request."""
    request = content["request"]
    url = urlsplit(request["url"])
    is_shared = url.path.endswith("/models") and url.hostname not in PLAIN_HOSTS
    hashed = {"method": "POST", "endpoint": url.path, "body": request["body"]}
    hashed["test_id"] = None if is_shared else content["test_id"]
    return hashlib.sha256(json.dumps(hashed, sort_keys=True).encode()).hexdigest()


# -- the tests ---------------------------------------------------------------------------------------------------------


@each_sample(beside=lambda sample: sample.form, name="recording")
def test_the_file_is_the_public_one(recording: Recording, sample: Sample) -> None:
    path = recording.record(sample)
    (received,) = recording.provided.received
    assert received.header(TEST_ID) is None
    assert received.host == urlsplit(sample.base).netloc
    assert (path.name, path.read_bytes()) == expected(sample, received)


PASSTHROUGH = [each for each in SAMPLES if "payload" in each.request]


@each_sample(PASSTHROUGH, beside=lambda sample: sample.form, name="recording")
def test_a_payload_sent_in_the_recorded_order_gives_the_public_file(recording: Recording, sample: Sample) -> None:
    """As the public recorder's own HTTP client sent it; its file comes to stand where the SDK's was."""
    recording.provided.answer = from_recording(sample.content)
    before = recording.outcomes()
    headers = {TEST_ID: str(sample.test_id), "x-api-key": API_KEY}
    with environment(client_env(recording.proxy)), httpx.Client() as client:
        client.post(sample.request["url"], json=sample.body, headers=headers).raise_for_status()
    wait_until(lambda: recording.outcomes()[len(before) :])
    assert (recording.responses / sample.path.name).read_bytes() == sample.path.read_bytes()


@needs_corpus
def test_most_files_have_no_difference() -> None:
    listed = [name for each in DIFFERENCES for name in each.of]
    assert set(listed) <= {short(each) for each in SAMPLES}
    same = [each for each in SAMPLES if short(each) not in listed]
    assert len(SAMPLES) == 106
    assert len(same) == 67


@each_sample(
    [each for each in SAMPLES if each.form == "2025-09"][:1], beside=lambda sample: sample.form, name="recording"
)
def test_no_key_is_written(recording: Recording, sample: Sample) -> None:
    recording.record(sample)
    (received,) = recording.provided.received
    assert received.header("authorization") == f"Bearer {API_KEY}"
    for path in recording.responses.parent.rglob("*"):
        assert path.is_dir() or API_KEY.encode() not in path.read_bytes()
