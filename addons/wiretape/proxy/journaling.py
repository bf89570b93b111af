"""A proxy's journal and the process that writes from it: made when they are first needed. Below ``live_answers``.

The traffic's thread opens exchanges here and says when one has ended; what the writer tells comes in a thread of its
own, and is counted there.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from wiretape.codecs.units import counted
from wiretape.journal.folder import Journal
from wiretape.journal.leftovers import has_leftovers
from wiretape.journal.outcome import WriteOutcome, say
from wiretape.journal.writer_process import WriterProcess
from wiretape.proxy.recorder import LiveRecording, State

logger = logging.getLogger(__name__)

_PATIENCE = 10.0
"""Seconds for which an answer waits for room in a journal that is full. Then it passes, and may not be recorded."""

_SAID = 10.0
"""Seconds in which it is said once that the journal is full, or cannot be."""


class Journaling:
    """For one event loop. ``land`` is called when an exchange is written, or told why it is not."""

    def __init__(self, land: Callable[[LiveRecording], None]) -> None:
        self.limit = 0
        """Bytes that the journal may have."""
        self._land = land
        self._journal: Journal | None = None
        self._writer: WriterProcess | None = None
        self._open: dict[int, LiveRecording] = {}
        """By their numbers, until the writer is done with them."""
        self._try_again = 0.0
        self._why = ""
        self._say_again = 0.0
        self._is_over = False
        self._kept: dict[int, LiveRecording] = {}
        """Those that their store has refused: they stay in the journal, and the writer tries them again."""

    def start(self, *, is_recording: bool) -> None:
        """See to what other proxies have left, and be ready to record."""
        if has_leftovers():
            WriterProcess(None, lambda _: None).start()
        if is_recording:
            self._make()

    def _make(self) -> Journal | None:
        if self._journal and not self._journal.is_there:
            self._abandon(self._journal)
        if self._journal is None and time.monotonic() >= self._try_again:
            try:
                self._journal = Journal.create(self.limit)
            except OSError as e:
                self._why = str(e)
                self._try_again = time.monotonic() + _SAID
                logger.error("nothing can be recorded: %s", e)
                return None
            self._journal.fill()
            loop = asyncio.get_running_loop()
            self._writer = WriterProcess(self._journal, partial(self._hand_over, loop, self._journal))
            self._writer.start()
        return self._journal

    async def open(self, exchange: LiveRecording) -> None:
        """Begin an exchange in the journal, where there is room for it."""
        if self._is_over:
            return  # Its client was cut off: nobody gets this answer.
        journal = self._make()
        if journal is None:
            exchange.lose(self._why)
            return
        journal.limit = self.limit
        if self._kept:
            self.look()  # What they take of the journal is wanted, and their store may work again.
        if journal.is_full:
            await self._wait_for_room(journal)
        await exchange.open(journal)
        if exchange.number is not None and exchange.state is State.WAITING:
            self._open[exchange.number] = exchange

    async def _wait_for_room(self, journal: Journal) -> None:
        if time.monotonic() >= self._say_again:
            self._say_again = time.monotonic() + _SAID
            text = "the journal is full (%d of %d bytes, wiretape_journal): answers wait until recordings are written"
            logger.error(text, journal.taken, journal.limit)
        freed = asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while journal.is_full:
                    freed.clear()
                    journal.call_when_freed(freed.set)
                    await freed.wait()

    def look(self) -> None:
        """An exchange has ended."""
        if self._writer:
            self._writer.look()

    def forget(self, exchange: LiveRecording) -> None:
        """An exchange has ended that is not for the writer."""
        if exchange.number is not None:
            self._open.pop(exchange.number, None)

    def _abandon(self, journal: Journal) -> None:
        """Do without a journal whose folder somebody has removed: a new one is made for what comes."""
        logger.error("%s has been removed: what was in it is lost", journal.folder.path)
        lost = self._open
        self._open = {}
        self._kept = {}
        self._journal = None
        if self._writer:
            self._writer.end()
        journal.folder.remove()  # Its key is left.
        journal.release()
        for exchange in lost.values():
            exchange.lose("its journal has been removed")
            self._land(exchange)

    def _hand_over(self, loop: asyncio.AbstractEventLoop, journal: Journal, outcome: WriteOutcome) -> None:
        """Have the traffic's thread hear of an outcome: all else here is that thread's. For the writer's thread.

        What takes the disk's time is done here: of a large file the system takes a millisecond for each 16 MB.
        """
        if not outcome.is_kept:
            journal.remove(outcome.number, outcome.stage)
        journal.fill()
        with suppress(RuntimeError):  # The loop has ended: nobody counts any more.
            loop.call_soon_threadsafe(self._written, journal, outcome)

    def _written(self, journal: Journal, outcome: WriteOutcome) -> None:
        if journal is not self._journal:
            return
        exchange = self._open.pop(outcome.number, None)
        if exchange is None and not outcome.is_kept:
            exchange = self._kept.pop(outcome.number, None)
        if exchange is None:
            return  # The writer was killed after it had told this, and the next one tells it again.
        say(outcome.log)
        if outcome.is_kept:
            self._kept[outcome.number] = exchange
        try:
            exchange.written(outcome)
        finally:
            self._land(exchange)

    async def stop(self, patience: float) -> None:
        """Have all written that has ended, and wait so many seconds for it at most."""
        self._is_over = True
        if self._journal is None or self._writer is None:
            return
        self._writer.end()
        # What is told meanwhile has been heard when this goes on: it came before.
        if not await asyncio.to_thread(self._writer.wait, patience):
            text = "%s still being written, by process %s, from the journal %s"
            left = counted(len(self._open), "recording is", "recordings are")
            logger.warning(text, left, self._writer.process_id, self._journal.folder.path)
        if self._kept:
            text = "%s that could not be written: kept in %s, and wiretape recover tries again"
            logger.error(text, counted(len(self._kept), "recording"), self._journal.folder.path)
        self._journal.release()
