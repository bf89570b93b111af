"""A client for the objects of a bucket, by key, through obstore: S3, Google Cloud Storage, Azure. Under ``objects``.

Only this module knows obstore. Each call is one request, an upload of any size too, so an object is written whole or
not at all. The client passes conditions on without knowing whether the server honours them, and returns the bytes that
came: ``checked_reads`` judges whether they are the ones that were written.
"""

import os
import time
from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from wiretape.exceptions import ConfigurationError, StoreAwayError
from wiretape.store.bucket import faults
from wiretape.store.bucket.circuit_breaker import CircuitBreaker
from wiretape.store.bucket.versions import (
    UNCHANGED,
    Condition,
    CutError,
    StoredObject,
    Unchanged,
    Version,
    digest,
)

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta, PutMode
    from obstore.store import ClientConfig, ObjectStore

PAGE = 1000
"""How many objects one request lists."""

SCHEMES = {"s3": "AWS", "gs": "GOOGLE", "az": "AZURE"}
"""The scheme of a URL, and how the environment variables of that service begin."""

_CLIENT_OPTIONS = ("proxy_url", "proxy_ca_certificate", "proxy_excludes", "root_certificate", "user_agent")
_CLIENT_FLAGS = ("allow_http", "allow_invalid_certificates")

_SMALL = 1 << 20
"""So many bytes are uploaded within the time limit of a look-up, or not at all."""

_NOT_IMPLEMENTED = 501

_DIGEST = "wiretapesha256"
"""The name of our digest in the metadata of an object. Azure allows letters and digits only."""


class ObjectClient:
    """The objects below one prefix of one bucket. Every method raises ``StoreAwayError`` where the bucket cannot be
    asked.

    ``timeout`` is how many seconds a connection may take, and how long the server may be silent. A look-up may take
    five times as long altogether. Messages contain no query, header or body, and therefore no credential.
    """

    def __init__(self, url: str, timeout: float) -> None:
        """Raises ConfigurationError for a wrong URL or environment, and where obstore is not installed."""
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
            # A write is not tried again here: it would not be known whether the first one arrived.
            self._writing = opened(timeout, timeout, 0)
            self._writing_much = opened(max(30.0, timeout), max(30.0, timeout), 0)
        except (exceptions.BaseError, ValueError, OSError) as e:
            raise ConfigurationError(f"{url}: {faults.configuration_fault(e)}") from None

    def get(self, key: str, known: Version | None = None) -> StoredObject | Unchanged | None:
        """Return an object, None where there is none, or UNCHANGED where it is the known version. May
        raise CutError.
        """
        options: GetOptions = {}
        if known and known.e_tag:
            options["if_none_match"] = known.e_tag
        with _Asking(self, key) as asking:
            try:
                result = self._obstore.get(self._reading, key, options=options)
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
        """Write an object. Return its version, or None where the condition does not hold."""
        handle = self._writing
        if len(data) > _SMALL:
            handle = self._writing_much
        mode: PutMode = "overwrite"
        if condition is Condition.ABSENT:
            mode = "create"
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
                asking.check_missing(e)  # The object that it was to replace is missing.
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
        """Return the objects that lie directly in a folder: their keys and versions."""
        return {key: version for page in self.pages(folder) for key, version in page.items()}

    def pages(self, folder: str) -> Iterator[dict[str, Version]]:
        """Yield the same, in as many parts as there are requests."""
        with _Asking(self, folder):
            for page in self._obstore.list(self._reading, folder, chunk_size=PAGE):
                versions = {meta["path"]: _version(meta) for meta in page}
                yield {key: version for key, version in versions.items() if "/" not in key.removeprefix(f"{folder}/")}

    def folders(self) -> list[str]:
        """Return the folders directly below the prefix."""
        with _Asking(self, ""):
            return [*self._obstore.list_with_delimiter(self._reading)["common_prefixes"]]


class _Asking:
    """One request: it asks the circuit breaker, tells it the outcome, and turns errors into ``StoreAwayError``."""

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
        """Raise the error again unless it is the object that is missing."""
        if not faults.is_about_object(error):
            raise error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        breaker = self._remote._breaker
        if not isinstance(error, self._remote._errors):
            breaker.succeeded(self._key)
            return
        if self.is_head_here and time.monotonic() - self._began < self._remote._timeout:
            breaker.succeeded(self._key)
            raise CutError(f"{self._where}: the answer was cut off") from None
        fault = faults.parse(error)
        if fault.cause is faults.Cause.NO_ANSWER:
            self._remote._last_fault = fault.text
            breaker.failed(self._key)
        else:
            breaker.succeeded(self._key)
        status = fault.status
        if isinstance(error, self._remote._is_unknown):
            status = _NOT_IMPLEMENTED
        is_lasting = fault.cause is faults.Cause.LASTING
        raise StoreAwayError(f"{self._where}: {fault.text}", status=status, is_lasting=is_lasting) from None


def _version(meta: "ObjectMeta") -> Version:
    return Version(meta["e_tag"], meta["version"], meta["size"], meta["last_modified"].astimezone(UTC))


def _client_options(url: str) -> "ClientConfig":
    # Options that are passed replace all of the environment: those of the environment have to be passed again.
    prefix = SCHEMES[url.partition("://")[0]]
    options: dict[str, Any] = {}
    for name in _CLIENT_OPTIONS + _CLIENT_FLAGS:
        value = os.environ.get(f"{prefix}_{name.upper()}")
        if not value:
            continue
        options[name] = value
        if name in _CLIENT_FLAGS:
            options[name] = value.lower() in {"1", "true", "yes", "on", "y"}
    config: ClientConfig = options  # type: ignore[assignment]
    return config
