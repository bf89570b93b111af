"""Tapes that record as well, in one line: for tests of what finds and records."""

from dataclasses import fields
from typing import Any

from wiretape.metrics.counters import Counters
from wiretape.policy import Mode
from wiretape.providers.wire import LiveResponse
from wiretape.recording import RecordedRequest
from wiretape.recording.capture import Origin
from wiretape.store.base import Store
from wiretape.tape.config import TapeConfig
from wiretape.tape.recorder import TapeRecorder
from wiretape.tape.take_writer import WrittenTakes
from wiretape.tape.tape import Tape

_CONFIGURED = {each.name for each in fields(TapeConfig)}


class RecordingTape(Tape):
    """A tape and its recorder, which is in another process where a proxy is at work."""

    recorder: TapeRecorder

    def record(self, request: RecordedRequest, arrived: LiveResponse, origin: Origin | None = None) -> bool:
        """Record as the tape's configuration says."""
        return self.recorder.record(request, arrived, origin)


def tape_of(
    store: Store,
    session: str,
    mode: Mode,
    counters: Counters | None = None,
    *,
    written: WrittenTakes | None = None,
    is_repeated: bool = False,
    **options: Any,
) -> RecordingTape:
    """Return the tape of a session. ``options`` are fields of its configuration, and else arguments of the tape's."""
    configured = {name: options.pop(name) for name in _CONFIGURED & options.keys()}
    config = TapeConfig(session, mode, **configured)
    tape = RecordingTape(store, config, counters or Counters(), **options)
    tape.recorder = TapeRecorder(store, config, tape.counters, written=written, is_repeated=is_repeated)
    return tape


def record(tape: Tape, request: RecordedRequest, arrived: LiveResponse) -> None:
    """Record as a tape's configuration says, that was made elsewhere."""
    TapeRecorder(tape.store, tape.config, tape.counters).record(request, arrived)
