"""What became of an exchange, and what was said of it: values that go from who writes recordings to the proxy."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from wiretape.journal.exchange_file import Stage
from wiretape.metrics.counters import Reason

type LogLine = tuple[str, int, str]
"""Name of the logger, level, message."""


@dataclass(slots=True)
class WriteOutcome:
    """What became of an exchange."""

    number: int
    recorded: int = 0
    unrecorded: int = 0
    reason: str = Reason.TOLD
    """Why it is not recorded."""
    is_kept: bool = False
    """Whether it is still in the journal, as the store failed."""
    is_lost: bool = False
    """Whether the journal has it and nobody can read it."""
    is_unfinished: bool = False
    """Whether its proxy was killed while it was under way, and what came is not whole."""
    recording: str = ""
    """The name of the recording, where one was written."""
    label: str = ""
    """Endpoint and model, where the request could be read."""
    model: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    """The tokens that the answer says that it took, as ``Usage`` has them."""
    log: list[LogLine] = field(default_factory=list)

    @property
    def stage(self) -> Stage:
        """How the journal's file is called, when this is told and the file is not kept."""
        return Stage.RECORDED if self.recorded else Stage.UNRECORDED


class LogCapture(logging.Handler):
    """Keeps log records as values, for the process whose log they belong in."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[LogLine] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record's line."""
        self.lines.append((record.name, record.levelno, self.format(record)))

    def taken(self) -> list[LogLine]:
        """Return the lines since the last call."""
        lines = self.lines
        self.lines = []
        return lines


def say(lines: Iterable[LogLine]) -> None:
    """Put lines that another process has said into this one's log."""
    for name, level, message in lines:
        logging.getLogger(name).log(level, "%s", message)
