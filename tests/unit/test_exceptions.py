"""The errors of wiretape are one tree, and each is the exception of Python's that its kind is."""

import pytest

from wiretape import exceptions, recording
from wiretape.exceptions import (
    ConfigurationError,
    NotARecordingError,
    NotHttpError,
    RecordingError,
    StoreAwayError,
    StoreUnavailableError,
    WiretapeError,
)


def test_every_error_is_one_of_wiretapes() -> None:
    errors = [each for each in vars(exceptions).values() if isinstance(each, type)]
    assert len(errors) == 7
    assert all(issubclass(each, WiretapeError) and each.__name__.endswith("Error") for each in errors)


@pytest.mark.parametrize("error", [ConfigurationError, RecordingError, NotHttpError, NotARecordingError])
def test_what_was_given_is_wrong(error: type[WiretapeError]) -> None:
    assert issubclass(error, ValueError)


@pytest.mark.parametrize("error", [StoreUnavailableError, StoreAwayError])
def test_a_store_fails_as_a_disk_does_and_nothing_is_taken_for_absent(error: type[WiretapeError]) -> None:
    assert issubclass(error, OSError)
    assert not issubclass(error, FileNotFoundError)
    assert str(error("s3://bucket: no answer")) == "s3://bucket: no answer"


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"request": {"url": "http://[", "body": {}}}'])
def test_bytes_that_are_no_recording_raise_one_error(text: bytes) -> None:
    with pytest.raises(RecordingError):
        recording.loads(text)
