"""The faults of a configuration: what ``[[fault]]`` tables say -> rules. Beside ``faults``, whose values these are.

``wiretape.config`` has looked at keys and types before; here is what only faults know.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from wiretape.codecs.wildcards import Wildcard
from wiretape.exceptions import ConfigurationError
from wiretape.replay.faults import Ending, Fault, FaultRule, Status

type _Path = tuple[str | int, ...]

_UNITS = {"ms": 0.001, "s": 1.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s)", re.ASCII)

_LONGEST = 86_400.0
"""Seconds that anything can be made to wait."""

_SHOWN = 80
"""Characters of a wrong value that an error shows."""


def parse(entries: Sequence[Mapping[str, Any]], providers: Collection[str]) -> tuple[FaultRule, ...]:
    """Return the rules of the ``[[fault]]`` tables; ``wiretape.config`` has looked at keys and types before.

    ``providers`` are the names that a fault's provider can have. Raises ConfigurationError, with the path below the
    file.
    """
    return tuple(_rule(("fault", number), entry, providers) for number, entry in enumerate(entries))


_EFFECTS = ("status", "delay", "stall", "cut", "garble", "slow")
_NEEDS = {"body": "status", "retry_after": "status", "how": "cut", "seed": "share"}
_APART = [("share", "nth"), ("cut", "stall"), *(("status", each) for each in ("stall", "cut", "garble", "slow"))]


def _rule(path: _Path, entry: Mapping[str, Any], providers: Collection[str]) -> FaultRule:
    _check_together(path, entry)
    patterns = {key: Wildcard(entry[key]) for key in ("session", "provider", "endpoint", "model") if key in entry}
    if "provider" in patterns and not any(map(patterns["provider"].matches, providers)):
        known = ", ".join(sorted({*providers}))
        shown = entry["provider"][:_SHOWN]
        raise ConfigurationError(f"no provider is named {shown!r}; there are {known}", path, at="provider")
    nth = entry.get("nth", [])
    if not isinstance(nth, list):
        nth = [nth]
    share = float(entry.get("share", 1))
    return FaultRule(patterns, share, entry.get("seed", 0), frozenset(nth), _fault(path, entry), entry)


def _check_together(path: _Path, entry: Mapping[str, Any]) -> None:
    if not any(key in entry for key in _EFFECTS):
        raise ConfigurationError(f"nothing goes wrong: it needs one of {', '.join(_EFFECTS)}", path)
    for key, needed in _NEEDS.items():
        if key in entry and needed not in entry:
            raise ConfigurationError(f"{key} needs {needed}", path, at=key)
    for one, other in _APART:
        if one in entry and other in entry:
            raise ConfigurationError(f"has {one} and {other}: make it two faults", path, at=other)
    stop = entry.get("cut", entry.get("stall"))
    if stop is not None and entry.get("garble", 0) > stop:
        raise ConfigurationError(f"garble is at most {stop}: no chunk comes after that", path, at="garble")


def _fault(path: _Path, entry: Mapping[str, Any]) -> Fault:
    ending = None
    if "stall" in entry:
        ending = Ending.STALL
    elif "cut" in entry:
        ending = Ending(entry.get("how", "reset"))
    return Fault(
        status=_status(path, entry) if "status" in entry else None,
        delay=_seconds(path, "delay", entry),
        slow=_seconds(path, "slow", entry),
        garble=entry.get("garble", 0),
        after=entry.get("cut", entry.get("stall", 0)),
        ending=ending,
    )


def _status(path: _Path, entry: Mapping[str, Any]) -> Status:
    body = entry.get("body")
    if body is None:
        text = "wiretape: a fault, on purpose"
        body = {"error": {"message": text, "type": "injected_fault", "code": "injected_fault", "param": None}}
    if isinstance(body, str):
        data = body.encode()
        headers = [("content-type", "text/plain; charset=utf-8")]
    else:
        try:
            data = json.dumps(body, allow_nan=False).encode()
        except (TypeError, ValueError) as e:
            raise ConfigurationError(f"body is no JSON: {e}", path, at="body") from e
        headers = [("content-type", "application/json")]
    if "retry_after" in entry:
        headers.append(("retry-after", str(entry["retry_after"])))
    return Status(entry["status"], tuple(headers), data)


def _seconds(path: _Path, key: str, entry: Mapping[str, Any]) -> float:
    """Return the seconds of a time; 0 where it is not given."""
    if key not in entry:
        return 0.0
    match = _DURATION.fullmatch(entry[key])
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < seconds <= _LONGEST:
        shown = entry[key][:_SHOWN]
        raise ConfigurationError(f"is a time of more than 0 and at most 24 hours, not {shown!r}", (*path, key))
    return seconds
