"""Why a request has no recording: the nearest one, and what differs. Beside the way from the tape to the client."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from wiretape import request
from wiretape.recording import RecordedRequest, request_hash

_CANDIDATES = 500
_DIFFERENCES = 5
_VALUE = 120


def message(wanted: RecordedRequest, others: Iterable[tuple[str, RecordedRequest]], how_to_record: str) -> str:
    """The text of a miss: the request's hash, the nearest of the other recordings, what differs, how to record it.

    ``others`` are the recordings of the same endpoint, as ``(name, request)``.
    """
    where = " at ".join(filter(None, (wanted.endpoint, request.base(wanted))))
    lines = [f"wiretape: no recording of this request, {request_hash(wanted)[:12]}, {where}."]
    leaves = _leaves(wanted)
    nearest: tuple[int, str, list[str]] | None = None
    for name, other in islice(others, _CANDIDATES):
        differences = _differences(leaves, _leaves(other))
        if nearest is None or len(differences) < nearest[0]:
            nearest = len(differences), name, differences
    if nearest is None:
        lines.append("There is no recording of this endpoint at all.")
    else:
        count, name, differences = nearest
        lines.append(f"The nearest recording is {name}, which differs in:")
        lines += [f"  {difference}" for difference in differences[:_DIFFERENCES]]
        if count > _DIFFERENCES:
            lines.append(f"  and {count - _DIFFERENCES} more")
    lines.append(how_to_record)
    return "\n".join(lines)


def _leaves(asked: RecordedRequest) -> dict[str, str]:
    leaves = {"base URL": request.base(asked)}
    leaves.update(_walk("", request.wire_body(asked)))
    return leaves


def _walk(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _walk(f"{path}.{key}" if path else key, item)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _walk(f"{path}[{index}]", item)
    else:
        yield path, json.dumps(value, ensure_ascii=False)


def _differences(wanted: dict[str, str], other: dict[str, str]) -> list[str]:
    found = []
    for path in [*wanted, *(path for path in other if path not in wanted)]:
        here, there = wanted.get(path), other.get(path)
        if here == there:
            continue
        if here is None or there is None:
            found.append(f"{path}: {_quoted(here, there)} here, {_quoted(there, here)} in the recording")
        else:
            start = _common(here, there)
            found.append(f"{path}: {_cut(here, start)} here, {_cut(there, start)} in the recording")
    return found


def _quoted(value: str | None, other: str | None) -> str:
    return "absent" if value is None else _cut(value, _common(value, other or ""))


def _common(one: str, two: str) -> int:
    for index, (a, b) in enumerate(zip(one, two, strict=False)):
        if a != b:
            return index
    return min(len(one), len(two))


def _cut(value: str, start: int) -> str:
    """The part of a long value around the place where it begins to differ."""
    if len(value) <= _VALUE:
        return value
    begin = max(0, min(start - _VALUE // 4, len(value) - _VALUE))
    end = begin + _VALUE
    return ("…" if begin else "") + value[begin:end] + ("…" if end < len(value) else "")
