"""A bucket's objects as the proxies agree on them: seen for a moment, written on conditions. Between bucket and remote.

What a server cannot do is made up for here as far as one proxy can.
"""

import logging
import re
import threading
import time
from collections.abc import Callable
from hashlib import md5
from pathlib import Path

from wiretape.store.base import Unavailable
from wiretape.store.cache import Disk, Sight
from wiretape.store.probe import Kind, probe
from wiretape.store.remote import Condition, Found, Remote, Unchanged, Version

logger = logging.getLogger(__name__)

_MD5 = re.compile("[0-9a-f]{32}")

FRESH = 1.5
"""Seconds for which what was seen is believed: with the look itself, less than the two that are promised."""


class Objects:
    """For any number of threads. Every method may raise Unavailable.

    ``memory`` and ``disk`` are bounds in bytes; ``cache`` is a folder for this bucket alone, or None.
    """

    def __init__(
        self,
        remote: Remote,
        *,
        memory: int = 64 << 20,
        cache: Path | None = None,
        disk: int = 1 << 30,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._remote = remote
        self._sight = Sight(memory, FRESH, clock)
        self._disk = Disk(cache, disk) if cache else None
        self._kind: Kind | None = None
        self._probing = threading.Lock()
        self._one_at_a_time = threading.Lock()
        self._away_told = False

    @property
    def memory(self) -> int:
        """Bytes held, about."""
        return self._sight.size

    def kind(self) -> Kind:
        """What the server can do: found out once, and said in the log where promises cannot be kept."""
        with self._probing:
            if self._kind is None:
                self._kind = probe(self._remote)
                for sentence in self._kind.cannot():
                    logger.warning("%s: the server ignores the conditions of a write: %s", self._remote.url, sentence)
            return self._kind

    def see(self, key: str) -> Found | None:
        """An object, as it is or was a moment ago.

        While the bucket is away, one that was seen earlier is given as it was then: nothing newer can be known. That
        there was nothing is not given.
        """
        seen, is_fresh = self._sight.get(key)
        if seen and is_fresh:
            return seen.found
        known = seen.found if seen else None
        if known is None and self._disk:
            known = self._disk.get(key)
        try:
            found = self._ask(key, known)
        except Unavailable as e:
            if known is None:
                raise
            if not self._away_told:
                logger.warning("what was seen before is served as it was then: %s", e)
            self._away_told = True
            return known
        self._away_told = False
        return found

    def see_now(self, key: str) -> Found | None:
        """An object, as it is."""
        seen, _ = self._sight.get(key)
        return self._ask(key, seen.found if seen else None)

    def put(self, key: str, data: bytes, *, replace: bool) -> bool:
        """Write where there is nothing, or with ``replace`` where nothing has changed since it was seen.

        False where another's stays, which is seen from now on.
        """
        kind = self.kind()
        before = None
        if replace:
            seen, is_fresh = self._sight.get(key)
            before = seen.found if seen and is_fresh else self.see_now(key)
        condition = before.version if before else Condition.ABSENT
        asked = self._sight.clock()
        honoured = kind.updates if isinstance(condition, Version) else kind.creates
        made = self._remote.put(key, data, condition) if honoured else self._put_and_look(key, data, condition)
        if made is None:
            if self.see_now(key) is None:
                raise Unavailable(f"{self._remote.url}/{key}: others write and remove it just now")
            return False
        self._sight.wrote(key, Found(data, made), asked)
        return True

    def delete(self, key: str) -> None:
        """Delete an object, if there is one."""
        asked = self._sight.clock()
        self._remote.delete(key)
        if self._disk:
            self._disk.drop(key)
        self._sight.wrote(key, None, asked)

    def forget(self, key: str) -> None:
        """Ask again for an object."""
        self._sight.forget(key)

    def doubt(self, session: str) -> None:
        """Ask again for all that was seen of a session."""
        self._sight.doubt(session)

    def _ask(self, key: str, known: Found | None) -> Found | None:
        asked = self._sight.clock()
        answer = self._remote.get(key, known.version if known else None)
        if isinstance(answer, Unchanged):
            found = known
        elif answer is None:
            found = None
        else:
            found = self._whole(key, answer)
            if self._disk and found:
                self._disk.keep(key, found)
        self._sight.saw(key, found, asked)
        return found

    def _whole(self, key: str, found: Found) -> Found | None:
        """An object that is not just being written: a server without conditions may show a part of it."""
        kind = self._kind
        if kind and (kind.creates or not kind.tells_md5):
            return found
        for _ in range(5):
            e_tag = (found.version.e_tag or "").strip('"')
            if not _MD5.fullmatch(e_tag) or e_tag == md5(found.data, usedforsecurity=False).hexdigest():
                return found
            again = self._remote.get(key)
            if not isinstance(again, Found):
                return None
            if kind is None and again == found:
                return found  # It stays so: the ETags of this server are something else.
            found = again
        raise Unavailable(f"{self._remote.url}/{key}: it is just being written")

    def _put_and_look(self, key: str, data: bytes, condition: Condition | Version) -> Version | None:
        """As ``Remote.put``, for a server that ignores conditions: exact within this process, else nearly."""
        expected = condition.state if isinstance(condition, Version) else None
        with self._one_at_a_time:
            there = self._ask(key, None)
            if (there.version.state if there else None) != expected:
                return None
            self._remote.put(key, data, Condition.NONE)
            there = self._ask(key, None)
            return there.version if there and there.data == data else None
