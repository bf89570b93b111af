"""The choices that options, sessions and tapes share: modes, takes, forms of recordings. Below everything."""

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
