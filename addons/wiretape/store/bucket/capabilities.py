"""Finds out by trying which conditions a server honours, and whether it is a bucket at all."""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import md5

from wiretape.exceptions import StoreAwayError, StoreUnavailableError
from wiretape.store.bucket.client import ObjectClient
from wiretape.store.bucket.versions import Condition, StoredObject, Version

logger = logging.getLogger(__name__)

_REFUSALS = (400, 501)
"""How a server answers that does not know conditions: 501 NotImplemented, 400 InvalidArgument."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a server can do."""

    creates: bool
    """Whether a write can depend on there being nothing."""
    updates: bool
    """Whether a write can depend on a version."""
    tells_md5: bool
    """Whether an ETag is the MD5 of the bytes."""

    def cannot(self) -> list[str]:
        """Return the promises that cannot be kept with this server, a sentence each."""
        broken = []
        if not self.creates:
            broken.append("of two proxies that record the same request at once, the last wins")
        if not self.updates:
            broken.append("of two proxies that replace the same recording at once, the last wins")
        return broken


def check_absence(remote: ObjectClient) -> None:
    """Ask for an object that nobody has ever written. Raises StoreAwayError where one comes.

    A captive portal, or a proxy that is set up wrongly, answers anything with a page of its own.
    """
    key = f".wiretape-none-{secrets.token_hex(8)}"
    if remote.get(key) is not None:
        raise StoreAwayError(
            f"{remote.url}: there comes an answer for an object that cannot be there: this is no bucket"
        )


def probe(remote: ObjectClient) -> Capabilities:
    """Write a small object several times, read it and delete it. Raises StoreUnavailableError."""
    check_absence(remote)
    key = f".wiretape-probe-{secrets.token_hex(8)}"
    texts = [f"{key} {number}".encode() for number in range(4)]
    is_there = False
    try:
        first = _try(remote, key, texts[0], Condition.ABSENT)
        is_there = True
        creates = first is not None and _try(remote, key, texts[1], Condition.ABSENT) is None
        old = _write(remote, key, texts[2])
        now = _write(remote, key, texts[3])
        e_tag = (now.e_tag or "").strip('"')
        tells_md5 = e_tag == md5(texts[3], usedforsecurity=False).hexdigest()
        updates = (
            bool(e_tag or now.version)
            and _try(remote, key, texts[0], old) is None
            and _try(remote, key, texts[1], now) is not None
        )
        return Capabilities(creates, updates, tells_md5)
    finally:
        _delete(remote, key, is_there=is_there)


def clock(remote: ObjectClient) -> datetime | None:
    """Write a small object, delete it, and return when that was by the server's clock, or None where it does not tell.

    Raises StoreUnavailableError.
    """
    key = f".wiretape-probe-{secrets.token_hex(8)}"
    _write(remote, key, key.encode())
    try:
        stored = remote.get(key)
    finally:
        _delete(remote, key, is_there=True)
    if isinstance(stored, StoredObject):
        return stored.version.modified
    return None


def _delete(remote: ObjectClient, key: str, *, is_there: bool) -> None:
    """Delete what was written to try. Whoever may record need not be allowed to."""
    try:
        remote.delete(key)
    except StoreUnavailableError as e:
        if is_there:  # Otherwise the bucket is away, and the caller says so.
            logger.warning("%s stays: %s", key, e)


def _write(remote: ObjectClient, key: str, data: bytes) -> Version:
    """Write an object and read it back. Raises StoreAwayError where other bytes come, or none."""
    version = remote.put(key, data, Condition.NONE)
    stored = remote.get(key)
    if version is None or not isinstance(stored, StoredObject) or stored.data != data:
        raise StoreAwayError(f"{remote.url}/{key}: what was written is not what is read: this is no bucket")
    return version


def _try(remote: ObjectClient, key: str, data: bytes, condition: Condition | Version) -> Version | None:
    """Write as ``put`` does. A server that answers that it does not know conditions does not honour them."""
    try:
        return remote.put(key, data, condition)
    except StoreAwayError as e:
        if e.status in _REFUSALS:
            return None
        raise
