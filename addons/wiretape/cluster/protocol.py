"""What workers and the coordinator tell each other, as lines of JSON. No socket.

A worker sends ``Hello`` before it listens, and gets an ``Order`` at once, which says what is in force; ``Up`` when it
serves; and then ``CounterReport`` again and again. Whenever an ``Order`` comes it carries it out and sends ``Done``:
one after the other, but for a flush, for which no other order waits. On a connection of its own, it sends ``Next``
and ``Rewind``, and gets a ``Turn`` for each. Both ends of a Unix socket are on one machine and have the same version of
wiretape, so nothing is negotiated.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from wiretape.metrics.counters import Counters, from_json

_LIMIT = 16 * 1024 * 1024
"""How many bytes a line may have. The counters of a thousand sessions take a fiftieth of it."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A worker is about to serve. ``incarnation`` is another one after each start."""

    worker: int
    incarnation: str


@dataclass(frozen=True, slots=True)
class Up:
    """The worker that said hello serves."""


@dataclass(frozen=True, slots=True)
class CounterReport:
    """Everything that the worker has counted since its start, by session."""

    counters: Mapping[str, Counters]


class Task(StrEnum):
    """What a worker may be told to do."""

    APPLY = "apply"
    """From now on these overrides are in force: what they are is for the worker to read."""
    REWIND = "rewind"
    """Let faults that the worker counts by itself count from the start."""
    FLUSH = "flush"
    """Have every call that was answered in the log of calls."""


@dataclass(frozen=True, slots=True)
class Order:
    """The coordinator tells a worker to do something."""

    number: int
    task: Task
    text: str = ""
    """The overrides, where they are to be in force."""


@dataclass(frozen=True, slots=True)
class Done:
    """A worker has carried out an order."""

    number: int
    problem: str = ""
    """Why it could not."""


@dataclass(frozen=True, slots=True)
class Next:
    """Asks for the next turn of a request (``Turns.next``)."""

    session: str
    identity: str


@dataclass(frozen=True, slots=True)
class Rewind:
    """Starts all turns anew (``Turns.rewind``)."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer to ``Next``. As the answer to ``Rewind``, it is 0."""

    played: int


Message = Hello | Up | CounterReport | Order | Done | Next | Rewind | Turn
_KINDS: Mapping[str, type[Message]] = {
    kind.__name__.lower(): kind for kind in (Hello, Up, CounterReport, Order, Done, Next, Rewind, Turn)
}


def encode(message: Message) -> bytes:
    """Return a message as a line."""
    line = {"kind": type(message).__name__.lower(), **asdict(message)}
    # Sums of money are texts, as they are exact.
    return json.dumps(line, separators=(",", ":"), default=str).encode() + b"\n"


class MessageDecoder:
    """Splits bytes, as they come, into messages."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that are complete now. Raises ValueError for a line that is none."""
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
            return CounterReport({session: from_json(value) for session, value in values["counters"].items()})
        if kind is Order:
            return Order(**{**values, "task": Task(values["task"])})
        return kind(**values)
    except (AttributeError, KeyError, TypeError, ArithmeticError, RecursionError) as e:
        raise ValueError(f"no message: {line[:100]!r}") from e
