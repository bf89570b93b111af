"""The heart: a mode, a session and a store -> hit, miss or record. Between the fronts and the store.

Fronts ask with values and get values; they never see a file. Everything here may block on the store: a front whose
thread carries traffic calls from another one.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from wiretape import miss, recording, request, wire
from wiretape.counters import Counters
from wiretape.recording import RecordedRequest, Recording
from wiretape.store.directory import DirectoryStore
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


@dataclass(frozen=True, slots=True)
class Hit:
    """A request that has a recording."""

    name: str
    answer: wire.Answer


class Tape:
    """One session's recordings."""

    def __init__(self, store: DirectoryStore, session: str, mode: Mode, counters: Counters) -> None:
        self.session = session
        self.mode = mode
        self.counters = counters
        self._store = store
        self._index = Index(store, session)

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
        name, recordings = found
        self.counters.hits += 1
        self.counters.tokens += wire.tokens(recordings[0])
        return Hit(name, wire.answer(recordings, request.wire_body(asked)))

    def explain(self, asked: RecordedRequest) -> wire.Answer:
        """The answer to a request without a recording, in replay."""
        how = (
            f'To record it, send it once with wiretape_mode=record-if-missing (session "{self.session}" below '
            f"{self._store.root}), the provider's key in place."
        )
        return wire.error(
            404, miss.message(asked, self._index.requests(request.endpoint(asked)), how), "recording_not_found"
        )

    def record(
        self, asked: RecordedRequest, status: int, content_coding: str, pieces: Sequence[bytes], *, ended: bool
    ) -> None:
        """Write the recording of a live answer, where it ended well; counted, and said in the log. Never raises.

        The arguments are those of ``wire.response``.
        """
        try:
            response = wire.response(asked, status, content_coding, pieces, ended=ended)
            name = self._write(Recording(asked, response))
        except wire.Unrecordable as e:
            self.counters.unrecorded += 1
            logger.warning("not recorded: %s of %s: %s", asked.endpoint, asked.url, e)
        except OSError as e:
            self.counters.unrecorded += 1
            logger.error("RECORDING LOST: %s of %s could not be written: %s", asked.endpoint, asked.url, e)
        except Exception:  # The client has its answer; what is lost here must be seen, and nothing else may stop.
            self.counters.unrecorded += 1
            logger.exception("RECORDING LOST: %s of %s", asked.endpoint, asked.url)
        else:
            self.counters.recorded += 1
            logger.info("recorded %s: %s %s", name, asked.endpoint, asked.model)

    def _find(self, asked: RecordedRequest) -> tuple[str, list[Recording]] | None:
        identity = request.identity(asked)
        if request.endpoint(asked) != "/v1/models":
            for name in _names(asked, identity):
                if found := self._read(name, identity):
                    return name, [found]
        found_by_content = {name: self._read(name, identity) for name in self._index.names(identity)}
        several = {name: each for name, each in found_by_content.items() if each}
        if not several:
            return None
        return next(iter(several)), list(several.values())

    def _read(self, name: str, identity: str) -> Recording | None:
        path = self._store.path(self.session, name)
        try:
            data = self._store.read(self.session, name)
            if data is None:
                return None
            found = recording.loads(data)
        except (OSError, ValueError) as e:
            logger.error("%s: not a recording that can be served: %s", path, e)
            return None
        return found if request.identity(found.request) == identity else None

    def _write(self, made: Recording) -> str:
        identity = request.identity(made.request)
        data = recording.dumps(made)
        for name in _write_names(made, identity):
            existing = self._store.read(self.session, name)
            if existing == data:
                return name
            if existing is not None and _is_another(existing, identity):
                continue
            # A file that is no recording is replaced in every mode: it can serve no one.
            replace = self.mode is Mode.RECORD or (self._read(name, identity) is None and existing is not None)
            if not self._store.write(self.session, name, data, replace=replace):
                logger.debug("%s was recorded by another first", name)
            return name
        raise AssertionError("the last name is of this identity alone")


def _names(asked: RecordedRequest, identity: str) -> Iterator[str]:
    name = recording.request_hash(asked)[:12]
    yield name
    yield f"{name}-{identity[:8]}"


def _write_names(made: Recording, identity: str) -> Iterator[str]:
    # Twelve digits can collide, and the hash does not cover the host: the second comer's name says more.
    yield made.name
    yield f"{made.name}-{identity[:8]}"


def _is_another(data: bytes, identity: str) -> bool:
    """Whether the bytes are a recording of another request, not to be overwritten."""
    try:
        return request.identity(recording.read_request(data)) != identity
    except ValueError:
        return False
