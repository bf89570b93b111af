"""Work that takes too long for whoever needs it first: it is done beside, once, and they wait for its end.

For ``rule_index``, which may have to read very many recordings. One piece of work is done at a time, and what
is under way is left unfinished at the end of the process.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future


class StillReadingError(Exception):
    """What is asked for is being read: it can be told when ``done`` is done, whose exception says why it cannot."""

    def __init__(self, done: "Future[None]") -> None:
        super().__init__("it is being read")
        self.done = done


class Background:
    """Does work in threads of its own. For any thread."""

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def begin(self, work: Callable[[], None]) -> "Future[None]":
        """Begin some work as soon as none is under way."""
        done: Future[None] = Future()

        def run() -> None:
            with self._turn:
                try:
                    work()
                except BaseException as e:  # noqa: BLE001  who waits is told
                    done.set_exception(e)
                else:
                    done.set_result(None)

        threading.Thread(target=run, name="wiretape-rules", daemon=True).start()
        return done
