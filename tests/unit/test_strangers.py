"""Recordings and captures that somebody means harm with: said what is wrong, and never an answer."""

import json
from collections.abc import Callable
from typing import Any

import pytest

import fuzzing
from wiretape import policy, recording
from wiretape.codecs import http_fields, json_text, printable
from wiretape.library import transcript, verify
from wiretape.providers import wire
from wiretape.proxy import framing
from wiretape.recording import capture
from wiretape.redaction.recorded import header as clean_header
from wiretape.replay.pacing import LONGEST, Pace, schedule
from wiretape.tape.hit import Hit


def changed(number: int, change: Callable[[Any], object]) -> bytes:
    """A sound recording, with something changed in it."""
    content = json.loads(fuzzing.SAMPLES["recording"][number])
    change(content)
    return fuzzing.dumped(content)


def response(**members: Any) -> Callable[[Any], object]:
    return lambda content: content["response"].update(members)


def asked(**members: Any) -> Callable[[Any], object]:
    return lambda content: content["request"].update(members)


CHUNK = fuzzing._CHUNK
RECORDINGS: dict[str, tuple[bytes, str]] = {
    "a list": (b"[]", "not an object"),
    "a number": (b"1", "not an object"),
    "nested deeply": (b'{"request": ' + b"[" * 300 + b"]" * 300 + b"}", "nested too deeply"),
    "nested more deeply": (b'{"request": ' + b"[" * 100_000, "not JSON"),
    "a number of too many digits": (b'{"request": ' + b"1" * 5000 + b"}", "not JSON"),
    "a method that is none": (changed(0, asked(method=[1])), "method is no text"),
    "an address that is none": (changed(0, asked(url="http://[")), "no URL"),
    "a body that is none": (changed(0, asked(body=5)), "request.body"),
    "an endpoint that is none": (changed(0, asked(endpoint=["/v1/models"])), "endpoint is missing"),
    "elements of other types": (changed(0, response(body=[CHUNK, 5])), "no __type__ and __data__"),
    "an element without a class": (changed(0, response(body=[{"__data__": {}}])), "no __type__ and __data__"),
    "data of another type": (changed(0, response(body=[{"__type__": "x", "__data__": []}])), "no __type__"),
    "models that are none": (changed(2, response(body=[fuzzing.element("x", {"models": [1]})])), "model of"),
    "an error whose chunks are none": (changed(7, response(body=[{"__type__": 5}])), "no __type__ and __data__"),
    "an error that is none": (changed(6, response(exception_data=5)), "exception_data"),
    **{
        f"an error of status {status}": (
            changed(6, response(exception_data={"status_code": status, "message": "m"})),
            "status_code is no HTTP status from 400 to 599",
        )
        for status in (101, 200, 399, 600, True, "200\r\nx", 10**30)
    },
    "a stream that is none": (changed(8, response(body={"a": 1})), "list of lines"),
    "a line that is two": (changed(8, response(body=["data: a\r\n\r\nHTTP/1.1 200 OK", ""])), "list of lines"),
    "another line that is two": (changed(8, response(body=["data: a\nb"])), "list of lines"),
    "CR and LF in a content type": (
        changed(10, response(content_type="text/plain\r\nset-cookie: a=b")),
        "content_type is no value of a header",
    ),
    "a content type beyond ASCII": (changed(10, response(content_type="text/日本")), "content_type"),
    "half a pair in a content type": (changed(10, response(content_type="text/\ud800")), "content_type"),
    "base64 that is none": (changed(10, response(body={"base64": "!"})), "neither text nor base64"),
    **{
        f"status {status}": (changed(9, response(status=status)), "no HTTP status from 200 to 599")
        for status in (100, 101, 199, 600, 0, -5, 99999, True, 200.5, "200", 10**40)
    },
}


@pytest.mark.parametrize("wrong", RECORDINGS)
def test_what_is_wrong_with_a_recording_is_said(wrong: str) -> None:
    data, problem = RECORDINGS[wrong]
    with pytest.raises(ValueError, match=problem):
        recording.loads(data)
    (fault,) = verify.verify("a", data).faults
    assert problem in fault


SOUND = json.loads(fuzzing.SAMPLES["capture"][0])
INJECTED = "1\r\nset-cookie: evil=1\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
CAPTURES: dict[str, tuple[dict[str, Any], str]] = {
    **{
        f"status {status}": ({"status": status}, "no HTTP status from 200 to 599")
        for status in (100, 101, 199, 600, 0, -5, True, None, "200", 200.5, [200], 10**400)
    },
    **{
        f"the header {name!r}": ({"headers": [[name, "1"]]}, "none that a capture keeps")
        for name in (
            *(
                "set-cookie",
                "content-length",
                "transfer-encoding",
                "connection",
                "upgrade",
                "refresh",
                "content-encoding",
            ),
            *(
                "authorization",
                "openai-organization",
                "Content-Type",
                "",
                "x-ratelimit-\r\na",
                "x-ratelimit-a: b",
                "日本",
            ),
        )
    },
    **{
        f"the value {value!r}": ({"headers": [["x-ratelimit-a", value]]}, "holds what no header can")
        for value in (INJECTED, "a\nb", "a\rb", "a\0b", "a\x1b[2Jb", "a\x7fb", "日本", "\ud800", "a\x85b")
    },
    "headers that are none": ({"headers": {"content-type": "a"}}, "headers is no list"),
    "a header of three": ({"headers": [["content-type", "a", "b"]]}, "no pair"),
    "a header of numbers": ({"headers": [[1, 2]]}, "no pair"),
    **{
        f"the time {at}": ({"chunks": [{"at": at, "text": "a"}]}, "time of chunk 1")
        for at in (float("nan"), float("inf"), -float("inf"), -1, -1e-9, 1e300, 10**400, True, None, "1", [1])
    },
    "a time that goes back": ({"chunks": [{"at": 5, "text": "a"}, {"at": 1, "text": "b"}]}, "time of chunk 2"),
    "a chunk of neither": ({"chunks": [{"at": 1}]}, "neither text nor base64"),
    "a chunk that is none": ({"chunks": ["a"]}, "neither text nor base64"),
    "a chunk of half a pair": ({"chunks": [{"at": 1, "text": "\ud800"}]}, "no Unicode"),
    "base64 that is none": ({"chunks": [{"at": 1, "base64": "日本"}]}, "base64 of a chunk"),
    "chunks that are none": ({"chunks": {"at": 1}}, "chunks is no list"),
    "a recording that is none": ({"recording": 5}, "recording is no text"),
    "who made it, a list": ({"made": []}, "who made it"),
    "who made it, endless": ({"made": SOUND["made"] | {"took_ms": 10**400}}, "who made it"),
    "who made it, asked for by a number": ({"made": SOUND["made"] | {"query": 3}}, "who made it"),
}


@pytest.mark.parametrize("wrong", CAPTURES)
def test_what_is_wrong_with_a_capture_is_said(wrong: str) -> None:
    members, problem = CAPTURES[wrong]
    data = json.dumps(SOUND | members).encode()
    with pytest.raises(ValueError, match="not a capture: ") as raised:
        capture.loads(data)
    assert problem in str(raised.value)
    assert verify.verify_capture(data) == (str(raised.value),)
    assert printable.line(str(raised.value)) == str(raised.value)


def test_a_capture_that_was_written_is_always_read() -> None:
    kept = capture.kept([("X-RateLimit-A", INJECTED), ("x-ratelimit-b", "日本"), ("x-ratelimit-c", "1")], clean_header)
    assert kept == (("x-ratelimit-c", "1"),)
    times = (-0.5, 1.0, 1.0, 90_000_000.0)
    written = capture.dumps(capture.Capture("sha256:0", 200, kept, (b"a", b"b", b"c", b"d"), times))
    assert capture.loads(written).at == (0.0, 1.0, 1.0, 86_400_000.0)


@pytest.mark.parametrize("status", [204, 205, 304])
@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/2.0"])
def test_an_answer_that_has_no_content_has_none(status: int, version: str) -> None:
    made = recording.loads(fuzzing.SAMPLES["recording"][0])
    text = json.dumps(SOUND | {"status": status, "recording": "x"}).encode()
    captured = wire.captured(made, capture.loads(text), "x", base64_wanted=False)
    sent = wire.answer([recording.loads(changed(11, response(status=status)))])
    for answer in (captured, sent):
        assert answer
        assert (answer.status, answer.body) == (status, b"")
        hit = Hit("a", answer, (0.0,) * len(answer.chunks), 0, 0)
        framed = framing.of_hit(hit, version)
        assert "transfer-encoding" not in framed.head.headers
        assert framed.head.headers.get("content-length") == (None if status in http_fields.UNFRAMED else "0")
        assert not framed.content


@pytest.mark.parametrize("pace", [Pace(factor=1e-300), Pace(factor=5e-324), Pace(rate=1e-300), Pace(rate=5e-324)])
def test_no_pace_waits_for_ever(pace: Pace) -> None:
    assert max(schedule(pace, 3, (1.0, 2.0, 3.0), 10**9)) <= LONGEST


@pytest.mark.parametrize("count", [10**400, -1, True, "1", None, 1.5])
def test_tokens_are_a_sane_number(count: Any) -> None:
    data = changed(
        0, lambda content: content["response"]["body"][0]["__data__"].update(usage={"completion_tokens": count})
    )
    assert wire.tokens(recording.loads(data)) == 1


def test_words_of_other_types_are_shown() -> None:
    odd = {
        "choices": [5, {"delta": 5}, {"index": "a", "text": ["\x1b"]}, {"delta": {"tool_calls": [5, {"function": 5}]}}]
    }
    data = changed(
        0, response(body=[fuzzing.element("x", odd), fuzzing.element("x", {"choices": 5, "message": {"content": 1}})])
    )
    text = transcript.text(recording.loads(data))
    assert "\x1b" not in printable.lines(text)


def test_what_could_not_be_read_again_is_not_written() -> None:
    wanted = recording.RecordedRequest("https://x/api/tags", {}, "/api/tags")
    for body in (b'{"models": 5}', b'{"models": [1]}', b"{}", b'{"models": ' + b"[" * 220 + b"]" * 220 + b"}"):
        arrived = wire.LiveResponse(200, (), (body,), (0.0,), ended=True)
        with pytest.raises(wire.UnrecordableError):
            wire.response(wanted, arrived)


@pytest.mark.parametrize("depth", [json_text.DEEPEST_ON_WIRE - 5, json_text.DEEPEST_ON_WIRE + 5])
def test_an_answer_as_deep_as_may_be_can_be_read_again(depth: int) -> None:
    wanted = recording.RecordedRequest("https://x/v1/messages", {}, "")
    body = b'{"a": ' + b"[" * depth + b"]" * depth + b"}"
    arrived = wire.LiveResponse(200, (("content-type", "application/json"),), (body,), (0.0,), ended=True)
    if depth > json_text.DEEPEST_ON_WIRE:
        with pytest.raises(wire.UnrecordableError, match="nested too deeply"):
            wire.response(wanted, arrived)
        return
    for form in policy.FORMS:
        written = recording.dumps(recording.make(wanted, wire.response(wanted, arrived), form))
        assert verify.verify(recording.loads(written).name, written).faults == ()


SHOWN = {
    "plain": "plain",
    "\x1b]0;title\x07": "\\x1b]0;title\\x07",
    "a\nb\tc": "a\\nb\\tc",
    "\u202etxt.exe": "\\u202etxt.exe",
    "\udcff": "\\udcff",
    "\x9b2J": "\\x9b2J",
    "日本 ⚡ é": "日本 ⚡ é",
    "[bold]": "[bold]",
}


@pytest.mark.parametrize("text", SHOWN)
def test_what_a_terminal_would_obey_is_shown_as_its_code(text: str) -> None:
    assert printable.line(text) == SHOWN[text]
    assert printable.lines(f"{text}\n\t") == printable.lines(text) + "\n\t"
