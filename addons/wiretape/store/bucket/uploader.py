"""A thread that takes a spool up whenever the bucket is there."""

import logging
import random
import threading
from collections.abc import Callable

from wiretape.codecs.units import counted
from wiretape.exceptions import StoreUnavailableError
from wiretape.store.bucket.spool import Spool, Waiting

logger = logging.getLogger(__name__)

_LEFT_BEHIND = 5.0
"""How many seconds pass between two looks for entries that a killed process has left."""


class Uploader:
    """Tries to take a spool up, and after a failure waits: ``first`` seconds, then twice as long, up to ``longest``."""

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
        """Start the thread, unless it has been started."""
        with self._changed:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="wiretape's spool", daemon=True)
                self._thread.start()

    def wake(self) -> None:
        """Tell the thread that an entry was added."""
        self.start()
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def wait_until_empty(self, timeout: float) -> bool:
        """Wait until nothing waits in the spool any more. Return whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: self._spool.pending == 0, timeout)

    def close(self) -> None:
        """Stop the thread, and try once more to take up what is left, unless the last attempt failed."""
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
                    # All proxies of a team have lost the same bucket: they should not come back at the same moment.
                    self._changed.wait_for(lambda: self._closed, random.uniform(wait / 2, wait))  # noqa: S311
                    if self._closed:
                        return
                wait = min(2 * wait, self._longest)
            with self._changed:
                self._changed.notify_all()

    def _try(self) -> bool:
        """Take up what waits. Return whether it is of use to try again soon."""
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
        except Exception:  # The thread has to live on.
            logger.exception("%s", self._spool.folder)
        else:
            if done:
                logger.info("%s went up from %s into the bucket", counted(done, "file"), self._spool.folder)
            return done > 0
        return False
