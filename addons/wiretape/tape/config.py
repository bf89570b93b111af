"""How a session's tape plays and records, as one value. Beside ``tape``; the proxy and the process that writes have it.

It is made where options and configuration are known, by ``for_session`` of what holds for all sessions, and goes from
there to whoever looks up or writes: nobody takes it apart on the way.
"""

from dataclasses import dataclass, replace
from typing import Self

from wiretape.policy import DEFAULT_MODE, DEFAULT_SESSION, FORMS, Mode, Takes
from wiretape.replay.pacing import INSTANT, Pace
from wiretape.sessions.model import Session


@dataclass(frozen=True, slots=True)
class TapeConfig:
    """What one tape does."""

    session: str = DEFAULT_SESSION
    mode: Mode = DEFAULT_MODE
    layers: tuple[str, ...] = ()
    """The sessions below, in order: what this one lacks is looked for there."""
    takes: Takes = Takes.LAST
    """Which recording answers a request that was recorded several times."""
    form: str = FORMS[0]
    """The form in which recordings are written."""
    pace: Pace = INSTANT
    keep_captures: bool = True
    """Whether the answer's own bytes and times are written beside the recording, and played."""
    keep_errors: bool = False
    """Whether answers of every status are recorded and played, and of a stream that broke off what came of it."""
    keep_misses: bool = True
    """Whether requests that have no recording are kept on this machine, for ``wiretape rules suggest``."""
    places: str = ""
    """The directories of the client, as ``wiretape_places`` has them: kept with the requests that name them."""
    own_tests_only: bool = False
    """Whether a request that names a test is answered by the recordings of this test alone."""
    is_offline: bool = False
    """Whether nobody can be asked anything, whatever the mode is."""

    @property
    def named(self) -> str:
        """The end of each line in the log that is about this session; nothing for the one called ``default``."""
        return "" if self.session == DEFAULT_SESSION else f" (session {self.session})"

    @property
    def asks_again(self) -> bool:
        """Whether what moves on, as the state that a poll asks for, is asked for again after its last take."""
        return self.mode is Mode.RECORD_IF_MISSING and not self.is_offline

    @property
    def only_lasting(self) -> bool:
        """Whether what depends on who asked, or when, is no answer, as the provider can be asked."""
        return self.mode is Mode.RECORD_IF_MISSING

    def for_session(self, session: Session, mode: Mode, layers: tuple[str, ...]) -> Self:
        """Return the same for a session in a mode, by what the session says of its own."""
        return replace(
            self,
            session=session.name,
            mode=mode,
            layers=layers,
            takes=session.takes or self.takes,
            form=session.form or self.form,
            pace=session.pace or self.pace,
            own_tests_only=session.own_tests_only,
        )


DEFAULT_CONFIG = TapeConfig()
"""What holds where nobody says anything else."""
