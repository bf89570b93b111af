"""The heart: a mode, a session and a store -> hit, miss or record. Between the fronts and the store.

Fronts ask with values and get values; they never see a file. Everything here may block on the store: a front whose
thread carries traffic calls from another one.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import count

from wiretape import capture as captures
from wiretape import miss, pacing, recording, redact, request, wire
from wiretape.capture import Capture
from wiretape.counters import Counters
from wiretape.pacing import INSTANT, Pace
from wiretape.recording import FORMS, MODEL_LISTS, RecordedRequest, Recording
from wiretape.store.directory import WIRE, DirectoryStore, remove_leftovers
from wiretape.store.index import Index

logger = logging.getLogger(__name__)


class Mode(StrEnum):
    """What the tape does with a request to an inference endpoint."""

    LIVE = "live"
    RECORD = "record"
    REPLAY = "replay"
    RECORD_IF_MISSING = "record-if-missing"


def parse_mode(text: str) -> Mode:
    """A mode by its name. Raises ValueError, which names the right ones."""
    try:
        return Mode(text)
    except ValueError as e:
        raise ValueError(f"{text!r} is no mode: the modes are {', '.join(Mode)}") from e


class Takes(StrEnum):
    """Which recording answers, where a request was recorded several times."""

    FIRST = "first"
    LAST = "last"
    SEQUENCE = "sequence"
    """One after the other, then the last again."""
    CYCLE = "cycle"
    """One after the other, then from the first again."""


def parse_takes(text: str) -> Takes:
    """A choice of takes by its name. Raises ValueError, which names the right ones."""
    try:
        return Takes(text)
    except ValueError as e:
        raise ValueError(f"{text!r} is no choice of takes: the choices are {', '.join(Takes)}") from e


def parse_form(text: str) -> str:
    """A form of recording by its name. Raises ValueError, which names the right ones."""
    if text not in FORMS:
        raise ValueError(f"{text!r} is no form of recording: the forms are {', '.join(FORMS)}")
    return text


@dataclass(frozen=True, slots=True)
class Hit:
    """A request that has a recording."""

    name: str
    answer: wire.Answer
    leaving: tuple[float, ...]
    """When each chunk is to leave: seconds from the request's end."""


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    data: bytes
    recording: Recording


class Tape:
    """One session's recordings."""

    def __init__(
        self,
        store: DirectoryStore,
        session: str,
        mode: Mode,
        counters: Counters,
        *,
        takes: Takes = Takes.LAST,
        form: str = FORMS[0],
        pace: Pace = INSTANT,
        keep_captures: bool = True,
        keep_errors: bool = False,
    ) -> None:
        self.session = session
        self.mode = mode
        self.counters = counters
        self._store = store
        self._index = Index(store, session)
        self.root = store.root
        self.takes = takes
        self.form = form
        self._pace = pace
        self.keep_captures = keep_captures
        self.keep_errors = keep_errors
        self._played: dict[str, int] = {}

    def tidy(self) -> None:
        """Remove what a writer that was killed has left behind, said in the log."""
        for path in remove_leftovers(self.root):
            logger.info("removed %s: its writer was killed", path)

    def rewind(self) -> None:
        """Start every sequence of takes again."""
        self._played.clear()

    @property
    def location(self) -> str:
        """Where the recordings are, for people."""
        return str(self._store.root / self.session)

    def lookup(self, asked: RecordedRequest) -> Hit | None:
        """The answer to a request, where a recording's request is the same; counted."""
        found = self._find(asked)
        if not found:
            self.counters.misses += 1
            return None
        tokens = wire.tokens(found[0].recording)
        self.counters.hits += 1
        self.counters.tokens += tokens
        answer = wire.answer([each.recording for each in found], base64_wanted=asked.base64_wanted)
        if len(found) == 1 and (capture := self._capture(found[0].name)):
            digest = captures.digest(found[0].data)
            answer = wire.captured(answer, capture, digest, base64_wanted=asked.base64_wanted)
        leaving = pacing.schedule(self._pace, len(answer.chunks), answer.at, tokens)
        return Hit(found[0].name, answer, leaving)

    def explain(self, asked: RecordedRequest) -> wire.Answer:
        """The answer to a request without a recording, in replay."""
        how = (
            "To record it, send it once with wiretape_mode=record-if-missing and the provider's key\n"
            f'(session "{self.session}" below {self._store.root}).'
        )
        return wire.error(
            404, miss.message(asked, self._index.requests(request.endpoint(asked)), how), "recording_not_found"
        )

    def record(self, asked: RecordedRequest, arrived: wire.Arrived) -> None:
        """Write the recording of a live answer, where it ended well; counted, and said in the log. Never raises."""
        try:
            plain = wire.decoded(arrived)
            response = wire.response(asked, plain, keep_errors=self.keep_errors)
            cleaned = replace(response, body=redact.clean(response.body), error=redact.clean(response.error))
            made = recording.make(asked, cleaned, self.form)
            # Bytes that hold a secret are no use: what they would tell is in the cleaned recording.
            capture = plain if cleaned.body is response.body and cleaned.error is response.error else None
            name = self._write(made, capture)
        except wire.Unrecordable as e:
            self.counters.unrecorded += 1
            logger.warning("not recorded: %s: %s", asked.url, e)
        except OSError as e:
            self.counters.unrecorded += 1
            logger.error("RECORDING LOST: %s could not be written: %s", asked.url, e)
        except Exception:  # The client has its answer; what is lost here must be seen, and nothing else may stop.
            self.counters.unrecorded += 1
            logger.exception("RECORDING LOST: %s", asked.url)
        else:
            self.counters.recorded += 1
            logger.info("recorded %s: %s %s", name, asked.endpoint or asked.url, asked.model)

    def _find(self, asked: RecordedRequest) -> list[_Found]:
        identity = request.identity(asked)
        if asked.endpoint in MODEL_LISTS:
            return [each for name in self._index.names(identity) if (each := self._read(name, identity))]
        for name in self._names(asked, identity):
            if self._read(name, identity):
                return self._play(identity, [*self._take_names(name)])
        return self._play(identity, self._named_otherwise(asked, identity))

    def _capture(self, name: str) -> Capture | None:
        if not self.keep_captures:
            return None
        try:
            data = self._store.read(self.session, name, WIRE)
            return captures.loads(data) if data is not None else None
        except (OSError, ValueError) as e:
            logger.warning("%s: passed over: %s", self._store.path(self.session, name, WIRE), e)
            return None

    def _names(self, asked: RecordedRequest, identity: str) -> Iterator[str]:
        """The names that the recording of a request has when it was made here, the likeliest first.

        One that was made for the test that asks goes before those that serve all.
        """
        for_all = replace(asked, test_id=None)
        candidates = [(for_all, form) for form in sorted(FORMS, key=lambda form: form != self.form)]
        for each, form in [(asked, "2026"), *candidates] if asked.test_id else candidates:
            name = recording.request_name(each, form)
            yield name
            yield _second_name(name, identity)

    def _named_otherwise(self, asked: RecordedRequest, identity: str) -> list[str]:
        """Recordings found by their content. One that was made for another test answers only who names no test."""
        found = [
            (name, each.recording.request.test_id)
            for name in self._index.names(identity)
            if (each := self._read(name, identity))
        ]
        for test_id in (asked.test_id, None):
            if names := [name for name, theirs in found if theirs == test_id]:
                return names
        return [name for name, theirs in found if theirs == found[0][1]] if found and asked.test_id is None else []

    def _play(self, identity: str, names: list[str]) -> list[_Found]:
        """One take of several, whose names are given in order; none where none can be read."""
        match self.takes:
            case Takes.FIRST:
                order = names
            case Takes.LAST:
                order = names[::-1]
            case Takes.SEQUENCE | Takes.CYCLE:
                played = self._played.get(identity, 0)
                if names:
                    self._played[identity] = played + 1
                    start = played % len(names) if self.takes is Takes.CYCLE else min(played, len(names) - 1)
                    order = names[start:] + names[:start]
                else:
                    order = []
        for name in order:
            if found := self._read(name, identity):
                return [found]
        return []

    def _take_names(self, name: str) -> Iterator[str]:
        yield name
        for number in count(2):
            take = f"{name}.{number}"
            if not self._store.exists(self.session, take):
                return
            yield take

    def _read(self, name: str, identity: str) -> _Found | None:
        path = self._store.path(self.session, name)
        try:
            data = self._store.read(self.session, name)
            if data is None:
                return None
            found = recording.loads(data)
        except (OSError, ValueError) as e:
            logger.error("%s: not a recording that can be served: %s", path, e)
            return None
        if found.response.broke_off and not self.keep_errors:
            logger.error("%s: not served without wiretape_record_errors: its stream broke off", path)
            return None
        return _Found(name, data, found) if request.identity(found.request) == identity else None

    def _write(self, made: Recording, arrived: wire.Arrived | None) -> str:
        identity = request.identity(made.request)
        data = recording.dumps(made)
        for base in (made.name, _second_name(made.name, identity)):
            existing = self._store.read(self.session, base)
            if existing is None or not _is_another(existing, identity):
                name = self._write_take(base, identity, data)
                if arrived and self.keep_captures:
                    self._write_capture(name, data, arrived)
                return name
        raise AssertionError("the second name is of this identity alone")

    def _write_capture(self, name: str, data: bytes, arrived: wire.Arrived) -> None:
        digest = captures.digest(data)
        if self._store.read(self.session, name) != data:
            return  # Another proxy's recording has the name: so will its capture.
        existing = self._capture(name)
        if existing and existing.recording == digest:
            return  # The same answer again: only its times would differ.
        headers = captures.kept(arrived.headers)
        made = Capture(digest, arrived.status, headers, arrived.pieces, arrived.at)
        try:
            self._store.write(self.session, name, captures.dumps(made), replace=True, folder=WIRE)
        except OSError as e:  # The recording itself is written, and can be served without it.
            logger.error("CAPTURE LOST: %s could not be written: %s", self._store.path(self.session, name, WIRE), e)

    def _write_take(self, name: str, identity: str, data: bytes) -> str:
        takes = [*self._take_names(name)]
        if self.mode is not Mode.RECORD:
            # A file that is no recording is replaced in every mode: it can serve no one.
            broken = self._store.exists(self.session, name) and self._read(name, identity) is None
            if not self._store.write(self.session, name, data, replace=broken):
                logger.debug("%s was recorded by another first", name)
            return name
        if self.takes is Takes.LAST:
            if self._store.read(self.session, takes[-1]) != data:
                self._store.write(self.session, takes[-1], data, replace=True)
            return takes[-1]
        for number in count(len(takes) + 1 if self._store.exists(self.session, name) else 1):
            take = name if number == 1 else f"{name}.{number}"
            if self._store.write(self.session, take, data, replace=False):
                return take
        raise AssertionError("count has no end")


def _second_name(name: str, identity: str) -> str:
    # Twelve digits can collide, and the hash does not cover the host: the second comer's name says more.
    return f"{name}-{identity[:8]}"


def _is_another(data: bytes, identity: str) -> bool:
    """Whether the bytes are a recording of another request, not to be overwritten."""
    try:
        return request.identity(recording.read_request(data)) != identity
    except ValueError:
        return False
