"""A thread that takes a spool up whenever the bucket is there. Between ``spool`` and ``bucket``."""

import logging
import random
import threading
from collections.abc import Callable

from wiretape.codecs.units import counted
from wiretape.exceptions import StoreUnavailableError
from wiretape.store.bucket.spool import Spool, Waiting

logger = logging.getLogger(__name__)

_LEFT_BEHIND = 5.0
"""Seconds between two looks for what a process has left that was killed."""


class Uploader:
    """Waits, tries, and waits longer: between ``first`` and ``longest`` seconds, doubled each time, at random."""

    def __init__(
        self, spool: Spool, put: Callable[[Waiting], None], *, first: float = 0.1, longest: float = 4.0
    ) -> None:
        self._spool = spool
        self._put = put
        self._first = first
        self._longest = longest
        self._changed = threading.Condition()
        self._closed = False
        self._woken = False
        self._failing = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; nothing happens where it has begun."""
        with self._changed:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="wiretape's spool", daemon=True)
                self._thread.start()

    def wake(self) -> None:
        """There is something to do."""
        self.start()
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def wait_until_empty(self, timeout: float) -> bool:
        """Wait until nothing waits in the spool; whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: self._spool.pending == 0, timeout)

    def close(self) -> None:
        """End the thread, and try what is left, where the last try was a success."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread:
            thread.join()
        if self._spool.pending and not self._failing:
            self._try()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._closed and not self._woken:
                    self._changed.wait(_LEFT_BEHIND)
                self._woken = False
                if self._closed:
                    return
            wait = self._first
            while self._spool.pending:
                if self._try():
                    continue
                with self._changed:
                    # All the proxies of a team have lost the same bucket: they are not to come back as one.
                    self._changed.wait_for(lambda: self._closed, random.uniform(wait / 2, wait))  # noqa: S311
                    if self._closed:
                        return
                wait = min(2 * wait, self._longest)
            with self._changed:
                self._changed.notify_all()

    def _try(self) -> bool:
        """Whether it is of use to try again soon, if anything is left."""
        before = self._failing
        self._failing = True
        try:
            done = self._spool.drain(self._put)
            self._failing = False
        except StoreUnavailableError as e:
            if not before:
                waiting = counted(self._spool.pending, "file waits", "files wait")
                logger.warning("%s in %s for the bucket: %s", waiting, self._spool.folder, e)
        except OSError as e:
            logger.error("%s: %s", self._spool.folder, e)
        except Exception:  # The thread has to go on.
            logger.exception("%s", self._spool.folder)
        else:
            if done:
                logger.info("%s went up from %s into the bucket", counted(done, "file"), self._spool.folder)
            return done > 0
        return False
