"""What is wrong with a recording, and what is not."""

import json
from typing import Any

import pytest

from samples import CHAT, SAMPLES, load
from wiretape import verify


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
    (fault,) = verify.check(CHAT.stem, changed(is_exception=True, exception_data=broken)).faults
    assert "broke off" in fault


def test_a_recording_that_does_not_replay_to_itself_is_a_fault() -> None:
    body = load(CHAT)["response"]["body"]
    extra = {"__type__": body[0]["__type__"], "__data__": {"error": "boom"}}
    assert "the stream holds an error" in verify.check(CHAT.stem, changed(body=[*body, extra])).faults[0]
    shuffled = {key: body[0]["__data__"][key] for key in sorted(body[0]["__data__"], reverse=True)}
    element = {"__type__": body[0]["__type__"], "__data__": shuffled}
    assert "differs after its way" in verify.check(CHAT.stem, changed(body=[element])).faults[0]
