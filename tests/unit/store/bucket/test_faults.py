"""What the errors of obstore mean, and that nothing of their text is said but known words."""

import pytest

from wiretape.store.bucket import faults
from wiretape.store.bucket.faults import Cause


class GenericError(Exception):
    """As obstore names what it does not know itself."""


class UnauthenticatedError(Exception):
    """As obstore names what a server says of credentials."""


def answered(status: str, code: str) -> str:
    """Return the text of an error with an answer, where credentials may be anywhere."""
    return (
        "Generic S3 error: Error performing GET http://user:SECRET@h/b?X-Amz-Signature=SECRET in 1s - Server returned "
        f"non-2xx status code: {status} SECRET: <Error><Code>{code}</Code><Key>SECRET</Key></Error>"
    )


ANSWERS = [
    (answered("503", "SlowDown"), 503, "the server answers 503 SlowDown", Cause.NO_ANSWER),
    (answered("500", "InternalError"), 500, "the server answers 500 InternalError", Cause.NO_ANSWER),
    (answered("403", "AccessDenied"), 403, "the server answers 403 AccessDenied", Cause.LASTING),
    (answered("401", ""), 401, "the server answers 401", Cause.LASTING),
    (answered("404", "NoSuchBucket"), 404, "the server answers 404 NoSuchBucket", Cause.LASTING),
    (answered("301", "a SECRET of words"), 301, "the server answers 301", Cause.LASTING),
    (answered("400", "x" * 65), 400, "the server answers 400", Cause.LASTING),
    (answered("408", "RequestTimeout"), 408, "the server answers 408 RequestTimeout", Cause.REFUSED),
    (answered("409", "Conflict"), 409, "the server answers 409 Conflict", Cause.REFUSED),
    (answered("412", "PreconditionFailed"), 412, "the server answers 412 PreconditionFailed", Cause.REFUSED),
    (answered("429", "TooManyRequests"), 429, "the server answers 429 TooManyRequests", Cause.REFUSED),
]


@pytest.mark.parametrize(("text", "status", "told", "cause"), ANSWERS)
def test_an_answer_is_told_by_its_status_and_code(text: str, status: int, told: str, cause: Cause) -> None:
    assert faults.parse(GenericError(text)) == faults.ClientFault(told, cause, status)


NO_ANSWERS = [
    (
        GenericError("Error performing PUT http://169.254.169.254/latest/api/token?SECRET in 1s - HTTP error: SECRET"),
        "no credentials are found in the environment",
        Cause.LASTING,
    ),
    (
        GenericError("Error performing GET http://metadata.google.internal/SECRET - HTTP error: SECRET"),
        "no credentials are found in the environment",
        Cause.LASTING,
    ),
    (
        GenericError("Error performing GET http://SECRET@h/b - HTTP error: builder error"),
        "http:// has to be allowed in the environment, or the endpoint is no URL",
        Cause.LASTING,
    ),
    (FileNotFoundError("NoSuchBucket: SECRET"), "there is no such bucket", Cause.LASTING),
    (FileNotFoundError("ContainerNotFound SECRET"), "there is no such bucket", Cause.LASTING),
    (FileNotFoundError("The specified bucket does not exist. SECRET"), "there is no such bucket", Cause.LASTING),
    (
        GenericError("Error performing GET http://user:SECRET@h/b in 2s - HTTP error: error sending request"),
        "the bucket does not answer",
        Cause.NO_ANSWER,
    ),
    (GenericError("SECRET"), "the bucket cannot be asked (GenericError)", Cause.NO_ANSWER),
    (UnauthenticatedError("SECRET"), "the bucket cannot be asked (UnauthenticatedError)", Cause.LASTING),
    (OSError("SECRET"), "the bucket cannot be asked (OSError)", Cause.LASTING),
]


@pytest.mark.parametrize(("error", "told", "cause"), NO_ANSWERS)
def test_without_an_answer_it_is_said_in_known_words(error: Exception, told: str, cause: Cause) -> None:
    assert faults.parse(error) == faults.ClientFault(told, cause, None)


@pytest.mark.parametrize(
    ("code", "is_about_object"),
    [
        ("NoSuchKey", True),
        ("BlobNotFound", True),
        ("ResourceNotFound", True),
        ("NoSuchBucket", False),
        ("ContainerNotFound", False),
        ("", False),  # A captive portal answers 404 as well.
    ],
)
def test_a_missing_object_is_no_missing_bucket(code: str, is_about_object: bool) -> None:
    assert faults.is_about_object(FileNotFoundError(answered("404", code))) is is_about_object


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Generic S3 error: Region must be specified", "Region must be specified"),
        ("Generic MicrosoftAzure error: Account must be specified", "Account must be specified"),
        ("Generic MicrosoftAzure error: Container name must be specified", "Container name must be specified"),
        ("Generic S3 error: Bucket SECRET/+ must be specified", "it cannot be opened with this environment (OSError)"),
        ("Generic GCS error: Unable to decode SECRET", "it cannot be opened with this environment (OSError)"),
    ],
)
def test_what_is_missing_in_the_environment_is_named(text: str, told: str) -> None:
    assert faults.configuration_fault(OSError(text)) == told
