"""A live answer -> a recording, and its capture, under the right name in the store. After the journal, beside ``tape``.

What is never written: an answer that did not end well (unless ``wiretape_record_errors``), anything into a frozen
session, a secret. What is written is whole: the store sees to that. ``record`` never raises; it returns False where the
store failed for now, so that the caller can keep the answer and try again.

Under which name it is written, and what it replaces, is in ``take_writer``. Its capture, the bytes and times of the
wire, is written after it and beside it: a recording without its capture can be served, a capture alone cannot.

Where a bucket is away, and has a spool, what is there cannot be seen. Then the recording waits in the spool under its
first name, and when it goes up ``conflicts`` decides what becomes of it.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from wiretape import recording as recordings
from wiretape import redaction
from wiretape.codecs.parts import Parts
from wiretape.exceptions import StoreUnavailableError
from wiretape.metrics.counters import Counters, Reason
from wiretape.providers import wire
from wiretape.providers.answers import BrokeOffError, HoldsError, StatusError
from wiretape.providers.asked_model import model_of
from wiretape.providers.usage import Usage
from wiretape.recording import RecordedRequest, Recording
from wiretape.recording import capture as captures
from wiretape.recording.capture import Capture, Origin
from wiretape.store import freezing
from wiretape.store.base import WIRE, Store
from wiretape.tape import making
from wiretape.tape.config import TapeConfig
from wiretape.tape.reader import RecordingReader
from wiretape.tape.take_writer import TakeWriter, WrittenTakes

logger = logging.getLogger(__name__)

_CHANGED = (
    "what looks like a secret was taken out of the answer, so a replay is not what came; "
    "where it is data, say so: on_secret and allow in [redaction] of wiretape_config"
)
"""What is said of a recording whose answer is another than the provider's."""


_NOT_REPLACED = "it depends on who asked, or when: what has expired stays"


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


@dataclass(slots=True)
class RecordedCall:
    """What is known of a live exchange when it was recorded, or was not."""

    recording: str = ""
    """The name of what was written; empty where nothing was."""
    label: str = ""
    """Endpoint and model; empty where the request could not be read."""
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    """The tokens that the answer says that it took, where it could be read."""


class TapeRecorder:
    """Writes the recordings of one session."""

    def __init__(
        self,
        store: Store,
        config: TapeConfig,
        counters: Counters,
        *,
        written: WrittenTakes | None = None,
        is_repeated: bool = False,
    ) -> None:
        """``written`` is shared by all recorders of a process.

        ``is_repeated``: what is recorded may be there already, written by a process that was killed.
        """
        self.store = store
        self.session = config.session
        self.named = config.named
        self.counters = counters
        self.call = RecordedCall()
        """What became of the exchange that was recorded last, or was not."""
        self._config = config
        self._reader = RecordingReader(store, config.session, config)
        self._takes = TakeWriter(store, config, self._reader, written or WrittenTakes(), is_repeated=is_repeated)

    def record(
        self, request: RecordedRequest, arrived: wire.LiveResponse, origin: Origin | None = None, replaces: str = ""
    ) -> bool:
        """Write the recording of a live answer, where it ended well; counted, and said in the log. Never raises.

        ``origin`` is kept with the capture. ``replaces`` names a recording that has expired: this one takes its place,
        unless it says nothing about the request. Return False where the store failed: it may be written later.
        """
        self.call = RecordedCall(label=request.label, model=model_of(request))
        try:
            made = making.make(request, arrived, origin, self._config)
            self.call.usage, _ = wire.usage(request, made.recording.response)
            if replaces and made.recording.response.is_passing:
                raise StatusError(_NOT_REPLACED)  # noqa: TRY301
            name = self._write(made.recording, made.capture, replaces)
        except (wire.UnrecordableError, redaction.RefusedError) as e:
            self.counters.not_recorded(_REASONS.get(type(e), Reason.FORM))
            logger.warning("not recorded: %s: %s%s", request.sent_url, e, self.named)
        except RecursionError:
            self.counters.not_recorded(Reason.FORM)
            logger.warning("not recorded: %s: the answer is nested too deeply%s", request.sent_url, self.named)
        except OSError as e:
            self.counters.not_recorded(Reason.LOST)
            logger.error("RECORDING LOST: %s could not be written: %s%s", request.sent_url, e, self.named)
            return False
        except Exception:  # The client has its answer; what is lost here must be seen, and nothing else may stop.
            self.counters.not_recorded(Reason.LOST)
            logger.exception("RECORDING LOST: %s%s", request.sent_url, self.named)
        else:
            self.counters.recorded += 1
            self.call.recording = name
            logger.info("recorded %s: %s%s", name, request.label, self.named)
            if made.is_changed:
                logger.warning("%s: %s%s", name, _CHANGED, self.named)
        return True

    def _write(self, recording: Recording, capture: Capture | None, replaces: str) -> str:
        data = recordings.dumps_parts(recording)
        if self._is_frozen():
            raise FrozenError(f"session {self.session} is frozen")
        try:
            name = self._takes.write(recording, data, replaces)
            if capture:
                self._write_capture(name, data, capture, is_news=bool(replaces))
            return name
        except StoreUnavailableError:
            if not self.store.has_spool:
                raise
            return self._write_blindly(recording, data, capture)

    def _is_frozen(self) -> bool:
        try:
            return freezing.is_frozen(self.store, self.session)
        except StoreUnavailableError:
            if not self.store.has_spool:
                raise
            return False  # It is looked at again when what waits goes up.

    def _write_blindly(self, recording: Recording, data: Parts, capture: Capture | None) -> str:
        """Write what the store keeps until it can be seen what is there; then ``conflict_resolver`` decides."""
        # Of what moves on, the last state: it is the one that a client waits for.
        replaces = self._takes.replaces or recording.request.moves_on
        self.store.write(self.session, recording.name, data, replace=replaces)
        if capture:
            kept = captures.dumps_parts(replace(capture, recording=data.digest))
            self.store.write(self.session, recording.name, kept, replace=True, folder=WIRE)
        return recording.name

    def _write_capture(self, name: str, data: Parts, capture: Capture, *, is_news: bool) -> None:
        """Write a capture. ``is_news``: that the same was answered now is to be seen from it."""
        if not self._takes.has(name, data):
            return  # Another proxy's recording has the name: so will its capture.
        capture = replace(capture, recording=data.digest)
        if not is_news and self._has_capture(name, capture):
            return  # The same answer again: only its times would differ.
        try:
            self.store.write(self.session, name, captures.dumps_parts(capture), replace=True, folder=WIRE)
        except OSError as e:  # The recording itself is written, and can be served without it.
            logger.error("CAPTURE LOST: %s could not be written: %s", self.store.where(self.session, name, WIRE), e)

    def _has_capture(self, name: str, capture: Capture) -> bool:
        """Return whether the capture of the same recording is there, as far as that can be told."""
        try:
            existing = self._reader.capture(name, self._reader.snapshot())
        except StoreUnavailableError:
            return False
        if existing is None or existing.recording != capture.recording:
            return False
        if capture.origin is None:
            return True
        return existing.origin is not None and existing.origin.query == capture.origin.query
