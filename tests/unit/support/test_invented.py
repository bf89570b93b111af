"""The corpus of our own, through the whole format: what came -> a file -> what goes out -> the same file."""

import json
from pathlib import Path
from typing import Any

import pytest

from invented import EXCHANGES
from places import INVENTED
from wiretape.library import transcript, verify
from wiretape.policy import FORMS
from wiretape.providers import wire
from wiretape.providers.wire import HttpResponse, LiveResponse
from wiretape.recording import dumps, loads, make

each_exchange = pytest.mark.parametrize("name", EXCHANGES)
each_form = pytest.mark.parametrize("form", FORMS)

TEXTS = {
    "chat stream": "Saturn \u2013 \U0001fa90",
    "completions": "Saturn",
    "responses stream": "Saturn",
    "ollama chat stream": "Saturn",
}
TOKENS = {
    "chat stream": 2,
    "chat": 2,
    "responses stream": 2,
    "ollama chat stream": 2,
    "ollama chat": 2,
    "anthropic stream": 2,
}


def file_of(name: str, form: str) -> Path:
    return INVENTED / form / f"{EXCHANGES[name].recorded(form).name}.json"


def content(name: str, form: str) -> Any:
    return json.loads(file_of(name, form).read_bytes())


@each_form
@each_exchange
def test_what_came_is_recorded_to_the_file(name: str, form: str) -> None:
    assert dumps(EXCHANGES[name].recorded(form)) == file_of(name, form).read_bytes()


@each_form
def test_there_is_a_file_for_each_and_no_other(form: str) -> None:
    assert sorted(INVENTED.joinpath(form).iterdir()) == sorted(file_of(name, form) for name in EXCHANGES)


@each_form
@each_exchange
def test_a_file_is_read_and_written_to_the_same_bytes(name: str, form: str) -> None:
    data = file_of(name, form).read_bytes()
    assert dumps(loads(data)) == data
    assert loads(data).form == form


def again(sent: HttpResponse) -> LiveResponse:
    at = tuple(map(float, range(len(sent.chunks))))
    return LiveResponse(sent.status, tuple(sent.headers), sent.chunks, at, True)


@each_form
@each_exchange
def test_what_goes_out_is_recorded_to_the_same_file(name: str, form: str) -> None:
    data = file_of(name, form).read_bytes()
    found = loads(data)
    sent = wire.answer([found])
    assert sent.status == EXCHANGES[name].status
    response = wire.response(found.request, again(sent), keep_errors=True)
    made = make(found.request, response, form)
    if made.extra:  # Whose id the provider keeps: a client was sent the one that came, or where it is asked for, ours.
        made = type(made)(made.request, made.response, made.form, found.extra)
    assert dumps(made) == data


@each_form
@each_exchange
def test_it_is_sound(name: str, form: str) -> None:
    path = file_of(name, form)
    report = verify.verify(path.stem, path.read_bytes())
    assert (report.form, report.faults) == (form, ())


@each_form
@pytest.mark.parametrize("name", TEXTS)
def test_its_text_is_what_was_said(name: str, form: str) -> None:
    assert transcript.text(loads(file_of(name, form).read_bytes())).strip() == TEXTS[name]


@each_form
@pytest.mark.parametrize("name", TOKENS)
def test_its_tokens_are_what_the_provider_said(name: str, form: str) -> None:
    assert wire.tokens(loads(file_of(name, form).read_bytes())) == TOKENS[name]


@pytest.mark.parametrize(
    "name", ["chat stream", "completions", "responses stream", "anthropic stream", "gemini stream"]
)
def test_a_stream_goes_out_as_its_provider_sends_it(name: str) -> None:
    """Value by value: an SDK adds the fields that it declares, and takes none away."""

    def values(pieces: list[bytes]) -> list[Any]:
        data = [line.removeprefix(b"data: ") for line in b"".join(pieces).splitlines() if line.startswith(b"data: ")]
        return [each if each == b"[DONE]" else json.loads(each) for each in data]

    sent = values([*EXCHANGES[name].arrived.pieces])
    played = values([*wire.answer([loads(file_of(name, "2025-09").read_bytes())]).chunks])
    assert len(played) == len(sent)
    for one, other in zip(played, sent, strict=True):
        assert without_nulls(one) == without_nulls(other)


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [*map(without_nulls, value)] if isinstance(value, list) else value


def test_bytes_go_out_as_they_came() -> None:
    assert wire.answer([loads(file_of("speech", "2026").read_bytes())]).body == b"".join(
        piece for piece in EXCHANGES["speech"].arrived.pieces
    )


def test_the_form_of_2026_names_the_test_and_has_no_noise() -> None:
    chat = content("chat stream", "2026")
    assert chat["test_id"] == "tests/test_planets.py::test_rings"
    assert {each["__data__"]["created"] for each in chat["response"]["body"]} == {0}
    assert {each["__data__"]["id"] for each in chat["response"]["body"]} == {"rec-44f973b8b1ac"}
    sent = content("anthropic stream", "2026")
    assert sent["request"]["test_id"] == "tests/test_planets.py::test_rings"
    assert "payload" in sent["request"]
    assert "test_id" not in content("anthropic stream", "2025-09")
