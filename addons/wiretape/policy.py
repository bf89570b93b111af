"""The choices that options, sessions and tapes share: modes, takes, forms, ages. Below everything."""

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_SESSION = "default"
"""The session that is meant where none is named."""

FORMS = ("2025-09", "2026")
"""The forms in which a recording can be written; reading takes any."""


class Mode(StrEnum):
    """What the tape does with a request to an inference endpoint."""

    LIVE = "live"
    RECORD = "record"
    REPLAY = "replay"
    RECORD_IF_MISSING = "record-if-missing"


DEFAULT_MODE = Mode.RECORD_IF_MISSING
"""The mode that is meant where neither an option nor a session names one."""


class Takes(StrEnum):
    """Which recording answers, where a request was recorded several times."""

    FIRST = "first"
    LAST = "last"
    SEQUENCE = "sequence"
    """One after the other, then the last again."""
    CYCLE = "cycle"
    """One after the other, then from the first again."""


class OnExpiry(StrEnum):
    """What becomes of a call whose recording is older than its session allows."""

    WARN = "warn"
    """The recording answers, and that is said once."""
    FAIL = "fail"
    """Nothing answers: the call is refused."""
    RERECORD = "rerecord"
    """In record-if-missing the provider is asked, and its answer takes the recording's place; in replay as ``WARN``."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old recordings may be, and what becomes of a call whose recording is older."""

    max_age: float
    """Seconds."""
    on_expiry: OnExpiry = OnExpiry.WARN


def parse_mode(text: str) -> Mode:
    """Return the mode of this name. Raises ValueError, which names the right ones."""
    try:
        return Mode(text)
    except ValueError as e:
        raise ValueError(f"{text!r} is no mode: the modes are {', '.join(Mode)}") from e


def parse_takes(text: str) -> Takes:
    """Return the choice of takes of this name. Raises ValueError, which names the right ones."""
    try:
        return Takes(text)
    except ValueError as e:
        raise ValueError(f"{text!r} is no choice of takes: the choices are {', '.join(Takes)}") from e


def parse_form(text: str) -> str:
    """Return the form of recordings of this name. Raises ValueError, which names the right ones."""
    if text not in FORMS:
        raise ValueError(f"{text!r} is no form of recording: the forms are {', '.join(FORMS)}")
    return text


def parse_on_expiry(text: str) -> OnExpiry:
    """Return the choice of this name. Raises ValueError, which names the right ones."""
    try:
        return OnExpiry(text)
    except ValueError as e:
        raise ValueError(f"{text!r} is no choice of what expires: the choices are {', '.join(OnExpiry)}") from e
