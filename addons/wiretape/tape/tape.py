"""The heart: a mode, a session and a store -> hit, miss or record. Between the fronts and the store.

Fronts ask with values and get values; they never see a file. Everything here may block on the store: a front whose
thread carries traffic calls from another one.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, count
from typing import Any

from wiretape import recording, redaction
from wiretape.codecs.parts import Parts
from wiretape.exceptions import NotARecordingError, StoreUnavailableError
from wiretape.matching import aliases, request
from wiretape.matching.outline import Near, outline
from wiretape.metrics.counters import Counters, Reason
from wiretape.policy import DEFAULT_SESSION, Mode, Takes
from wiretape.providers import wire
from wiretape.providers.answers import BrokeOffError, HoldsError, StatusError
from wiretape.recording import RecordedRequest, Recording
from wiretape.recording import capture as captures
from wiretape.recording.capture import Capture, Origin
from wiretape.redaction import bodies, recorded
from wiretape.replay import pacing
from wiretape.replay.take_counters import LocalTurns, Turns
from wiretape.store import freezing
from wiretape.store.base import WIRE, Store
from wiretape.store.lru import LruCache
from wiretape.tape import mismatch
from wiretape.tape.config import TapeConfig
from wiretape.tape.index import Indexes
from wiretape.tape.lookup import (
    Candidate,
    Lookup,
    MovedOn,
    Snapshot,
    disambiguated_name,
    is_unchanged,
    take_name,
    take_names,
)

logger = logging.getLogger(__name__)

_TRUSTED = 0.005
"""Seconds for which a hit in memory is served without a look at its files."""


_CANDIDATES = 24
"""Recordings that are read to tell which is the nearest."""

_OTHERS = 100
"""Sessions that are looked into for what this one has not."""

_BROKEN = 3
"""Files, or sessions, that are named where there may be many."""

_LOOKS = 200
"""Files whose states are looked at within a millisecond."""


_PASSING = 50
"""Takes of one request that each depend on who asked, or when: the last of them is replaced by the next."""

_CHANGED = (
    "what looks like a secret was taken out of the answer, so a replay is not what came; "
    "where it is data, say so: on_secret and allow in [redaction] of wiretape_config"
)
"""What is said of a recording whose answer is another than the provider's."""


class FrozenError(wire.UnrecordableError):
    """The session is frozen."""


_REASONS: Mapping[type[Exception], Reason] = {
    redaction.RefusedError: Reason.PRIVATE,
    FrozenError: Reason.FROZEN,
    StatusError: Reason.ERROR,
    HoldsError: Reason.ERROR,
    BrokeOffError: Reason.BROKE_OFF,
}
"""What is counted of an answer that becomes no recording; ``FORM`` for every other one."""


@dataclass(slots=True, eq=False)
class Hit:
    """A request that has a recording."""

    name: str
    answer: wire.HttpResponse
    leaving: tuple[float, ...]
    """When each chunk is to leave: seconds from the request's end."""
    tokens: int
    """Completion tokens of the answer."""
    size: int
    """Bytes of the answer's body."""
    label: str = ""
    """Endpoint and model, for the log."""
    framed: dict[str, Any] = field(default_factory=dict)
    """What a front keeps with the hit: the whole answer as it goes out, by the protocol; of no meaning here."""


@dataclass(slots=True)
class CachedHit:
    """A hit in memory, and what it was made of."""

    hit: Hit
    states: tuple[tuple[str, Mapping[tuple[str, str], Hashable]], ...]
    """Of each session that was looked into: the files and their states."""
    checked: float
    """When the files were last seen to be as they were, by ``time.monotonic``."""


type Failing = dict[tuple[str, str, str], bool]
"""The recordings, by store, session and name, that failed for now when they were made anew in this run, and whether
they still do: what comes then is what a retry got, and does not replace the failure."""


class Tape:
    """One session's recordings."""

    def __init__(
        self,
        store: Store,
        config: TapeConfig,
        counters: Counters,
        *,
        memory: LruCache[CachedHit] | None = None,
        indexes: Indexes | None = None,
        turns: Turns | None = None,
        is_repeated: bool = False,
        states: dict[str, int] | None = None,
        failing: Failing | None = None,
    ) -> None:
        """``is_repeated``: what is recorded may be there already, written by a process that was killed.

        ``states``: how many takes this process has written of what moves on, by name: shared by all tapes that write
        one session.

        ``memory``, ``indexes``, ``turns`` and ``failing`` may be shared with other tapes on the same store.
        """
        self.config = config
        # On the way of each request.
        self.session = config.session
        self.mode = config.mode
        self.named = "" if config.session == DEFAULT_SESSION else f" (session {config.session})"
        """The end of each line in the log that is about this session; nothing for the one called ``default``."""
        self.counters = counters
        self.store = store
        self._indexes = indexes or Indexes(store)
        self._turn = partial((turns or LocalTurns()).next, config.session)
        self._sessions = config.session, *config.layers
        self._finders = [Lookup(self._indexes.of(each), self._turn, config) for each in self._sessions]
        self._finder = self._finders[0]
        self._memory: LruCache[CachedHit] = LruCache(0) if memory is None else memory
        self._is_repeated = is_repeated
        self._states = {} if states is None else states
        self._failing: Failing = {} if failing is None else failing

    @property
    def location(self) -> str:
        """Where the recordings are, for people."""
        return self.store.where(self.session)

    def is_empty(self) -> bool:
        """Whether there is no recording, in the session or below it. Raises OSError."""
        return not any(self.store.scan(session) for session in self._sessions)

    def recall(self, key: Hashable) -> Hit | None:
        """The hit of a request that was looked up lately, where that can be told at once."""
        kept = self._memory.get(self._remembered(key))
        if kept is None:
            return None
        if time.monotonic() - kept.checked < _TRUSTED:
            return kept.hit
        looks = sum(len(files) for _, files in kept.states)
        return kept.hit if self.store.is_quick and looks <= _LOOKS and self._is_current(kept) else None

    def _remembered(self, key: Hashable) -> Hashable:
        # The memory is shared with tapes of other modes, where an answer may do that is none here.
        return self.session, self.config.only_lasting, key

    def _is_current(self, kept: CachedHit) -> bool:
        try:
            unchanged = all(is_unchanged(self.store, session, states) for session, states in kept.states)
        except OSError:
            return False  # Told in a moment, by the reading.
        if unchanged:
            kept.checked = time.monotonic()
        return unchanged

    def lookup(self, asked: RecordedRequest, key: Hashable = None) -> Hit | None:
        """The answer to a request, where a recording's request is the same, under a name of its own; if quick, any.

        Where each file takes a while, any too: it is looked for at once.

        ``key`` is equal for requests that are the same byte for byte: under it the hit can be recalled.
        """
        if key is not None and (kept := self._memory.get(self._remembered(key))):
            if self._is_current(kept):
                return kept.hit
            self._memory.drop(self._remembered(key))
        if asked.moves_on and self.config.asks_again:
            # Counted whether it has a recording or not: the next one is the one after it.
            object.__setattr__(asked, "turn", self._turn(request.identity(asked)))  # It is no part of the value.
        return self._look_twice(asked, key, thorough=not self.store.is_quick)

    @property
    def needs_search(self) -> bool:
        """Whether what ``lookup`` does not find may be found by ``search``."""
        return self.store.is_quick and not all(finder.is_quick for finder in self._finders)

    def search(self, asked: RecordedRequest, key: Hashable = None) -> Hit | None:
        """As ``lookup``, for a recording of another name. In a large session this takes a while, at first."""
        return self._look_twice(asked, key, thorough=True)

    def _look_twice(self, asked: RecordedRequest, key: Hashable, *, thorough: bool) -> Hit | None:
        """As ``_look``, and once more with the ids that came for those which an answer of the form 2026 has."""
        hit = self._look(asked, key, thorough=thorough)
        if hit or (self.needs_search and not thorough):
            return hit
        for reading in aliases.readings(asked, self._ids_that_came):
            object.__setattr__(reading, "turn", asked.turn)
            if hit := self._look(reading, None, thorough=thorough):
                return hit
        return None

    def _ids_that_came(self, id_: str) -> list[str]:
        return [*chain.from_iterable(finder.ids_that_came(id_) for finder in self._finders)]

    def _look(self, asked: RecordedRequest, key: Hashable, *, thorough: bool) -> Hit | None:
        checked = time.monotonic()
        readings: list[Snapshot] = []
        try:
            answering = self._find(asked, readings, thorough=thorough)
        except MovedOn:
            return None
        if answering is None and (thorough or not self.needs_search):  # Else the request itself may be found yet.
            for less in request.with_less_query(asked):
                if answering := self._find(less, readings, thorough=thorough, is_untold=True):
                    break
        if answering is None:
            return None
        finder, reading, found = answering
        # A question about what was made before makes no tokens.
        is_of_state = asked.moves_on and asked.method != "POST"
        tokens = 0 if is_of_state else wire.tokens(found[0].recording)
        answer = self._answer(asked, finder, found, reading)
        leaving = pacing.schedule(self.config.pace, len(answer.chunks), answer.at, tokens)
        hit = Hit(found[0].name, answer, leaving, tokens, sum(map(len, answer.chunks)), asked.label)
        # The other takes have their turns, and of a model list any new file is a part.
        stays = self.config.takes in (Takes.FIRST, Takes.LAST) and not asked.is_model_list
        stays = stays and not asked.moves_on and not found[0].has_turns
        if key is not None and stays and all(each.is_whole for each in readings):
            states = tuple((each.session, each.states()) for each in readings)
            self._memory.put(self._remembered(key), CachedHit(hit, states, checked), _size(answer))
        return hit

    def _find(
        self, asked: RecordedRequest, readings: list[Snapshot], *, thorough: bool, is_untold: bool = False
    ) -> tuple[Lookup, Snapshot, list[Candidate]] | None:
        """Find what answers a request; ``readings`` gets what was looked at.

        ``is_untold``: the request is with less of its query, so that what is known to be of that query is no answer.
        """
        identity = request.identity(asked)
        doubt: StoreUnavailableError | None = None
        for finder in self._finders:
            reading = finder.reading()
            readings.append(reading)
            found = finder.by_name(asked, identity, reading)
            if not found:
                if not (thorough or finder.is_quick):
                    return None  # It may be here under another name, and what is below comes after that.
                found = finder.by_content(asked, identity, reading)
            if is_untold:
                found = [each for each in found if not finder.tells_query(each.name, reading)]
            if found:
                return finder, reading, found
            doubt = doubt or reading.doubt
        if doubt:
            raise doubt
        return None

    @staticmethod
    def _answer(asked: RecordedRequest, finder: Lookup, found: list[Candidate], reading: Snapshot) -> wire.HttpResponse:
        first = found[0]
        if len(found) == 1 and (capture := finder.capture(first.name, reading)):
            digest = captures.digest(first.data)
            if answer := wire.captured(first.recording, capture, digest, base64_wanted=asked.base64_wanted):
                return answer
            made = wire.answer([first.recording], base64_wanted=asked.base64_wanted)
            # Still in the old time, where it still has as many chunks.
            return replace(made, at=(*capture.at,)) if len(capture.at) == len(made.chunks) else made
        return wire.answer([each.recording for each in found], base64_wanted=asked.base64_wanted)

    def explain(
        self, asked: RecordedRequest, *, is_offline: bool = False, is_open: bool = True
    ) -> mismatch.Explanation:
        """Why a request has no recording, in replay, or in other modes while offline.

        ``is_open``: whether who asks may know what other sessions have.
        """
        how = (
            "To record it, send it once with wiretape_mode=record-if-missing and the provider's key\n"
            f'(session "{self.session}" below {self.store.url}).'
        )
        if is_offline:
            how = f"The proxy is offline (wiretape_offline): nothing is sent to anybody.\n{how}"
        identity = request.identity(asked)
        obstacles = [problem for finder in self._finders for problem in finder.obstacles(asked, identity)]
        if is_open and self.store.is_quick:
            obstacles += self._elsewhere(asked, identity)
        candidates = [] if obstacles else self._near(asked)
        if not obstacles and not candidates:
            obstacles = self._finder.broken()[:_BROKEN]
        return mismatch.explain(asked, candidates, how, obstacles)

    def _near(self, asked: RecordedRequest) -> list[mismatch.NearRecording]:
        """The recordings whose requests are nearest, as far as that is told by their outlines, the nearest first."""
        drawn = outline(asked)
        found: list[tuple[Near, int]] = []
        for place, finder in enumerate(self._finders):
            near = finder.nearest(drawn, request.endpoint(asked), _CANDIDATES)
            found += ((each, place) for each in near)
        best = sorted(found, key=lambda each: -each[0].likeness)[:_CANDIDATES]
        candidates = []
        for place, finder in enumerate(self._finders):
            before = "" if finder is self._finder else f"{finder.session}/"
            of_this = finder.requests([near.name for near, where in best if where == place])
            candidates += [mismatch.NearRecording(before + name, each) for name, each in of_this]
        return candidates

    def _elsewhere(self, asked: RecordedRequest, identity: str) -> list[str]:
        """Which sessions have the recording that this one, and what it stands on, has not."""
        own = {finder.session for finder in self._finders}
        others = [each for each in self.store.sessions() if each not in own][:_OTHERS]
        found = [each for each in others if self._finder.like(self._indexes.of(each)).has(asked, identity)]
        ask = f"ask for it, or: wiretape session promote {{}} --into {self.session}"
        return [f"Session {each} has a recording of this request: {ask.format(each)}." for each in found[:_BROKEN]]

    def record(self, asked: RecordedRequest, arrived: wire.LiveResponse, origin: Origin | None = None) -> bool:
        """Write the recording of a live answer, where it ended well; counted, and said in the log. Never raises.

        ``origin`` is kept with the capture. False where the store failed: it may be written later.
        """
        try:
            decoded = wire.decoded(arrived)
            plain = _without_secrets(decoded)
            response = wire.response(asked, plain, keep_errors=self.config.keep_errors)
            cleaned = recorded.response(response, redaction.DEFAULT.recorder)
            redaction.DEFAULT.check(response.body, cleaned.body, "response.body")
            redaction.DEFAULT.check(response.error, cleaned.error, "response.error")
            made = recording.make(asked, cleaned, self.config.form)
            capture = self._capture(asked, plain, origin, has_secret=cleaned is not response)
            name = self._write(made, capture)
        except (wire.UnrecordableError, redaction.RefusedError) as e:
            self.counters.not_recorded(_REASONS.get(type(e), Reason.FORM))
            logger.warning("not recorded: %s: %s%s", asked.sent_url, e, self.named)
        except RecursionError:
            self.counters.not_recorded(Reason.FORM)
            logger.warning("not recorded: %s: the answer is nested too deeply%s", asked.sent_url, self.named)
        except OSError as e:
            self.counters.not_recorded(Reason.LOST)
            logger.error("RECORDING LOST: %s could not be written: %s%s", asked.sent_url, e, self.named)
            return False
        except Exception:  # The client has its answer; what is lost here must be seen, and nothing else may stop.
            self.counters.not_recorded(Reason.LOST)
            logger.exception("RECORDING LOST: %s%s", asked.sent_url, self.named)
        else:
            self.counters.recorded += 1
            logger.info("recorded %s: %s%s", name, asked.label, self.named)
            if plain is not decoded or cleaned is not response:
                logger.warning("%s: %s%s", name, _CHANGED, self.named)
        return True

    def _capture(
        self, asked: RecordedRequest, arrived: wire.LiveResponse, origin: Origin | None, *, has_secret: bool
    ) -> Capture | None:
        """What is kept beside a recording, whose digest is still to be put in."""
        if not self.config.keep_captures or (has_secret and not origin):
            return None
        # A secret that is only seen in the recording's form is still in the bytes.
        pieces, at = (None, ()) if has_secret else (arrived.pieces, arrived.at)
        headers = captures.kept(arrived.headers, recorded.header)
        return Capture("", arrived.status, headers, pieces, at, origin, asked.base64_wanted)

    def _write(self, made: Recording, capture: Capture | None) -> str:
        data = recording.dumps_parts(made)
        try:
            is_frozen = freezing.is_frozen(self.store, self.session)
        except StoreUnavailableError:
            if not self.store.has_spool:
                raise
            is_frozen = False  # It is looked at again when what waits goes up.
        if is_frozen:
            raise FrozenError(f"session {self.session} is frozen")
        try:
            return self._write_looking(made, data, capture)
        except StoreUnavailableError:
            if not self.store.has_spool:
                raise
            # What is there cannot be seen: the store keeps ours until it can, and then looks by ``settler``.
            # Of what moves on, the last state: it is the one that a client waits for.
            replaces = self._replaces() or made.request.moves_on
            self.store.write(self.session, made.name, data, replace=replaces)
            if capture:
                kept = captures.dumps_parts(replace(capture, recording=data.digest))
                self.store.write(self.session, made.name, kept, replace=True, folder=WIRE)
            return made.name

    def _replaces(self) -> bool:
        return self.mode is Mode.RECORD and self.config.takes is Takes.LAST

    def _write_looking(self, made: Recording, data: Parts, capture: Capture | None) -> str:
        identity = request.identity(made.request)
        test_id = made.request.test_id if made.form == "2026" else None
        for base in (made.name, _second_name(made.name, made.request, identity, test_id)):
            existing = self._existing(base)
            if existing is None or not _is_another(existing, identity, test_id):
                if made.request.moves_on:
                    name = self._write_state(base, data)
                else:
                    name = self._write_take(base, identity, data, is_momentary=made.response.is_momentary)
                if capture:
                    self._write_capture(name, data, capture)
                return name
        raise AssertionError("the second name is of this identity alone")

    def _existing(self, name: str) -> bytes | None:
        """The bytes under a name; None where there are none, or what is there can be no recording."""
        try:
            return self.store.read(self.session, name)
        except NotARecordingError:
            return None

    def _existing_digest(self, name: str) -> str | None:
        """The same as a digest."""
        try:
            return self.store.digest(self.session, name)
        except NotARecordingError:
            return None

    def _write_capture(self, name: str, data: Parts, capture: Capture) -> None:
        if self._existing_digest(name) != data.digest:
            return  # Another proxy's recording has the name: so will its capture.
        capture = replace(capture, recording=data.digest)
        if self._has_capture(name, capture):
            return  # The same answer again: only its times would differ.
        try:
            self.store.write(self.session, name, captures.dumps_parts(capture), replace=True, folder=WIRE)
        except OSError as e:  # The recording itself is written, and can be served without it.
            logger.error("CAPTURE LOST: %s could not be written: %s", self.store.where(self.session, name, WIRE), e)

    def _has_capture(self, name: str, capture: Capture) -> bool:
        """Whether the capture of the same recording is there, as far as that can be told."""
        try:
            existing = self._finder.capture(name, self._finder.reading())
        except StoreUnavailableError:
            return False
        if existing is None or existing.recording != capture.recording:
            return False
        return not capture.origin or (existing.origin is not None and existing.origin.query == capture.origin.query)

    def _write_missing(self, name: str, identity: str, data: Parts) -> str:
        """Write what nobody has recorded meanwhile: after what was recorded and says nothing about the request."""
        for number in range(1, _PASSING + 1):
            take = take_name(name, number)
            if self.store.write(self.session, take, data, replace=False):
                return take
            existing = self._finder.read(take, identity, self._finder.reading())
            if existing is None:
                break  # A file that is no recording is replaced in every mode: it can serve no one.
            if not existing.recording.response.is_passing or self._existing_digest(take) == data.digest:
                logger.debug("%s was recorded by another first", take)
                return take
        self.store.write(self.session, take, data, replace=True)
        return take

    def _write_over(
        self, takes: Sequence[str], identity: str, data: Parts, *, is_momentary: bool, is_of_this_run: bool
    ) -> str:
        """Write in place of the last take, and of the failures before it if these are of an earlier run."""
        first = len(takes) - 1
        if is_momentary or not is_of_this_run:
            while first and self._is_failure(takes[first - 1], identity):
                first -= 1
        take = takes[first]
        existing = self._existing_digest(take)
        if existing is None or existing != data.digest:
            self.store.write(self.session, take, data, replace=True)
        for later in takes[first + 1 :]:
            self.store.remove(self.session, later)
            self.store.remove(self.session, later, WIRE)
        return take

    def _is_failure(self, take: str, identity: str) -> bool:
        found = self._finder.read(take, identity, self._finder.reading())
        return found is not None and found.recording.response.is_momentary

    def _write_take(self, name: str, identity: str, data: Parts, *, is_momentary: bool) -> str:
        if self.mode is not Mode.RECORD:
            return self._write_missing(name, identity, data)
        reading = self._finder.reading()
        takes = [*take_names(name, reading)]
        key = self.store.url, self.session, name
        is_retry = self._replaces() and self._failing.get(key, False)
        if self._is_repeated and not is_retry and self._existing_digest(takes[-1]) == data.digest:
            take = takes[-1]
        elif self._replaces() and not is_retry:
            is_of_this_run = key in self._failing
            take = self._write_over(takes, identity, data, is_momentary=is_momentary, is_of_this_run=is_of_this_run)
        else:
            take = self._write_next(name, len(takes) + 1 if reading.exists(name) else 1, data)
        if is_momentary or is_retry:
            self._failing[key] = is_momentary
        return take

    def _write_next(self, name: str, first: int, data: Parts) -> str:
        for number in count(first):
            take = take_name(name, number)
            if self.store.write(self.session, take, data, replace=False):
                return take
        raise AssertionError("count has no end")

    def _write_state(self, name: str, data: Parts) -> str:
        """Write a take of what moves on: behind the one before, where it says something else than that.

        Where takes are replaced, the first that a process writes is the first of all: those of before are no more.
        """
        reading = self._finder.reading()
        takes = [*take_names(name, reading)] if reading.exists(name) else []
        written = min(self._states.get(name, 0), len(takes)) if self._replaces() else len(takes)
        before = takes if self._is_repeated else takes[written - 1 : written]
        for take in before:
            if self._existing_digest(take) == data.digest:
                return take
        for number in count(written + 1):
            take = take_name(name, number)
            is_there = number <= len(takes)
            is_same = is_there and self._existing_digest(take) == data.digest
            if is_same or self.store.write(self.session, take, data, replace=is_there):
                if self._replaces():
                    self._states[name] = number
                    self._remove(takes[1:] if number == 1 else ())
                return take
        raise AssertionError("count has no end")

    def _remove(self, takes: Sequence[str]) -> None:
        """Remove takes that a new recording has made void."""
        for take in takes:
            try:
                self.store.remove(self.session, take)
                self.store.remove(self.session, take, WIRE)
            except OSError as e:  # A proxy need not be able to: then they come after the new ones.
                logger.warning("%s: an older take cannot be removed: %s", self.store.where(self.session, take), e)


def _without_secrets(arrived: wire.LiveResponse) -> wire.LiveResponse:
    pieces = bodies.cleaned(arrived.pieces, redaction.DEFAULT.recorder)
    redaction.DEFAULT.check(arrived.pieces, pieces, "response")
    return arrived if pieces is arrived.pieces else replace(arrived, pieces=pieces).without_empty()


def conflict_resolver(choice: Callable[[str], tuple[Mode, Takes]]) -> Callable[[str, str, bytes, bytes], str | None]:
    """Who decides about a recording that waited for its store and finds another in its place.

    Given session, name, ours and theirs, it gives the name to write ours under, or None to drop it. ``choice`` tells
    how a session is recorded.
    """

    def settle(session: str, name: str, ours: bytes, theirs: bytes) -> str | None:
        asked = recording.read_request(ours)
        identity = request.stored_identity(asked)
        if _is_another(theirs, identity, asked.test_id):
            second = _second_name(name, asked, identity, asked.test_id)
            return second if second != name else None
        mode, takes = choice(session)
        is_kept = takes is not Takes.LAST if mode is Mode.RECORD else ours != theirs and _is_passing(theirs)
        if not is_kept:
            return None
        base, _, number = name.partition(".")
        return f"{base}.{int(number or 1) + 1}"

    return settle


def _is_another(data: bytes, identity: str, test_id: str | None) -> bool:
    """Whether the bytes are a recording of another request, or another test's list of models: not to be overwritten."""
    try:
        found = recording.read_request(data)
    except ValueError:
        return False
    is_of_another_test = found.is_model_list and found.test_id != test_id
    return is_of_another_test or not request.is_stored(found, identity)


def _second_name(name: str, asked: RecordedRequest, identity: str, test_id: str | None) -> str:
    """The second name of a recording, of which one is given. The first of a list of models does not tell the test."""
    if not asked.is_model_list:
        return disambiguated_name(name.partition("-")[0], identity)
    first = "-".join(name.split("-")[:3])
    return disambiguated_name(
        first, hashlib.sha256(f"{identity} {test_id}".encode()).hexdigest() if test_id else identity
    )


def _is_passing(data: bytes) -> bool:
    """Whether the bytes are a recording that says nothing about what its request gets now."""
    try:
        return recording.loads(data).response.is_passing
    except ValueError:
        return False


def _size(answer: wire.HttpResponse) -> int:
    """Bytes of memory that an answer takes, kept in chunks and framed, nearly."""
    return 2 * sum(map(len, answer.chunks)) + 120 * len(answer.chunks) + 4096
