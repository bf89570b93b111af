"""What ``--wiretape`` and a marker say of a test's mode, and which of them holds."""

from enum import StrEnum

from wiretape.policy import Mode


class RunMode(StrEnum):
    """What the tests do with their calls."""

    REPLAY = "replay"
    RECORD = "record"
    RECORD_IF_MISSING = "record-if-missing"
    UPDATE = "update"
    """As record-if-missing: what has a recording stays as it is, and what no test asks for any more is told."""
    LIVE = "live"

    @property
    def of_proxy(self) -> Mode:
        """The mode in which the proxy serves it."""
        return Mode.RECORD_IF_MISSING if self is RunMode.UPDATE else Mode(self)


def parse(text: str) -> RunMode:
    """Return the mode of this name. Raises ValueError, which names the right ones."""
    try:
        return RunMode(text)
    except ValueError as e:
        raise ValueError(f"{text!r} is no mode: the modes are {', '.join(RunMode)}") from e


def in_force(command_line: RunMode | None, marked: RunMode | None, default: RunMode) -> RunMode:
    """Return the mode of a test: that of the command line, else that of its marker, else the run's.

    A marker that says ``replay`` always holds: such a test never asks a provider.
    """
    if marked is RunMode.REPLAY:
        return marked
    return command_line or marked or default
