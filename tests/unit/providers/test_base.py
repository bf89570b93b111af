"""The registry of endpoints: who is in it, and that nobody else looks at their names."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from places import ROOT
from wiretape.providers import base, wire
from wiretape.recording import MODEL_LISTS, RecordedRequest, RecordedResponse, Recording

PACKAGE = ROOT / "addons" / "wiretape"
KNOWING = ("providers/", "recording/endpoints.py", "recording/hashing.py", "matching/built_in.py")
"""Where an endpoint is called by its name: with what else is known of it, where the public recorder's files are, and in
the rules for everyone, which are data."""


def request(endpoint: str, **body: object) -> RecordedRequest:
    return RecordedRequest(f"https://api.example.com{endpoint}", body, endpoint)


def texts(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_no_other_module_calls_an_endpoint_by_its_name() -> None:
    names = base.names()
    assert len(names) == 11
    found = {
        (module.relative_to(PACKAGE).as_posix(), text)
        for module in PACKAGE.rglob("*.py")
        for text in texts(module)
        if text in names or text in ("/api/", "ollama._types")
    }
    assert {(module, text) for module, text in found if not module.startswith(KNOWING)} == set()
    assert {text for module, text in found if module.startswith("providers/")} == names


def test_each_endpoint_is_found_by_its_name_and_the_lists_of_models_are_those_of_the_format() -> None:
    for name in base.names():
        assert base.named(name).name == name
        assert base.of(request(name)).name == name
    without_body = {name for name in base.names() if base.named(name).method == "GET"}
    assert without_body == {*MODEL_LISTS, "/api/ps"}


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (request("/chat/completions"), "/v1/chat/completions"),
        (request("/v1/completions", messages=[]), "/v1/chat/completions"),
        (request("/v1/completions", messages=[], prompt="a"), "/v1/completions"),
        (request(""), ""),
        (request("/v9/other"), "/v9/other"),
    ],
)
def test_the_endpoint_that_a_recording_is_really_of(asked: RecordedRequest, name: str) -> None:
    assert base.of(asked).name == name


def test_an_endpoint_that_nobody_has_registered_is_served_and_not_recorded() -> None:
    element = {"__type__": "other.sdk.Answer", "__data__": {"id": "x", "usage": None}}
    single = Recording(request("/v9/other"), RecordedResponse(element, is_streaming=False))
    assert wire.answer([single]).body == b'{"id":"x","usage":null}'
    streamed = Recording(request("/v9/other"), RecordedResponse([element], is_streaming=True))
    assert wire.answer([streamed]).chunks == (b'data: {"id":"x","usage":null}\n\n', b"data: [DONE]\n\n")
    live = wire.LiveResponse(200, (("content-type", "application/json"),), (b"{}",), (1.0,), ended=True)
    with pytest.raises(wire.UnrecordableError, match="no endpoint is known by the name '/v9/other'"):
        wire.response(single.request, live)
    with pytest.raises(ValueError, match="no endpoint is known by the name '/chat'"):
        base.named("/chat")
