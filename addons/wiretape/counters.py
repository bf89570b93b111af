"""What happened, counted, session by session. Stands beside the data's way: the tape counts, the command line, the log
and the page for Prometheus read.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, fields

from wiretape.units import counted

_SESSIONS = 1000
"""Sessions that are counted by themselves: whoever names sessions from outside must not fill the memory."""

OTHERS = "(others)"
"""What the sessions beyond them are counted as."""


@dataclass(slots=True)
class Counters:
    """Requests to inference endpoints of providers, by how they ended."""

    hits: int = 0
    """Answered from a recording."""
    misses: int = 0
    """Not in the recordings: refused in ``replay``, asked from the provider in ``record-if-missing``."""
    unavailable: int = 0
    """Could not be looked up, because the recordings' store was away."""
    followed: int = 0
    """Answered with the live answer to an equal request that was under way."""
    recorded: int = 0
    """Recordings written, or found already written with the same content."""
    unrecorded: int = 0
    """Live answers that became no recording: errors, streams that broke off, disks that failed."""
    upstream: int = 0
    """Requests sent on to a provider."""
    connections: int = 0
    """Connections opened to providers, whether or not a request went over them."""
    bytes: int = 0
    """Of answers served from recordings, without their heads and framing."""
    tokens: int = 0
    """Completion tokens served from recordings."""
    faults: int = 0
    """Answers that met a fault, on purpose."""

    def add(self, others: "Counters") -> None:
        """Count what others have counted."""
        for each in fields(others):
            setattr(self, each.name, getattr(self, each.name) + getattr(others, each.name))

    def summary(self) -> str:
        """The counters in one line."""
        line = (
            f"{counted(self.hits, 'hit')} ({counted(self.tokens, 'token')} served from recordings), "
            f"{counted(self.misses, 'miss', 'misses')}, {self.recorded} recorded, "
            f"{counted(self.upstream, 'request')} sent to providers"
        )
        line += f", {self.followed} followed an equal one" if self.followed else ""
        line += f", {self.unavailable} could not be looked up" if self.unavailable else ""
        line += f", {counted(self.faults, 'fault')} injected" if self.faults else ""
        return f"{line}, {self.unrecorded} answers NOT recorded" if self.unrecorded else line


class Ledger:
    """The counters of every session. For any thread, but for the counters themselves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: dict[str, Counters] = {}

    def of(self, session: str) -> Counters:
        """The counters of a session, which may be counted up."""
        with self._lock:
            if session not in self._counters and len(self._counters) >= _SESSIONS:
                session = OTHERS
            return self._counters.setdefault(session, Counters())

    def sessions(self) -> dict[str, Counters]:
        """All of them, by session."""
        with self._lock:
            return dict(self._counters)

    def total(self) -> Counters:
        """All of them, added up."""
        return added(self.sessions().values())


def added(counters: Iterable[Counters]) -> Counters:
    """Their sum."""
    total = Counters()
    for each in counters:
        total.add(each)
    return total
