"""What became of each call, as lines of JSON and for the summary of ``wiretape run``. Beside ``decide``.

Many SDKs swallow an answer's text, and many programs an exception: who asks after a run why it went as it did finds it
here.
"""

import json
import logging
import threading
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import TextIO

from wiretape import redaction
from wiretape.codecs import printable
from wiretape.tape.hit import Hit
from wiretape.tape.mismatch import Explanation
from wiretape.tape.tape import Tape

logger = logging.getLogger(__name__)

_TOLD = 10
"""Lines about misses that the summary has: each is about all those that are the same."""


class Became(StrEnum):
    """What became of a call."""

    HIT = "hit"
    MISS = "miss"
    """Refused, as it has no recording."""
    RECORDED = "recorded"
    NOT_RECORDED = "not recorded"
    """Sent to a provider, whose answer became no recording."""
    SENT = "sent"
    """Sent to a provider, in ``live``."""
    FOLLOWED = "followed"
    """Answered with the live answer to an equal call."""
    UNAVAILABLE = "unavailable"
    """The recordings could not be looked up."""
    FAULT = "fault"
    """Answered with a fault alone, on purpose."""


class CallReport:
    """Tells each call once. For any thread."""

    def __init__(self, file: TextIO | None = None) -> None:
        """``file`` gets a line for each call."""
        self._file = file
        self._lock = threading.Lock()
        self.missed = 0
        """Calls that were refused, as they have no recording."""
        self.misses: dict[str, int] = {}
        """The first lines about them, and how many each is about: a client may ask again."""

    def hit(self, tape: Tape, hit: Hit) -> None:
        """Tell that a call was answered from a recording."""
        by_rules = {"rules": hit.rules} if hit.rules else {}
        self._write(Became.HIT, tape, hit.label, recording=hit.name, tokens=hit.tokens, **by_rules)

    def miss(self, tape: Tape, label: str, why: Explanation | str) -> None:
        """Tell that a call was refused."""
        line = printable.line(redaction.DEFAULT.text(f"{label}{tape.named}: {why}"))
        with self._lock:
            self.missed += 1
            if line in self.misses or len(self.misses) < _TOLD:
                self.misses[line] = self.misses.get(line, 0) + 1
        if isinstance(why, Explanation):
            self._write(Became.MISS, tape, label, hash=why.hash, nearest=why.nearest, difference=why.difference)
        else:
            self._write(Became.MISS, tape, label, difference=why)

    def other(self, became: Became, tape: Tape, label: str, log: list[str] | None = None) -> None:
        """Tell that something else became of a call. ``log``: what was said of it."""
        self._write(became, tape, label, **({"log": log} if log else {}))

    def _write(self, became: Became, tape: Tape, label: str, **more: object) -> None:
        if self._file is None:
            return
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told = {"at": at, "outcome": became, "session": tape.session, "mode": tape.mode, "request": label, **more}
        line = json.dumps(redaction.DEFAULT.clean(told))
        with self._lock:
            if self._file is None:
                return
            try:
                self._file.write(f"{line}\n")
                self._file.flush()
            except OSError as e:
                # The calls go on without it.
                logger.error("the report cannot be written any more: %s: %s", self._file.name, e.strerror)
                with suppress(OSError):
                    self._file.close()
                self._file = None
