"""Objects of a bucket by key, through obstore: S3, Google Cloud Storage, Azure. Behind ``bucket``.

The only module that knows obstore. One call is one request (an upload of any size is one), so an object is written
whole or not at all. It knows conditions, but not whether the server honours them; and it gives the bytes that came:
whether they are those that were written is for ``objects`` to judge, by what is told of them here.
"""

import hashlib
import os
import re
import time
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from wiretape.exceptions import ConfigurationError, StoreAwayError
from wiretape.store.bucket.circuit_breaker import CircuitBreaker

if TYPE_CHECKING:
    from obstore import ObjectMeta, PutMode
    from obstore.store import ClientConfig, ObjectStore

PAGE = 1000
"""Objects that one request lists."""

SCHEMES = {"s3": "AWS", "gs": "GOOGLE", "az": "AZURE"}
"""The first part of a URL -> how the environment variables of that service begin."""

_CLIENT_OPTIONS = ("proxy_url", "proxy_ca_certificate", "proxy_excludes", "root_certificate", "user_agent")
_CLIENT_FLAGS = ("allow_http", "allow_invalid_certificates")

_SMALL = 1 << 20
"""Bytes that are uploaded within the time of a look-up, or not at all."""

_BUCKET_MISSING = ("NoSuchBucket", "ContainerNotFound", "specified bucket does not exist")

_OBJECT_MISSING = ("NoSuchKey", "BlobNotFound", "ResourceNotFound")
"""The codes with which a bucket says that an object is not there. Any server says 404."""

_NOT_IMPLEMENTED = 501

_DIGEST = "wiretapesha256"
"""The name of our digest in an object's metadata. Azure takes letters and digits alone."""


class Condition(Enum):
    """On what a write depends, where it does not depend on a version."""

    NONE = "none"
    ABSENT = "absent"


class Unchanged(Enum):
    """The answer to a question whether something has changed."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


@dataclass(frozen=True, slots=True)
class Version:
    """Which bytes of an object are meant."""

    e_tag: str | None
    version: str | None
    size: int
    modified: datetime | None = None
    """By the server's clock; None where it was not told."""

    @property
    def state(self) -> Hashable:
        """Another value for other bytes. Lists write an ETag with and without quotes."""
        return (self.e_tag or "").strip('"') or self.version or self.modified, self.size


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object, as it came."""

    data: bytes
    version: Version
    digest: str | None = None
    """SHA-256 of the bytes that were written, in hex, where we wrote them and the server has kept it."""


class CutError(StoreAwayError):
    """The head of an answer has come, and not all of its bytes: it may be asked for again at once."""


def digest(data: bytes) -> str:
    """Return the SHA-256 of an object's bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


class ObjectClient:
    """One prefix of one bucket. Every method raises ``StoreAwayError`` where the bucket cannot be asked.

    ``timeout``: seconds for a connection, and for the server to say anything; a look-up that goes on for five times as
    long is given up. Messages hold no query, header or body, so no credential.
    """

    def __init__(self, url: str, timeout: float) -> None:
        """Raises ConfigurationError where the URL or the environment does not do, or obstore is not installed."""
        self.url = url
        try:
            import obstore
            from obstore import exceptions
            from obstore.store import from_url
        except ImportError as e:
            raise ConfigurationError(f"{url}: a bucket needs the package obstore: pip install obstore") from e
        self._obstore = obstore
        self._errors = (exceptions.BaseError, OSError)
        self._is_unknown = exceptions.NotSupportedError
        self._is_no = (exceptions.AlreadyExistsError, exceptions.PreconditionError)
        self._not_modified = exceptions.NotModifiedError
        self._timeout = timeout
        self._breaker = CircuitBreaker(timeout)
        self._last_fault = ""

        def opened(limit: float, silence: float, retries: int) -> "ObjectStore":
            options = _client_options(url)
            options["connect_timeout"] = timedelta(seconds=timeout)
            options["read_timeout"] = timedelta(seconds=silence)
            options["timeout"] = timedelta(seconds=limit)
            return from_url(
                url,
                client_options=options,
                retry_config={
                    "max_retries": retries,
                    "retry_timeout": timedelta(seconds=timeout),
                    "backoff": {
                        "init_backoff": timedelta(milliseconds=50),
                        "max_backoff": timedelta(milliseconds=200),
                        "base": 2,
                    },
                },
            )

        try:
            self._reading = opened(5 * timeout, timeout, 1)
            # A write is not tried again here: whether the first one arrived would not be known.
            self._writing = opened(timeout, timeout, 0)
            self._writing_much = opened(max(30.0, timeout), max(30.0, timeout), 0)
        except (exceptions.BaseError, ValueError, OSError) as e:
            raise ConfigurationError(f"{url}: {_configuration_fault(e)}") from None

    def get(self, key: str, known: Version | None = None) -> StoredObject | Unchanged | None:
        """An object; None where there is none; UNCHANGED where it still is the known version. May raise CutError."""
        e_tag = None
        if known:
            e_tag = known.e_tag
        with _Asking(self, key) as asking:
            try:
                result = self._obstore.get(self._reading, key, options={"if_none_match": e_tag} if e_tag else None)
            except self._not_modified:
                return UNCHANGED
            except FileNotFoundError as e:
                asking.check_missing(e)
                return None
            asking.is_head_here = True
            data = bytes(result.bytes())
        version = _version(result.meta)
        if len(data) != version.size:
            raise CutError(f"{self.url}/{key}: {len(data)} of {version.size} bytes came")
        return StoredObject(data, version, result.attributes.get(_DIGEST))

    def put(self, key: str, data: bytes, condition: Condition | Version) -> Version | None:
        """Write an object; None where the condition does not hold."""
        handle = self._writing if len(data) <= _SMALL else self._writing_much
        mode: PutMode = "create" if condition is Condition.ABSENT else "overwrite"
        if isinstance(condition, Version):
            mode = {}
            if condition.e_tag:
                mode["e_tag"] = condition.e_tag
            if condition.version:
                mode["version"] = condition.version
        with _Asking(self, key) as asking:
            try:
                result = self._obstore.put(
                    handle, key, data, mode=mode, use_multipart=False, attributes={_DIGEST: digest(data)}
                )
            except self._is_no:
                return None
            except FileNotFoundError as e:
                asking.check_missing(e)  # What it was to replace.
                return None
        return Version(result["e_tag"], result["version"], len(data))

    def delete(self, key: str) -> None:
        """Delete an object, if there is one."""
        with _Asking(self, key) as asking:
            try:
                self._obstore.delete(self._writing, key)
            except FileNotFoundError as e:
                asking.check_missing(e)

    def objects(self, folder: str) -> dict[str, Version]:
        """Every object directly in a folder: its key and version."""
        return {key: version for page in self.pages(folder) for key, version in page.items()}

    def pages(self, folder: str) -> Iterator[dict[str, Version]]:
        """The same, as many as come with one request at a time."""
        with _Asking(self, folder):
            for page in self._obstore.list(self._reading, folder, chunk_size=PAGE):
                found = {meta["path"]: _version(meta) for meta in page}
                yield {key: version for key, version in found.items() if "/" not in key.removeprefix(f"{folder}/")}

    def folders(self) -> list[str]:
        """The folders directly below the prefix."""
        with _Asking(self, ""):
            return [*self._obstore.list_with_delimiter(self._reading)["common_prefixes"]]


_PASSING = (408, 409, 412, 425, 429)
"""How a server answers what it may answer otherwise in a moment."""


class _Asking:
    """One question: let through by the breaker, its outcome told to it, its error made ``StoreAwayError``."""

    def __init__(self, remote: ObjectClient, key: str) -> None:
        self._remote = remote
        self._key = key
        self._where = f"{remote.url}/{key}"
        self.is_head_here = False

    def __enter__(self) -> "_Asking":
        if not self._remote._breaker.allows(self._key):
            raise StoreAwayError(f"{self._where}: a moment ago, {self._remote._last_fault}")
        self._began = time.monotonic()
        return self

    def check_missing(self, error: FileNotFoundError) -> None:
        """Raise where it is not the object that is missing."""
        if _code(str(error)) not in _OBJECT_MISSING:
            raise error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        breaker = self._remote._breaker
        if not isinstance(error, self._remote._errors):
            breaker.succeeded(self._key)
            return
        if self.is_head_here and time.monotonic() - self._began < self._remote._timeout:
            breaker.succeeded(self._key)
            raise CutError(f"{self._where}: the answer was cut off") from None
        told, answered = _fault(error)
        if answered:
            breaker.succeeded(self._key)
        else:
            self._remote._last_fault = told
            breaker.failed(self._key)
        status = _NOT_IMPLEMENTED if isinstance(error, self._remote._is_unknown) else _status(str(error))
        is_lasting = answered and status not in _PASSING
        raise StoreAwayError(f"{self._where}: {told}", status=status, is_lasting=is_lasting) from None


def _version(meta: "ObjectMeta") -> Version:
    return Version(meta["e_tag"], meta["version"], meta["size"], meta["last_modified"].astimezone(UTC))


def _client_options(url: str) -> "ClientConfig":
    # Options that are given take the place of all in the environment: these have to be given again.
    prefix = SCHEMES[url.partition("://")[0]]
    options: dict[str, Any] = {}
    for name in _CLIENT_OPTIONS + _CLIENT_FLAGS:
        if value := os.environ.get(f"{prefix}_{name.upper()}"):
            options[name] = value.lower() in {"1", "true", "yes", "on", "y"} if name in _CLIENT_FLAGS else value
    made: ClientConfig = options  # type: ignore[assignment]
    return made


def _fault(error: BaseException) -> tuple[str, bool]:
    """What went wrong, and whether the server has answered. Only known words: the rest may hold a credential."""
    text = str(error)
    if status := _status(text):
        told = f"the server answers {status} {_code(text)}".rstrip()
        return told, status < 500
    if "169.254.169.254" in text or "metadata.google.internal" in text:
        return "no credentials are found in the environment", True
    if "builder error" in text:
        return "http:// has to be allowed in the environment, or the endpoint is no URL", True
    if any(sign in text for sign in _BUCKET_MISSING):
        return "there is no such bucket", True
    if "HTTP error" in text:
        return "the bucket does not answer", False
    return f"the bucket cannot be asked ({type(error).__name__})", type(error).__name__ != "GenericError"


def _status(text: str) -> int | None:
    status = re.search(r"status code: (\d{3})\b", text)
    if not status:
        return None
    return int(status[1])


def _code(text: str) -> str:
    """The code of a server's own, or nothing."""
    code = re.search(r"<Code>(\w{1,64})</Code>", text)
    if not code:
        return ""
    return code[1]


def _configuration_fault(error: Exception) -> str:
    known = re.match(r"Generic \w+ error: ((?:Account|Bucket|Container|Region)[\w ]* must be specified)", str(error))
    if known:
        return known[1]
    return f"it cannot be opened with this environment ({type(error).__name__})"
