"""Recordings as JSON text: byte for byte, and what is none."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from places import SHIPPED, corpus
from wiretape.policy import FORMS
from wiretape.recording import (
    RecordedRequest,
    RecordedResponse,
    Recording,
    as_it_came,
    dumps,
    loads,
    make,
    read_request,
    request_hash,
    request_name,
)

SEEDS = sorted((SHIPPED / "default" / "responses").glob("*.json"))
CORPUS = corpus("2025-09")

each_seed = pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)


def test_the_seeds_are_the_four_known_recordings() -> None:
    assert {path.stem for path in SEEDS} == {"f3cbd3f07e60", "e99f14805360", "af6ca03dcbc3", "e22f98c05933"}


@each_seed
def test_a_seed_is_written_as_it_was_read(path: Path) -> None:
    assert dumps(loads(path.read_bytes())) == path.read_bytes()


@each_seed
def test_a_seeds_name_is_its_hash(path: Path) -> None:
    recording = loads(path.read_bytes())
    assert recording.name == path.stem
    assert request_hash(recording.request)[:12] == path.stem


def test_the_corpus_is_written_as_it_was_read() -> None:
    for path in CORPUS:
        data = path.read_bytes()
        assert dumps(loads(data)) == data, path
        assert read_request(data) == loads(data).request, path


def test_the_names_of_the_corpus_are_hashes() -> None:
    # Lists of models end in a digest of the models, which the recorder has made in several ways.
    others = [path for path in CORPUS if "models" not in path.stem and loads(path.read_bytes()).name != path.stem]
    named = [
        path for path in others if loads(path.read_bytes()).request.endpoint != "/api/tags" and len(path.stem) == 12
    ]
    assert named == []
    lists = [path for path in CORPUS if path.stem.startswith("models-")]
    assert lists
    for path in lists:
        assert loads(path.read_bytes()).name.rpartition("-")[0] == path.stem.rpartition("-")[0]


def model(name: str) -> dict[str, Any]:
    return {"__type__": "openai.types.model.Model", "__data__": {"id": name, "created": 1, "object": "model"}}


def model_list(*names: str) -> Recording:
    request = RecordedRequest("https://api.openai.com/v1/v1/models", {}, "/v1/models")
    return Recording(request, RecordedResponse([model(name) for name in names], is_streaming=False))


def test_the_name_of_a_model_list_tells_the_models_but_not_their_order() -> None:
    name = model_list("b", "a").name
    assert name == model_list("a", "b", "a").name
    assert name != model_list("a", "c").name
    assert name == "models-bd032f995f2a-0eab8a0a"  # sha256("a|b")


def test_the_name_of_a_model_list_in_a_file() -> None:
    path = next(path for path in CORPUS if path.name == "models-bd032f995f2a-99873eb3.json")
    assert loads(path.read_bytes()).name == path.stem  # sha256("m-1|m-2")


def test_the_text_is_that_of_json_dumps() -> None:
    request = RecordedRequest(
        "https://h/v1/v1/completions", {"model": "é", "prompt": "\u2028😀", "top_p": 1e-05}, "/v1/completions"
    )
    element = {
        "__type__": "openai.types.completion.Completion",
        "__data__": {"id": "x", "n": 1.0, "s": "\ud83d", "e": [], "f": {}},
    }
    recording = Recording(request, RecordedResponse(element, is_streaming=False))
    content = {
        "request": {
            "method": "POST",
            "url": request.url,
            "headers": {},
            "body": request.body,
            "endpoint": "/v1/completions",
            "model": "é",
        },
        "response": {"body": element, "is_streaming": False},
    }
    assert dumps(recording) == json.dumps(content, indent=2).encode("ascii") + b"\n"
    assert b"1e-05" in dumps(recording)
    assert loads(dumps(recording)) == recording


def test_the_hash_is_that_of_the_public_recorder() -> None:
    """sha256 of method, path and body; neither the host nor the order of keys counts."""
    one = RecordedRequest("https://a.test/v1/v1/completions?x=1", {"model": "m", "prompt": "p"}, "/v1/completions")
    two = RecordedRequest("https://b.test/v1/v1/completions", {"prompt": "p", "model": "m"}, "/v1/completions")
    other = RecordedRequest("https://b.test/v1/completions", {"prompt": "p", "model": "m"}, "/v1/completions")
    assert request_hash(one) == request_hash(two) != request_hash(other)
    assert len(request_hash(one)) == 64


def test_the_id_that_came_survives_another_form_and_another_name() -> None:
    element = {"__type__": "openai.types.responses.response.Response", "__data__": {"id": "resp_1", "output": []}}
    asked = RecordedRequest("https://api.openai.com/v1/v1/responses", {"model": "m", "input": "i"}, "/v1/responses")
    made = make(asked, RecordedResponse(element, is_streaming=False), "2026")
    assert made.response.body["__data__"]["id"] == f"rec-{made.name[:12]}"
    read = loads(dumps(made))
    assert make(asked, as_it_came(read), "2025-09").response.body == element
    other = make(replace(asked, body={"model": "m", "input": "j"}), as_it_came(read), "2026")
    assert other.extra == {"id_normalization_mapping": {f"rec-{other.name[:12]}": "resp_1"}}
    odd: Any
    for odd in (None, [], {"x": 1}, {f"rec-{made.name[:12]}": 1}, {f"rec-{made.name[:12]}": None}):
        assert as_it_came(replace(read, extra={"id_normalization_mapping": odd})) == read.response


def test_what_a_newer_recorder_adds_is_kept() -> None:
    content = json.loads(SEEDS[0].read_bytes())
    content["note"] = {"by": "hand"}
    content["request"]["provider_metadata"] = {"x": 1}
    data = json.dumps(content, indent=2).encode() + b"\n"
    assert dumps(loads(data)) == data


# -- what is no recording ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [500])
@each_seed
def test_a_truncated_file_is_an_error(path: Path, step: int) -> None:
    data = path.read_bytes()
    for end in range(0, len(data) - 1, step):
        with pytest.raises(ValueError, match=r"not JSON: \S"):
            loads(data[:end])


@each_seed
def test_the_request_of_a_truncated_file_is_read_or_an_error(path: Path) -> None:
    data = path.read_bytes()
    request = loads(data).request
    for end in range(0, len(data), 500):
        try:
            read = read_request(data[:end])
        except ValueError:
            continue
        assert read == request


def without(*keys: str) -> Callable[[Any], Any]:
    def change(content: Any) -> Any:
        within = content
        for key in keys[:-1]:
            within = within[key]
        del within[keys[-1]]
        return content

    return change


def changed(value: Any, *keys: str) -> Callable[[Any], Any]:
    def change(content: Any) -> Any:
        within = content
        for key in keys[:-1]:
            within = within[key]
        within[keys[-1]] = value
        return content

    return change


# What is done to a seed's content -> what the message names.
MALFORMED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a list": (lambda content: [content], "not an object"),
    "text": (lambda _: "x", "not an object"),
    "null": (lambda _: None, "not an object"),
    "a number": (lambda _: 3, "not an object"),
    "empty": (lambda _: {}, "request"),
    "no request": (without("request"), "request"),
    "a request that is null": (changed(None, "request"), "request"),
    "a request that is a list": (changed([], "request"), "request"),
    "no url": (without("request", "url"), "request.url"),
    "a url that is a number": (changed(3, "request", "url"), "request.url"),
    "no body": (without("request", "body"), "request.body"),
    "a body that is a list": (changed([], "request", "body"), "request.body"),
    "a body that is text": (changed("{}", "request", "body"), "request.body"),
    "no endpoint": (without("request", "endpoint"), "request.endpoint"),
    "an endpoint that is a number": (changed(3, "request", "endpoint"), "request.endpoint"),
    "an empty endpoint": (changed("", "request", "endpoint"), "request.endpoint"),
    "no response": (without("response"), "response"),
    "a response that is a list": (changed([], "response"), "response"),
    "no response body": (without("response", "body"), "response.body"),
    "a stream that is no list": (changed({"a": 1}, "response", "body"), "response.body"),
    "a stream that is null": (changed(None, "response", "body"), "response.body"),
    "no is_streaming": (without("response", "is_streaming"), "is_streaming"),
    "is_streaming as text": (changed("true", "response", "is_streaming"), "is_streaming"),
    "is_streaming as a number": (changed(1, "response", "is_streaming"), "is_streaming"),
    "an element that is text": (changed(["x"], "response", "body"), "element of response.body"),
    "an element that is null": (changed([None], "response", "body"), "element of response.body"),
    "an element without a type": (changed([{"__data__": {}}], "response", "body"), "element of response.body"),
    "an element without data": (changed([{"__type__": "x"}], "response", "body"), "element of response.body"),
    "an element whose data is a list": (
        changed([{"__type__": "x", "__data__": []}], "response", "body"),
        "element of response.body",
    ),
    "an element whose type is a number": (
        changed([{"__type__": 3, "__data__": {}}], "response", "body"),
        "element of response.body",
    ),
}


@pytest.mark.parametrize(("change", "named"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_file_is_an_error_that_says_what_is_wrong(change: Callable[[Any], Any], named: str) -> None:
    content = json.loads(SEEDS[0].read_bytes())
    with pytest.raises(ValueError, match=named):
        loads(json.dumps(change(content), indent=2).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{",
        b"\xff\xfe",
        b"\x00" * 100,
        b'{"request": \xff}',
        b'{"request": {}, "response": {}} trailing',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 5000,
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs\n",
    ],
    ids=lambda data: repr(data[:20]),
)
@pytest.mark.parametrize("read", [loads, read_request])
def test_what_is_not_json_is_an_error(read: Callable[[bytes], Any], data: bytes) -> None:
    with pytest.raises(ValueError, match=r"not JSON: |request"):
        read(data)


def every_value_replaced(value: Any, junk: Any) -> list[Any]:
    """Copies of a JSON value, in each of which one member somewhere is replaced."""
    copies: list[Any] = [junk]
    if isinstance(value, dict):
        for key, item in value.items():
            copies += [{**value, key: copy} for copy in every_value_replaced(item, junk)]
    elif isinstance(value, list) and value:
        copies += [[copy, *value[1:]] for copy in every_value_replaced(value[0], junk)]
    return copies


@pytest.mark.parametrize("junk", [None, True, 3, 1.5, "x", [], ["x"], {}, {"x": None}], ids=repr)
def test_a_value_of_any_other_type_is_a_recording_or_a_value_error(junk: Any) -> None:
    content = json.loads(SEEDS[0].read_bytes())
    content["response"]["body"] = content["response"]["body"][:1]
    for copy in every_value_replaced(content, junk):
        data = json.dumps(copy).encode()
        for read in (loads, read_request):
            try:
                read(data)
            except ValueError:
                continue  # Any other exception is the failure.


# -- reading only the request ------------------------------------------------------------------------------------------

LAYOUTS: dict[str, Callable[[Any], bytes]] = {
    "as written": lambda content: json.dumps(content, indent=2).encode() + b"\n",
    "compact": lambda content: json.dumps(content, separators=(",", ":")).encode(),
    "on one line": lambda content: json.dumps(content).encode(),
    "indent 4": lambda content: json.dumps(content, indent=4).encode(),
    "CRLF": lambda content: json.dumps(content, indent=2).replace("\n", "\r\n").encode(),
    "UTF-8": lambda content: json.dumps(content, indent=2, ensure_ascii=False).encode(),
    "sorted": lambda content: json.dumps(content, indent=2, sort_keys=True).encode(),
    "response first": lambda content: json.dumps(dict(reversed(content.items())), indent=2).encode(),
    "members in front": lambda content: json.dumps({"test_id": None, **content}, indent=2).encode(),
    "a BOM": lambda content: b"\xef\xbb\xbf" + json.dumps(content, indent=2).encode(),
}


@pytest.mark.parametrize("lay_out", LAYOUTS.values(), ids=LAYOUTS)
@each_seed
def test_the_request_alone_is_that_of_the_whole(path: Path, lay_out: Callable[[Any], bytes]) -> None:
    content = json.loads(path.read_bytes())
    data = lay_out(content)
    assert read_request(data) == loads(data).request == loads(path.read_bytes()).request


def test_a_prompt_that_looks_like_a_response_does_not_mislead() -> None:
    content = json.loads(SEEDS[0].read_bytes())
    content["request"]["body"]["prompt"] = '}\n  "response": {'
    content["request"]["body"]["response"] = {"body": {}}
    for data in (json.dumps(content, indent=2).encode(), json.dumps(content).encode()):
        assert read_request(data) == loads(data).request


URLS = {
    "https://api.openai.com/v1/v1/chat/completions": "https://api.openai.com/v1/chat/completions",
    "https://h/openai/deployments/d/v1/chat/completions": "https://h/openai/deployments/d/chat/completions",
    "https://openrouter.ai/api/v1/v1/chat/completions?a=b": "https://openrouter.ai/api/v1/chat/completions",
    "https://h/else": "https://h/else",
}


@pytest.mark.parametrize("url", URLS)
def test_people_are_told_the_url_that_was_asked(url: str) -> None:
    assert RecordedRequest(url, {}, "/v1/chat/completions").sent_url == URLS[url]
    assert RecordedRequest("https://h/v1/messages", {}, "").sent_url == "https://h/v1/messages"
    assert RecordedRequest("http://localhost:11434/api/chat", {}, "/api/chat").sent_url.endswith("11434/api/chat")


# -- names, spelled out ------------------------------------------------------------------------------------------------

BEDROCK = "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1/v1/chat/completions"
USAGE = {"include_usage": True}


def bedrock(**body: Any) -> RecordedRequest:
    asked = {"model": "openai.gpt-oss-20b", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    return RecordedRequest(BEDROCK, {**asked, **body}, "/v1/chat/completions")


def test_what_bedrock_is_asked_with_has_a_name_of_its_own_but_for_the_options_of_a_stream_in_the_form_2026() -> None:
    plain = bedrock()
    with_options = bedrock(stream_options=USAGE)
    names = {form: [request_name(each, form) for each in (plain, with_options)] for form in FORMS}
    assert names == {
        "2025-09": ["75f59970be51", "92ee1a8c285d"],
        "2026": ["bafe83ca67fafe3ad003b2b2c05fc3d4c96f347cad24ae02fcf6c39532d5ea09"] * 2,
    }
    elsewhere = [replace(each, url=each.url.replace("bedrock-runtime", "runtime")) for each in (plain, with_options)]
    assert len({request_name(each, "2026") for each in elsewhere}) == 2
    other = bedrock(stream_options=USAGE, temperature=0.5)
    assert request_name(other, "2026") != names["2026"][0]


MESSAGES = RecordedRequest(
    "https://api.anthropic.com/v1/messages",
    {"model": "claude-sonnet-4-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi é"}]},
    "",
)

PASSED_ON = {
    "as it is": (MESSAGES, "581440a30a56", "6ff85b57015852ddf5f1e0c2a98b56212ea9e56e98e15c58701841d97eb8db20"),
    "for a test": (
        replace(MESSAGES, test_id="tests/a.py::test_b"),
        "581440a30a56",
        "3625ee9460c896ef7836a962884a6074cfce8f3805e6dfef7e5ed10643a64dd8",
    ),
    "another method": (
        replace(MESSAGES, method="PUT"),
        "4d795767782e",
        "501e4baf807b6bb08a438af28cd5213469ad145c7351ae60187068214175c472",
    ),
    "another host": (
        replace(MESSAGES, url="https://api.example.com/v1/messages"),
        "6abb9c886940",
        "05f145eabc41143de1dc648f7400f90c714a7cd6cca94af79c55f90f0675880a",
    ),
    "a project": (
        replace(MESSAGES, body={"extra_body": {"project_id": "p"}}),
        "ba035729aac6",
        "5c3e1650eabb9d3ed1ede8a7d3c72ab03a6f5057b09fb9b3a24f24adc99675ec",
    ),
    "none": (
        replace(MESSAGES, body={"extra_body": {}}),
        "2104934f01cc",
        "5c3e1650eabb9d3ed1ede8a7d3c72ab03a6f5057b09fb9b3a24f24adc99675ec",
    ),
    "a long decimal": (
        replace(MESSAGES, body={"x": 0.123456789, "y": "0.123456789"}),
        "983e73c45889",
        "8ca802d86565e2b2e6dd9ba667493c7e304e1e9607824242743ad1e9519c6a27",
    ),
}
"""What is passed on, with its name in both forms. The older one knows of no tests, and counts all that was sent."""


@pytest.mark.parametrize(("request_", "old", "new"), PASSED_ON.values(), ids=PASSED_ON)
def test_the_name_of_what_is_passed_on(request_: RecordedRequest, old: str, new: str) -> None:
    assert request_name(request_, "2025-09") == old
    assert request_name(request_, "2026") == new
    answer = RecordedResponse({"a": 1}, is_streaming=False, status=200)
    assert Recording(request_, answer, "2026").name == new


def test_the_name_of_what_is_passed_on_is_a_digest_of_all_that_was_sent() -> None:
    content = {"url": MESSAGES.url, "method": "POST", "payload": MESSAGES.body, "test_id": None}
    assert PASSED_ON["as it is"][2] == hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
