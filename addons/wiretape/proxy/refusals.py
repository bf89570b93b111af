"""Who was refused: a line of the log a second for each address, and how fast refusals are answered.

Beside the way. Whoever sends wrong tokens by the thousand is to fill no log, and to keep nobody's hits waiting: a
refusal ends a connection, and the next connection costs more of the traffic's thread than a hit does. So at most four
hundred refusals a second are answered, whoever they are for; who has a right token is never among them.
"""

import asyncio
import logging
import time

logger = logging.getLogger(__name__)

_ADDRESSES = 64
"""Addresses that have a line of their own; all others share one."""

_OTHERS = "other addresses"

_GAP = 0.0025
"""Seconds from one answer to the next."""

_LONGEST = 1.0
"""Seconds that an answer waits at most: so many connections wait, not more."""

_TEXT = 200
"""Characters of what a client has sent that a line repeats."""


class _Address:
    """What was said of one address."""

    __slots__ = ("said_at", "unsaid")

    def __init__(self, said_at: float) -> None:
        self.said_at = said_at
        self.unsaid = 0


class Refusals:
    """Says what was refused, and spaces the answers out. For one event loop."""

    def __init__(self) -> None:
        self._addresses: dict[str, _Address] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0

    def add(self, address: str, what: str, reason: str) -> None:
        """Say that a client was refused, where nothing was said of its address for a second; else count it."""
        moment = time.monotonic()
        if address not in self._addresses and len(self._addresses) >= _ADDRESSES:
            address = _OTHERS
        known = self._addresses.get(address)
        if known is None:
            self._addresses[address] = _Address(moment)
            self._say(address, what, reason, 0)
        elif moment - known.said_at >= 1:
            self._say(address, what, reason, known.unsaid)
            known.said_at = moment
            known.unsaid = 0
        else:
            known.unsaid += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(1.0, self._look)

    def turn(self) -> float:
        """Return in how many seconds the next refusal may be answered."""
        moment = time.monotonic()
        turn = min(max(self._next, moment), moment + _LONGEST)
        self._next = turn + _GAP
        return turn - moment

    def flush(self) -> None:
        """Say what has not been said yet."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        for address, known in self._addresses.items():
            self._sum_up(address, known)
        self._addresses.clear()

    def _look(self) -> None:
        """Sum up what was counted, and forget addresses of which there is nothing new."""
        self._timer = None
        moment = time.monotonic()
        for address, known in [*self._addresses.items()]:
            if moment - known.said_at < 1:
                continue
            if known.unsaid:
                self._sum_up(address, known)
                known.said_at = moment
                known.unsaid = 0
            else:
                del self._addresses[address]
        if self._addresses:
            self._timer = asyncio.get_running_loop().call_later(1.0, self._look)

    @staticmethod
    def _sum_up(address: str, known: _Address) -> None:
        if known.unsaid:
            logger.warning("refused: %s: %d more", address, known.unsaid)

    @staticmethod
    def _say(address: str, what: str, reason: str, unsaid: int) -> None:
        # What a client sends is shown as it is written in Python: no line ends in it, and no terminal obeys it.
        shown = ascii(what)[1:-1][:_TEXT]
        more = f" ({unsaid} more since the last line)" if unsaid else ""
        logger.warning("refused: %s: %s: %s%s", address, shown, reason, more)
