"""The page that shows how an endpoint is added: what stands on it is run, from outside the package."""

import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from places import ROOT
from wiretape import config
from wiretape.library import transcript, verify
from wiretape.matching.request import identity, recorded
from wiretape.policy import FORMS
from wiretape.providers import base, wire
from wiretape.providers.routing import Providers
from wiretape.providers.wire import LiveResponse
from wiretape.recording import RecordedRequest, Recording, dumps, loads, make

PAGE = (ROOT / "docs" / "contributing" / "adding-an-endpoint.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

ANSWER, EVENTS = "application/json", "text/event-stream; charset=utf-8"
ASKED = {"model": "command-a-03-2025", "messages": [{"role": "user", "content": "Hi"}]}


def block(language: str, beginning: str = "") -> str:
    """The block of a language on the page that begins so."""
    (found,) = [text for kind, text in BLOCKS if kind == language and text.startswith(beginning)]
    return str(found)


SINGLE = block("json").encode().strip()
STREAM = tuple(f"{event}\n\n".encode() for event in block("text").strip().split("\n\n"))


def team() -> Providers:
    """The table of providers with what the page puts into ``wiretape.toml``."""
    return config.loads("wiretape.toml", block("toml", "# wiretape.toml")).providers()


@pytest.fixture(name="table")
def registered() -> Iterator[Providers]:
    """The endpoint of the page, registered, and the way to it."""
    module = ModuleType("cohere_endpoint")
    exec(block("python"), module.__dict__)
    base.register(*module.FORMATS)
    try:
        yield team()
    finally:
        base.unregister(*module.FORMATS)


def asked(table: Providers, **body: Any) -> RecordedRequest:
    route = table.route("POST", "https", "api.cohere.com", 443, "/v2/chat")
    assert route is not None
    assert route.endpoint.recorded == "/v2/chat"
    return recorded(route, json.dumps({**ASKED, **body}).encode(), "application/json")


def live(*pieces: bytes, content_type: str, ended: bool = True) -> LiveResponse:
    return LiveResponse(200, (("content-type", content_type),), pieces, (1.0,) * len(pieces), ended)


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_in_one_piece_is_recorded_and_replayed(table: Providers, form: str) -> None:
    request = asked(table)
    made = make(request, wire.response(request, live(SINGLE, content_type=ANSWER)), form)
    recording = loads(dumps(made))
    sent = wire.answer([recording])
    if form == "2025-09":
        assert (sent.status, sent.body) == (200, SINGLE)
    assert json.loads(sent.body) == {**json.loads(SINGLE), "id": recording.response.elements()[0]["__data__"]["id"]}
    assert transcript.text(recording) == "Hello."
    assert transcript.question(recording.request) == "Hi"
    assert wire.tokens(recording) == 2
    endpoint = base.of(recording.request)
    assert endpoint.usage(endpoint.elements(recording.response)).input == 71
    assert verify.verify(recording.name, dumps(recording)).faults == ()


@pytest.mark.parametrize("pieces", [STREAM, (b"".join(STREAM),)], ids=["event by event", "at once"])
def test_a_stream_is_recorded_and_replayed_event_by_event(table: Providers, pieces: tuple[bytes, ...]) -> None:
    request = asked(table, stream=True)
    recording = loads(dumps(Recording(request, wire.response(request, live(*pieces, content_type=EVENTS)))))
    assert recording.response.is_streaming
    assert wire.answer([recording]).chunks == STREAM
    assert transcript.text(recording) == "Hello."
    assert wire.tokens(recording) == 2
    assert verify.verify(recording.name, dumps(recording)).faults == ()


def test_a_stream_that_is_cut_anywhere_is_not_recorded(table: Providers) -> None:
    request = asked(table, stream=True)
    body = b"".join(STREAM)
    last = body.rindex(b"}") + 1
    for end in range(0, last, 7):
        with pytest.raises(wire.UnrecordableError):
            wire.response(request, live(body[:end], content_type=EVENTS, ended=False))
    assert wire.response(request, live(body[: last + 2], content_type=EVENTS, ended=False))


def test_what_the_format_leaves_out_makes_no_other_request(table: Providers) -> None:
    assert identity(asked(table, priority=3)) == identity(asked(table))
    assert identity(asked(table, temperature=0)) != identity(asked(table))
    assert identity(asked(table, stream=True)) != identity(asked(table))


def test_an_endpoint_that_is_not_registered_has_no_way_to_it() -> None:
    with pytest.raises(ValueError, match=r"recorded is one of .*/v1/chat/completions.*, not '/v2/chat'"):
        team()


def test_a_name_is_registered_once(table: Providers) -> None:
    with pytest.raises(ValueError, match="'/v2/chat' is registered already"):
        base.register(base.named("/v2/chat"))


# -- entry points ------------------------------------------------------------------------------------------------------


@pytest.fixture(name="package")
def another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with the entry point of the page, installed beside wiretape."""
    pyproject = block("toml", "# pyproject.toml")
    (line,) = re.findall(r"^cohere = \"(.*)\"$", pyproject, re.MULTILINE)
    info = tmp_path / "cohere_endpoint-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: cohere-endpoint\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{base.ENTRY_POINTS}]\ncohere = {line}\n")
    (tmp_path / "cohere_endpoint.py").write_text(block("python"))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(base, "_has_loaded", False)
    sys.modules.pop("cohere_endpoint", None)
    known = dict(base._formats)
    yield tmp_path
    base._formats.clear()
    base._formats.update(known)


def test_endpoints_of_other_packages_are_found_when_they_are_named(package: Path) -> None:
    assert "/v2/chat" not in base.names()
    assert base.of(RecordedRequest("https://api.openai.com/v1/models", {}, "/v1/models")).name == "/v1/models"
    assert "/v2/chat" not in base.names()
    assert "cohere" in team().names
    assert "/v2/chat" in base.names()
    request = RecordedRequest("https://api.cohere.com/v2/chat", {}, "/v2/chat")
    assert type(base.of(request)).__name__ == "CohereChat"


def test_a_package_that_fails_is_told_and_hinders_nobody(package: Path, caplog: pytest.LogCaptureFixture) -> None:
    (package / "cohere_endpoint.py").write_text("1 / 0\n")
    with caplog.at_level(logging.ERROR), pytest.raises(ValueError, match="no endpoint is known by the name '/v2/chat'"):
        base.named("/v2/chat")
    assert "the endpoints of cohere_endpoint:FORMATS cannot be used" in caplog.text
    assert base.named("/v1/models").name == "/v1/models"
