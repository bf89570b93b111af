"""How a provider's answer to a recorded request differs from the recorded one, in what a program relies on. Sans-IO.

A model says the same in other words each time: so words are told as a likeness alone, and are no drift. Drift is

    status    another status, or an error that is another one
    shape     fields that came, went, or are of another type (``answer_shape``)
    finish    another reason why the answer ended
    tools     other tools are called, or with arguments of another shape
    usage     the same request takes another number of tokens
    model     the answer is from another version of the model

Of the tokens those of the request count, as the same text takes the same each time; those of the answer are told
beside.

    drift = compare(recording, response)
    drift.findings        # ("model", "gpt-4o-2024-05-13 -> gpt-4o-2024-08-06"), ...
    drift.likeness        # 0.83
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from wiretape.codecs import json_text
from wiretape.library import answer_facts, answer_shape, conversation
from wiretape.library.conversation import Part, PartKind
from wiretape.providers import base
from wiretape.providers.usage import Usage
from wiretape.recording import RecordedRequest, RecordedResponse, Recording

_COMPARED = 20_000
"""Characters of the words that are compared."""

_OK = 200


class DriftKind(StrEnum):
    """In what an answer differs."""

    STATUS = "status"
    SHAPE = "shape"
    FINISH = "finish"
    TOOLS = "tools"
    USAGE = "usage"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which an answer differs."""

    kind: DriftKind
    text: str
    """In words, what was recorded first."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How two answers differ."""

    findings: tuple[Finding, ...]
    likeness: float | None
    """Of their words, or vectors: from 0 to 1. None where they have none."""
    before: Usage
    """The tokens that the recorded answer says it took."""
    after: Usage

    def __bool__(self) -> bool:
        return bool(self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return it as a value of JSON."""
        return {
            "drift": [{"kind": each.kind, "text": each.text} for each in self.findings],
            "likeness": None if self.likeness is None else round(self.likeness, 3),
            "tokens": {"before": _told(self.before), "after": _told(self.after)},
        }


def _told(usage: Usage) -> dict[str, int | None]:
    return {"input": usage.input, "cached": usage.cached, "output": usage.output, "reasoning": usage.reasoning}


@dataclass(frozen=True, slots=True)
class _Answer:
    """What counts of an answer."""

    status: int
    error: str
    elements: Sequence[Mapping[str, Any]]
    usage: Usage
    words: str = ""
    calls: Sequence[Part] = ()
    """Of tools."""


def compare(recording: Recording, response: RecordedResponse) -> Drift:
    """Return how a response differs from the recorded one of the same request."""
    before = _answer(recording.request, recording.response)
    after = _answer(recording.request, response)
    findings = (*_findings(before, after),)
    return Drift(findings, _likeness(before, after), before.usage, after.usage)


def _answer(request: RecordedRequest, response: RecordedResponse) -> _Answer:
    endpoint = base.of(request)
    if response.error is not None:
        status = response.error.get("status_code")
        told = response.error.get("body")
        parts = [told] if isinstance(told, dict) else []
        number = status if isinstance(status, int) else response.status or _OK
        return _Answer(number, _error_name(response.error), parts, Usage())
    elements = endpoint.elements(response)
    said = [part for turn in conversation.answer_of(Recording(request, response)) for part in turn.parts]
    words = response.body if isinstance(response.body, str) else _joined(said)
    calls = [part for part in said if part.kind is PartKind.TOOL_CALL]
    return _Answer(response.status or _OK, "", elements, endpoint.usage(elements), words, calls)


def _joined(said: Sequence[Part]) -> str:
    return "\n".join(part.text for part in said if part.kind in (PartKind.TEXT, PartKind.REFUSAL))


def _error_name(error: Mapping[str, Any]) -> str:
    """Return what an error is called: its code, or its type, or what an SDK makes of it."""
    told = error.get("body")
    inner = told.get("error", told) if isinstance(told, dict) else {}
    for holder in (inner, error):
        for name in ("code", "type", "status"):
            value = holder.get(name) if isinstance(holder, dict) else None
            if isinstance(value, str) and value:
                return value
    return str(error.get("type") or "error")


def _findings(before: _Answer, after: _Answer) -> Iterator[Finding]:
    was = (before.status, before.error)
    is_ = (after.status, after.error)
    if was != is_:
        yield Finding(DriftKind.STATUS, f"{_status(before)} -> {_status(after)}")
    if bool(before.error) != bool(after.error) or before.status // 100 != after.status // 100:
        return  # Nothing of an error is to be compared with an answer.
    changes = answer_shape.changes(answer_shape.shape(before.elements), answer_shape.shape(after.elements))
    for change in changes:
        yield Finding(DriftKind.SHAPE, str(change))
    reasons = [answer_facts.finish_reasons(each.elements) for each in (before, after)]
    if reasons[0] != reasons[1]:
        yield Finding(DriftKind.FINISH, _changed(*(", ".join(each) for each in reasons)))
    yield from _tools(before.calls, after.calls)
    tokens = (before.usage.input, after.usage.input)
    if tokens[0] != tokens[1] and None not in tokens:
        yield Finding(DriftKind.USAGE, f"tokens of the request: {tokens[0]} -> {tokens[1]}")
    models = [answer_facts.model(each.elements) for each in (before, after)]
    if models[0] != models[1] and all(models):
        yield Finding(DriftKind.MODEL, _changed(*models))


def _status(answer: _Answer) -> str:
    return f"{answer.status} {answer.error}".strip()


def _changed(before: str, after: str) -> str:
    return f"{before or 'none'} -> {after or 'none'}"


def _tools(before: Sequence[Part], after: Sequence[Part]) -> Iterator[Finding]:
    names = [sorted(call.name for call in calls) for calls in (before, after)]
    if names[0] != names[1]:
        yield Finding(DriftKind.TOOLS, _changed(*(", ".join(each) for each in names)))
    for name in sorted({*names[0]} & {*names[1]}):
        shapes = [_shape_of_arguments(name, calls) for calls in (before, after)]
        for change in answer_shape.changes(*shapes):
            yield Finding(DriftKind.TOOLS, f"{name}: {change}")


def _shape_of_arguments(name: str, calls: Sequence[Part]) -> answer_shape.Shape:
    return answer_shape.shape(_value(call.text) for call in calls if call.name == name)


def _value(arguments: str) -> Any:
    """Return the arguments of a tool as a value; a text where they are none."""
    try:
        return json_text.loads(arguments.encode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return arguments


def _likeness(before: _Answer, after: _Answer) -> float | None:
    vectors = [answer_facts.vector(each.elements) for each in (before, after)]
    if vectors[0] and len(vectors[0]) == len(vectors[1]):
        return _cosine(*vectors)
    if not (before.words or after.words):
        return None
    # It takes a fiftieth of a second to load.
    from rapidfuzz.distance import Indel

    return Indel.normalized_similarity(before.words[:_COMPARED], after.words[:_COMPARED])


def _cosine(one: Sequence[float], two: Sequence[float]) -> float | None:
    lengths = math.hypot(*one) * math.hypot(*two)
    if not lengths or not math.isfinite(lengths):
        return None
    return min(1.0, math.sumprod(one, two) / lengths)
