"""Under which name a recording is written, and what of the others it replaces. Below ``recorder``.

It depends on what is there, and on how the session is recorded:

    the name has another request's recording      the second name, which tells the identity
    record-if-missing                             the first name that is free. What is there stays, unless it depends
                                                  on who asked, or when: then the new one is its next take
    record, of several takes the last answers     in place of the last take
    record, else                                  the next take
    in place of one that has expired              under its name, whatever the mode
    what moves on, as a poll's answer             a take after the one before, where it says something new

A failure that passes, such as a 429, and what its retry got are recorded as two takes. Which failed for now, and how
far a row of states is, has to be known from one recording to the next: ``WrittenTakes``, one for a process that writes.

Example: in the mode record, one request gets 429, then 200. The 429 replaces the recording of before, and is noted as
failing; the 200 is its retry, so it becomes the second take. In the next run an answer replaces both.

A process that was killed may have written what is recorded now (``is_repeated``): then the same bytes are taken for it.
What a new recording makes void is removed after it is written. Where the store refuses that, it is said and stays.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from wiretape.codecs.parts import Parts
from wiretape.exceptions import NotARecordingError
from wiretape.matching import request as matching
from wiretape.policy import Mode, Takes
from wiretape.recording import Recording
from wiretape.store.base import WIRE, Store
from wiretape.tape.config import TapeConfig
from wiretape.tape.conflicts import is_another
from wiretape.tape.names import second_name, take_name
from wiretape.tape.reader import RecordingReader

logger = logging.getLogger(__name__)

_PASSING = 50
"""Takes of one request that each depend on who asked, or when: the last of them is replaced by the next."""

type _Key = tuple[str, str, str]
"""A store's URL, a session, and a recording's name without its take."""


@dataclass(slots=True)
class WrittenTakes:
    """What one process has written, as far as the next recording of the same request depends on it."""

    failing: dict[_Key, bool] = field(default_factory=dict)
    """What failed for now when it was made anew, and whether it still does: what comes then is what a retry got."""
    states: dict[_Key, int] = field(default_factory=dict)
    """How many takes were written of what moves on."""


class TakeWriter:
    """Writes the recordings of one session, without their captures. Every method raises OSError."""

    def __init__(
        self, store: Store, config: TapeConfig, reader: RecordingReader, written: WrittenTakes, *, is_repeated: bool
    ) -> None:
        self._store = store
        self._session = config.session
        self._mode = config.mode
        self.replaces = config.mode is Mode.RECORD and config.takes is Takes.LAST
        """Whether a new recording of a request takes the place of the one before."""
        self._reader = reader
        self._written = written
        self._is_repeated = is_repeated

    def write(self, recording: Recording, data: Parts, replaces: str = "") -> str:
        """Write a recording, whose bytes are given, and return the name under which it is.

        ``replaces`` names a recording of the same request that has expired: it is written in its place.
        """
        identity = matching.identity(recording.request)
        name = self._free_name(recording, identity)
        if replaces and self._is_of(replaces, identity):
            return self._write_in_place(replaces, name, data)
        if recording.request.moves_on:
            return self._write_state(name, data)
        return self._write_take(name, identity, data, is_momentary=recording.response.is_momentary)

    def _is_of(self, name: str, identity: str) -> bool:
        return self._reader.read(name, identity, self._reader.snapshot()) is not None

    def _write_in_place(self, old: str, name: str, data: Parts) -> str:
        """Write in place of a recording: under its name, where that is one that the new recording can have too."""
        base, dot, take = old.rpartition(".")
        is_take = bool(dot) and take.isdecimal() and base == name
        written = old if is_take else name
        self._store.write(self._session, written, data, replace=True)
        if written != old:
            self._remove([old])
        return written

    def _free_name(self, recording: Recording, identity: str) -> str:
        """Return the first of a recording's names that no other request's recording has."""
        test_id = recording.request.test_id if recording.form == "2026" else None
        for name in (recording.name, second_name(recording.name, recording.request, identity, test_id)):
            existing = self._existing(name)
            if existing is None or not is_another(existing, identity, test_id):
                return name
        raise AssertionError("the second name is of this identity alone")

    def _existing(self, name: str) -> bytes | None:
        """Return the bytes under a name; None where there are none, or what is there can be no recording."""
        try:
            return self._store.read(self._session, name)
        except NotARecordingError:
            return None

    def has(self, name: str, data: Parts) -> bool:
        """Return whether these bytes are under a name."""
        try:
            return self._store.digest(self._session, name) == data.digest
        except NotARecordingError:
            return False

    def _write_take(self, name: str, identity: str, data: Parts, *, is_momentary: bool) -> str:
        """Write the recording of a request that has the same answer whenever it is asked."""
        if self._mode is not Mode.RECORD:
            return self._write_missing(name, identity, data)
        snapshot = self._reader.snapshot()
        takes = [*snapshot.take_names(name)]
        key = self._store.url, self._session, name
        is_retry = self.replaces and self._written.failing.get(key, False)
        if self._is_repeated and not is_retry and self.has(takes[-1], data):
            take = takes[-1]
        elif self.replaces and not is_retry:
            # The failures of this run stay before an answer, as they came.
            is_first_of_run = is_momentary or key not in self._written.failing
            take = self._write_over(takes, identity, data, with_failures=is_first_of_run)
        else:
            take = self._write_next(name, len(takes) + 1 if snapshot.exists(name) else 1, data)
        if is_momentary or is_retry:
            self._written.failing[key] = is_momentary
        return take

    def _write_missing(self, name: str, identity: str, data: Parts) -> str:
        """Write what nobody has recorded meanwhile: after what was recorded and says nothing about the request."""
        for number in range(1, _PASSING + 1):
            take = take_name(name, number)
            if self._store.write(self._session, take, data, replace=False):
                return take
            existing = self._reader.read(take, identity, self._reader.snapshot())
            if existing is None:
                break  # A file that is no recording is replaced in every mode: it can serve no one.
            if not existing.recording.response.is_passing or self.has(take, data):
                logger.debug("%s was recorded by another first", take)
                return take
        self._store.write(self._session, take, data, replace=True)
        return take

    def _write_over(self, takes: Sequence[str], identity: str, data: Parts, *, with_failures: bool) -> str:
        """Write in place of the last take; ``with_failures``: of those that failed before it, too."""
        first = len(takes) - 1
        while with_failures and first and self._is_failure(takes[first - 1], identity):
            first -= 1
        take = takes[first]
        if not self.has(take, data):
            self._store.write(self._session, take, data, replace=True)
        self._remove(takes[first + 1 :])
        return take

    def _is_failure(self, take: str, identity: str) -> bool:
        existing = self._reader.read(take, identity, self._reader.snapshot())
        return existing is not None and existing.recording.response.is_momentary

    def _write_next(self, name: str, first: int, data: Parts) -> str:
        """Write a take that nobody has written, from this number on."""
        for number in count(first):
            take = take_name(name, number)
            if self._store.write(self._session, take, data, replace=False):
                return take
        raise AssertionError("count has no end")

    def _write_state(self, name: str, data: Parts) -> str:
        """Write a take of what moves on: behind the one before, where it says something else than that.

        Where takes are replaced, the first that a process writes is the first of all: those of before are no more.
        """
        snapshot = self._reader.snapshot()
        takes = [*snapshot.take_names(name)] if snapshot.exists(name) else []
        key = self._store.url, self._session, name
        written = len(takes)
        if self.replaces:
            written = min(self._written.states.get(key, 0), written)
        before = takes if self._is_repeated else takes[:written][-1:]
        for take in before:
            if self.has(take, data):
                return take
        number = self._write_state_from(name, written + 1, len(takes), data)
        if self.replaces:
            self._written.states[key] = number
            if number == 1:
                self._remove(takes[1:])
        return take_name(name, number)

    def _write_state_from(self, name: str, first: int, existing: int, data: Parts) -> int:
        """Write a take with this number, or the next that can be written. ``existing``: how many takes there are."""
        for number in count(first):
            take = take_name(name, number)
            is_there = number <= existing
            if is_there and self.has(take, data):
                return number
            if self._store.write(self._session, take, data, replace=is_there):
                return number
        raise AssertionError("count has no end")

    def _remove(self, takes: Sequence[str]) -> None:
        """Remove takes that a new recording has made void.

        A proxy need not be able to: the recording is written all the same, and they come after it.
        """
        for take in takes:
            try:
                self._store.remove(self._session, take)
                self._store.remove(self._session, take, WIRE)
            except OSError as e:
                logger.warning("%s: an older take cannot be removed: %s", self._store.where(self._session, take), e)
