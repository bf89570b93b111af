"""What the errors of obstore mean, which tell little but by their text: text in, values out. Below ``client``.

Only known words of such a text go into a message of ours: the rest of it may hold a URL with a credential, a header, or
the body of an answer.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

_BUCKET_MISSING = ("NoSuchBucket", "ContainerNotFound", "specified bucket does not exist")
_OBJECT_MISSING = ("NoSuchKey", "BlobNotFound", "ResourceNotFound")
"""The codes with which a server tells that an object is missing, and not the bucket. Any server answers 404."""
_TRANSIENT = (408, 409, 412, 425, 429)
"""Statuses of answers that may be others in a moment."""


class Cause(Enum):
    """Who or what is at fault."""

    NO_ANSWER = auto()
    """The server did not answer, or failed: it may be asked again in a moment."""
    REFUSED = auto()
    """The server answered with an error that may be another in a moment."""
    LASTING = auto()
    """It is of no use to ask again: no such bucket, wrong credentials, a wrong environment."""


@dataclass(frozen=True, slots=True)
class ClientFault:
    """What went wrong with a request to a bucket."""

    text: str
    """For people, without anything that may be a credential."""
    cause: Cause
    status: int | None = None
    """The HTTP status that the server answered, where it answered."""


def is_about_object(error: FileNotFoundError) -> bool:
    """Tell whether an object is missing, rather than the whole bucket."""
    return _code(str(error)) in _OBJECT_MISSING


def parse(error: BaseException) -> ClientFault:
    """Return what an error of obstore tells."""
    text = str(error)
    status = _status(text)
    if status:
        return ClientFault(f"the server answers {status} {_code(text)}".rstrip(), _cause(status), status)
    if "169.254.169.254" in text or "metadata.google.internal" in text:
        return ClientFault("no credentials are found in the environment", Cause.LASTING)
    if "builder error" in text:
        return ClientFault("http:// has to be allowed in the environment, or the endpoint is no URL", Cause.LASTING)
    if any(sign in text for sign in _BUCKET_MISSING):
        return ClientFault("there is no such bucket", Cause.LASTING)
    if "HTTP error" in text:
        return ClientFault("the bucket does not answer", Cause.NO_ANSWER)
    kind = type(error).__name__
    cause = Cause.LASTING
    if kind == "GenericError":
        cause = Cause.NO_ANSWER
    return ClientFault(f"the bucket cannot be asked ({kind})", cause)


def _cause(status: int) -> Cause:
    if status >= 500:
        return Cause.NO_ANSWER
    if status in _TRANSIENT:
        return Cause.REFUSED
    return Cause.LASTING


def _status(text: str) -> int | None:
    status = re.search(r"status code: (\d{3})\b", text)
    if not status:
        return None
    return int(status[1])


def _code(text: str) -> str:
    """Return the code that the server itself gives an error, or nothing."""
    code = re.search(r"<Code>(\w{1,64})</Code>", text)
    if not code:
        return ""
    return code[1]


def configuration_fault(error: Exception) -> str:
    """Return what is missing in the environment, for people, given why a bucket could not be opened."""
    known = re.match(r"Generic \w+ error: ((?:Account|Bucket|Container|Region)[\w ]* must be specified)", str(error))
    if known:
        return known[1]
    return f"it cannot be opened with this environment ({type(error).__name__})"
