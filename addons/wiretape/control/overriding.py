"""What the control API changes in a proxy that runs, be it one process or several: one interface for both.

A change is in force everywhere when its method returns: from then on no request of any worker is served as before it.
So whoever tells a client "your scope has begun" tells the truth. What was asked before goes on as it began.

The methods wait, so they are for threads that do not carry traffic, in one process as in the coordinator of
``wiretape serve``. Whoever changes overrides reads them, makes new ones and applies these, with a lock around it:

    with lock:
        overriding.apply(overriding.overrides.with_scope(scope))

``wiretape.proxy.overriding`` has the one of a single process; that of a coordinator is here.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from wiretape.cluster.coordinator import Coordinator
from wiretape.cluster.protocol import Task
from wiretape.config import overrides as override_texts
from wiretape.exceptions import WiretapeError
from wiretape.sessions.scopes import Overrides, TooManyError

_MOST = 8_000_000
"""Characters of all overrides together, as workers get them."""


class NotInForceError(WiretapeError):
    """A change was made, and it is not known to be in force everywhere: the message says who has not answered."""


class Overriding(Protocol):
    """Changes what holds in a proxy that runs. For any thread but those that carry traffic."""

    @property
    def overrides(self) -> Overrides:
        """Return all that was applied last."""

    def apply(self, overrides: Overrides) -> None:
        """Put these in the place of all that held, and wait until they are in force everywhere.

        Raises NotInForceError: they hold all the same from when whoever is late gets to it.
        """

    def rewind(self) -> None:
        """Start every sequence of takes again, and what faults count, everywhere. Raises NotInForceError."""

    def flush(self) -> None:
        """Wait until each call that was answered before is in the log of calls. Raises NotInForceError."""


class OverridingWorkers:
    """Has the workers of a coordinator change what holds. For any thread but that of the coordinator's loop."""

    def __init__(self, coordinator: Coordinator, loop: asyncio.AbstractEventLoop) -> None:
        """``loop``: the one that the coordinator runs on."""
        self._coordinator = coordinator
        self._loop = loop
        self._overrides = Overrides()

    @property
    def overrides(self) -> Overrides:
        """As ``Overriding.overrides``."""
        return self._overrides

    def apply(self, overrides: Overrides) -> None:
        """As ``Overriding.apply``. Raises TooManyError where they are too large."""
        text = override_texts.dumps(overrides)
        if len(text) > _MOST:
            raise TooManyError("all that was asked for is too large together: end some scopes, or take overrides back")
        self._overrides = overrides
        self._wait_for(self._coordinator.order(Task.APPLY, text))

    def rewind(self) -> None:
        """As ``Overriding.rewind``."""
        self._wait_for(self._coordinator.rewind())

    def flush(self) -> None:
        """As ``Overriding.flush``."""
        self._wait_for(self._coordinator.order(Task.FLUSH))

    def _wait_for(self, order: Coroutine[Any, Any, list[str]]) -> None:
        # It ends by itself, as each order does.
        problems = asyncio.run_coroutine_threadsafe(order, self._loop).result()
        if problems:
            raise NotInForceError("; ".join(problems))
