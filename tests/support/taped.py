"""One store, requests and answers: for tests of what a tape finds, what a recorder writes, and how misses are told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from places import SHIPPED
from taping import RecordingTape
from wiretape.policy import Mode
from wiretape.providers import wire
from wiretape.recording import RecordedRequest, request_hash
from wiretape.tape.question import Question
from wiretape.tape.tape import Hit

SEEDS = sorted((SHIPPED / "default" / "responses").glob("*.json"))
ENDPOINT = "/v1/chat/completions"

each_seed = pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
recording_modes = pytest.mark.parametrize("mode", [Mode.RECORD, Mode.RECORD_IF_MISSING])

Taped = Callable[..., RecordingTape]


def folder(tape: RecordingTape) -> Path:
    """Return the folder of a tape's recordings."""
    return Path(tape.location) / "responses"


def files(tape: RecordingTape) -> dict[str, bytes]:
    """Return a tape's recordings by the names of their files."""
    return {path.name: path.read_bytes() for path in folder(tape).iterdir()} if folder(tape).exists() else {}


def request(content: str = "Hello", *, host: str = "api.openai.com", **more: Any) -> RecordedRequest:
    """Return a request for a chat."""
    body = {"model": "m", "messages": [{"role": "user", "content": content}], **more}
    return RecordedRequest(f"https://{host}/v1{ENDPOINT}", body, ENDPOINT)


def arrived(
    *pieces: bytes, status: int = 200, content_type: str = "application/json", coding: str = "", ended: bool = True
) -> wire.LiveResponse:
    """Return an answer by the pieces of its body."""
    headers = (("content-type", content_type), *((("content-encoding", coding),) if coding else ()))
    return wire.LiveResponse(status, headers, pieces, tuple(map(float, range(len(pieces)))), ended)


def came(text: str = "Hi", *, status: int = 200, ended: bool = True) -> wire.LiveResponse:
    """Return an answer to it."""
    message = {"role": "assistant", "content": text}
    answer = {"id": "x", "choices": [{"index": 0, "finish_reason": "stop", "message": message}], "created": 1}
    return arrived(json.dumps(answer).encode(), status=status, ended=ended)


def text_of(hit: Hit | None) -> str:
    """Return the words of an answer."""
    assert hit
    text = json.loads(hit.answer.body)["choices"][0]["message"]["content"]
    assert isinstance(text, str)
    return text


def name_of(asked: RecordedRequest) -> str:
    """Return the name of its file."""
    return f"{request_hash(asked)[:12]}.json"


HELLO = request()


def found(tape: RecordingTape, asked: RecordedRequest) -> Hit | None:
    """As who asks it does: under a name of its own, then under any."""
    return tape.lookup(Question(asked)) or tape.search(Question(asked))
