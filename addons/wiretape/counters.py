"""What happened, counted. Stands beside the data's way: the tape counts, the command line and the log read."""

from dataclasses import dataclass


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
    tokens: int = 0
    """Completion tokens served from recordings."""
    faults: int = 0
    """Answers that met a fault, on purpose."""

    def summary(self) -> str:
        """The counters in one line."""
        line = (
            f"{self.hits} hits ({self.tokens} tokens served from recordings), {self.misses} misses, "
            f"{self.recorded} recorded, {self.upstream} requests sent to providers"
        )
        line += f", {self.followed} followed an equal one" if self.followed else ""
        line += f", {self.unavailable} could not be looked up" if self.unavailable else ""
        line += f", {self.faults} faults injected" if self.faults else ""
        return f"{line}, {self.unrecorded} answers NOT recorded" if self.unrecorded else line
