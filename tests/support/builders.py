"""Requests, answers, tapes and deciders as tests need them, each in one line."""

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from places import SHIPPED
from wiretape.metrics.counters import Counters
from wiretape.policy import Mode
from wiretape.providers import routing, table, wire
from wiretape.recording import RecordedRequest, request_hash
from wiretape.recording.capture import Origin
from wiretape.store.base import Store
from wiretape.tape.config import TapeConfig
from wiretape.tape.hit import Hit
from wiretape.tape.question import Question
from wiretape.tape.recorder import TapeRecorder
from wiretape.tape.take_writer import WrittenTakes
from wiretape.tape.tape import Tape

ENDPOINT = "/v1/chat/completions"
TABLE = table.load({})
SEEDS = sorted((SHIPPED / "default" / "responses").glob("*.json"))

each_seed = pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
recording_modes = pytest.mark.parametrize("mode", [Mode.RECORD, Mode.RECORD_IF_MISSING])

_CONFIGURED = {each.name for each in fields(TapeConfig)}

# -- requests ----------------------------------------------------------------------------------------------------------


def route(path: str = ENDPOINT, host: str = "api.openai.com") -> routing.Route:
    """Return where a request to a provider of the builtin table goes."""
    found = TABLE.route("POST", "https", host, 443, path)
    assert found
    return found


def chat_body(content: Any, **more: Any) -> dict[str, Any]:
    """Return the body of a request for a chat."""
    return {"model": "m", "messages": [{"role": "user", "content": content}], **more}


def chat(content: Any = "Hello", *, host: str = "api.openai.com", **more: Any) -> RecordedRequest:
    """Return the same as it is recorded."""
    return RecordedRequest(f"https://{host}/v1{ENDPOINT}", chat_body(content, **more), ENDPOINT)


HELLO = chat()


def name_of(request: RecordedRequest) -> str:
    """Return the name of a request's file."""
    return f"{request_hash(request)[:12]}.json"


# -- answers -----------------------------------------------------------------------------------------------------------


def arrived(
    *pieces: bytes, status: int = 200, content_type: str = "application/json", coding: str = "", ended: bool = True
) -> wire.LiveResponse:
    """Return a live answer by the pieces of its body."""
    headers = (("content-type", content_type), *((("content-encoding", coding),) if coding else ()))
    return wire.LiveResponse(status, headers, pieces, tuple(map(float, range(len(pieces)))), ended)


def came(text: str = "Hi", *, status: int = 200, ended: bool = True) -> wire.LiveResponse:
    """Return a live answer to a chat, in one piece."""
    message = {"role": "assistant", "content": text}
    answer = {"id": "x", "choices": [{"index": 0, "finish_reason": "stop", "message": message}], "created": 1}
    return arrived(json.dumps(answer).encode(), status=status, ended=ended)


def text_of(hit: Hit | None) -> str:
    """Return the words of an answer to a chat."""
    assert hit
    text = json.loads(hit.answer.body)["choices"][0]["message"]["content"]
    assert isinstance(text, str)
    return text


# -- tapes -------------------------------------------------------------------------------------------------------------


class RecordingTape(Tape):
    """A tape and its recorder, which is in another process where a proxy is at work."""

    recorder: TapeRecorder

    def record(self, request: RecordedRequest, arrived: wire.LiveResponse, origin: Origin | None = None) -> bool:
        """Record as the tape's configuration says."""
        return self.recorder.record(request, arrived, origin)


Taped = Callable[..., RecordingTape]


def tape_of(
    store: Store,
    session: str,
    mode: Mode,
    counters: Counters | None = None,
    *,
    written: WrittenTakes | None = None,
    is_repeated: bool = False,
    **options: Any,
) -> RecordingTape:
    """Return the tape of a session. ``options`` are fields of its configuration, and else arguments of the tape's."""
    configured = {name: options.pop(name) for name in _CONFIGURED & options.keys()}
    config = TapeConfig(session, mode, **configured)
    tape = RecordingTape(store, config, counters or Counters(), **options)
    tape.recorder = TapeRecorder(store, config, tape.counters, written=written, is_repeated=is_repeated)
    return tape


def record(tape: Tape, request: RecordedRequest, arrived: wire.LiveResponse) -> None:
    """Record as a tape's configuration says, that was made elsewhere."""
    TapeRecorder(tape.store, tape.config, tape.counters).record(request, arrived)


def found(tape: RecordingTape, request: RecordedRequest) -> Hit | None:
    """Look up as a front does: under a name of its own, then under any."""
    return tape.lookup(Question(request)) or tape.search(Question(request))


def folder(tape: RecordingTape) -> Path:
    """Return the folder of a tape's recordings."""
    return Path(tape.location) / "responses"


def files(tape: RecordingTape) -> dict[str, bytes]:
    """Return a tape's recordings by the names of their files."""
    return {path.name: path.read_bytes() for path in folder(tape).iterdir()} if folder(tape).exists() else {}
