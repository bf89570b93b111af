"""A live answer -> a recording and what is kept beside it, without what may be in neither. Below ``recorder``.

Nothing is written here. What cannot be recorded is told by an exception that says why.
"""

from dataclasses import dataclass, replace

from wiretape import recording as recordings
from wiretape import redaction
from wiretape.providers import wire
from wiretape.recording import RecordedRequest, Recording
from wiretape.recording import capture as captures
from wiretape.recording.capture import Capture, Origin
from wiretape.redaction import bodies, recorded
from wiretape.tape.config import TapeConfig


@dataclass(frozen=True, slots=True)
class MadeRecording:
    """A recording that is to be written."""

    recording: Recording
    capture: Capture | None
    """What is kept beside it, whose digest is still to be put in."""
    is_changed: bool
    """Whether a secret was taken out of the answer: then a replay is not what came."""


def make(
    request: RecordedRequest, arrived: wire.LiveResponse, origin: Origin | None, config: TapeConfig
) -> MadeRecording:
    """Return the recording of a live answer. Raises UnrecordableError, RefusedError, and RecursionError where it is
    nested too deeply.

    ``origin`` is kept with the capture.
    """
    decoded = wire.decoded(arrived)
    plain = _without_secrets(decoded)
    response = wire.response(request, plain, keep_errors=config.keep_errors)
    cleaned = recorded.response(response, redaction.DEFAULT.recorder)
    redaction.DEFAULT.check(response.body, cleaned.body, "response.body")
    redaction.DEFAULT.check(response.error, cleaned.error, "response.error")
    has_secret = cleaned is not response
    capture = _capture(request, plain, origin, has_secret=has_secret) if config.keep_captures else None
    recording = recordings.make(request, cleaned, config.form)
    return MadeRecording(recording, capture, is_changed=has_secret or plain is not decoded)


def _capture(
    request: RecordedRequest, arrived: wire.LiveResponse, origin: Origin | None, *, has_secret: bool
) -> Capture | None:
    if has_secret and not origin:
        return None
    headers = captures.kept(arrived.headers, recorded.header)
    if has_secret:
        # One that is only seen in the recording's form is still in the bytes.
        return Capture("", arrived.status, headers, None, (), origin, request.base64_wanted)
    return Capture("", arrived.status, headers, arrived.pieces, arrived.at, origin, request.base64_wanted)


def _without_secrets(arrived: wire.LiveResponse) -> wire.LiveResponse:
    pieces = bodies.cleaned(arrived.pieces, redaction.DEFAULT.recorder)
    redaction.DEFAULT.check(arrived.pieces, pieces, "response")
    return arrived if pieces is arrived.pieces else replace(arrived, pieces=pieces).without_empty()
