"""What is wrong with a recording, and what is not."""

import json
from dataclasses import replace
from typing import Any

import pytest

from builders import came, chat
from places import SHARED
from samples import CHAT, SAMPLES, load
from wiretape import recording
from wiretape.library import verify
from wiretape.matching import request
from wiretape.providers import wire
from wiretape.recording import RecordedRequest, RecordedResponse, capture, hashing
from wiretape.recording.capture import Capture, Origin

PUBLIC = sorted((SHARED / "corpus").rglob("*.json"))


def changed(**response: Any) -> bytes:
    content: dict[str, Any] = json.loads(CHAT.read_bytes())
    content["response"] |= response
    return (json.dumps(content, indent=2) + "\n").encode()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_are_sound(name: str) -> None:
    path = SAMPLES[name]
    report = verify.verify(path.stem, path.read_bytes())
    assert (report.form, report.faults) == ("2025-09", ())
    assert verify.verify(f"{path.stem}.2", path.read_bytes()).faults == ()


def test_each_fault_is_found() -> None:
    data = CHAT.read_bytes()
    assert "not JSON" in verify.verify(CHAT.stem, data[:1000]).faults[0]
    assert "not its hash, which is e99f14805360" in verify.verify("hello", data).faults[0]
    key = b"sk-" + b"a1b2" * 10
    (fault,) = verify.verify(CHAT.stem, data.replace(b'"Hello!"', b'"' + key + b'"')).faults
    assert fault == "a secret is in it, at response.body[1].__data__.choices[0].delta.content"
    assert key.decode() not in fault
    broken = {"category": "provider_sdk", "message": "x", "status_code": None, "body": None}
    # What wiretape_record_errors has kept is as sound as any other.
    assert verify.verify(CHAT.stem, changed(is_exception=True, exception_data=broken)).faults == ()


def test_a_recording_that_does_not_replay_to_itself_is_a_fault() -> None:
    body = load(CHAT)["response"]["body"]
    extra = {"__type__": body[0]["__type__"], "__data__": {"error": "boom"}}
    assert "the stream holds an error" in verify.verify(CHAT.stem, changed(body=[*body, extra])).faults[0]
    shuffled = {key: body[0]["__data__"][key] for key in sorted(body[0]["__data__"], reverse=True)}
    element = {"__type__": body[0]["__type__"], "__data__": shuffled}
    assert verify.verify(CHAT.stem, changed(body=[element])).faults == ()  # As a newer SDK's class may have it.
    del shuffled["usage"]
    assert "differs after its way" in verify.verify(CHAT.stem, changed(body=[element])).faults[0]


SOUND = Origin("ci", "2026-01-31T12:00:00Z", "curl/8.5.0", "0.1.0", 1234.5)


def faults(origin: Origin) -> tuple[str, ...]:
    return verify.verify_capture(capture.dumps(Capture("sha256:0", 200, (), (b"x",), (1.0,), origin)))


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
    (fault,) = verify.verify(CHAT.stem, CHAT.read_bytes()).faults
    assert "would not find it" in fault


# -- what other versions of the recorder have written ------------------------------------------------------------------


@pytest.mark.skipif(not PUBLIC, reason="the public recordings are not beside the checkout: ../shared/corpus")
def test_the_public_recordings_are_sound() -> None:
    told = {path.stem[:19]: verify.verify(path.stem, path.read_bytes()).faults for path in PUBLIC}
    (fault,) = told.pop("53f557a067b8f00b81d")
    assert "not its hash" in fault  # It has 64 digits, which count the test: that is not in the file.
    assert {name: faults for name, faults in told.items() if faults} == {}


FILE_SEARCH = replace(
    chat("[1] score: 0.5, attributes: {'x': 1} 0.123456789", extra_body={"project_id": "p"}), test_id="t::a"
)


@pytest.mark.parametrize("rule", [each for each in hashing.RULES if each is not hashing.OLDEST], ids=lambda r: r.since)
def test_the_name_that_a_version_gave_is_right_and_so_are_its_ids(rule: hashing.HashRule) -> None:
    made = recording.make(FILE_SEARCH, wire.response(FILE_SEARCH, came("Hi")), "2026")
    name = recording.digest(FILE_SEARCH, rule)
    data = recording.dumps(made).replace(f'"rec-{made.name[:12]}"'.encode(), f'"rec-{name[:12]}"'.encode())
    for each in (name, f"{name}.2", f"{name}-{request.identity(FILE_SEARCH)[:8]}"):
        assert verify.verify(each, data).faults == ()
    (fault,) = verify.verify(name[::-1], data).faults
    assert "not its hash" in fault
    (fault,) = verify.verify(name, data.replace(b'"rec-', b'"rec-0')).faults
    assert "ids are not those of its name" in fault


@pytest.mark.parametrize("rule", hashing.RULES, ids=lambda rule: rule.since)
@pytest.mark.parametrize("host", ["https://api.openai.com", "http://localhost:8000"])
@pytest.mark.parametrize("count", [0, 2])
def test_the_name_that_a_version_gave_to_a_list_of_models(rule: hashing.HashRule, host: str, count: int) -> None:
    models = [{"id": f"m{n}", "created": n, "object": "model", "owned_by": "o"} for n in range(count)]
    body = [{"__type__": "openai.types.model.Model", "__data__": each} for each in models]
    asked = RecordedRequest(f"{host}/v1/v1/models", {}, "/v1/models", test_id="t::a")
    form = "2025-09" if rule is hashing.OLDEST else "2026"
    if form == "2025-09":
        asked = replace(asked, test_id=None)
    found = recording.Recording(asked, RecordedResponse(body, is_streaming=False), form)
    name = f"models-{recording.digest(asked, rule)[: rule.digits]}-{found.name[-8:]}"
    assert verify.verify(name, recording.dumps(found)).faults == ()
    (fault,) = verify.verify(name.replace("-", "-0", 1), recording.dumps(found)).faults
    assert "not its hash" in fault


OF_NO_HTTP: dict[str, Any] = {
    "a tool": {"provider": "tavily", "tool_name": "web_search", "kwargs": {"query": "q"}},
    "a file processor": {"provider": "pypdf", "api": "file_processors", "file_id": "file-1"},
    "an SDK of its own": {"method": "POST", "url": "vertexai:///generate_content", "headers": {}, "body": {}},
    "gRPC": {"method": "POST", "url": "grpc://h/x", "headers": {}, "body": {}, "endpoint": "/x"},
}


@pytest.mark.parametrize("asked", OF_NO_HTTP.values(), ids=OF_NO_HTTP)
def test_what_goes_over_no_http_is_no_fault(asked: Any) -> None:
    content = {"test_id": None, "request": asked, "response": {"body": {"content": "x"}, "is_streaming": False}}
    report = verify.verify("0" * 64, json.dumps(content).encode())
    assert (report.form, report.faults) == (verify.OF_NO_HTTP, ())
    key = "sk-" + "a1b2" * 10
    content["response"]["body"] = {"content": key}
    (fault,) = verify.verify("0" * 64, json.dumps(content).encode()).faults
    assert fault == "a secret is in it, at response.body.content"


def test_a_get_of_the_recorders_own_is_one_of_its_url() -> None:
    """Of a server of embeddings it asks which model there is; it names the file as a list of models."""
    asked = {"test_id": "t", "url": "http://localhost:8000/info", "method": "GET", "endpoint": "/info", "headers": {}}
    answered = {"status": 200, "body": {"model_id": "m"}, "is_streaming": False}
    content = {"test_id": "t", "request": asked, "response": answered, "id_normalization_mapping": {}}
    data = json.dumps(content, indent=2).encode() + b"\n"
    found = recording.loads(data)
    assert recording.dumps(found) == data
    name = f"models-{hashing.NEWEST.digest('GET', asked['url'], {}, None)}-62c66a7a"  # type: ignore[arg-type]
    assert verify.verify(name, data).faults == ()
    assert "not its hash" in verify.verify(name.replace("models-", "models-0"), data).faults[0]
    live = RecordedRequest("http://localhost:8000/info", {}, "", "GET")
    assert request.identity(found.request) == request.identity(live)


@pytest.mark.parametrize("asked", [{"provider": 1}, {"url": 1, "provider": "x"}, {"url": "://x", "body": {}}, {}])
def test_what_is_none_of_that_is_no_recording(asked: Any) -> None:
    assert verify.verify("x", json.dumps({"test_id": None, "request": asked, "response": {}}).encode()).form is None
