"""What the control API of one process is about. Between the addon, which has all of it, and ``control``."""

import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from wiretape.config.overrides import Known
from wiretape.control.backend import Facts
from wiretape.control.overriding import Overriding
from wiretape.matching.rules import MatchPolicy
from wiretape.metrics.counters import Counters, SessionCounters
from wiretape.proxy.runtime import Runtime
from wiretape.sessions.access import AccessPolicy
from wiretape.sessions.token_file import TokenFile
from wiretape.store.base import Store

if TYPE_CHECKING:
    from wiretape.call_log.reader import CallReader
    from wiretape.library.costs import RecordingCosts


class InForce(Protocol):
    """What holds now."""

    @property
    def runtime(self) -> Runtime:
        """Return what all options came to."""

    @property
    def store(self) -> Store:
        """Return where the recordings are."""


class Controlled:
    """A proxy of one process, as a ``Backend``."""

    def __init__(
        self,
        overriding: Overriding,
        ledger: SessionCounters,
        in_force: Callable[[], InForce],
        url: Callable[[], str],
    ) -> None:
        """``in_force`` and ``url`` are called from other threads, once the proxy is up."""
        self._overriding = overriding
        self._ledger = ledger
        self._in_force = in_force
        self._url = url
        self._began_at = time.time()

    @property
    def overriding(self) -> Overriding:
        """Return what changes it."""
        return self._overriding

    def facts(self) -> Facts:
        """Return what it is."""
        access = self.policy().overridden(self._overriding.overrides).default()
        return Facts(
            mode=str(access.mode),
            session=access.session.name,
            proxy=self._url(),
            workers=1,
            pids=(os.getpid(),),
            began_at=self._began_at,
            run=self._in_force().runtime.run,
        )

    def counters(self) -> Mapping[str, Counters]:
        """Return what it has counted, by session."""
        return self._ledger.sessions()

    def tokens(self) -> TokenFile | None:
        """Return who may do what; None where it is open."""
        return self._in_force().runtime.tokens

    def policy(self) -> AccessPolicy:
        """Return in which modes sessions may be, as they are configured."""
        return self._in_force().runtime.access

    def known(self) -> Known:
        """Return what there is that can be named."""
        return self._in_force().runtime.known

    def costs(self) -> "RecordingCosts":
        """Return what knows the cost of answers."""
        # The page alone asks for it.
        from wiretape.library.costs import RecordingCosts

        runtime = self._in_force().runtime
        return RecordingCosts(runtime.prices, runtime.providers)

    def matching(self, session: str) -> MatchPolicy:
        """Return by which rules a request may be the same as a recorded one of a session."""
        return self._in_force().runtime.matching_of(session)

    def store(self) -> Store:
        """Return where the recordings are."""
        return self._in_force().store

    def calls(self) -> "CallReader":
        """Return what reads the log of calls."""
        # Nothing else in a proxy does.
        from wiretape.call_log.reader import CallReader

        file = self._in_force().runtime.call_log
        return CallReader([file] if file else [])
