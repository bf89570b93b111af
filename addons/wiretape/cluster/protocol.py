"""What workers and the coordinator tell each other, as lines of JSON. No socket.

Of a worker: ``Hello`` once, then ``CounterReport`` again and again; or, on a connection of its own, ``Next`` and
``Rewind``, each answered with a ``Turn``. A Unix socket has one machine at its ends and one version of wiretape, so
nothing here is negotiated.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from wiretape.metrics.counters import NUMBERS, Counters, Reason

_LIMIT = 16 * 1024 * 1024
"""Bytes of a line: a thousand sessions' counters are a fiftieth of it."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A worker is up. ``incarnation`` is new at each of its starts."""

    worker: int
    incarnation: str


@dataclass(frozen=True, slots=True)
class CounterReport:
    """All that the worker has counted since its start, by session."""

    counters: Mapping[str, Counters]


@dataclass(frozen=True, slots=True)
class Next:
    """As ``Turns.next``."""

    session: str
    identity: str


@dataclass(frozen=True, slots=True)
class Rewind:
    """As ``Turns.rewind``."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer to ``Next``; to ``Rewind`` it is 0."""

    played: int


Message = Hello | CounterReport | Next | Rewind | Turn
_KINDS: Mapping[str, type[Message]] = {
    kind.__name__.lower(): kind for kind in (Hello, CounterReport, Next, Rewind, Turn)
}


def encode(message: Message) -> bytes:
    """A message's line."""
    line = {"kind": type(message).__name__.lower(), **asdict(message)}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


class MessageDecoder:
    """Bytes as they come -> messages."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are whole now. Raises ValueError for what is none."""
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = b"".join((*self._rest, lines[0]))
            self._rest.clear()
            self._size = 0
        self._rest.append(rest)
        self._size += len(rest)
        if self._size > _LIMIT:
            raise ValueError("a line has no end")
        return [_message(line) for line in lines]


def _message(line: bytes) -> Message:
    try:
        values: dict[str, Any] = json.loads(line)
        kind = _KINDS[values.pop("kind")]
        if kind is CounterReport:
            return CounterReport({session: _counters(counted) for session, counted in values["counters"].items()})
        return kind(**values)
    except (AttributeError, KeyError, TypeError, OverflowError, RecursionError) as e:
        raise ValueError(f"no message: {line[:100]!r}") from e


def _counters(counted: Mapping[str, Any]) -> Counters:
    counters = Counters()
    for name in NUMBERS:
        setattr(counters, name, int(counted.get(name, 0)))
    for reason, number in counted.get("reasons", {}).items():
        counters.reasons[Reason(reason)] = int(number)
    return counters
