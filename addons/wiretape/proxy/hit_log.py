"""Hits in the log: each on a line, and where there are very many, many on a line. A line costs as much as a hit."""

import asyncio
import logging
from collections import Counter

logger = logging.getLogger("wiretape")

_LINES = 50
"""Hits a second that have a line each."""

_NAMED = 5
"""Recordings that are named in a line for many."""


class HitLog:
    """Says what was hit. Of more than 50 hits in a second, the rest is summed up when the second is over."""

    def __init__(self) -> None:
        self._said = 0
        self._more: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, name: str, label: str) -> None:
        """A recording was hit."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(1.0, self._next_second)
        if self._said < _LINES:
            self._said += 1
            # A line takes longer than the answer, which goes before.
            asyncio.get_running_loop().call_soon(logger.info, "hit %s: %s", name, label)
        else:
            self._more[name] += 1

    def flush(self) -> None:
        """Say what has not been said yet."""
        if self._timer:
            self._timer.cancel()
        self._next_second()

    def _next_second(self) -> None:
        self._timer = None
        self._said = 0
        if self._more:
            named = ", ".join(f"{name} {times} times" for name, times in self._more.most_common(_NAMED))
            others = f", {len(self._more) - _NAMED} others" if len(self._more) > _NAMED else ""
            logger.info("%d more hits within a second: %s%s", self._more.total(), named, others)
            self._more.clear()
