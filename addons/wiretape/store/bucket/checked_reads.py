"""Reads of a bucket that give the bytes which were written, or none. Between ``objects`` and ``client``.

What comes from a network may have been cut off or changed on its way, a server without conditions may show a part of
what is just being written, and a captive portal answers anything with a page of its own. So bytes are judged before
they are given, by the first of these that the server has:

1. our own digest, in the metadata of the object: the bytes have to match it;
2. an ETag that is an MD5 (32 hex digits), of a server whose ETags are MD5s: the bytes have to match it;
3. an ETag that looks like an MD5, of a server that cannot be tried out: a second read has to give the same bytes;
4. nothing: the bytes are believed if the server knows what it does not have (``check_absence``).

What does not match is asked for again, a few times, and never given. An empty list is checked as in case 4.

What a server can do (``Capabilities``) is found out once, by trying.
"""

import logging
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import md5

from wiretape.exceptions import StoreUnavailableError
from wiretape.store.bucket import capabilities
from wiretape.store.bucket.capabilities import Capabilities
from wiretape.store.bucket.client import ObjectClient
from wiretape.store.bucket.shared_reads import SharedReads
from wiretape.store.bucket.versions import CutError, StoredObject, Unchanged, Version, digest

logger = logging.getLogger(__name__)

_MD5 = re.compile("[0-9a-f]{32}")

_READS = 4
"""How often an object is asked for whose bytes are not those that were written."""

_DAMAGED = "the bytes that come are not those that were written"

_NEXT_PROBE = 60.0
"""How many seconds pass until a read tries again to find out what the server can do."""

_NEXT_ABSENCE = 1.5
"""For how many seconds it is believed that no other server answers in place of the bucket."""


class CheckedReads:
    """Reads objects and checks them. For any number of threads. Every method may raise StoreUnavailableError."""

    def __init__(
        self,
        client: ObjectClient,
        kind: Capabilities | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``kind`` is what the server can do, where that is known already."""
        self._client = client
        self._kind = kind
        self._clock = clock
        self._probing = threading.Lock()
        self._absence: SharedReads[None] = SharedReads()
        self._next_probe = float("-inf")
        self._absence_checked = float("-inf")

    def kind(self) -> Capabilities:
        """Return what the server can do. It is found out once, and what cannot be promised then is logged."""
        with self._probing:
            if self._kind is None:
                self._kind = capabilities.probe(self._client)
                for sentence in self._kind.cannot():
                    logger.warning("%s: the server ignores the conditions of a write: %s", self._client.url, sentence)
            return self._kind

    def get(self, key: str, known: StoredObject | None) -> StoredObject | Unchanged | None:
        """Return an object as it was written, None where there is none, or UNCHANGED where it is the known one."""
        version: Version | None = None
        if known:
            version = known.version
        before: StoredObject | None = None
        problem = ""
        for _ in range(_READS):
            try:
                answer = self._client.get(key, version)
            except CutError as e:
                problem = str(e)
                continue
            if not isinstance(answer, StoredObject) or self._is_sound(answer, before):
                return answer
            problem = f"{self._client.url}/{key}: {_DAMAGED}"
            before = answer
        raise StoreUnavailableError(f"{problem}, {_READS} times")

    def check_absence(self) -> None:
        """Raise StoreAwayError where something else answers in place of the bucket."""
        if self._clock() >= self._absence_checked + _NEXT_ABSENCE:
            self._absence.join(None, self._ask_for_nothing)

    def arrived(self, data: bytes, version: Version) -> bool:
        """Tell whether these bytes are the ones that a write of them has stored, as far as the ETag tells."""
        e_tag = (version.e_tag or "").strip('"')
        if not self.kind().tells_md5 or not _MD5.fullmatch(e_tag):
            return True
        return e_tag == _md5(data)

    def _is_sound(self, answer: StoredObject, before: StoredObject | None) -> bool:
        """Tell whether these bytes are the ones that were written. ``before`` is the answer of the read before."""
        if answer.digest is not None:
            return answer.digest == digest(answer.data)
        e_tag = (answer.version.e_tag or "").strip('"')
        if _MD5.fullmatch(e_tag):
            if e_tag == _md5(answer.data):
                return True
            tells_md5 = self._tells_md5()
            if tells_md5 or (tells_md5 is None and answer != before):
                return False
        self.check_absence()
        return True

    def _tells_md5(self) -> bool | None:
        """Tell whether an ETag is an MD5. None where that cannot be found out, as where nothing may be written."""
        if self._kind is None and self._clock() >= self._next_probe:
            self._next_probe = self._clock() + _NEXT_PROBE
            with suppress(StoreUnavailableError):
                self.kind()
        if not self._kind:
            return None
        return self._kind.tells_md5

    def _ask_for_nothing(self) -> None:
        asked_at = self._clock()
        capabilities.check_absence(self._client)
        self._absence_checked = asked_at


def _md5(data: bytes) -> str:
    return md5(data, usedforsecurity=False).hexdigest()
