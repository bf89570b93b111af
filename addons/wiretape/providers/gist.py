"""What an answer says, without what differs from call to call: so it is told whether two recordings answer the same.

Left out are ids, times, usage and the like. The texts of a stream count as a whole, not by the pieces in which they
came: so two streams with the same words and the same tool calls have the same gist, however they were cut.

    {"id": "a", "choices": [{"index": 0, "delta": {"content": "Hel"}}]}   |  choices 0 delta content: "Hello"
    {"id": "a", "choices": [{"index": 0, "delta": {"content": "lo"}}]}    |
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from wiretape.codecs import json_text
from wiretape.providers import base
from wiretape.recording import JSON, Recording

_PASSING = frozenset(
    {
        "created",
        "created_at",
        "completed_at",
        "eval_duration",
        "id",
        "load_duration",
        "metadata",
        "metrics",
        "obfuscation",
        "prompt_cache_key",
        "prompt_eval_duration",
        "sequence_number",
        "service_tier",
        "signature",
        "system_fingerprint",
        "thoughtSignature",
        "time_info",
        "timings",
        "total_duration",
        "usage",
        "usageMetadata",
        "x_groq",
    }
)
"""Members that are another one with each call."""

_STANDING = frozenset({"model", "modelVersion", "object", "role", "type", "status"})
"""Members that each piece of a stream repeats."""

type _Place = tuple[str | int, ...]


def gist(recording: Recording) -> str:
    """Return a digest that is equal for answers that say the same."""
    response = recording.response
    told: list[JSON] = [response.error is not None, response.status or 200, response.content_type, response.location]
    elements = base.of(recording.request).elements(response)
    if response.error is not None:
        told.append(_joined([response.error]))
    if elements:
        told.append(_joined(elements))
    else:
        told.append(response.body)
    return hashlib.sha256(json_text.canonical(told)).hexdigest()


def _joined(elements: Any) -> JSON:
    pieces: dict[_Place, list[JSON]] = {}
    for element in elements:
        _collect(element, _index(element), pieces)
    return [
        [[*place], _whole(place, values)] for place, values in sorted(pieces.items(), key=lambda each: str(each[0]))
    ]


def _collect(value: JSON, place: _Place, pieces: dict[_Place, list[JSON]]) -> None:
    """Note the values of an element by their places."""
    match value:
        case dict():
            for name, each in value.items():
                if not _is_passing(name):
                    _collect(each, (*place, name), pieces)
        case list():
            for number, each in enumerate(value):
                _collect(each, (*place, *(_index(each) or (number,))), pieces)
        case _:
            pieces.setdefault(place, []).append(value)


def _is_passing(name: str) -> bool:
    return name in _PASSING or name.endswith(("_id", "Id"))


def _index(value: JSON) -> _Place:
    """Return the index that a piece gives itself: that of a choice, of a tool call, of a block."""
    index = value.get("index") if isinstance(value, Mapping) else None
    return (index,) if isinstance(index, int) else ()


def _whole(place: _Place, values: list[JSON]) -> JSON:
    """Return the pieces at one place as the one value that they are."""
    texts = [each for each in values if isinstance(each, str)]
    if place[-1:] and place[-1] not in _STANDING and len(texts) == sum(each is not None for each in values):
        return "".join(texts)
    distinct = {json_text.canonical(each): each for each in values if each is not None}
    return [*distinct.values()]
