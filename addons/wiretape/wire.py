"""Recording <-> HTTP status, headers and bytes. Between the recording and whoever speaks HTTP; knows no proxy.

Going out, a hit becomes the bytes that the provider would send. Coming in, the bytes of an answer become a response
fit for a recording, or the reason why they cannot be one.
"""

import base64
import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from wiretape import coding, request, shapes, sse
from wiretape.recording import RecordedRequest, RecordedResponse, Recording

DONE = "[DONE]"

_EVENT_STREAM = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
_JSON = (("content-type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as values."""

    status: int
    headers: tuple[tuple[str, str], ...]
    chunks: tuple[bytes, ...]
    """The body, piece for piece as each is to leave."""

    @property
    def body(self) -> bytes:
        """The body in one piece."""
        return b"".join(self.chunks)


class Unrecordable(Exception):  # noqa: N818  a verdict that the tape counts and logs, not an error of ours
    """Why an answer cannot become a recording."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the answers of one recorded endpoint are read and written."""

    single: str
    """Class of an answer in one piece."""
    chunk: str | None = None
    """Class of a chunk of a stream, where the endpoint streams."""


_KINDS = {
    "/v1/chat/completions": _Kind("ChatCompletion", "ChatCompletionChunk"),
    "/v1/completions": _Kind("Completion", "Completion"),
    "/v1/embeddings": _Kind("CreateEmbeddingResponse"),
    "/v1/models": _Kind("Model"),
}


# -- coming in ---------------------------------------------------------------------------------------------------------


def response(
    asked: RecordedRequest, status: int, content_coding: str, pieces: Sequence[bytes], *, ended: bool
) -> RecordedResponse:
    """The recorded response of a live answer.

    ``pieces`` are the body as it came, still in ``content_coding``; ``ended`` says whether its end was seen, not a
    connection that broke. Raises Unrecordable where the exchange did not end well.
    """
    if status != 200:
        raise Unrecordable(f"the provider answered with status {status}")
    try:
        body = b"".join(coding.decode(pieces, content_coding))
    except coding.CodingError as e:
        raise Unrecordable(str(e)) from e
    kind = _KINDS[request.endpoint(asked)]
    if asked.body.get("stream"):
        if kind.chunk is None:
            raise Unrecordable(f"no form is known for a stream of {asked.endpoint}")
        return RecordedResponse(_stream(kind.chunk, body), is_streaming=True)
    if not ended:
        raise Unrecordable("the answer broke off")
    return RecordedResponse(_single(kind.single, body), is_streaming=False)


def _stream(chunk: str, body: bytes) -> list[dict[str, Any]]:
    decoder = sse.Decoder()
    elements: list[dict[str, Any]] = []
    for event in decoder.feed(body) + decoder.flush():
        if event.data.startswith(DONE):
            if not elements:
                raise Unrecordable("the stream is empty")
            return elements
        data = _object(event.data, "an event of the stream")
        if data.get("error") or event.event == "error":
            raise Unrecordable("the stream holds an error")
        elements.append(_element(chunk, data))
    raise Unrecordable(f"the stream ended without {DONE}: it broke off")


def _single(name: str, body: bytes) -> Any:
    answer = _object(body, "the answer")
    if name == "Model":
        models = answer.get("data")
        if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
            raise Unrecordable("the answer is no list of models")
        return [_element(name, model) for model in models]
    if name == "CreateEmbeddingResponse":
        answer = {**answer, "data": [_numbers(item) for item in answer.get("data") or []]}
    return _element(name, answer)


def _object(text: str | bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise Unrecordable(f"{what} is not JSON: {e}") from e
    if not isinstance(value, dict):
        raise Unrecordable(f"{what} is not a JSON object")
    return value


def _element(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return {"__type__": shapes.qualified(name), "__data__": shapes.fill(name, data)}


def _numbers(item: Any) -> Any:
    if not isinstance(item, dict) or not isinstance(item.get("embedding"), str):
        return item
    try:
        raw = base64.b64decode(item["embedding"], validate=True)
        numbers = struct.unpack(f"<{len(raw) // 4}f", raw)
    except (ValueError, struct.error) as e:
        raise Unrecordable(f"an embedding is not base64 of float32: {e}") from e
    return {**item, "embedding": [*numbers]}


# -- going out ---------------------------------------------------------------------------------------------------------


def answer(recordings: Sequence[Recording], wanted: Mapping[str, Any]) -> Answer:
    """What the provider would send: one recording, or the several of a model list.

    ``wanted`` is the live request's JSON body: it says whether embeddings go as base64.
    """
    first = recordings[0]
    if request.endpoint(first.request) == "/v1/models":
        elements = [element for each in recordings for element in each.response.elements()]
        if len(recordings) > 1:
            models = {str(element["__data__"].get("id")): element for element in elements}
            elements = [models[id_] for id_ in sorted(models)]
        return _json_answer({"object": "list", "data": [_stripped(element) for element in elements]})
    elements = [*first.response.elements()]
    if first.response.is_streaming:
        events = [b"data: " + _dump(_stripped(element)) + b"\n\n" for element in elements]
        return Answer(200, _EVENT_STREAM, (*events, f"data: {DONE}\n\n".encode()))
    body = _stripped(elements[0])
    if wanted.get("encoding_format") == "base64" and isinstance(body.get("data"), list):
        body["data"] = [_base64(item) for item in body["data"]]
    return _json_answer(body)


def error(status: int, message: str, code: str) -> Answer:
    """An answer of our own in the providers' error form, which SDKs raise at once and do not retry."""
    content = {"error": {"message": message, "type": code, "code": code, "param": None}}
    return Answer(status, (*_JSON, ("x-should-retry", "false")), (_dump(content),))


def tokens(recording: Recording) -> int:
    """Completion tokens of a recording: by its usage, else its chunks, each nearly a token."""
    elements = recording.response.elements()
    for element in reversed(elements):
        usage = element["__data__"].get("usage")
        if isinstance(usage, dict) and isinstance(usage.get("completion_tokens"), int):
            return int(usage["completion_tokens"])
    return len(elements) if recording.response.is_streaming else 0


def _json_answer(content: Any) -> Answer:
    return Answer(200, _JSON, (_dump(content),))


def _stripped(element: Mapping[str, Any]) -> dict[str, Any]:
    name = element["__type__"].rpartition(".")[2]
    data = element["__data__"]
    return shapes.strip(name, data) if name in shapes.MODULES else dict(data)


def _base64(item: Any) -> Any:
    numbers = item.get("embedding") if isinstance(item, dict) else None
    if not isinstance(numbers, list) or not all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
        return item
    return {**item, "embedding": base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode("ascii")}


def _dump(content: Any) -> bytes:
    try:
        return orjson.dumps(content)
    except TypeError:  # An integer of more than 64 bits, half a surrogate pair: orjson refuses them, JSON does not.
        return json.dumps(content, separators=(",", ":")).encode("ascii")
