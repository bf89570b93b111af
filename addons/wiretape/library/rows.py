"""A recording in a line, for lists of many: its file and its capture -> what a list shows of it. Sans-IO."""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from wiretape.codecs.units import counted
from wiretape.library import transcript
from wiretape.matching import request
from wiretape.providers import wire
from wiretape.recording import Recording
from wiretape.recording import capture as captures

_KEPT = 200
"""Characters of a question that are shown at most."""


@dataclass(frozen=True, slots=True)
class Row:
    """A recording."""

    name: str
    """Its name, after the folders that lead to it."""
    when: str
    """When it was recorded, as its capture tells, or else when its file was written, as RFC 3339; empty for neither."""
    endpoint: str
    base: str
    """The base URL; for a passthrough endpoint, the URL."""
    model: str
    status: int
    chunks: int | None
    """How many chunks a stream has."""
    tokens: int
    question: str
    """The first words of the question."""
    test_id: str | None
    form: str
    method: str = "POST"
    url: str = ""
    """As the recording has it."""
    usage: dict[str, int | str] = field(default_factory=dict)
    """The tokens that the answer says that it took, as far as it says so."""
    cost_usd: str | None = None
    """What it costs at the provider; None where that is not known."""

    @property
    def answer(self) -> str:
        """What the answer was, in a word or two."""
        if self.status != 200:
            return f"error {self.status}"
        if self.tokens:
            return counted(self.tokens, "token")
        if self.chunks is None:
            return "one piece"
        return counted(self.chunks, "chunk")

    def as_json(self) -> dict[str, Any]:
        """Return it as a value of JSON."""
        return {**asdict(self), "answer": self.answer}


def row_of(name: str, recorded: Recording, capture: bytes | None, written: float | None) -> Row:
    """Return the row of a recording. ``written``: when its file was, in seconds since 1970."""
    response = recorded.response
    status: Any = response.status
    if response.error is not None:
        status = response.error.get("status_code")
    if not isinstance(status, int):
        status = 200
    chunks = None
    if response.is_streaming:
        chunks = len(response.elements()) or len(response.body)
    usage, tokens = wire.usage(recorded.request, response)
    question = " ".join(transcript.question(recorded.request).split())[:_KEPT]
    return Row(
        name,
        _when(capture, written),
        recorded.request.endpoint,
        request.base(recorded.request),
        recorded.request.model,
        status,
        chunks,
        tokens,
        question,
        recorded.request.test_id,
        recorded.form,
        recorded.request.method,
        recorded.request.url,
        {name: value for name, value in asdict(usage).items() if value is not None},
    )


def searchable(recorded: Recording) -> str:
    """Return the texts in which a search looks, in lower case: the request's, and the words of the answer."""
    body = json.dumps(recorded.request.body, ensure_ascii=False).replace("\\n", "\n").replace('\\"', '"')
    return f"{body}\n{transcript.text(recorded)}".lower()


def _when(capture: bytes | None, written: float | None) -> str:
    if capture is not None:
        try:
            origin = captures.loads(capture).origin
        except ValueError:
            origin = None
        if origin:
            return origin.at
    if written is None:
        return ""
    return datetime.fromtimestamp(written, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
