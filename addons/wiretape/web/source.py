"""What the page is about: recordings, and calls where a proxy runs. Below ``views``."""

from typing import TYPE_CHECKING, Protocol

from wiretape.config.overrides import Known
from wiretape.matching.rules import MatchPolicy
from wiretape.recording import RecordedRequest
from wiretape.sessions.token_file import TokenFile
from wiretape.store.base import Store

if TYPE_CHECKING:  # A start needs the names of these alone.
    from wiretape.call_log.reader import CallReader
    from wiretape.library.costs import RecordingCosts


class PageSource(Protocol):
    """What there is to look at. For any thread but those that carry traffic: its methods may wait."""

    def store(self) -> Store:
        """Return where the recordings are."""

    def calls(self) -> "CallReader | None":
        """Return what reads the log of calls; None where no proxy runs."""

    def tokens(self) -> TokenFile | None:
        """Return who may look at what; None where everybody may who gets here."""

    def known(self) -> Known:
        """Return what is configured."""

    def costs(self) -> "RecordingCosts":
        """Return what knows the cost of answers."""


class Steering(Protocol):
    """Changes a proxy that runs. For any thread but those that carry traffic: its methods may wait, and raise OSError.

    ``wiretape.control.miss_recording`` has it.
    """

    def matching(self, session: str) -> MatchPolicy:
        """Return by which rules a request may be the same as a recorded one."""

    def refusal(self, session: str, *, is_anybody: bool) -> str:
        """Return why a session cannot record; empty where it can. ``is_anybody``: whether no token was asked for."""

    def is_waiting(self, session: str) -> bool:
        """Return whether a session records what is missing by now."""

    def begin(self, session: str, request: RecordedRequest) -> None:
        """Have a session record what is missing until a request is there."""

    def end(self, session: str) -> None:
        """Have a session be as it was."""


class RecordingsAlone:
    """Recordings that no proxy serves."""

    def __init__(self, store: Store, known: Known, costs: "RecordingCosts") -> None:
        self._store = store
        self._known = known
        self._costs = costs

    def store(self) -> Store:
        """Return where they are."""
        return self._store

    def calls(self) -> None:
        """Return nothing: there are none."""

    def tokens(self) -> None:
        """Return nothing: who has the files may look at them."""

    def known(self) -> Known:
        """Return what a configuration has that was named."""
        return self._known

    def costs(self) -> "RecordingCosts":
        """Return what knows the cost of answers."""
        return self._costs
