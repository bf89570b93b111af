"""What an answer says of itself, in any API: why it ended, from which model it is; and its vector. Below ``drift``.

The objects of an answer are gone through, and a fact is known by the name of its member, as ``finish_reason``,
``stop_reason`` and ``finishReason`` are. What was said is in ``conversation``.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_FINISH = frozenset({"finish_reason", "stop_reason", "finishReason", "done_reason", "stopReason"})
_MODEL = ("model", "modelVersion", "model_version")
_VECTORS = ("embedding", "embeddings", "values", "float")

_NOT_SAID = frozenset({"args", "arguments", "input", "logprobs", "tools"})
"""Members in which is what a tool is called with, what was asked, or the words once more."""

_DEEPEST = 60


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _inside(value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the members of a value, and of all that is in it but what says nothing of its own."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield name, each
            if name not in _NOT_SAID:
                yield from _inside(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            yield from _inside(each, depth + 1)


def finish_reasons(elements: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return why an answer ended, each reason once; none where it does not say."""
    found: dict[str, None] = {}
    for element in elements:
        for name, value in _inside(element):
            if name in _FINISH and isinstance(value, str) and value:
                found[value] = None
        whole = _whole_response(element)
        if whole is not None and isinstance(whole.get("status"), str):
            reason = _object(whole.get("incomplete_details")).get("reason")
            found[f"{whole['status']}: {reason}" if reason else whole["status"]] = None
    return tuple(sorted(found))


def _whole_response(element: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the whole answer of the Responses API, where this is it, or the event that ends a stream with it."""
    if element.get("object") == "response":
        return element
    if element.get("type") in ("response.completed", "response.incomplete", "response.failed"):
        return _object(element.get("response"))
    return None


def model(elements: Iterable[Mapping[str, Any]]) -> str:
    """Return which model an answer says that it is from, with its version; empty where it does not say."""
    for element in elements:
        for holder in (element, element.get("message"), element.get("response")):
            for name in _MODEL:
                value = _object(holder).get(name)
                if isinstance(value, str) and value:
                    return value
    return ""


def vector(elements: Iterable[Mapping[str, Any]]) -> tuple[float, ...]:
    """Return the first vector of an answer that has any."""
    for element in elements:
        for name, value in _inside(element):
            is_list = name in _VECTORS and isinstance(value, list)
            if is_list and value and all(isinstance(each, int | float) for each in value):
                return tuple(map(float, value))
            first = value[0] if is_list and value else None
            if isinstance(first, list) and first and all(isinstance(each, int | float) for each in first):
                return tuple(map(float, first))
    return ()
