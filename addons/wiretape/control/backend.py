"""What the API is about: a proxy that runs, be it one process, or several behind one port. Below ``api``.

``wiretape.proxy.controlled`` has the one of a single process, ``wiretape.control.workers`` that of a coordinator.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # A start needs the name of this alone.
    from wiretape.call_log.reader import CallReader
    from wiretape.config.overrides import Known
    from wiretape.control.overriding import Overriding
    from wiretape.library.costs import RecordingCosts
    from wiretape.matching.rules import MatchPolicy
    from wiretape.metrics.counters import Counters
    from wiretape.sessions.access import AccessPolicy
    from wiretape.sessions.token_file import TokenFile
    from wiretape.store.base import Store


@dataclass(frozen=True, slots=True)
class Facts:
    """What a proxy is."""

    mode: str
    """The mode of who names no session."""
    session: str
    """That session."""
    proxy: str
    """The URL that clients go through."""
    workers: int
    """How many processes are up."""
    pids: tuple[int, ...]
    began_at: float
    """Seconds since 1970."""
    run: str
    """What all calls of this proxy have in the log."""


class Backend(Protocol):
    """A proxy that runs. For any thread but those that carry traffic: its methods may wait."""

    @property
    def overriding(self) -> "Overriding":
        """Return what changes it."""

    def facts(self) -> Facts:
        """Return what it is."""

    def counters(self) -> "Mapping[str, Counters]":
        """Return what it has counted, by session."""

    def tokens(self) -> "TokenFile | None":
        """Return who may do what; None where it is open."""

    def policy(self) -> "AccessPolicy":
        """Return in which modes sessions may be, as they are configured."""

    def known(self) -> "Known":
        """Return what there is that can be named."""

    def costs(self) -> "RecordingCosts":
        """Return what knows the cost of answers."""

    def matching(self, session: str) -> "MatchPolicy":
        """Return by which rules a request may be the same as a recorded one of a session."""

    def store(self) -> "Store":
        """Return where the recordings are."""

    def calls(self) -> "CallReader":
        """Return what reads the log of calls."""
