"""What becomes of a recording that waited for its store and finds another in its place."""

import json
from dataclasses import replace
from typing import Any

import pytest

from builders import came, chat
from wiretape import recording
from wiretape.matching.request import identity
from wiretape.policy import Mode, Takes
from wiretape.providers import wire
from wiretape.providers.wire import LiveResponse
from wiretape.tape.conflicts import conflict_resolver, is_another

HELLO = chat("Hello")
OTHER = chat("Other")
FAILED = LiveResponse(503, (("content-type", "application/json"),), (b'{"error": {"message": "no"}}',), (1.0,), True)


def data(request: Any, answer: LiveResponse) -> bytes:
    return recording.dumps(recording.make(request, wire.response(request, answer, keep_errors=True), "2025-09"))


OURS = data(HELLO, came("ours"))
THEIRS = data(HELLO, came("theirs"))

CASES: dict[str, tuple[Mode, Takes, bytes, str | None]] = {
    "the last answers: which that is, is not known": (Mode.RECORD, Takes.LAST, THEIRS, None),
    "every take answers": (Mode.RECORD, Takes.SEQUENCE, THEIRS, "0123.2"),
    "one is enough": (Mode.RECORD_IF_MISSING, Takes.LAST, THEIRS, None),
    "it is the same": (Mode.RECORD_IF_MISSING, Takes.LAST, OURS, None),
    "theirs says nothing about the request": (Mode.RECORD_IF_MISSING, Takes.LAST, data(HELLO, FAILED), "0123.2"),
    "theirs is no recording": (Mode.RECORD_IF_MISSING, Takes.LAST, b"{", None),
    "theirs is another request's": (Mode.RECORD, Takes.LAST, data(OTHER, came("x")), f"0123-{identity(HELLO)[:8]}"),
}


@pytest.mark.parametrize(("mode", "takes", "theirs", "name"), CASES.values(), ids=CASES)
def test_a_conflict_is_resolved(mode: Mode, takes: Takes, theirs: bytes, name: str | None) -> None:
    resolve = conflict_resolver(lambda session: {"s": (mode, takes)}[session])
    assert resolve("s", "0123", OURS, theirs) == name


def test_the_next_take_is_one_further() -> None:
    resolve = conflict_resolver(lambda _: (Mode.RECORD, Takes.SEQUENCE))
    assert resolve("s", "0123.9", OURS, THEIRS) == "0123.10"


def test_a_second_name_that_is_taken_too_is_given_up() -> None:
    resolve = conflict_resolver(lambda _: (Mode.RECORD, Takes.SEQUENCE))
    assert resolve("s", f"0123-{identity(HELLO)[:8]}", OURS, data(OTHER, came("x"))) is None


def test_what_is_anothers_is_told_by_the_request_and_of_lists_by_the_test() -> None:
    assert not is_another(THEIRS, identity(HELLO), None)
    assert is_another(THEIRS, identity(OTHER), None)
    assert not is_another(b"no recording", identity(HELLO), None)
    models = recording.RecordedRequest("https://api.openai.com/v1/v1/models", {}, "/v1/models", "GET", "a")
    listed = recording.Recording(models, recording.RecordedResponse([], False), "2026")
    for test_id, expected in (("a", False), ("b", True), (None, True)):
        assert is_another(recording.dumps(listed), identity(models), test_id) is expected
    assert json.loads(recording.dumps(replace(listed, form="2026")))["test_id"] == "a"
