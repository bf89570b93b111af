"""The list of sessions: what each holds, stands on and costs, and what of it nobody asked for. Below ``views``.

Nothing is read for it: it tells of what was read by now (``Shelf.summaries``). What nobody asked for is told by names,
where ``wiretape unused`` looks into the requests: the takes of a request stay together here, too.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from wiretape.call_log.places import log_file
from wiretape.call_log.reader import CallReader
from wiretape.library import unused
from wiretape.library.unused import Evidence
from wiretape.sessions.model import Sessions, check_name
from wiretape.store import freezing
from wiretape.store.base import Store
from wiretape.tape.names import take_of
from wiretape.web.shelf import Shelf, Summary
from wiretape.web.source import PageSource


@dataclass(frozen=True, slots=True)
class UnusedTold:
    """What of a session nobody asked for."""

    recordings: int
    bytes: int
    """As far as they were read by now."""


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session."""

    name: str
    summary: Summary
    layers: tuple[str, ...]
    """Where a look-up goes after the session itself."""
    frozen: str
    """How it is frozen, in words; empty where it is not."""
    unused: UnusedTold | None
    """None where no run is known."""

    @property
    def cost_usd(self) -> Decimal | None:
        """What all its answers cost; None where no price is known."""
        return self.summary.cost_usd


def session_lines(source: PageSource, shelf: Shelf, may_read: Callable[[str], bool]) -> list[SessionLine]:
    """Return the sessions that there are, or that are configured, in order. Raises OSError."""
    sessions = source.known().sessions
    names = [name for name in sorted({*shelf.store.sessions(), *sessions.names}) if _is_name(name) and may_read(name)]
    summaries = shelf.summaries(names)
    known = _evidence(source)
    lines = []
    for name in names:
        layers = sessions.order(name)[1:]
        told = unused_of(name, summaries[name], known)
        lines.append(SessionLine(name, summaries[name], layers, frozen_in_words(shelf.store, sessions, name), told))
    return lines


def frozen_in_words(store: Store, sessions: Sessions, name: str) -> str:
    """Return how a session is frozen; empty where it is not. Raises OSError."""
    if sessions.get(name).frozen:
        return "frozen by the configuration"
    mark = freezing.mark(store, name)
    return str(mark) if mark else ""


def unused_of(name: str, summary: Summary, known: Evidence) -> UnusedTold | None:
    """Return what of a session nobody asked for; None where no call came to it that is known."""
    if not known.judges(name):
        return None
    used = {take_of(each)[0] for each in known.used.get(name, ())}
    sizes = [size for each, size in summary.sizes.items() if take_of(each)[0] not in used]
    return UnusedTold(len(sizes), sum(sizes))


def _evidence(source: PageSource) -> Evidence:
    """Return what is known of runs: nothing where the log cannot be read."""
    reader = source.calls() or CallReader([log_file(source.store().url)])
    with suppress(OSError, ValueError):
        return unused.evidence(reader, 0.0)
    return Evidence(0, 0, 0.0, 0.0, frozenset(), {})


def _is_name(name: str) -> bool:
    with suppress(ValueError):
        return bool(check_name(name))
    return False
