"""Which recordings of a session answer a request: by name, by content, by take. Between the tape and the store.

Reads and never writes. What was read is noted, so that an answer can be kept for as long as none of it changes.
"""

import logging
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from wiretape import recording
from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.matching import request
from wiretape.matching.outline import Near, Outline
from wiretape.policy import FORMS, Takes
from wiretape.providers import job_states
from wiretape.recording import ID_MAPPING, ID_PREFIX, RecordedRequest, Recording, hashing
from wiretape.recording import capture as captures
from wiretape.recording.capture import Capture
from wiretape.store.base import RESPONSES, WIRE, Fetched, Store
from wiretape.tape.config import TapeConfig
from wiretape.tape.index import Index

logger = logging.getLogger(__name__)

_TOLD = 1000
"""Faults of files that are not said again."""


class MovedOn(Exception):  # noqa: N818  an outcome
    """What was recorded of a request has all been played: what comes next is to be asked for."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A recording that answers a request."""

    name: str
    data: bytes
    recording: Recording
    has_turns: bool = False
    """Whether another recording answers the same request before or after it."""


class Snapshot:
    """A session's files as one look-up sees them, each with the state in which it was when it was looked at."""

    def __init__(self, store: Store, session: str) -> None:
        self._store = store
        self.session = session
        self._states: dict[tuple[str, str], Hashable] = {}
        self.is_whole = True
        """Whether everything could be looked at."""
        self.doubt: StoreUnavailableError | None = None
        """Why what a search has not found may be there all the same, in a file that cannot be read."""
        self.listed: Mapping[str, Hashable] | None = None
        """All recordings and their states, where ``look_ahead`` could have them at once."""
        self._fetched: Mapping[tuple[str, str], Fetched] = {}

    def look_ahead(self, names: Sequence[str]) -> None:
        """Ask for these recordings at once, and for what belongs to them, where each would take a while.

        Raises nothing: who reads them is told.
        """
        if self._store.is_quick:
            return
        try:
            self.listed = self._store.glance(self.session, names)
        except StoreUnavailableError:
            self.listed = None  # What was seen before may be served.
        if self.listed is None:
            further = [(f"{names[0]}.2", RESPONSES), (names[0], WIRE)] if names else []
            files = [*((name, RESPONSES) for name in names), *further]
        else:
            there = [name for name in names if name in self.listed]
            files = [(name, folder) for name in there for folder in (RESPONSES, WIRE)]
        self._fetched = self._store.fetch(self.session, files)

    def read(self, name: str, folder: str = RESPONSES) -> bytes | None:
        """As the store's."""
        if not self._look(name, folder):
            return None
        if fetched := self._fetched.get((name, folder)):
            return fetched.data
        try:
            return self._store.read(self.session, name, folder)
        except StoreAwayError as e:
            raise self._blamed(e) from e

    def exists(self, name: str) -> bool:
        """As the store's."""
        return self._look(name, RESPONSES)

    def where(self, name: str, folder: str = RESPONSES) -> str:
        """Where a file is, for people."""
        return self._store.where(self.session, name, folder)

    def states(self) -> Mapping[tuple[str, str], Hashable]:
        """What was looked at so far: (name, folder) -> state, None where there was no file."""
        return dict(self._states)

    def _look(self, name: str, folder: str) -> bool:
        # Before the file is read: if it changes in between, the state is the old one, and it is looked up again.
        if fetched := self._fetched.get((name, folder)):
            if fetched.problem:
                raise self._blamed(fetched.problem)
            state = fetched.state
        elif self.listed is not None and folder == RESPONSES:
            state = self.listed.get(name)
        else:
            state = self._store.state(self.session, name, folder)
        self._states[name, folder] = state
        return state is not None

    def _blamed(self, problem: StoreUnavailableError) -> StoreUnavailableError:
        """A bucket that has just told what it has is not away: it is the file that cannot be read."""
        is_file = isinstance(problem, StoreAwayError) and self.listed is not None
        return StoreUnavailableError(str(problem)) if is_file else problem


def is_unchanged(store: Store, session: str, states: Mapping[tuple[str, str], Hashable]) -> bool:
    """Whether all files are as they were. Raises OSError where that cannot be told."""
    if store.is_quick:
        return all(store.state(session, name, folder) == state for (name, folder), state in states.items())
    fetched = store.fetch(session, [*states])
    for (name, folder), state in states.items():
        now = fetched.get((name, folder))
        if now and now.problem:
            raise now.problem
        if state != (now.state if now else store.state(session, name, folder)):
            return False
    return True


class Lookup:
    """Finds the recordings of one session. Each look-up raises StoreUnavailableError where the store is away."""

    def __init__(
        self,
        index: Index,
        turn: Callable[[str], int],
        config: TapeConfig,
    ) -> None:
        """``turn`` tells how often a request, by its identity, was answered before, and counts.

        The index says which session is looked into; ``config`` is that of the tape.
        """
        self._store = index.store
        self.session = index.session
        self._turn = turn
        self._config = config
        self._index = index
        self._told: set[Hashable] = set()

    def like(self, index: Index) -> "Lookup":
        """Return one for another session, by the same choices, for a look that has nobody asked again."""
        return Lookup(index, self._turn, replace(self._config, is_offline=True))

    def reading(self) -> Snapshot:
        """A new look at the session's files."""
        return Snapshot(self._store, self.session)

    def by_name(self, asked: RecordedRequest, identity: str, reading: Snapshot) -> list[Candidate]:
        """The recording, one of its takes, under a name that it has when it was made here."""
        if asked.is_model_list:
            reading.look_ahead(())
            return []
        names: Iterable[str] = self._names(asked, identity)
        if not self._store.is_quick:
            names = [*names]
            reading.look_ahead(names)
        for name in names:
            first = self.read(name, identity, reading)
            takes = [*take_names(name, reading)] if first else []
            if takes and (found := self._play(asked, identity, takes, reading, first)):
                return found
        return []

    def by_content(self, asked: RecordedRequest, identity: str, reading: Snapshot) -> list[Candidate]:
        """The recording, or all of a model list, whatever their names. May have to read every file first."""
        known = self._index.find(identity, reading.listed)
        reading.doubt = known.doubt
        if asked.is_model_list:
            if known.doubt:
                raise known.doubt  # A part of the list may be in it.
            every = [each for name in known.names if (each := self._answering(name, identity, reading))]
            # What was once answered in place of a list is no part of it.
            lists = [each for each in every if each.recording.response.is_answer]
            return _lists_for(asked.test_id, lists or every[-1:])
        found = [
            (name, each.recording.request.test_id)
            for name in known.names
            if (each := self.read(name, identity, reading))
        ]
        # One that was made for another test answers only who names no test.
        for test_id in (asked.test_id, None):
            names = [name for name, theirs in found if theirs == test_id]
            if names and (played := self._play(asked, identity, names, reading)):
                return played
        if found and asked.test_id is None:
            names = [name for name, theirs in found if theirs == found[0][1]]
            return self._play(asked, identity, names, reading)
        return []

    def ids_that_came(self, id_: str) -> list[str]:
        """The ids that recordings of the form 2026 have replaced by this one, of several takes the likeliest first."""
        reading = self.reading()
        names = self._index.named(id_.removeprefix(ID_PREFIX))
        came = []
        for name in names if self._config.takes is Takes.FIRST else reversed(names):
            try:
                replaced = recording.loads(reading.read(name) or b"").extra.get(ID_MAPPING)
            except ValueError:
                continue  # It was one when it was last looked at.
            was = replaced.get(id_) if isinstance(replaced, dict) else None
            came += [was] if isinstance(was, str) else []
        return came

    def _turn_of_state(
        self, asked: RecordedRequest, identity: str, names: list[str], read: Callable[[str], Candidate | None]
    ) -> int:
        """Whose turn it is of the takes of what moves on: each is a state, which comes after the one before.

        Raises MovedOn.
        """
        if not self._config.asks_again:
            return self._turn(identity)
        # A POST is not a question about a state: sent again, it would do again what it did.
        if asked.method != "POST" and asked.turn >= len(names):
            last = read(names[-1])
            if last is None or not job_states.is_over(last.recording.response.body):
                raise MovedOn
        return asked.turn

    @property
    def is_quick(self) -> bool:
        """Whether ``by_content`` takes no longer than ``by_name``, nearly."""
        return self._store.is_quick and self._index.is_quick

    def nearest(self, wanted: Outline, endpoint: str, most: int) -> list[Near]:
        """Return the recordings of an endpoint whose requests are nearest, the nearest first."""
        return self._index.nearest(wanted, endpoint, most)

    def requests(self, names: Sequence[str]) -> Iterator[tuple[str, RecordedRequest]]:
        """Name and request of these recordings, as they would be recorded now."""
        for name, asked in self._index.requests(names):
            with suppress(ValueError):
                # One that is older than a rule still has what the rule takes out.
                yield name, request.by_rules_of_today(asked)

    def obstacles(self, asked: RecordedRequest, identity: str) -> list[str]:
        """Return why recordings of this very request do not answer it, in words."""
        reading = self.reading()
        known = (name for name in self._names(asked, identity) if self._index.holds(name))
        names = dict.fromkeys((*known, *self._index.names(identity)))
        return [problem for name in names if (problem := self._obstacle(name, asked, identity, reading))]

    def _obstacle(self, name: str, asked: RecordedRequest, identity: str, reading: Snapshot) -> str:
        try:
            data = reading.read(name)
            if data is None:
                return ""
            found = recording.loads(data)
        except ValueError as e:
            return f"{reading.where(name)} is there, and cannot be served: {e}."
        if not request.is_stored(found.request, identity):
            return ""
        if found.response.broke_off and not self._config.keep_errors:
            return (
                f"{reading.where(name)} is of this request, but its stream broke off: wiretape_record_errors serves it."
            )
        if self._config.only_lasting and found.response.is_passing:
            return f"{reading.where(name)} is of this request, but depends on who asked, or when: replay serves it."
        theirs = found.request.test_id
        if theirs not in (None, asked.test_id):
            named = f"for test {asked.test_id}" if asked.test_id else "for no test"
            return f"{reading.where(name)} is of this request, but for test {theirs} alone, and this one is {named}."
        return ""

    def broken(self) -> list[str]:
        """Return which files of the session are no recordings, and why, in words."""
        return [f"{self._store.where(self.session, name)}: {why}" for name, why in self._index.problems().items()]

    def has(self, asked: RecordedRequest, identity: str) -> bool:
        """Return whether there is a recording of a request, as far as that can be told without reading every file."""
        if self._index.names(identity):
            return True
        for name in self._names(asked, identity):
            with suppress(ValueError, OSError):
                data = self._store.read(self.session, name)
                if data is not None and request.is_stored(recording.read_request(data), identity):
                    return True
        return False

    def capture(self, name: str, reading: Snapshot) -> Capture | None:
        """Return a recording's capture, where there is one.

        Raises StoreUnavailableError: without the capture the answer would be another one.
        """
        return self._capture(name, reading) if self._config.keep_captures else None

    def tells_query(self, name: str, reading: Snapshot) -> bool:
        """Return whether a recording is known to be of its own query alone. Raises as ``capture`` does."""
        capture = self._capture(name, reading)
        return capture is not None and capture.origin is not None and capture.origin.query is not None

    def _capture(self, name: str, reading: Snapshot) -> Capture | None:
        try:
            data = reading.read(name, WIRE)
            return captures.loads(data) if data is not None else None
        except StoreAwayError as e:
            if not e.was_absent:
                raise
            reading.is_whole = False
            return None
        except ValueError as e:
            self._tell(logging.WARNING, reading, (name, WIRE), f"passed over: {e}")
            return None

    def read(self, name: str, identity: str, reading: Snapshot) -> Candidate | None:
        """The recording of a name, where it can be served and is one of this identity."""
        try:
            data = reading.read(name)
            if data is None:
                return None
            found = recording.loads(data)
        except ValueError as e:
            self._tell(logging.ERROR, reading, (name, RESPONSES), f"not a recording that can be served: {e}")
            return None
        if found.response.is_partial and not self._config.keep_errors:
            logger.error("%s: not served without wiretape_record_errors: it did not end well", reading.where(name))
            return None
        return Candidate(name, data, found) if request.is_stored(found.request, identity) else None

    def _answering(
        self, name: str, identity: str, reading: Snapshot, known: Candidate | None = None
    ) -> Candidate | None:
        """The same, where it may answer whoever asks next. ``known`` was read."""
        found = known if known and name == known.name else self.read(name, identity, reading)
        return None if found and self._config.only_lasting and found.recording.response.is_passing else found

    def _tell(self, level: int, reading: Snapshot, file: tuple[str, str], problem: str) -> None:
        """Say what is wrong with a file, once for as long as it is as it is."""
        told = (*file, reading.states().get(file), problem)
        if told not in self._told:
            if len(self._told) > _TOLD:
                self._told.clear()
            self._told.add(told)
            logger.log(level, "%s: %s", reading.where(*file), problem)

    def _names(self, asked: RecordedRequest, identity: str) -> Iterator[str]:
        """The names that the recording of a request has when it was made here, the likeliest first.

        One that was made for the test that asks goes before those that serve all.
        """
        for_all = replace(asked, test_id=None)
        candidates = [(for_all, form) for form in sorted(FORMS, key=lambda form: form != self._config.form)]
        for each, form in [(asked, "2026"), *candidates] if asked.test_id else candidates:
            name = recording.request_name(each, form)
            yield name
            yield disambiguated_name(name, identity)

    def _play(
        self,
        asked: RecordedRequest,
        identity: str,
        names: list[str],
        reading: Snapshot,
        known: Candidate | None = None,
    ) -> list[Candidate]:
        """One take of several, whose names are given in order; none where none can be read. ``known`` was read.

        Raises MovedOn.
        """
        read = partial(self._answering, identity=identity, reading=reading, known=known)
        if self._config.takes in (Takes.FIRST, Takes.LAST) and not asked.moves_on:
            row = self._row(names, read)
            if len(row) < 2:
                return row
            return [replace(row[min(self._turn(identity), len(row) - 1)], has_turns=True)]
        if self._config.only_lasting:
            names = [name for name in names if read(name)]
        if not names:
            return []
        turn = self._turn_of_state(asked, identity, names, read) if asked.moves_on else self._turn(identity)
        start = turn % len(names) if self._config.takes is Takes.CYCLE else min(turn, len(names) - 1)
        for name in names[start:] + names[:start]:
            if found := read(name):
                return [found]
        return []

    def _row(self, names: Sequence[str], read: Callable[[str], Candidate | None]) -> list[Candidate]:
        """The first or last take that stays, and before it what failed and was asked again: whoever retries gets all.

        Where nothing but failures was recorded the last of them stays.
        """
        is_last = self._config.takes is Takes.LAST
        row: deque[Candidate] = deque()
        for name in reversed(names) if is_last else names:
            found = read(name)
            if found is None:
                continue
            stays = not found.recording.response.is_momentary
            if is_last and row and stays:
                break
            if is_last:
                row.appendleft(found)
            else:
                row.append(found)
            if stays and not is_last:
                break
        return [*row]


def take_name(name: str, number: int) -> str:
    """The name of a take, of which the first is 1."""
    return name if number == 1 else f"{name}.{number}"


def _lists_for(test_id: str | None, found: list[Candidate]) -> list[Candidate]:
    """Those of several lists of models that are one: of the test that asks, else of none.

    What was recorded for other tests answers, where there is nothing else, who names no test; and everybody where it is
    of one test and named as what is shared by all.
    """
    of_test = [each for each in found if each.recording.request.test_id == test_id]
    of_none = [each for each in found if each.recording.request.test_id is None]
    if of_test or of_none or test_id is None:
        return of_test or of_none or found
    shared = [each for each in found if _is_shared(each)]
    return shared if len({each.recording.request.test_id for each in shared}) == 1 else []


def _is_shared(found: Candidate) -> bool:
    asked = found.recording.request
    if found.recording.form != "2026" or not hashing.NEWEST.is_shared(asked.url):
        return False
    return recording.request_hash(asked, "2026") in found.name


def take_names(name: str, reading: Snapshot) -> Iterator[str]:
    """The name, and the names of further takes that exist."""
    yield name
    for number in count(2):
        take = take_name(name, number)
        try:
            if not reading.exists(take):
                return
        except StoreAwayError:  # What is known is served meanwhile.
            reading.is_whole = False
            return
        yield take


def disambiguated_name(name: str, identity: str) -> str:
    """The name of a recording whose first name another one has.

    Twelve digits can collide, and the hash does not cover the host: the second comer's name says more.
    """
    return f"{name}-{identity[:8]}"
