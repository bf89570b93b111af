"""A recorded request as a command of a shell, or as a program."""

import json
import shlex
from dataclasses import replace

import pytest

from samples import CHAT, SAMPLES
from wiretape import recording
from wiretape.recording import RecordedRequest
from wiretape.web.commands import Commands, commands

REQUEST = recording.loads(CHAT.read_bytes()).request


def of(request: RecordedRequest, *, is_live: bool = False) -> Commands:
    made = commands(request, "it's", "/a folder", is_live=is_live)
    assert made
    return made


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_shell_reads_what_was_asked(sample: str) -> None:
    request = recording.loads(SAMPLES[sample].read_bytes()).request
    command = shlex.split(of(request).curl)
    assert command[:2] == ["curl", request.sent_url]
    assert json.loads(command[command.index("-d") + 1])["model"] == request.model
    assert "authorization: Bearer $API_KEY" in command


def test_the_program_can_be_read_by_python() -> None:
    text = of(REQUEST).python
    compile(text, "program", "exec")
    assert "Hello, world!" in text


def test_the_proxy_is_asked_that_runs_or_one_that_is_started() -> None:
    started = shlex.split(of(REQUEST).through_proxy)
    assert started[:2] == ["wiretape", "run"]
    assert started[2:9] == ["--recordings", "/a folder", "--session", "it's", "--mode", "replay", "--"]
    assert started[9] == "curl"
    assert of(REQUEST, is_live=True).through_proxy.startswith("eval \"$(wiretape env --session 'it'\\''s')\"\ncurl ")


def test_a_terminal_is_told_nothing_by_what_is_pasted() -> None:
    hostile = "'; rm -rf /; \x1b[201~\x9b31m\u202e\ud83d\n\x00"
    request = replace(REQUEST, url=REQUEST.url + hostile, body=dict(REQUEST.body) | {"user": hostile})
    made = of(request)
    for text in (made.curl, made.through_proxy):
        assert all(each.isprintable() for each in text.replace("\n", ""))
    command = shlex.split(made.curl)
    assert json.loads(command[command.index("-d") + 1])["user"] == hostile
    assert command[1].startswith("http")
    assert "rm" not in command


def test_a_request_without_a_body_has_none() -> None:
    command = shlex.split(of(replace(REQUEST, body={}, endpoint="/v1/models", method="POST")).curl)
    assert "-d" not in command


def test_what_is_too_long_to_paste_is_not_offered() -> None:
    assert commands(replace(REQUEST, body={"messages": "x" * 30_000}), "default", ".", is_live=False) is None
