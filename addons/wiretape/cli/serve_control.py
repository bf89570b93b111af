"""What the control API of ``wiretape serve`` is about: several workers behind one port. Beside ``serve``.

The options of the workers are read here as each of them reads them, with the files that they name: so tokens, sessions
and recordings are the same for all.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mitmproxy import exceptions, optmanager
from mitmproxy.options import Options

from wiretape.call_log.reader import CallReader
from wiretape.cli.serve_plan import ServeRefusedError
from wiretape.config.overrides import Known
from wiretape.control.backend import Facts
from wiretape.control.overriding import Overriding
from wiretape.library.costs import RecordingCosts
from wiretape.matching.rules import MatchPolicy
from wiretape.metrics.counters import Counters
from wiretape.proxy import configure, options
from wiretape.proxy.runtime import Runtime
from wiretape.sessions.access import AccessPolicy
from wiretape.sessions.token_file import TokenFile
from wiretape.store.base import Store


def runtime(settings: Sequence[str]) -> Runtime:
    """Return what the options of workers come to. Raises ServeRefusedError."""
    chosen = Options()
    for each in options.OPTIONS:
        chosen.add_option(each.name, each.type, each.default, each.help, each.choices or None)
    try:
        chosen.set(*(setting for setting in settings if setting.startswith("confdir=")))
        confdir = Path(chosen.confdir).expanduser()
        optmanager.load_paths(chosen, confdir / "config.yaml", confdir / "config.yml")
        chosen.set(*settings, defer=True)
        return configure.build(chosen, set())
    except exceptions.OptionsError as e:
        raise ServeRefusedError(str(e)) from e


class ControlledWorkers:
    """All workers together, as a ``Backend``."""

    def __init__(
        self,
        overriding: Overriding,
        runtime_: Runtime,
        counters: Callable[[], Mapping[str, Counters]],
        pids: Callable[[], tuple[int, ...]],
        *,
        url: str,
    ) -> None:
        """``counters`` and ``pids`` are called from other threads. ``url`` is that of the proxy."""
        self._overriding = overriding
        self._runtime = runtime_
        self._counters = counters
        self._pids = pids
        self._url = url
        self._store = runtime_.place.open()
        self._began_at = time.time()

    @property
    def overriding(self) -> Overriding:
        """Return what changes all of them."""
        return self._overriding

    def facts(self) -> Facts:
        """Return what it is."""
        access = self.policy().overridden(self._overriding.overrides).default()
        pids = self._pids()
        return Facts(
            mode=str(access.mode),
            session=access.session.name,
            proxy=self._url,
            workers=len(pids),
            pids=pids,
            began_at=self._began_at,
            run=self._runtime.run,
        )

    def counters(self) -> Mapping[str, Counters]:
        """Return what all have counted, by session."""
        return self._counters()

    def tokens(self) -> TokenFile | None:
        """Return who may do what; None where it is open."""
        return self._runtime.tokens

    def policy(self) -> AccessPolicy:
        """Return in which modes sessions may be, as they are configured."""
        return self._runtime.access

    def known(self) -> Known:
        """Return what there is that can be named."""
        return self._runtime.known

    def costs(self) -> RecordingCosts:
        """Return what knows the cost of answers."""
        return RecordingCosts(self._runtime.prices, self._runtime.providers)

    def matching(self, session: str) -> MatchPolicy:
        """Return by which rules a request may be the same as a recorded one of a session."""
        return self._runtime.matching_of(session)

    def store(self) -> Store:
        """Return where the recordings are."""
        return self._store

    def calls(self) -> CallReader:
        """Return what reads the log of calls."""
        file = self._runtime.call_log
        return CallReader([file] if file else [])
