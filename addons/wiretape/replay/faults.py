"""What goes wrong on purpose: a request -> its fault; chunks -> what is left of them.

Between the tape's answer and who sends it. Values in, values out: no clock, no socket, no chance. Whether a request of
a share is met is drawn from a digest, so that the same requests meet the same faults wherever they are sent again.

``fault_config`` makes rules of what a configuration says.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from wiretape.codecs.wildcards import Wildcard
from wiretape.replay.take_counters import LocalTurns, Turns

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
    """Equal for requests that are the same, exactly or by rules, alone."""


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One ``[[fault]]``: which requests meet which fault."""

    patterns: Mapping[str, Wildcard]
    share: float
    seed: int
    nth: frozenset[int]
    """Of the matching requests, counted from 1; empty for all."""
    fault: Fault
    entry: Mapping[str, Any] = field(default_factory=dict)
    """The table that it was made of."""

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
    """The rules, which count the requests that they match. For any thread."""

    def __init__(self, rules: Iterable[FaultRule] = (), turns: Turns | None = None, name: str = "") -> None:
        """``turns`` count: where they are those of several workers, under a name of their own, so do these rules."""
        self.rules = tuple(rules)
        self._turns = turns or LocalTurns()
        self._name = name
        self._is_drawn = any(not rule.nth and rule.share < 1 for rule in self.rules)

    def __bool__(self) -> bool:
        return bool(self.rules)

    def rewind(self) -> None:
        """Count again from the start."""
        self._turns.rewind()

    def draw(self, asked: FaultQuery) -> Fault | None:
        """The fault that the next request meets: of the first rule that says so. Each rule counts all that match it."""
        equal = self._count(f"equal {asked.identity}") if self._is_drawn else 0
        drawn: Fault | None = None
        for place, rule in enumerate(self.rules):
            if rule.matches(asked):
                seen = self._count(f"rule {place}") if rule.nth else 0
                if drawn is None and _meets(rule, place, seen, asked.identity, equal):
                    drawn = rule.fault
        return drawn

    def _count(self, what: str) -> int:
        """Count once more, from 1."""
        return self._turns.next(self._name, what) + 1


def _meets(rule: FaultRule, place: int, seen: int, identity: str, equal: int) -> bool:
    """Return whether a request meets a rule's fault: the ``seen``-th that matches, the ``equal``-th of its equals."""
    if rule.nth:
        return seen in rule.nth
    # Counted among its equals, not among all: requests that run side by side come in any order. And the rule's
    # place: two rules of the same seed are not to choose the same requests.
    drawn = f"{rule.seed} {place} {identity} {equal}".encode()
    return rule.share >= 1 or int.from_bytes(hashlib.sha256(drawn).digest()[:8]) < rule.share * 2**64
