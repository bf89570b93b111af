"""Which conditions a server honours, found out by trying. Between ``remote`` and ``bucket``."""

import logging
import secrets
from dataclasses import dataclass
from hashlib import md5

from wiretape.store.base import Unavailable
from wiretape.store.remote import Condition, Remote, Version

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a server can do."""

    creates: bool
    """A write can depend on there being nothing."""
    updates: bool
    """A write can depend on a version."""
    tells_md5: bool
    """An ETag is the MD5 of the bytes."""

    def cannot(self) -> list[str]:
        """The promises that cannot be kept with it, a sentence each."""
        broken = []
        if not self.creates:
            broken.append("of two proxies that record the same request at once, the last wins")
        if not self.updates:
            broken.append("of two proxies that replace the same recording at once, the last wins")
        return broken


def probe(remote: Remote) -> Kind:
    """Write a small object several times and delete it. Raises Unavailable."""
    key = f".wiretape-probe-{secrets.token_hex(8)}"
    texts = [f"{key} {number}".encode() for number in range(4)]
    is_there = False
    try:
        first = _try(remote, key, texts[0], Condition.ABSENT)
        is_there = True
        creates = first is not None and _try(remote, key, texts[1], Condition.ABSENT) is None
        old = remote.put(key, texts[2], Condition.NONE)
        now = remote.put(key, texts[3], Condition.NONE)
        assert old
        assert now
        e_tag = (now.e_tag or "").strip('"')
        tells_md5 = e_tag == md5(texts[3], usedforsecurity=False).hexdigest()
        updates = (
            bool(e_tag or now.version)
            and _try(remote, key, texts[0], old) is None
            and _try(remote, key, texts[1], now) is not None
        )
        return Kind(creates, updates, tells_md5)
    finally:
        try:
            remote.delete(key)
        except Unavailable as e:
            if is_there:  # Else the bucket is away, which whoever asked says.
                logger.warning("%s stays: %s", key, e)


def _try(remote: Remote, key: str, data: bytes, condition: Condition | Version) -> Version | None:
    """As ``put``. A server that answers that it does not know conditions does not honour them."""
    try:
        return remote.put(key, data, condition)
    except Unavailable as e:
        if "501" in str(e) or "400" in str(e) or "NotSupported" in str(e):
            return None
        raise
