"""Changes what holds in this process, from other threads: the ``Overriding`` of a proxy that is one process.

Between the control API, or the coordinator of several workers, and ``admission``, which is for the thread that carries
the traffic alone. So a change is made there, between two requests, and whoever has asked for it waits until it is.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future

from wiretape.cluster.protocol import Order, Task
from wiretape.config import overrides as override_texts
from wiretape.control.overriding import NotInForceError
from wiretape.proxy.admission import Admission
from wiretape.proxy.runtime import Runtime
from wiretape.replay.take_counters import Turns
from wiretape.sessions.scopes import Overrides

_PATIENCE = 8.0
"""Seconds that the thread which carries the traffic may take until it gets to a change: less than a coordinator waits
for it."""

_ENDED = "the proxy does not run"


class LocalOverriding:
    """Changes what holds in this process."""

    def __init__(
        self,
        admission: Admission,
        runtime: Callable[[], Runtime],
        turns: Callable[[], Turns],
        flush: Callable[[], None],
    ) -> None:
        """``runtime`` and ``turns`` return what holds now. ``flush`` waits until all calls are in the log of calls;
        it raises OSError where they are not.
        """
        self._admission = admission
        self._runtime = runtime
        self._turns = turns
        self._flush = flush
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        """That of the traffic, while the proxy runs."""
        self._changes: set[Future[None]] = set()
        """Those that are waited for."""

    # -- in the thread that carries the traffic ----------------------------------------------------------------------

    def begin(self) -> None:
        """From now on changes can be made."""
        self._loop = asyncio.get_running_loop()

    def end(self) -> None:
        """From now on no change is made: nobody is to wait for one."""
        with self._lock:
            self._loop = None
            changes = [*self._changes]
        for change in changes:
            self._finish(change, NotInForceError(_ENDED))

    def start_with(self, order: Order) -> None:
        """Have in force what is in force in other workers, before this one listens. Raises ConfigurationError."""
        if order.text:
            self._admission.override(override_texts.loads(order.text, self._runtime().known))

    # -- in others ---------------------------------------------------------------------------------------------------

    @property
    def overrides(self) -> Overrides:
        """As ``Overriding.overrides``."""
        return self._admission.overrides

    def apply(self, overrides: Overrides) -> None:
        """As ``Overriding.apply``."""
        self._change(lambda: self._admission.override(overrides))

    def rewind(self) -> None:
        """As ``Overriding.rewind``."""
        self._turns().rewind()
        self._change(self._admission.rewind_faults)

    def flush(self) -> None:
        """As ``Overriding.flush``."""
        try:
            self._flush()
        except OSError as e:
            raise NotInForceError(str(e)) from e

    def carry_out(self, order: Order) -> str:
        """Do what a coordinator tells this worker to, and return why it cannot."""
        try:
            match order.task:
                case Task.APPLY:
                    self.apply(override_texts.loads(order.text, self._runtime().known) if order.text else Overrides())
                case Task.REWIND:
                    # The turns are the coordinator's.
                    self._change(self._admission.rewind_faults)
                case Task.FLUSH:
                    self.flush()
        except (NotInForceError, ValueError) as e:
            return str(e)
        return ""

    def _change(self, change: Callable[[], None]) -> None:
        """Have a change made by the thread that carries the traffic, and wait for it. Raises NotInForceError."""
        made: Future[None] = Future()

        def make() -> None:
            try:
                change()
            except BaseException as e:  # noqa: BLE001  it is for who waits
                self._finish(made, e)
            else:
                self._finish(made)

        with self._lock:
            if self._loop is None:
                raise NotInForceError(_ENDED)
            self._changes.add(made)
            self._loop.call_soon_threadsafe(make)
        try:
            made.result(_PATIENCE)
        except TimeoutError:
            raise NotInForceError(f"the proxy did not get to it within {_PATIENCE:g} s") from None
        finally:
            with self._lock:
                self._changes.discard(made)

    @staticmethod
    def _finish(made: Future[None], problem: BaseException | None = None) -> None:
        if made.done():
            return
        if problem:
            made.set_exception(problem)
        else:
            made.set_result(None)
