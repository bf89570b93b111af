"""What the control API changes in a proxy that runs, be it one process or several: one interface for both.

A change is in force everywhere when its method returns: from then on no request of any worker is served as before it.
So whoever tells a client "your scope has begun" tells the truth. What was asked before goes on as it began.

The methods wait, so they are for threads that do not carry traffic, in one process as in the coordinator of
``wiretape serve``. Whoever changes overrides reads them, makes new ones and applies these, with a lock around it:

    with lock:
        overriding.apply(overriding.overrides.with_scope(scope))

``wiretape.proxy.overriding`` has the one of a single process, ``wiretape.control.workers`` that of a coordinator.
"""

from typing import Protocol

from wiretape.exceptions import WiretapeError
from wiretape.sessions.scopes import Overrides


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
