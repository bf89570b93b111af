"""What goes wrong on purpose: ``[[fault]]`` -> rules; a request -> its fault; chunks -> what is left of them.

Between the tape's answer and who sends it. Values in, values out: no clock, no socket, no chance. Whether a request of
a share is met is drawn from a digest, so that the same requests meet the same faults wherever they are sent again.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from wiretape.codecs.wildcards import Wildcard
from wiretape.exceptions import ConfigurationError

type _Path = tuple[str | int, ...]

_UNITS = {"ms": 0.001, "s": 1.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s)", re.ASCII)
_SHOWN = 80
"""Characters of a wrong value that an error shows."""
_LONGEST = 86_400.0
"""Seconds that anything can be made to wait."""
_JSON_TO_NONE = bytes.maketrans(b'"{}[]', b"'()()")
_INVERTED = bytes(each if each in b"\r\n" else each ^ 0xFF for each in range(256))


class Ending(StrEnum):
    """How an answer stops before its end."""

    RESET = "reset"
    """The connection is reset; of HTTP/2 the stream."""
    END = "end"
    """The framing ends as if the answer were whole."""
    STALL = "stall"
    """Nothing more comes, and the connection stays open."""


@dataclass(frozen=True, slots=True)
class Status:
    """An answer that is sent in place of the real one."""

    code: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one answer. Chunks are counted from 1; times are seconds."""

    status: Status | None = None
    delay: float = 0.0
    """Before the first byte of the answer."""
    slow: float = 0.0
    """Before each chunk."""
    garble: int = 0
    """The chunk that is damaged; 0 for none."""
    after: int = 0
    """The chunk after which the answer stops, where it has an ending; 0 is after the head."""
    ending: Ending | None = None

    def chunk(self, number: int, data: bytes) -> bytes:
        """Chunk ``number`` as it is sent."""
        return garbled(data) if number == self.garble else data

    def ending_after(self, number: int) -> Ending | None:
        """How the answer stops after chunk ``number``, where it does."""
        return self.ending if number == self.after else None

    def missed(self, count: int) -> bool:
        """Whether an answer of so many chunks is too short for all of this."""
        return (self.ending is not None and self.after > count) or self.garble > count

    def __str__(self) -> str:
        """In words, for the log."""
        words = [f"status {self.status.code}"] if self.status else []
        words += [f"delay of {self.delay:g} s"] if self.delay else []
        words += [f"slow, {self.slow:g} s before each chunk"] if self.slow else []
        words += [f"garble chunk {self.garble}"] if self.garble else []
        if self.ending is Ending.STALL:
            words.append(f"stall after chunk {self.after}")
        elif self.ending:
            words.append(f"cut after chunk {self.after} ({self.ending})")
        return ", ".join(words)


def garbled(data: bytes) -> bytes:
    """Bytes of the same length that are no JSON any more; lines, and what is no JSON in them, stay where they can."""
    damaged = data.translate(_JSON_TO_NONE)
    return damaged if damaged != data else data.translate(_INVERTED)


def applied(
    fault: Fault, chunks: Sequence[bytes], leaving: Sequence[float]
) -> tuple[tuple[bytes, ...], tuple[float, ...], Ending | None]:
    """The chunks of a replay that are sent, when each is to leave, and how the answer then stops (None: as it should).

    ``leaving`` are seconds from the request's end, before and after.
    """
    ending = fault.ending if fault.ending and fault.after <= len(chunks) else None
    sent = chunks[: fault.after] if ending else chunks
    return (
        tuple(fault.chunk(number, data) for number, data in enumerate(sent, 1)),
        tuple(at + fault.delay + fault.slow * number for number, at in enumerate(leaving[: len(sent)], 1)),
        ending,
    )


@dataclass(frozen=True, slots=True)
class FaultQuery:
    """What a rule looks at in a request."""

    session: str
    provider: str
    endpoints: tuple[str, ...]
    """Its names: a recording's and the wire's."""
    model: str
    identity: str
    """Equal for equal requests alone."""


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One ``[[fault]]``: which requests meet which fault."""

    patterns: Mapping[str, Wildcard]
    share: float
    seed: int
    nth: frozenset[int]
    """Of the matching requests, counted from 1; empty for all."""
    fault: Fault

    def matches(self, asked: FaultQuery) -> bool:
        """Whether the request is one that the rule is about."""
        values = {
            "session": (asked.session,),
            "provider": (asked.provider,),
            "endpoint": asked.endpoints,
            "model": (asked.model,),
        }
        return all(any(map(pattern.matches, values[key])) for key, pattern in self.patterns.items())


class Faults:
    """The rules, and how many requests each has seen. Not for several threads at once."""

    def __init__(self, rules: Iterable[FaultRule] = ()) -> None:
        self._rules = tuple(rules)
        self.rewind()

    def __bool__(self) -> bool:
        return bool(self._rules)

    def rewind(self) -> None:
        """Count again from the start."""
        self._seen = [0] * len(self._rules)
        self._equal: Counter[str] = Counter()

    def draw(self, asked: FaultQuery) -> Fault | None:
        """The fault that the next request meets: of the first rule that says so. Each rule counts all that match it."""
        self._equal[asked.identity] += 1
        drawn: Fault | None = None
        for place, rule in enumerate(self._rules):
            if rule.matches(asked):
                self._seen[place] += 1
                if drawn is None and self._meets(place, rule, asked):
                    drawn = rule.fault
        return drawn

    def _meets(self, place: int, rule: FaultRule, asked: FaultQuery) -> bool:
        if rule.nth:
            return self._seen[place] in rule.nth
        # Counted among its equals, not among all: requests that run side by side come in any order. And the rule's
        # place: two rules of the same seed are not to choose the same requests.
        drawn = f"{rule.seed} {place} {asked.identity} {self._equal[asked.identity]}".encode()
        return int.from_bytes(hashlib.sha256(drawn).digest()[:8]) < rule.share * 2**64


# -- reading -----------------------------------------------------------------------------------------------------------


def parse(entries: Sequence[Mapping[str, Any]], providers: Collection[str]) -> Faults:
    """Return the rules of the ``[[fault]]`` tables; ``wiretape.config`` has looked at keys and types before.

    ``providers`` are the names that a fault's provider can have. Raises ConfigurationError, with the path below the
    file.
    """
    return Faults(_rule(("fault", number), entry, providers) for number, entry in enumerate(entries))


_EFFECTS = ("status", "delay", "stall", "cut", "garble", "slow")
_NEEDS = {"body": "status", "retry_after": "status", "how": "cut", "seed": "share"}
_APART = [("share", "nth"), ("cut", "stall"), *(("status", each) for each in ("stall", "cut", "garble", "slow"))]


def _rule(path: _Path, entry: Mapping[str, Any], providers: Collection[str]) -> FaultRule:
    _check_together(path, entry)
    patterns = {key: Wildcard(entry[key]) for key in ("session", "provider", "endpoint", "model") if key in entry}
    if "provider" in patterns and not any(map(patterns["provider"].matches, providers)):
        known = ", ".join(sorted({*providers}))
        raise ConfigurationError(f"no provider is named {entry['provider']!r}; there are {known}", path, at="provider")
    nth = entry.get("nth", [])
    return FaultRule(
        patterns,
        float(entry.get("share", 1)),
        entry.get("seed", 0),
        frozenset(nth if isinstance(nth, list) else [nth]),
        _fault(path, entry),
    )


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
        data, media_type = body.encode(), "text/plain; charset=utf-8"
    else:
        try:
            data, media_type = json.dumps(body, allow_nan=False).encode(), "application/json"
        except (TypeError, ValueError) as e:
            raise ConfigurationError(f"body is no JSON: {e}", path, at="body") from e
    again = [("retry-after", str(entry["retry_after"]))] if "retry_after" in entry else []
    return Status(entry["status"], (("content-type", media_type), *again), data)


def _seconds(path: _Path, key: str, entry: Mapping[str, Any]) -> float:
    """Return the seconds of a time; 0 where it is not given."""
    if key not in entry:
        return 0.0
    match = _DURATION.fullmatch(entry[key])
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < seconds <= _LONGEST:
        raise ConfigurationError(
            f"is a time of more than 0 and at most 24 hours, not {entry[key][:80]!r}", (*path, key)
        )
    return seconds
