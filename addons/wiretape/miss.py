"""Why a request has no recording: the nearest one, and what differs. Beside the way from the tape to the client."""

import hashlib
import json
from collections.abc import Iterable
from itertools import islice
from typing import Any

from wiretape import printable, request
from wiretape.recording import RecordedRequest, request_hash

_CANDIDATES = 500
_DIFFERENCES = 5
_VALUE = 120
_PATH = 240


def message(wanted: RecordedRequest, others: Iterable[tuple[str, RecordedRequest]], how_to_record: str) -> str:
    """The text of a miss: the request's hash, the nearest of the other recordings, what differs, how to record it.

    ``others`` are the recordings of the same endpoint, as ``(name, request)``.
    """
    where = " at ".join(filter(None, (wanted.endpoint, request.base(wanted))))
    lines = [f"wiretape: no recording of this request, {request_hash(wanted)[:12]}, {where}."]
    leaves = _leaves(wanted)
    nearest: tuple[str, dict[str, str], list[str]] | None = None
    for name, other in islice(others, _CANDIDATES):
        theirs = _leaves(other)
        paths = _differing(leaves, theirs)
        if nearest is None or len(paths) < len(nearest[2]):
            nearest = name, theirs, paths
    if nearest is None:
        lines.append("There is no recording of this endpoint at all.")
    else:
        name, theirs, paths = nearest
        if paths:
            lines.append(f"The nearest recording is {name}, which differs in:")
        else:
            lines.append(f"{name} is of this request, but does not answer: the log and wiretape verify tell why.")
        lines += [f"  {_difference(path, leaves.get(path), theirs.get(path))}" for path in paths[:_DIFFERENCES]]
        if len(paths) > _DIFFERENCES:
            lines.append(f"  and {len(paths) - _DIFFERENCES} more")
    lines = [printable.line(each) for each in lines]
    lines.append(how_to_record)
    return "\n".join(lines)


def _leaves(asked: RecordedRequest) -> dict[str, str]:
    leaves = {"base URL": request.base(asked)}
    _walk("", request.wire_body(asked), leaves)
    for name, values in request.query(asked).items():
        _walk(f"query.{name}", values if len(values) > 1 else values[0], leaves)
    return leaves


def _walk(path: str, value: Any, leaves: dict[str, str]) -> None:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            _walk(_below(path, f".{key}" if path else key), item, leaves)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            _walk(_below(path, f"[{index}]"), item, leaves)
    else:
        leaves[path] = json.dumps(value, ensure_ascii=False)


def _below(path: str, step: str) -> str:
    """A path that is bounded: under a long key there may be as many leaves as the request has bytes."""
    longer = path + step
    if len(longer) <= _PATH:
        return longer
    digest = hashlib.sha256(longer.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{longer[: _PATH // 4]}…{digest}…{longer[-_PATH // 4 :]}"


def _differing(wanted: dict[str, str], other: dict[str, str]) -> list[str]:
    here = [path for path, value in wanted.items() if other.get(path) != value]
    return here + [path for path in other if path not in wanted]


def _difference(path: str, here: str | None, there: str | None) -> str:
    start = _common(here or "", there or "")
    return f"{path}: {_quoted(here, start)} here, {_quoted(there, start)} in the recording"


def _quoted(value: str | None, start: int) -> str:
    return "absent" if value is None else _cut(value, start)


def _common(one: str, two: str) -> int:
    """The length of what both begin with: as many characters are compared at once as are known to be equal."""
    start, step = 0, 1
    while step:
        end = start + step
        if end <= min(len(one), len(two)) and one[start:end] == two[start:end]:
            start = end
            step *= 2
        else:
            step //= 2
    return start


def _cut(value: str, start: int) -> str:
    """The part of a long value around the place where it begins to differ."""
    if len(value) <= _VALUE:
        return value
    begin = max(0, min(start - _VALUE // 4, len(value) - _VALUE))
    end = begin + _VALUE
    return ("…" if begin else "") + value[begin:end] + ("…" if end < len(value) else "")
