"""A live answer becomes a recording and its capture, and nothing is written."""

import pytest

from builders import arrived, came, chat
from wiretape.providers.wire import UnrecordableError
from wiretape.recording.capture import Origin
from wiretape.tape import making
from wiretape.tape.config import TapeConfig

MADE = Origin("", "2026-01-01T00:00:00Z", "", "1", 1.0)
KEY = "sk-proj-" + "a1B2c3D4e5F6g7H8" * 4


def test_a_recording_has_the_form_that_is_asked_for_and_a_capture_has_the_bytes() -> None:
    made = making.make(chat(), came("Hi"), MADE, TapeConfig(form="2026"))
    assert (made.recording.form, made.is_changed) == ("2026", False)
    assert made.capture
    assert (made.capture.origin, list(made.capture.chunks or ())) == (MADE, list(came("Hi").pieces))
    assert making.make(chat(), came("Hi"), MADE, TapeConfig(keep_captures=False)).capture is None


def test_a_secret_is_in_neither() -> None:
    made = making.make(chat(), came(f"it is {KEY}"), MADE, TapeConfig())
    assert made.is_changed
    assert KEY not in str(made.recording)
    assert made.capture
    assert KEY.encode() not in b"".join(made.capture.chunks or ())


def test_what_is_no_recording_is_told() -> None:
    with pytest.raises(UnrecordableError, match="status 429"):
        making.make(chat(), arrived(b"{}", status=429), MADE, TapeConfig())
    assert making.make(chat(), arrived(b"{}", status=429), MADE, TapeConfig(keep_errors=True)).recording.response.error
