"""A recording and its file, byte for byte; and what is read of a file that another has laid out."""

import json
from dataclasses import replace

import pytest

from wiretape.exceptions import RecordingError
from wiretape.recording import (
    RecordedRequest,
    RecordedResponse,
    Recording,
    dumps,
    dumps_parts,
    encoded,
    loads,
    read_request,
)

ELEMENT = {"__type__": "t", "__data__": {"id": "x"}}
CHAT = RecordedRequest("https://a.example/v1/v1/chat/completions", {"model": "m", "n": 1.0}, "/v1/chat/completions")
OF_SDK = Recording(CHAT, RecordedResponse([ELEMENT], True), "2025-09")
OF_WIRE = Recording(
    RecordedRequest("https://a.example/v1/messages", {"model": "m"}, "", test_id="t::x"),
    RecordedResponse({"text": "ü"}, False, status=200),
    "2026",
)

AS_SDK = """{
  "request": {
    "method": "POST",
    "url": "https://a.example/v1/v1/chat/completions",
    "headers": {},
    "body": {
      "model": "m",
      "n": 1.0
    },
    "endpoint": "/v1/chat/completions",
    "model": "m"
  },
  "response": {
    "body": [
      {
        "__type__": "t",
        "__data__": {
          "id": "x"
        }
      }
    ],
    "is_streaming": true
  }
}
"""
AS_WIRE = """{
  "test_id": "t::x",
  "request": {
    "test_id": "t::x",
    "url": "https://a.example/v1/messages",
    "method": "POST",
    "payload": {
      "model": "m"
    }
  },
  "response": {
    "status": 200,
    "body": {
      "text": "\\u00fc"
    },
    "is_streaming": false
  }
}
"""


@pytest.mark.parametrize(("recording", "text"), [(OF_SDK, AS_SDK), (OF_WIRE, AS_WIRE)])
def test_a_recording_and_its_file(recording: Recording, text: str) -> None:
    assert dumps(recording).decode("ascii") == text
    assert b"".join(dumps_parts(recording)) == text.encode()
    assert loads(text.encode()) == recording
    assert read_request(text.encode()) == recording.request


RESPONSES = {
    "an error": RecordedResponse(None, False, {"status_code": 429, "message": "slow"}),
    "a stream that failed": RecordedResponse([ELEMENT], True, {"message": "gone"}, tail=("data: {}", "")),
    "a status": RecordedResponse(ELEMENT, False, None, 202),
    "a text": RecordedResponse("x", False, None, 200, "text/plain"),
    "a redirect": RecordedResponse("", False, None, 302, "text/html", "/elsewhere"),
    "around models": RecordedResponse([], False, envelope={"models": []}),
}


@pytest.mark.parametrize("kind", RESPONSES)
def test_every_member_of_a_response_comes_back(kind: str) -> None:
    endpoint = "/v1/models" if kind == "around models" else CHAT.endpoint
    recording = Recording(replace(CHAT, endpoint=endpoint), RESPONSES[kind], "2025-09")
    assert loads(dumps(recording)) == recording


def test_an_error_has_its_message_where_others_look_for_it() -> None:
    response = json.loads(dumps(Recording(CHAT, RESPONSES["an error"], "2025-09")))["response"]
    assert response == {
        "body": None,
        "is_streaming": False,
        "is_exception": True,
        "exception_data": {"status_code": 429, "message": "slow"},
        "exception_message": "slow",
    }


def test_members_that_are_not_ours_stay() -> None:
    recording = replace(OF_SDK, request=replace(CHAT, extra={"provider_metadata": {"a": 1}}), extra={"note": ["kept"]})
    assert loads(dumps(recording)) == recording
    assert json.loads(dumps(recording))["note"] == ["kept"]


def test_the_form_is_told_by_the_test() -> None:
    assert loads(AS_SDK.encode()).form == "2025-09"
    assert loads(AS_SDK.replace("{", '{"test_id": null,', 1).encode()).form == "2026"


def test_a_get_without_a_body_is_one() -> None:
    bare = RecordedRequest("https://a.example/models", {}, "", "GET", extra={"endpoint": "/v1/models"})
    recording = Recording(bare, RecordedResponse({"data": []}, False, status=200), "2026")
    assert "payload" not in json.loads(dumps(recording))["request"]
    assert loads(dumps(recording)).request == bare


@pytest.mark.parametrize(
    "laid_out", [json.dumps(json.loads(AS_SDK)), AS_SDK.replace("  ", "\t"), AS_SDK.replace("\n", "\r\n")]
)
def test_a_file_that_is_laid_out_otherwise_is_read_too(laid_out: str) -> None:
    assert loads(laid_out.encode()) == OF_SDK
    assert read_request(laid_out.encode()) == CHAT


def test_only_the_request_is_read_of_what_has_no_sound_answer() -> None:
    cut = AS_SDK[: AS_SDK.index('"__type__"')].encode()
    assert read_request(cut) == CHAT
    with pytest.raises(RecordingError, match="not JSON"):
        loads(cut)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[]"])
def test_what_is_no_recording_is_said(data: bytes) -> None:
    for read in (loads, read_request):
        with pytest.raises(RecordingError):
            read(data)


def test_text_that_is_no_utf_8_goes_out_as_it_came() -> None:
    assert encoded("caf\udce9") == b"caf\xe9"
    assert encoded("ü") == b"\xc3\xbc"
    assert encoded("\ud83d") == b"\xed\xa0\xbd"
