"""Wire requests and recorded ones: the same request in both forms, and when two requests are the same."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from places import SHIPPED, corpus
from wiretape.matching.request import identity, recorded, wire_body, wire_query, with_less_query
from wiretape.providers.routing import Endpoint, Providers, Route
from wiretape.providers.table import load
from wiretape.recording import RecordedRequest, loads, request_hash

SEEDS = sorted((SHIPPED / "default" / "responses").glob("*.json"))
CORPUS = corpus("2025-09")

each_seed = pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
PROVIDERS: Providers = load({})
CHAT, COMPLETIONS, EMBEDDINGS, MODELS = "/chat/completions", "/completions", "/embeddings", "/models"


def route_to(path: str, method: str = "POST", host: str = "api.fireworks.ai", base: str = "/inference/v1") -> Route:
    route = PROVIDERS.route(method, "https", host, 443, base + path)
    assert route
    return route


def chat(body: Any, **where: str) -> RecordedRequest:
    return recorded(route_to(CHAT, **where), json.dumps(body).encode())


def ordered(value: Mapping[str, Any]) -> str:
    """Comparable with the order of its keys."""
    return json.dumps(value)


def sent_by_the_sdk(request: RecordedRequest) -> tuple[str, bytes]:
    """Path and body that the installed SDK sends for a recorded call."""
    sent: list[httpx.Request] = []

    def provider(wire: httpx.Request) -> httpx.Response:
        sent.append(wire)
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=b"data: [DONE]\n\n")

    base = request.url.removesuffix(request.endpoint)
    with httpx.Client(transport=httpx.MockTransport(provider)) as http:
        any_http: Any = http  # Versions of openai declare clients of different packages here, and take this one.
        client = openai.OpenAI(base_url=base, api_key="none", http_client=any_http)
        call: Any = client.completions if request.endpoint == "/v1/completions" else client.chat.completions
        list(call.create(**request.body))
    return sent[0].url.raw_path.decode(), sent[0].content


@each_seed
def test_what_the_installed_sdk_sends_for_a_seed_becomes_the_seeds_request(path: Path) -> None:
    seed = loads(path.read_bytes()).request
    host = seed.url.split("/")[2]
    wire_path, body = sent_by_the_sdk(seed)
    route = PROVIDERS.route("POST", "https", host, 443, wire_path)
    assert route
    made = recorded(route, body, "application/json")
    assert made == seed
    assert ordered(made.body) == ordered(seed.body)
    assert request_hash(made)[:12] == path.stem


HELLO = [{"role": "user", "content": "Hello"}]

# The order on the wire -> the order in a recording, extra_body included.
ORDERS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "chat, openai 1": (
        CHAT,
        {"messages": HELLO, "model": "m", "max_tokens": 1, "stream": True},
        ["model", "messages", "max_tokens", "stream"],
    ),
    "chat, openai 3": (
        CHAT,
        {"model": "m", "stream": True, "messages": HELLO, "max_tokens": 1, "temperature": 0},
        ["model", "messages", "max_tokens", "stream", "temperature"],
    ),
    "completions, openai 1": (
        COMPLETIONS,
        {"model": "m", "prompt": "p", "max_tokens": 1, "stream": True},
        ["model", "prompt", "max_tokens", "stream", "extra_body"],
    ),
    "completions, openai 3": (
        COMPLETIONS,
        {"model": "m", "stream": True, "prompt": "p", "max_tokens": 1},
        ["model", "prompt", "max_tokens", "stream", "extra_body"],
    ),
    "embeddings, openai 1": (
        EMBEDDINGS,
        {"input": "i", "model": "m", "dimensions": 3, "encoding_format": "float"},
        ["model", "input", "encoding_format", "dimensions"],
    ),
    "no order of an SDK: the client's own": (
        CHAT,
        {"stream": True, "model": "m", "max_tokens": 1, "messages": HELLO},
        ["stream", "model", "max_tokens", "messages"],
    ),
    "extra parameters last": (
        CHAT,
        {"messages": HELLO, "model": "m", "stream": True, "top_k": 4},
        ["model", "messages", "stream", "extra_body"],
    ),
}


@pytest.mark.parametrize(("path", "body", "keys"), ORDERS.values(), ids=ORDERS)
def test_the_sdks_order_becomes_the_recorded_order(path: str, body: dict[str, Any], keys: list[str]) -> None:
    made = recorded(route_to(path), json.dumps(body).encode())
    assert list(made.body) == keys
    assert wire_body(made) == body


def test_order_within_values_is_kept() -> None:
    body = {"messages": [{"content": "b", "role": "user"}], "model": "m", "metadata": {"z": "1", "a": "2"}}
    made = chat(body)
    assert ordered(made.body["messages"][0]) == '{"content": "b", "role": "user"}'
    assert ordered(made.body["metadata"]) == '{"z": "1", "a": "2"}'


# path, parameters on the wire -> what goes to extra_body (None: there is no extra_body).
EXTRAS: list[tuple[str, dict[str, Any], dict[str, Any] | None]] = [
    (CHAT, {"model": "m", "messages": HELLO}, None),
    (CHAT, {"model": "m", "messages": HELLO, "top_k": 4, "min_p": 0.1}, {"top_k": 4, "min_p": 0.1}),
    (
        CHAT,
        {"model": "m", "messages": HELLO, "zeta": 1, "alpha": {"z": 1, "a": 2}},
        {"zeta": 1, "alpha": {"z": 1, "a": 2}},
    ),
    (CHAT, {"model": "m", "prompt": "declared elsewhere", "messages": HELLO}, {"prompt": "declared elsewhere"}),
    (COMPLETIONS, {"model": "m", "prompt": "p"}, {}),
    (COMPLETIONS, {"model": "m", "prompt": "p", "guided_choice": ["a"]}, {"guided_choice": ["a"]}),
    (EMBEDDINGS, {"model": "m", "input": "i"}, None),
    (EMBEDDINGS, {"model": "m", "input": "i", "truncate": "END"}, {"truncate": "END"}),
    (CHAT, {"model": "m", "messages": HELLO, "extra_body": {"top_k": 4}}, {"extra_body": {"top_k": 4}}),
]


@pytest.mark.parametrize(("path", "body", "extra"), EXTRAS)
def test_what_the_sdk_does_not_declare_goes_to_extra_body(
    path: str, body: dict[str, Any], extra: dict[str, Any] | None
) -> None:
    made = recorded(route_to(path), json.dumps(body).encode())
    assert made.body.get("extra_body") == extra
    assert ordered(made.body.get("extra_body")) == ordered(extra)  # type: ignore[arg-type]
    assert all(key not in made.body for key in extra or {} if key != "extra_body")
    assert wire_body(made) == body


def test_base64_is_the_sdks_own_choice_and_not_recorded() -> None:
    asked = recorded(route_to(EMBEDDINGS), b'{"input": "i", "model": "m", "encoding_format": "base64"}')
    assert dict(asked.body) == {"model": "m", "input": "i"}
    floats = recorded(route_to(EMBEDDINGS), b'{"input": "i", "model": "m", "encoding_format": "float"}')
    assert dict(floats.body) == {"model": "m", "input": "i", "encoding_format": "float"}
    assert identity(asked) != identity(floats)


def test_the_model_list_is_recorded_as_a_post_without_a_body() -> None:
    made = recorded(route_to(MODELS, "GET"), b"")
    assert made == RecordedRequest("https://api.fireworks.ai/inference/v1/v1/models", {}, "/v1/models")
    assert made.method == "POST"


# -- when two requests are the same ------------------------------------------------------------------------------------

BODY: dict[str, Any] = {"model": "m", "messages": HELLO, "temperature": 0.7, "top_k": 4}

SAME = {
    "another order of keys": {"top_k": 4, "temperature": 0.7, "messages": HELLO, "model": "m"},
    "another order within": {**BODY, "messages": [{"content": "Hello", "role": "user"}]},
}
OTHER = {
    "whitespace": {**BODY, "messages": [{"role": "user", "content": "Hello "}]},
    "case": {**BODY, "messages": [{"role": "user", "content": "hello"}]},
    "a float nearby": {**BODY, "temperature": 0.7000001},
    "an integer for a float": {**BODY, "top_k": 4.0},
    "true for 1": {**BODY, "top_k": True},
    "text for a number": {**BODY, "top_k": "4"},
    "null for absent": {**BODY, "stop": None},
    "a stream": {**BODY, "stream": True},
    "stream said to be false": {**BODY, "stream": False},
    "a parameter more": {**BODY, "min_p": 0},
    "a parameter less": {key: value for key, value in BODY.items() if key != "top_k"},
    "another model": {**BODY, "model": "M"},
    "another order of messages": {**BODY, "messages": [*HELLO, {"role": "user", "content": "x"}]},
    "an empty list": {**BODY, "messages": []},
    "a composed character": {**BODY, "messages": [{"role": "user", "content": "Hell\u006f\u0308"}]},
}


@pytest.mark.parametrize("body", SAME.values(), ids=SAME)
def test_same(body: dict[str, Any]) -> None:
    assert identity(chat(body)) == identity(chat(BODY))


@pytest.mark.parametrize("body", OTHER.values(), ids=OTHER)
def test_not_the_same(body: dict[str, Any]) -> None:
    assert identity(chat(body)) != identity(chat(BODY))


def test_whitespace_of_the_json_and_escapes_do_not_count() -> None:
    route = route_to(CHAT)
    assert identity(recorded(route, '{"model":"é","messages":[]}'.encode())) == identity(
        recorded(route, b'{ "messages" : [ ],\r\n "model" : "\\u00e9" }')
    )


def test_one_and_one_point_zero_differ() -> None:
    assert identity(chat({"temperature": 1})) != identity(chat({"temperature": 1.0}))


def test_another_host_or_endpoint_is_another_request() -> None:
    requests = [
        chat(BODY),
        chat(BODY, host="api.cerebras.ai", base="/v1"),
        chat(BODY, host="api.openai.com", base="/v1"),
        recorded(route_to(COMPLETIONS), json.dumps(BODY).encode()),
    ]
    assert len({identity(each) for each in requests}) == len(requests)


def test_extra_body_counts_by_what_it_sends() -> None:
    url, endpoint = "https://api.fireworks.ai/inference/v1/v1/chat/completions", "/v1/chat/completions"

    def same(one: dict[str, Any], two: dict[str, Any]) -> bool:
        return identity(RecordedRequest(url, one, endpoint)) == identity(RecordedRequest(url, two, endpoint))

    assert same({"model": "m", "extra_body": {"top_k": 4}}, {"model": "m", "top_k": 4})
    assert same({"model": "m", "extra_body": {}}, {"model": "m"})
    assert same({"model": "m", "extra_body": None}, {"model": "m"})
    assert same({"model": "m", "extra_headers": {"x": "y"}, "timeout": 3}, {"model": "m"})
    assert not same({"model": "m", "extra_body": {"top_k": 4}}, {"model": "m", "extra_body": {"top_k": 5}})


# -- the query ---------------------------------------------------------------------------------------------------------


def queried(query: str, path: str = CHAT) -> RecordedRequest:
    method = "GET" if path == MODELS else "POST"
    return recorded(route_to(path + query, method), b"" if path == MODELS else json.dumps(BODY).encode())


# The query on the wire -> what it is in a recording.
QUERIES: dict[str, Any] = {
    "": None,
    "?": None,
    "?&": None,
    "?api-version=2024-06-01": {"api-version": "2024-06-01"},
    "?limit=2&after=model-3": {"limit": "2", "after": "model-3"},
    "?a=1&b=2&a=3": {"a": ["1", "3"], "b": "2"},
    "?q=a%20b+c%26d": {"q": "a b c&d"},
    "?q=%C3%A9": {"q": "é"},
    "?q=%E9": {"q": "\udce9"},
    "?stream": {"stream": ""},
    "?pageToken=CAESBgoE3xY7Bbq81kfLw9ZpQ2r": {"pageToken": "CAESBgoE3xY7Bbq81kfLw9ZpQ2r"},
    "?key=AIzaSecret&api_key=x&access_token=y&API-KEY=z": None,
    "?%6bey=abc&api%5Fkey=x&Access%5fToken=y": None,
    "?subscription-key=0123456789abcdef0123456789abcdef&limit=2": {"limit": "2"},
}


@pytest.mark.parametrize("path", [CHAT, COMPLETIONS, EMBEDDINGS, MODELS, "/responses"])
@pytest.mark.parametrize("query", QUERIES)
def test_the_query_is_an_argument_but_for_credentials(query: str, path: str) -> None:
    made = queried(query, path)
    assert made.body.get("extra_query") == QUERIES[query]
    assert made.url == queried("", path).url
    if QUERIES[query] is None:
        assert (made, identity(made)) == (queried("", path), identity(queried("", path)))
    else:
        assert identity(made) != identity(queried("", path))
        assert queried(wire_query(made), path) == made
    assert wire_body(made) == wire_body(queried("", path))


def test_queries_are_told_apart_by_what_they_say() -> None:
    said = [
        "",
        "?a=1",
        "?a=2",
        "?b=1",
        "?a=1&b=1",
        "?a=1&a=2",
        "?a=2&a=1",
        "?a=12",
        "?a",
        "?a=%E9",
        "?a=%C3%A9",
        "?A=1",
    ]
    assert len({identity(queried(each)) for each in said}) == len(said)
    same = ["?a=1&b=%20", "?b=+&a=1", "?&b=%20&a=%31", "?key=k&b=+&a=1"]
    assert len({identity(queried(each)) for each in same}) == 1


def test_a_query_of_the_public_recorder_is_that_of_the_wire() -> None:
    asked = queried("?project_id=7&deep=true&n=", MODELS)
    public = replace(asked, body={"extra_query": {"project_id": 7, "deep": True, "n": None}})
    assert identity(asked) == identity(public)
    assert identity(replace(public, body={"extra_query": {}})) == identity(queried("", MODELS))


def test_less_of_a_query_is_what_recordings_may_have_of_it() -> None:
    def less(query: str) -> list[dict[str, Any] | None]:
        return [each.body.get("extra_query") for each in with_less_query(queried(query))]

    assert less("") == []
    assert less("?limit=2") == [None]
    assert less("?api-version=1") == [None]
    assert less("?version=1&project_id=7") == [{"project_id": "7"}, None]


# -- what is sent as it is: a URL and a payload ------------------------------------------------------------------------

TRANSCRIPTIONS = route_to("/audio/transcriptions", host="api.openai.com", base="/v1")
RELATED = b'--b\r\nContent-Type: application/json\r\n\r\n{"a": 1}\r\n--b\r\nContent-Type: a/b\r\n\r\n\xff\r\n--b--'

# Content-Type, body -> payload; None where it is the digest of the body.
PAYLOADS: list[tuple[str, bytes, dict[str, Any] | None]] = [
    ("application/json", b'{"a": 1}', {"a": 1}),
    ("application/vnd.x+json; charset=utf-8", b"[1]", {"": [1]}),
    ("", b'{"a": 1}', {"a": 1}),
    ("", b"[]", {"": []}),
    ("", b"RIFF\xff", None),
    ("", b'{"a": "\xff"}', None),
    ("", b"model=m", None),
    ("audio/wav", b"RIFF\xff", None),
    ("text/plain;charset=UTF-8", b'{"a": 1}', None),
    ("application/x-www-form-urlencoded", b"a=%ff", None),
    ("Multipart/Form-Data; boundary=b", b"--b\r\ncontent-disposition: form-data; name=a\r\n\r\n1\r\n--b--", {"a": "1"}),
    (
        "multipart/related; boundary=b",
        RELATED,
        {
            "content_type": "multipart/related",
            "parts": ['{"a": 1}', {"content_type": "a/b", "size": 1, "sha256": hashlib.sha256(b"\xff").hexdigest()}],
        },
    ),
]


@pytest.mark.parametrize(("content_type", "body", "payload"), PAYLOADS)
def test_a_payload_is_json_a_form_or_a_digest(content_type: str, body: bytes, payload: dict[str, Any] | None) -> None:
    media_type = content_type.partition(";")[0]
    digest = {"content_type": media_type, "size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    assert recorded(TRANSCRIPTIONS, body, content_type).body == (digest if payload is None else payload)


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"a": "\xff"}'])
def test_what_says_to_be_json_and_is_none_is_no_request(body: bytes) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        recorded(TRANSCRIPTIONS, body, "application/json")


# -- bodies that are none ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"model": "m"} x', "not JSON"),
        (b"model=m&prompt=p", "not JSON"),
        (b"\xff\xfe\xfd", "not JSON"),
        (b'{"model": "\xff"}', "not JSON"),
        (b"[]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"3", "not a JSON object"),
        (b'{"model": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_a_body_that_is_no_json_object_is_an_error_that_says_so(body: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        recorded(route_to(CHAT), body)


@pytest.mark.parametrize("depth", [300, 800, 1000, 1200, 1400, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["lists", "objects"])
def test_deep_nesting_is_a_value_error_or_a_request(depth: int, opening: bytes, closing: bytes) -> None:
    """Any other error would leave the request unanswered, and in replay send it on to the provider."""
    inner = b"1" if opening != b"[" else b""
    body = b'{"messages": ' + opening * depth + inner + closing * depth + b"}"
    error: type[Exception] | None = None  # Only the type: pytest takes seconds for the traceback of a RecursionError.
    try:
        made = recorded(route_to(CHAT), body)
        identity(made)
        request_hash(made)
    except (ValueError, RecursionError) as e:
        error = type(e)
    assert error in (None, ValueError)


@pytest.mark.parametrize(
    "body",
    [
        b'{"seed": 123456789012345678901234567890123456789012345678901234567890}',
        b'{"seed": -1e400}',
        b'{"temperature": NaN}',
        b'{"temperature": Infinity}',
        b'{"temperature": 1e-7, "top_p": 0.1, "seed": 18446744073709551615}',
        b'{"user": "\\ud83d"}',
        b'{"user": "\\ud83d\\ude00 \\u0000 \\u2028"}',
        b'{"\\ud83d": 1}',
        b'{"": 1}',
        b'{"user": "a", "user": "b"}',
        b'{"model": 3, "messages": "text"}',
        b'\xef\xbb\xbf{"user": "BOM"}',
        b"{}",
    ],
)
def test_odd_values_make_a_request_with_a_hash(body: bytes) -> None:
    made = recorded(route_to(CHAT), body)
    assert identity(made) == identity(recorded(route_to(CHAT), body))
    assert len(request_hash(made)) == 64
    assert isinstance(made.model, str)


def test_requests_of_the_corpus_are_told_apart_as_their_names_tell_them() -> None:
    by_identity: dict[str, set[str]] = {}
    for path in CORPUS:
        asked = loads(path.read_bytes()).request
        by_identity.setdefault(identity(asked), set()).add(request_hash(asked))
    assert len(by_identity) >= 12
    assert all(len(hashes) == 1 for hashes in by_identity.values())


@pytest.mark.parametrize(
    ("body", "content_type", "payload"),
    [
        (b"", "application/json", {}),
        (b'{"a": 1}', "application/json; charset=utf-8", {"a": 1}),
        (b'{"a": 1}', "application/vnd.api+json", {"a": 1}),
        (b'{"a": 1}', "", {"a": 1}),
        (b"[1]", "application/json", {"": [1]}),
    ],
)
def test_what_is_passed_on_is_kept_as_it_was_sent(body: bytes, content_type: str, payload: object) -> None:
    route = Route("x", "https://api.anthropic.com", Endpoint("http", "POST", ""), "/v1/messages")
    made = recorded(route, body, content_type)
    assert (made.url, made.body, made.passthrough) == ("https://api.anthropic.com/v1/messages", payload, True)


@pytest.mark.parametrize(
    ("body", "content_type"), [(b"\x00\x01", "audio/wav"), (b"no json", ""), (b"a b", "text/plain")]
)
def test_a_body_of_another_form_is_told_from_others(body: bytes, content_type: str) -> None:
    route = Route("x", "https://api.example.com", Endpoint("http", "POST", ""), "/v1/x")
    made = recorded(route, body, content_type)
    assert made.body["content_type"] == content_type
    assert identity(made) != identity(recorded(route, body + b"x", content_type))


def test_on_a_path_that_nobody_knows_a_body_may_be_anything() -> None:
    route = Route("x", "https://api.example.com", Endpoint("other", "POST", ""), "/v1/x")
    made = recorded(route, b"{ no json", "application/json")
    assert made.moves_on
    assert identity(made) != identity(recorded(route, b"{ other", "application/json"))
    strict = Route("x", "https://api.example.com", Endpoint("http", "POST", ""), "/v1/x")
    with pytest.raises(ValueError, match="is not JSON"):
        recorded(strict, b"{ no json", "application/json")
