"""What was found out, as a value."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and may not do what is wanted."""
    FAULT = "fault"
    """It does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line."""

    check: str
    """What was looked at, in a word or two."""
    state: State
    said: str
    advice: str = ""
    """What to do; empty where there is nothing to do."""


def ok(check: str, said: str, advice: str = "") -> Finding:
    """Return that something is right."""
    return Finding(check, State.OK, said, advice)


def warning(check: str, said: str, advice: str) -> Finding:
    """Return that something may not be what is wanted."""
    return Finding(check, State.WARNING, said, advice)


def fault(check: str, said: str, advice: str) -> Finding:
    """Return that something does not work."""
    return Finding(check, State.FAULT, said, advice)
