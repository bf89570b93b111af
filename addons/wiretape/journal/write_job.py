"""What has to be known to write a recording, as values that go through the journal: from the proxy to the writer.

A job is one live exchange: how its tape writes, what was asked, what came. In the journal it is a row of records (see
``journal``): the first has all but bodies, as JSON.
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
from wiretape.journal.exchange_file import LAST, EntryKind, EntryReader
from wiretape.matching import request
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
from wiretape.tape.tape import Failing, Tape

logger = logging.getLogger(__name__)

_KNOWN = 256
"""Tapes and routes whose values are kept."""

_WRITTEN = ("session", "mode", "takes", "form", "keep_captures", "keep_errors")
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

    def open_tape(
        self,
        store: Store,
        counters: Counters,
        failing: Failing,
        *,
        is_repeated: bool = False,
        states: dict[str, int] | None = None,
    ) -> Tape:
        """Return a tape that writes as this says.

        ``is_repeated``: what it writes may be written already. ``states``: what was written of what moves on.
        """
        redaction.DEFAULT.use(self.policy)
        return Tape(store, self.tape, counters, is_repeated=is_repeated, states=states, failing=failing)


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

    def dumps(self) -> bytes:
        """As JSON."""
        own = self.content_type, self.test_id, self.by, self.user_agent, self.began
        return f"[{_dumped(self.config)},{_dumped(self.route)},{json.dumps(own)}]".encode()

    @classmethod
    def loads(cls, data: bytes) -> "ExchangeRequest":
        """What ``dumps`` has made. Raises ValueError, KeyError or TypeError for anything else."""
        config, route, own = json.loads(data)
        endpoint = Endpoint(**route.pop("endpoint"))
        return cls(WriterConfig.from_json(config), Route(**route, endpoint=endpoint), *own)


@lru_cache(_KNOWN)
def _dumped(shared: WriterConfig | Route) -> str:
    """Return what many exchanges have in common as JSON: of each it is made once."""
    return json.dumps(shared.as_json() if isinstance(shared, WriterConfig) else asdict(shared))


def dumps_head(status: int, headers: tuple[tuple[str, str], ...]) -> bytes:
    """The head of an answer as JSON."""
    return json.dumps([status, headers]).encode()


@dataclass(frozen=True, slots=True)
class WriteJob:
    """A live exchange as it was on the wire."""

    asked: ExchangeRequest
    body: bytes
    arrived: wire.LiveResponse | None
    """None where no answer came."""
    took: float
    """Milliseconds from the request's last byte to the last that came of the answer."""
    has_last: bool
    """Whether the journal has its last record: else its proxy was killed while it was under way."""

    @classmethod
    def read(cls, reader: EntryReader) -> "WriteJob | None":
        """What the journal has of an exchange; None where it is torn before its request. Raises OSError, ValueError."""
        asked: ExchangeRequest | None = None
        head: tuple[int, tuple[tuple[str, str], ...]] | None = None
        body = []
        pieces, at = Pieces(), array("d")
        took = 0.0
        last: EntryKind | None = None
        while record := reader.next():
            match record.kind:
                case EntryKind.BEGIN:
                    try:
                        asked = ExchangeRequest.loads(record.data)
                    except (KeyError, TypeError, ValueError) as e:  # It is sealed: nobody else has made it.
                        raise OtherVersionError(f"it is of another version of wiretape ({e})") from e
                case EntryKind.BODY:
                    body.append(record.data)
                case EntryKind.HEAD:
                    status, headers = json.loads(record.data)
                    head = status, tuple((name, value) for name, value in headers)
                    took = record.at
                case EntryKind.PIECE:
                    pieces.append(record.data)
                    at.append(record.at)
                    took = record.at
            if record.kind in LAST:
                last = record.kind
                break
        if reader.is_damaged:
            raise ValueError("it is damaged, or was made with another key")
        if asked is None:
            return None
        ended = last in (EntryKind.ENDED, EntryKind.CLOSED)
        is_abandoned = last in (EntryKind.ABANDONED, None)
        arrived = head and wire.LiveResponse(*head, pieces, at, ended, last is not EntryKind.CLOSED, is_abandoned)
        return cls(asked, b"".join(body), arrived, took, last is not None)

    @property
    def size(self) -> int:
        """Bytes of bodies."""
        return len(self.body) + sum(map(len, self.arrived.pieces if self.arrived else ()))

    def origin(self, recorded: RecordedRequest) -> capture.Origin:
        """Where the recording of this request comes from."""
        ended = datetime.fromtimestamp(self.asked.began + self.took / 1000, UTC)
        query = None if recorded.passthrough else request.wire_query(recorded)
        by, client = self.asked.by, self.asked.user_agent
        return capture.origin(by, ended, client, self.took, query, clean=redaction.DEFAULT.text)

    def write(self, tape: Tape) -> bool:
        """Record it; counted, and said in the log. False where the store failed. Never raises."""
        asked, url = self.asked, self.asked.route.url
        if self.arrived is None:
            tape.counters.not_recorded(Reason.NO_ANSWER)
            logger.warning("not recorded: %s: no answer came%s", url, tape.named)
            return True
        try:
            recorded = request.recorded(asked.route, self.body, asked.content_type, asked.test_id)
        except ValueError as e:
            is_secret = isinstance(e, redaction.RefusedError)
            tape.counters.not_recorded(Reason.PRIVATE if is_secret else Reason.REQUEST)
            logger.warning("not recorded: %s: %s%s", url, e, tape.named)
            return True
        return tape.record(recorded, self.arrived, self.origin(recorded))
