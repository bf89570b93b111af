"""The files of a session as recordings and captures. Between the store and those who look up or write.

What is no recording is said in the log once, for as long as the file is as it is: a broken file that every request
meets must not fill the log.
"""

import logging
from collections.abc import Hashable
from dataclasses import dataclass

from wiretape import recording
from wiretape.exceptions import StoreAwayError
from wiretape.matching import request as matching
from wiretape.recording import Recording
from wiretape.recording import capture as captures
from wiretape.recording.capture import Capture, Origin
from wiretape.store.base import RESPONSES, WIRE, Store
from wiretape.tape.config import TapeConfig
from wiretape.tape.snapshot import Snapshot

logger = logging.getLogger(__name__)

_TOLD = 1000
"""Faults of files that are not said again."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A recording that answers a request."""

    name: str
    data: bytes
    recording: Recording
    has_turns: bool = False
    """Whether another recording answers the same request before or after it."""


class RecordingReader:
    """Reads the recordings of one session. Every method raises StoreUnavailableError where the store is away."""

    def __init__(self, store: Store, session: str, config: TapeConfig) -> None:
        self._store = store
        self.session = session
        self._config = config
        self._told: set[Hashable] = set()

    def snapshot(self) -> Snapshot:
        """Return a new look at the session's files."""
        return Snapshot(self._store, self.session)

    def read(self, name: str, identity: str, snapshot: Snapshot) -> Candidate | None:
        """Return the recording of a name, where it can be served and its request has this identity."""
        try:
            data = snapshot.read(name)
            if data is None:
                return None
            candidate = Candidate(name, data, recording.loads(data))
        except ValueError as e:
            self._tell(logging.ERROR, snapshot, (name, RESPONSES), f"not a recording that can be served: {e}")
            return None
        if candidate.recording.response.is_partial and not self._config.keep_errors:
            logger.error("%s: not served without wiretape_record_errors: it did not end well", snapshot.where(name))
            return None
        return candidate if matching.is_stored(candidate.recording.request, identity) else None

    def capture(self, name: str, snapshot: Snapshot) -> Capture | None:
        """Return a recording's capture, where there is one and it is to be played.

        Raises StoreUnavailableError: without it the answer would be another one.
        """
        return self._capture(name, snapshot) if self._config.keep_captures else None

    def tells_query(self, name: str, snapshot: Snapshot) -> bool:
        """Return whether a recording is known to be of its own query alone. Raises as ``capture`` does."""
        capture = self._capture(name, snapshot)
        return capture is not None and capture.origin is not None and capture.origin.query is not None

    def origin(self, name: str, snapshot: Snapshot) -> Origin | None:
        """Return what a recording's capture says of who made it, and when. Raises as ``capture`` does."""
        capture = self._capture(name, snapshot)
        return capture.origin if capture else None

    def _capture(self, name: str, snapshot: Snapshot) -> Capture | None:
        try:
            data = snapshot.read(name, WIRE)
            return captures.loads(data) if data is not None else None
        except StoreAwayError as e:
            if not e.was_absent:
                raise
            snapshot.note_gap()
            return None
        except ValueError as e:
            self._tell(logging.WARNING, snapshot, (name, WIRE), f"passed over: {e}")
            return None

    def _tell(self, level: int, snapshot: Snapshot, file: tuple[str, str], problem: str) -> None:
        """Say what is wrong with a file, once for as long as it is as it is."""
        told = (*file, snapshot.state(*file), problem)
        if told in self._told:
            return
        if len(self._told) > _TOLD:
            self._told.clear()
        self._told.add(told)
        logger.log(level, "%s: %s", snapshot.where(*file), problem)
