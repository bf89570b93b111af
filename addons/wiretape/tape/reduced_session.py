"""What a set of rules makes of the recordings of a session, those of one endpoint. Below ``rule_index``.

Each request is reduced once: then the digest of its reduced form is kept, by which the recordings are found that are
the same as a request. When one comes, changes or goes, that one is reduced again and no other. A recording is

    unknown      it is new, or its state is another one
    reduced      it has a digest; one that cannot be reduced has none, and is the same as no request

Nothing is told while any is unknown: what is not found is not there. A few are reduced at once. Where there are many,
they are reduced beside, in the background; who asks meanwhile is told what to wait for (``StillReadingError``). What
was found out is noted on this machine, for the state of the file, the rules and a version of wiretape.
"""

import logging
import struct
import threading
import time
from collections.abc import Hashable, Iterator
from concurrent.futures import Future
from functools import partial
from itertools import batched
from typing import NamedTuple

import wiretape
from wiretape import redaction
from wiretape.matching import reduction
from wiretape.matching import request as matching
from wiretape.matching.reduction import Reduced, Reducer
from wiretape.recording import RecordedRequest
from wiretape.tape.background import Background, StillReadingError
from wiretape.tape.collecting import without_collector
from wiretape.tape.index import Index
from wiretape.tape.indexed import BATCH
from wiretape.tape.likeness import values_of

logger = logging.getLogger(__name__)

_FEW = 32
"""Recordings that are reduced at once."""

_WORTH_NOTING = 64
"""Recordings that take longer to be reduced again than their notes do to be read."""

_WORTH_TELLING = 2000
"""Recordings whose reading takes so long that the log says so."""

_DIGEST = 16
"""Bytes of a digest that are kept."""

_HEAD = struct.Struct(f"={_DIGEST}sI")


class ReducedRequest(NamedTuple):
    """What is kept of a recorded request."""

    state: Hashable
    """That of its file."""
    digest: bytes
    """That of its reduced form; none where it cannot be reduced."""
    values: bytes = b""
    """What was taken out of it, as ``likeness`` has it."""
    test_id: str | None = None

    def packed(self) -> bytes:
        """Return it as bytes, without the state."""
        if not self.digest:
            return b""
        test = (self.test_id or "").encode("utf-8", "surrogatepass")
        return _HEAD.pack(self.digest, len(self.values)) + self.values + test


def _unpacked(state: Hashable, data: bytes) -> ReducedRequest:
    if not data:
        return ReducedRequest(state, b"")
    digest, size = _HEAD.unpack_from(data)
    values = data[_HEAD.size : _HEAD.size + size]
    test = data[_HEAD.size + size :].decode("utf-8", "surrogatepass")
    return ReducedRequest(state, digest, values, test or None)


def digest_of(reduced: Reduced) -> bytes:
    """Return the digest of a reduced form as it is kept."""
    return bytes.fromhex(reduced.digest)[:_DIGEST]


class ReducedSession:
    """The recordings of one endpoint, reduced by one set of rules. For any thread."""

    def __init__(self, index: Index, by: Reducer, endpoint: str, background: Background | None) -> None:
        """Without a ``background`` who asks waits until all are reduced."""
        self._index = index
        self._by = by
        self._endpoint = endpoint
        self._background = background
        self._kept_as = f"{wiretape.__version__} {redaction.DEFAULT.fingerprint} {by.fingerprint} {endpoint}"
        self._lock = threading.Lock()
        self._known: dict[str, ReducedRequest] = {}
        self._names: dict[bytes, list[str]] = {}
        """By digest."""
        self._number = -1
        """That of the index's first change that was not looked at; below all numbers at first."""
        self._unknown: dict[str, Hashable] = {}
        """What is to be reduced yet, with its state."""
        self._is_recalled = False
        self._under_way: Future[None] | None = None

    def same(self, digest: bytes) -> dict[str, ReducedRequest]:
        """Return the recordings with this digest, by name. Raises StillReadingError and StoreUnavailableError."""
        with self._lock:
            if self._under_way and not self._under_way.done():
                raise StillReadingError(self._under_way)
            self._look_for_changes()
            if self._background and len(self._unknown) > _FEW:
                self._under_way = self._background.begin(self._reduce_all)
                raise StillReadingError(self._under_way)
            self._reduce({**self._unknown})
            return {name: self._known[name] for name in self._names.get(digest, ())}

    def _look_for_changes(self) -> None:
        """Take over from the index what has come, changed or gone since the last time."""
        changes = self._index.changes(self._endpoint, self._number)
        for name, state in changes.states.items():
            known = self._known.get(name)
            if known and known.state == state:
                continue
            self._forget(name)
            if state is not None:
                self._unknown[name] = state
        if changes.is_all:
            for name in [name for name in (*self._known, *self._unknown) if name not in changes.states]:
                self._forget(name)
        self._number = changes.number
        if not self._is_recalled:
            self._recall()

    def _recall(self) -> None:
        """Take over what is noted of files that are as they were."""
        self._is_recalled = True
        notes = self._index.store.notes
        if notes is None or len(self._unknown) < _WORTH_NOTING:
            return
        with without_collector():
            for name, noted, data in notes.reduced(self._index.session, self._kept_as):
                state = self._unknown.get(name)
                if state is not None and noted == repr(state):
                    self._enter(name, _unpacked(state, data))

    def _reduce_all(self) -> None:
        """Reduce what is unknown, some at a time: it is for the background."""
        with self._lock:
            waiting = {**self._unknown}
        started = time.monotonic()
        where = self._index.store.where(self._index.session)
        tell = partial(logger.log, logging.INFO if len(waiting) >= _WORTH_TELLING else logging.DEBUG)
        tell("%s: %d recordings are read for the rules that their requests may be the same by", where, len(waiting))
        for some in batched(waiting.items(), BATCH):
            learned = dict(self._reduced(dict(some)))
            with self._lock:
                for name, each in learned.items():
                    self._enter(name, each)
            self._note(learned)
        tell("%s: they were read in %.1f s, once for these rules", where, time.monotonic() - started)

    def _reduce(self, waiting: dict[str, Hashable]) -> None:
        learned = dict(self._reduced(waiting))
        for name, each in learned.items():
            self._enter(name, each)
        if len(learned) >= _WORTH_NOTING or len(self._known) > _WORTH_NOTING:
            self._note(learned)

    def _reduced(self, waiting: dict[str, Hashable]) -> Iterator[tuple[str, ReducedRequest]]:
        """Yield what is to be kept of recordings, whose states are given. Raises StoreUnavailableError."""
        requests = dict(self._index.requests([*waiting], is_strict=True))
        for name, state in waiting.items():
            yield name, self._made(state, requests.get(name))

    def _made(self, state: Hashable, request: RecordedRequest | None) -> ReducedRequest:
        if request is None:
            return ReducedRequest(state, b"")  # It has gone, or is none any more: its state will be another one.
        try:
            reduced = reduced_request(self._by, request)
        except ValueError:
            return ReducedRequest(state, b"")
        return ReducedRequest(state, digest_of(reduced), values_of(reduced), request.test_id)

    def _note(self, learned: dict[str, ReducedRequest]) -> None:
        notes = self._index.store.notes
        if notes and learned:
            rows = [(name, repr(each.state), each.packed()) for name, each in learned.items()]
            notes.keep_reduced(self._index.session, self._kept_as, rows)

    def _enter(self, name: str, each: ReducedRequest) -> None:
        if self._unknown.get(name) != each.state:
            return  # It has changed meanwhile.
        del self._unknown[name]
        self._known[name] = each
        if each.digest:
            self._names.setdefault(each.digest, []).append(name)

    def _forget(self, name: str) -> None:
        self._unknown.pop(name, None)
        known = self._known.pop(name, None)
        if known and known.digest:
            names = self._names[known.digest]
            names.remove(name)
            if not names:
                del self._names[known.digest]


def reduced_request(by: Reducer, stored: RecordedRequest) -> Reduced:
    """Return a recorded request, reduced. Raises ValueError where it is nested too deeply."""
    request = matching.by_rules_of_today(stored)
    return by.reduce(request, reduction.places_of(request))
