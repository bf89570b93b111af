"""How far a stream is, and who tells it. Between the events and the recording; sans-IO. Knows no endpoint.

What tells that a stream is whole is one of two things:

- The provider says so: ``[DONE]``, ``message_stop``, ``response.completed``, ``"done": true``. The stream is OVER, and
  whole whatever becomes of its connection: many clients close it as soon as they have read that.
- All is there that was asked for: a finish reason for each choice, a stop reason. The stream is COMPLETE, and whole
  where the end of its body was seen by its framing. More may still come (the usage), so a connection that breaks here
  breaks off.

Else it is OPEN, and has broken off if nothing more comes. Which of them it is a *watcher* tells, of which each API has
its own beside what else is known of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, Protocol

DONE = "[DONE]"


class End(IntEnum):
    """How far a stream is, in this order."""

    OPEN = 0
    COMPLETE = 1
    OVER = 2


class Watcher(Protocol):
    """Looks at the events, or lines, of one stream."""

    def see(self, data: Mapping[str, Any], event: str = "", /) -> End:
        """Return how far the stream is after what has come: its value, and the name of the event."""
        ...


def is_done(text: str) -> bool:
    """Return whether the data of an event is the marker with which the streams of OpenAI's API end."""
    return text.lstrip().startswith(DONE)


class NamedEvents:
    """Of APIs that have an event for the end, which is told by its name or its type."""

    def __init__(self, *names: str) -> None:
        self._names = frozenset(names)
        self._end = End.OPEN

    def see(self, data: Mapping[str, Any], event: str = "", /) -> End:
        """Return how far the stream is after an event."""
        for name in names_of(data, event):
            if name in self._names:
                self._end = End.OVER
        return self._end


def names_of(data: Mapping[str, Any], event: str) -> Iterator[str]:
    """Yield what an event is called: by its own name, by the types that APIs put into its value."""
    if event:
        yield event
    for member in ("type", "event_type"):
        name = data.get(member)
        if isinstance(name, str):
            yield name


class FinishReasons:
    """Which of the choices, or candidates, that a stream tells side by side have said why they end."""

    def __init__(self, member: str) -> None:
        """``member``: what the reason is called."""
        self._member = member
        self._open: set[int] = set()
        self._finished: set[int] = set()

    def see(self, choices: Any) -> None:
        """Look at those that a chunk has."""
        for choice in objects_of(choices):
            number = index_of(choice)
            if is_reason(choice.get(self._member)):
                self._finished.add(number)
                self._open.discard(number)
            elif number not in self._finished:
                self._open.add(number)

    @property
    def count(self) -> int:
        """How many have ended; none while another one is open."""
        return 0 if self._open else len(self._finished)

    @property
    def is_open(self) -> bool:
        """Whether one has begun and not ended."""
        return bool(self._open)


_NO_REASONS = frozenset({"null", "not_finished", "FINISH_REASON_UNSPECIFIED"})
"""What is said in the place of a reason for the end while it goes on."""


def is_reason(value: Any) -> bool:
    """Return whether a value says why an answer ended."""
    return bool(value) and not (isinstance(value, str) and value in _NO_REASONS)


def objects_of(value: Any) -> Sequence[Mapping[str, Any]]:
    """Return the objects of a list; none where it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else ()


def index_of(choice: Mapping[str, Any]) -> int:
    """Return the number of a choice; 0 where it says none."""
    number = choice.get("index", 0)
    return number if isinstance(number, int) else 0
