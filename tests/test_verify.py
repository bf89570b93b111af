"""What is wrong with a recording, and what is not."""

import json
from dataclasses import replace
from typing import Any

import pytest

from samples import CHAT, SAMPLES, load
from wiretape import capture, request, verify
from wiretape.capture import Capture, Origin
from wiretape.recording import RecordedRequest


def changed(**response: Any) -> bytes:
    content: dict[str, Any] = json.loads(CHAT.read_bytes())
    content["response"] |= response
    return (json.dumps(content, indent=2) + "\n").encode()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_are_sound(name: str) -> None:
    path = SAMPLES[name]
    report = verify.check(path.stem, path.read_bytes())
    assert (report.form, report.faults) == ("2025-09", ())
    assert verify.check(f"{path.stem}.2", path.read_bytes()).faults == ()


def test_each_fault_is_found() -> None:
    data = CHAT.read_bytes()
    assert "not JSON" in verify.check(CHAT.stem, data[:1000]).faults[0]
    assert "not its hash, which is e99f14805360" in verify.check("hello", data).faults[0]
    key = b"sk-" + b"a1b2" * 10
    (fault,) = verify.check(CHAT.stem, data.replace(b'"Hello!"', b'"' + key + b'"')).faults
    assert fault == "a secret is in it, at response.body[1].__data__.choices[0].delta.content"
    assert key.decode() not in fault
    broken = {"category": "provider_sdk", "message": "x", "status_code": None, "body": None}
    # What wiretape_record_errors has kept is as sound as any other.
    assert verify.check(CHAT.stem, changed(is_exception=True, exception_data=broken)).faults == ()


def test_a_recording_that_does_not_replay_to_itself_is_a_fault() -> None:
    body = load(CHAT)["response"]["body"]
    extra = {"__type__": body[0]["__type__"], "__data__": {"error": "boom"}}
    assert "the stream holds an error" in verify.check(CHAT.stem, changed(body=[*body, extra])).faults[0]
    shuffled = {key: body[0]["__data__"][key] for key in sorted(body[0]["__data__"], reverse=True)}
    element = {"__type__": body[0]["__type__"], "__data__": shuffled}
    assert "differs after its way" in verify.check(CHAT.stem, changed(body=[element])).faults[0]


SOUND = Origin("ci", "2026-01-31T12:00:00Z", "curl/8.5.0", "0.1.0", 1234.5)


def faults(origin: Origin) -> tuple[str, ...]:
    return verify.check_capture(capture.dumps(Capture("sha256:0", 200, (), (b"x",), (1.0,), origin)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"at": ""},
        {"at": "yesterday"},
        {"at": "2026-01-31 12:00:00"},
        {"at": "2026-1-31T12:00:00Z"},
        {"at": "2026-01-31T12:00:00+01:00"},
        {"by": "one\ntwo"},
        {"client": "a\x1b[31m"},
        {"client": "a" * 201},
        {"wiretape": "\x07"},
        {"took": -1.0},
        {"took": float("nan")},
        {"took": float("inf")},
    ],
)
def test_what_is_wrong_with_who_made_a_capture(wrong: dict[str, Any]) -> None:
    assert faults(SOUND) == ()
    (fault,) = faults(replace(SOUND, **wrong))
    assert "who made it" in fault


def test_a_secret_in_who_made_a_capture() -> None:
    key = "sk-" + "a1b2" * 10
    for wrong in (replace(SOUND, client=key), replace(SOUND, by=key)):
        assert "a secret is in it" in faults(wrong)


def test_a_recording_that_no_request_finds_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    read = request.recorded

    def another(*args: Any) -> RecordedRequest:
        asked = read(*args)
        return replace(asked, body={**asked.body, "model": "another"})

    monkeypatch.setattr(request, "recorded", another)
    (fault,) = verify.check(CHAT.stem, CHAT.read_bytes()).faults
    assert "would not find it" in fault
