"""What each recording of a session asks: found by content, whatever the file's name. In front of a store.

The way to a hit does not come here: it knows the file's name. The index is for what has another name, for lists of
models, and for naming the nearest recording of a miss: of each request it keeps an outline.

A file is read when its state is a new one. What cannot be read then is in *doubt*: until it can be, nobody can say that
a request has no recording. Where reading takes a while (a bucket, very many files), what was found out is noted on this
machine; in a bucket, what is in doubt is read again aside, so that one slow file delays nobody.
"""

import json
import logging
import threading
import time
import zlib
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched

import wiretape
from wiretape import recording, redaction
from wiretape.exceptions import NotHttpError, StoreUnavailableError
from wiretape.matching import request
from wiretape.matching.outline import Near, Outline, Outlines, Piece, outline, unpacked
from wiretape.recording import RecordedRequest
from wiretape.store.base import Store
from wiretape.store.notes import Note, Notes

logger = logging.getLogger(__name__)


_FEW = 1000
"""Files that are looked through in no time."""

_WORTH_NOTING = 64
"""Files of a disk of this machine that take longer to be read again than a note does to be written."""

_PIECES = 10_000
"""Pieces of requests that are kept whether or not a request has them any more."""

_AT_ONCE = 32
"""Files that are asked for at once, of a store where each takes a while."""

_BATCH = 256

_PACKED = 1 << 16
"""Bytes of a request that are noted, packed: one with images is near to none."""

_TOLD = 3
"""Lines of the log about files that cannot be read, of those that are met at once."""


@dataclass(frozen=True, slots=True)
class Known:
    """What an index knows of one identity."""

    names: list[str]
    """Its recordings, in order."""
    doubt: StoreUnavailableError | None
    """Why there may be another one, in a file that cannot be read; None where there is none."""


@dataclass(frozen=True, slots=True)
class _Entry:
    state: Hashable
    identity: str | None
    endpoint: str = ""
    outline: Outline | None = None
    problem: str = ""
    """Why it is no recording."""


@dataclass(frozen=True, slots=True)
class _Asks:
    identity: str
    endpoint: str
    outline: Outline
    packed: bytes


type _Came[Value] = Value | Exception | None
"""What was made of a file; None where it has gone; why it could not be read, or is no recording."""


class Index:
    """The recordings of one session by identity. A file is read once, and again when it has changed."""

    def __init__(self, store: Store, session: str) -> None:
        self.store = store
        self.session = session
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._names: dict[str, list[str]] = {}
        self._pieces: dict[int, Piece] = {}
        """Of all outlines, by their ids: most requests go on from another one."""
        self._most_pieces = _PIECES
        self._outlines: dict[str, Outlines] = {}
        """By endpoint, until a file comes, changes or goes."""
        self._doubts: dict[str, tuple[Hashable, StoreUnavailableError]] = {}
        """The files that could not be read, each with the state in which it was."""
        self._is_reading_again = False
        self._next_scan = 0.0
        self._scanned = False

    def named(self, beginning: str) -> list[str]:
        """The recordings whose names begin so, in order, as far as they are known."""
        with self._lock:
            return sorted(
                name for name, entry in self._entries.items() if entry.identity and name.startswith(beginning)
            )

    @property
    def is_quick(self) -> bool:
        """Whether ``find`` takes little: all files were read, and there are few."""
        return self._scanned and len(self._entries) <= _FEW

    def find(self, identity: str, listed: Mapping[str, Hashable] | None = None) -> Known:
        """The recordings of this identity. ``listed``: a scan of this moment. Raises StoreUnavailableError."""
        with self._lock:
            self._refresh(listed)
            doubt = next((problem for _, problem in self._doubts.values()), None)
            return Known(sorted(self._names.get(identity, ())), doubt)

    def names(self, identity: str) -> list[str]:
        """The recordings of this identity that are known by now, without a look."""
        with self._lock:
            return sorted(self._names.get(identity, ()))

    def holds(self, name: str) -> bool:
        """Whether there was a file of this name, when that was last looked at."""
        return name in self._entries

    def problems(self) -> dict[str, str]:
        """The files that are no recordings, and why."""
        with self._lock:
            return {name: entry.problem for name, entry in self._entries.items() if entry.problem}

    def nearest(self, wanted: Outline, endpoint: str, most: int) -> list[Near]:
        """The recordings of an endpoint whose requests are nearest, the nearest first. Raises StoreUnavailableError."""
        with self._lock:
            if self.store.is_quick or not self._scanned:
                self._refresh(None)
            outlines = self._outlines.get(endpoint)
            if outlines is None:
                entries = self._entries.items()
                found = {name: each.outline for name, each in entries if each.outline and each.endpoint == endpoint}
                outlines = self._outlines[endpoint] = Outlines(found)
        return outlines.nearest(wanted, most)

    def requests(self, names: Sequence[str]) -> Iterator[tuple[str, RecordedRequest]]:
        """Name and request of these recordings, as far as they can be read."""
        noted = self.store.notes.bodies(self.session, names) if self.store.notes and not self.store.is_quick else {}
        for name, body in noted.items():
            yield name, recording.loads_request(json.loads(zlib.decompress(body)))
        for name, came in self._read([name for name in names if name not in noted], recording.read_request):
            if isinstance(came, RecordedRequest):  # Else it was told when it was first read.
                yield name, came

    def _refresh(self, listed: Mapping[str, Hashable] | None) -> None:
        # A scan of a large folder takes long: the pause after one is ten times what it took.
        started = time.monotonic()
        if started < self._next_scan:
            return
        found = self.store.scan(self.session) if listed is None else listed
        notes = self._notes(len(found))
        if not self._scanned and notes:
            self._recall(notes, found)
        gone = [name for name in (*self._entries, *self._doubts) if name not in found]
        for name in gone:
            self._forget(name)
        if gone and notes:
            notes.drop(self.session, gone)
        new, again = [], []
        for name, state in found.items():
            entry, doubt = self._entries.get(name), self._doubts.get(name)
            if doubt and doubt[0] == state and not self.store.is_quick:
                again.append(name)
            elif entry is None or entry.state != state:
                new.append(name)
        self._learn_all(new, found)
        self._drop_pieces()
        if again and not self._is_reading_again:
            self._is_reading_again = True
            threading.Thread(
                target=self._read_again, args=(again, found), name="wiretape-index-again", daemon=True
            ).start()
        self._next_scan = time.monotonic() + 10 * (time.monotonic() - started) if len(found) > _FEW else 0.0
        self._scanned = True

    def _notes(self, files: int) -> Notes | None:
        """Where it is worth while to note what was found out about so many files, or to look for what was."""
        return self.store.notes if not self.store.is_quick or files > _FEW else None

    def _recall(self, notes: Notes, found: Mapping[str, Hashable]) -> None:
        """Take over what was noted before, of files that are as they were."""
        for name, note in notes.all(self.session).items():
            state = found.get(name)
            if state is not None and note.state == _noted(state):
                identity, endpoint = json.loads(note.head)
                self._enter(name, _Entry(state, identity, endpoint, unpacked(note.outline, self._pieces)))

    def _drop_pieces(self) -> None:
        """Forget the pieces that no request has any more, now and then."""
        if len(self._pieces) > self._most_pieces:
            outlines = (entry.outline for entry in self._entries.values() if entry.outline)
            self._pieces = {piece.id: piece for each in outlines for piece in each.pieces}
            self._most_pieces = max(_PIECES, 2 * len(self._pieces))

    def _read_again(self, names: Sequence[str], states: Mapping[str, Hashable]) -> None:
        try:
            came = [*self._read(names, self._asks)]
            with self._lock:
                self._learn_some(came, states)
        finally:
            self._is_reading_again = False

    def _learn_all(self, names: Sequence[str], states: Mapping[str, Hashable]) -> None:
        for some in batched(self._read(names, self._asks), _BATCH):
            self._learn_some(some, states)

    def _learn_some(self, came: Sequence[tuple[str, _Came[_Asks]]], states: Mapping[str, Hashable]) -> None:
        noted = []
        problems = []
        for name, each in came:
            state, before = states[name], self._doubts.get(name)
            self._forget(name)
            if isinstance(each, _Asks):
                self._enter(name, _Entry(state, each.identity, each.endpoint, each.outline))
                head = json.dumps([each.identity, each.endpoint])
                noted.append((name, state, head, each))
            elif isinstance(each, OSError):
                # The store has told that it is there: it is not away.
                problem = StoreUnavailableError(
                    str(each) if isinstance(each, StoreUnavailableError) else f"{self._where(name)}: {each}"
                )
                self._doubts[name] = state, problem
                if not before or str(before[1]) != str(problem):
                    problems.append(problem)
            else:
                is_broken = each is not None and not isinstance(each, NotHttpError)
                self._enter(name, _Entry(state, None, problem=str(each) if is_broken else ""))
                if is_broken:
                    logger.error("%s: no recording, passed over: %s", self._where(name), each)
        notes = self._notes(len(states))
        if notes and len(noted) >= (_WORTH_NOTING if self.store.is_quick else 1):
            rows = (
                Note(name, _noted(state), head, each.outline.packed(), each.packed) for name, state, head, each in noted
            )
            notes.keep(self.session, [*rows])
        for problem in problems[:_TOLD]:
            logger.error("what is not found may be in a recording that cannot be read: %s", problem)
        if len(problems) > _TOLD:
            logger.error("and in %d more below %s", len(problems) - _TOLD, self.store.where(self.session))

    def _where(self, name: str) -> str:
        return self.store.where(self.session, name)

    def _asks(self, data: bytes) -> _Asks:
        asked = recording.read_request(data)
        packed = b"" if self.store.is_quick else _packed(asked)
        asked = request.by_rules_of_today(asked)
        endpoint = request.endpoint(asked)
        drawn = outline(asked, self._pieces)
        return _Asks(request.identity(asked), endpoint, drawn, packed if len(packed) <= _PACKED else b"")

    def _read[T](self, names: Sequence[str], make: Callable[[bytes], T]) -> Iterator[tuple[str, _Came[T]]]:
        """Read files and make something of each, several at once where each takes a while."""

        def read(name: str) -> _Came[T]:
            try:
                data = self.store.read(self.session, name)
                return make(data) if data is not None else None
            except (OSError, ValueError) as e:
                return e
            except RecursionError:
                return ValueError("nested too deeply")

        if self.store.is_quick or len(names) < 2:
            yield from ((name, read(name)) for name in names)
            return
        with ThreadPoolExecutor(_AT_ONCE, "wiretape-index") as pool:
            for some in batched(names, _BATCH):
                yield from zip(some, pool.map(read, some), strict=True)

    def _enter(self, name: str, entry: _Entry) -> None:
        self._entries[name] = entry
        self._outlines.clear()
        if entry.identity:
            self._names.setdefault(entry.identity, []).append(name)

    def _forget(self, name: str) -> None:
        self._doubts.pop(name, None)
        entry = self._entries.pop(name, None)
        self._outlines.clear()
        if entry and entry.identity:
            names = self._names[entry.identity]
            names.remove(name)
            if not names:
                del self._names[entry.identity]


def _noted(state: Hashable) -> str:
    """Return what a note holds for: the file as it is, and the rules by which its identity was told."""
    return f"{wiretape.__version__} {redaction.DEFAULT.fingerprint} {state!r}"


def _packed(asked: RecordedRequest) -> bytes:
    """A request as a file of a recording has it, in few bytes."""
    body = {"payload": asked.body} if asked.passthrough else {"body": asked.body, "endpoint": asked.endpoint}
    content = {"url": asked.url, "method": asked.method, **body, **asked.extra}
    return zlib.compress(json.dumps({"test_id": asked.test_id, "request": content}).encode(), 1)


class Indexes:
    """The index of every session of a store. For any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._indexes: dict[str, Index] = {}

    def of(self, session: str) -> Index:
        """The index of a session, which is empty until it is asked for something."""
        with self._lock:
            return self._indexes.setdefault(session, Index(self._store, session))
