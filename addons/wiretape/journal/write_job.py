"""What has to be known to write a recording, as values that go through the journal: from the proxy to the writer.

A job is one live exchange: how it is recorded, what was asked, what came. In the journal it is a row of records (see
``exchange_file``): the first has all but bodies, as JSON.
"""

import json
import logging
from array import array
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from wiretape import redaction
from wiretape.codecs.pieces import Pieces
from wiretape.journal.exchange_file import EntryKind, EntryReader, Record
from wiretape.matching import reduction
from wiretape.matching import request as matching
from wiretape.matching.rules import parse_places
from wiretape.metrics.counters import Counters, Reason
from wiretape.policy import Mode, Takes
from wiretape.providers import wire
from wiretape.providers.routing import Endpoint, Route
from wiretape.recording import RecordedRequest, capture
from wiretape.redaction import RedactionPolicy
from wiretape.redaction.rules import DEFAULT_POLICY
from wiretape.store.base import Store
from wiretape.store.opening import StoreUrl
from wiretape.tape.config import TapeConfig
from wiretape.tape.recorder import TapeRecorder
from wiretape.tape.take_writer import WrittenTakes

logger = logging.getLogger(__name__)

_KNOWN = 256
"""Tapes and routes whose values are kept."""

_WRITTEN = ("session", "mode", "takes", "form", "keep_captures", "keep_errors", "places")
"""The fields of a tape's configuration that the journal has: what a look-up goes by, a writer does not ask for."""


class OtherVersionError(ValueError):
    """What the journal has of an exchange is sound, and another version of wiretape has made it."""


@dataclass(frozen=True, slots=True)
class WriterConfig:
    """Where and how the writer records an exchange: the place of the store, and the tape's configuration."""

    place: StoreUrl
    """As ``StoreUrl.absolute`` gives it: the writer is a process of its own."""
    tape: TapeConfig
    policy: RedactionPolicy = DEFAULT_POLICY
    """What becomes of secrets."""

    def as_json(self) -> dict[str, Any]:
        """Return what the journal has of it: of the tape's configuration that alone which a writer asks for."""
        told = {name: getattr(self.tape, name) for name in _WRITTEN}
        return {"place": asdict(self.place), **told, "policy": asdict(self.policy)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "WriterConfig":
        """Return what ``as_json`` has made JSON of. Raises KeyError, TypeError or ValueError for anything else."""
        if told.keys() != {"place", "policy", *_WRITTEN}:
            raise ValueError(f"it says {', '.join(sorted(told))}")
        written = {name: told[name] for name in _WRITTEN}
        tape = TapeConfig(**{**written, "mode": Mode(told["mode"]), "takes": Takes(told["takes"])})
        return cls(StoreUrl(**told["place"]), tape, RedactionPolicy.from_json(told["policy"]))

    def open_recorder(
        self, store: Store, counters: Counters, written: WrittenTakes, *, is_repeated: bool
    ) -> TapeRecorder:
        """Return what records as this says.

        ``written`` is what this process has written. ``is_repeated``: what is recorded may be written already.
        """
        redaction.DEFAULT.use(self.policy)
        return TapeRecorder(store, self.tape, counters, written=written, is_repeated=is_repeated)


@dataclass(frozen=True, slots=True)
class ExchangeRequest:
    """A request that was sent on, without its body, and how its answer is recorded: the first record of an exchange."""

    config: WriterConfig
    route: Route
    content_type: str
    test_id: str | None
    by: str
    """Whose token it came with; empty where the proxy is open."""
    user_agent: str
    began: float
    """When its last byte came: seconds since 1970."""
    replaces: str = ""
    """The recording that it takes the place of, as that has expired; empty for none."""

    def dumps(self) -> bytes:
        """Return it as JSON."""
        own = self.content_type, self.test_id, self.by, self.user_agent, self.began, self.replaces
        return f"[{_dumped(self.config)},{_dumped(self.route)},{json.dumps(own)}]".encode()

    @classmethod
    def loads(cls, data: bytes) -> "ExchangeRequest":
        """Return what ``dumps`` has made JSON of. Raises ValueError, KeyError or TypeError for anything else."""
        config, route, own = json.loads(data)
        endpoint = Endpoint(**route.pop("endpoint"))
        return cls(WriterConfig.from_json(config), Route(**route, endpoint=endpoint), *own)


@lru_cache(_KNOWN)
def _dumped(shared: WriterConfig | Route) -> str:
    """Return what many exchanges have in common as JSON: of each it is made once."""
    told = shared.as_json() if isinstance(shared, WriterConfig) else asdict(shared)
    return json.dumps(told)


def dumps_head(status: int, headers: tuple[tuple[str, str], ...]) -> bytes:
    """Return the head of an answer as JSON."""
    return json.dumps([status, headers]).encode()


@dataclass(frozen=True, slots=True)
class WriteJob:
    """A live exchange as it was on the wire."""

    request: ExchangeRequest
    body: bytes
    arrived: wire.LiveResponse | None
    """None where no answer came."""
    took: float
    """Milliseconds from the request's last byte to the last that came of the answer."""
    has_last: bool
    """Whether the journal has its last record: else its proxy was killed while it was under way."""

    @classmethod
    def read(cls, reader: EntryReader) -> "WriteJob | None":
        """Return what the journal has of an exchange; None where it is torn before its request.

        Raises OSError, and ValueError where it is damaged or of another version.
        """
        request: ExchangeRequest | None = None
        body: list[bytes] = []
        answer = _Answer()
        last: EntryKind | None = None
        while last is None and (record := reader.next()):
            match record.kind:
                case EntryKind.BEGIN:
                    request = _begun(record.data)
                case EntryKind.BODY:
                    body.append(record.data)
                case EntryKind.HEAD:
                    answer.begin(record)
                case EntryKind.PIECE:
                    answer.add(record)
                case EntryKind.ENDED | EntryKind.CLOSED | EntryKind.BROKE_OFF | EntryKind.ABANDONED:
                    last = record.kind
        if reader.is_damaged:
            raise ValueError("it is damaged, or was made with another key")
        if request is None:
            return None
        return cls(request, b"".join(body), answer.arrived(last), answer.took, last is not None)

    @property
    def size(self) -> int:
        """Bytes of bodies."""
        pieces = self.arrived.pieces if self.arrived else ()
        return len(self.body) + sum(map(len, pieces))

    def origin(self, recorded: RecordedRequest) -> capture.Origin:
        """Return where the recording of this request comes from."""
        ended = datetime.fromtimestamp(self.request.began + self.took / 1000, UTC)
        query = None if recorded.passthrough else matching.wire_query(recorded)
        clean = redaction.DEFAULT.text
        return capture.origin(self.request.by, ended, self.request.user_agent, self.took, query, clean=clean)

    def write(self, recorder: TapeRecorder) -> bool:
        """Record it; counted, and said in the log. Return False where the store failed. Never raises."""
        request = self.request
        url = request.route.url
        if self.arrived is None:
            recorder.counters.not_recorded(Reason.NO_ANSWER)
            logger.warning("not recorded: %s: no answer came%s", url, recorder.named)
            return True
        try:
            recorded = matching.recorded(request.route, self.body, request.content_type, request.test_id)
        except ValueError as e:
            is_secret = isinstance(e, redaction.RefusedError)
            recorder.counters.not_recorded(Reason.PRIVATE if is_secret else Reason.REQUEST)
            logger.warning("not recorded: %s: %s%s", url, e, recorder.named)
            return True
        recorded = reduction.with_places(recorded, parse_places(request.config.tape.places))
        return recorder.record(recorded, self.arrived, self.origin(recorded), request.replaces)


class _Answer:
    """An answer, of which one record after the other is read."""

    def __init__(self) -> None:
        self.took = 0.0
        self._head: tuple[int, tuple[tuple[str, str], ...]] | None = None
        self._pieces = Pieces()
        self._at = array("d")

    def begin(self, record: Record) -> None:
        """Take its head."""
        status, headers = json.loads(record.data)
        self._head = status, tuple((name, value) for name, value in headers)
        self.took = record.at

    def add(self, record: Record) -> None:
        """Take a piece of its body."""
        self._pieces.append(record.data)
        self._at.append(record.at)
        self.took = record.at

    def arrived(self, last: EntryKind | None) -> wire.LiveResponse | None:
        """Return what came, given the last record; None where not even a head did."""
        if self._head is None:
            return None
        return wire.LiveResponse(
            *self._head,
            self._pieces,
            self._at,
            ended=last in (EntryKind.ENDED, EntryKind.CLOSED),
            is_framed=last is not EntryKind.CLOSED,
            is_abandoned=last in (EntryKind.ABANDONED, None),
        )


def _begun(data: bytes) -> ExchangeRequest:
    try:
        return ExchangeRequest.loads(data)
    except (KeyError, TypeError, ValueError) as e:  # It is sealed: nobody else has made it.
        raise OtherVersionError(f"it is of another version of wiretape ({e})") from e
