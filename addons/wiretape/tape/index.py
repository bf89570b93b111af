"""What each recording of a session asks: found by content, whatever the file's name. In front of a store.

The way to a hit does not come here: it knows the file's name. The index is for what has another name, for lists of
models, and for naming the nearest recording of a miss: of each request it keeps an outline.

Before each answer the session is scanned, and what is new is read. A file is, by its state:

    unknown      it is new, or its state is another one: it is read
    indexed      a recording, or no recording (which is said once). It is read again when its state changes
    in doubt     it could not be read. Until it can be, nobody can say that a request has no recording

Where reading takes a while (a bucket, very many files), what was found out is noted on this machine; in a bucket, what
is in doubt is read again aside, so that one slow file delays nobody. Of a large session a scan takes a while too: the
next one is made after ten times as long, so that scans take a tenth of the time at most.

Example: a recording that somebody has renamed to ``hello.json`` is not found by its hash. The first request for it
reads all files of the session, finds it by its identity, and the next one reads nothing.
"""

import logging
import threading
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import batched

from wiretape.exceptions import NotHttpError, StoreUnavailableError
from wiretape.matching.outline import Near, Outline, Outlines, Piece
from wiretape.recording import RecordedRequest
from wiretape.store.base import Store
from wiretape.tape.change_log import ChangeLog
from wiretape.tape.collecting import without_collector
from wiretape.tape.indexed import (
    BATCH,
    Came,
    Changes,
    Doubt,
    FileReader,
    IndexedFile,
    IndexedRequest,
    IndexNotes,
    Known,
    state_of,
)

logger = logging.getLogger(__name__)

_FEW = 1000
"""Files that are looked through in no time."""

_PIECES = 10_000
"""Pieces of requests that are kept whether or not a request has them any more."""

_FRESH = 1.0
"""Seconds for which a scan tells what there is, for those who do not scan anew."""

_JUST_NOW = 0.01
"""Seconds after which a scan is made anew for those who need no more than what is the same by rules."""

_TOLD = 3
"""Lines of the log about files that cannot be read, of those that are met at once."""


class Index:
    """The recordings of one session by identity. For any thread."""

    def __init__(self, store: Store, session: str) -> None:
        self.store = store
        self.session = session
        self._lock = threading.Lock()
        self._reader = FileReader(store, session)
        self._files: dict[str, IndexedFile] = {}
        self._changes = ChangeLog()
        self._doubts: dict[str, Doubt] = {}
        self._names: dict[str, list[str]] = {}
        """By identity."""
        self._pieces: dict[int, Piece] = {}
        """Of all outlines, by their ids: most requests go on from another one."""
        self._most_pieces = _PIECES
        self._outlines: dict[str, Outlines] = {}
        """By endpoint, until a file comes, changes or goes."""
        self._lacks_outlines = False
        """Whether some are noted, and were not needed yet."""
        self._is_reading_again = False
        self._next_scan = 0.0
        self._fresh_until = 0.0
        self._scanned_at = 0.0
        self._scanned = False

    @property
    def is_quick(self) -> bool:
        """Whether ``find`` takes little: all files were read, and there are few."""
        return self._scanned and len(self._files) <= _FEW

    def find(self, identity: str, listed: Mapping[str, Hashable] | None = None) -> Known:
        """Return the recordings of this identity. ``listed``: a scan of this moment. Raises StoreUnavailableError."""
        with self._lock:
            self._refresh(listed)
            doubt = next((doubt.problem for doubt in self._doubts.values()), None)
            return Known(sorted(self._names.get(identity, ())), doubt)

    def names(self, identity: str) -> list[str]:
        """Return the recordings of this identity that are known by now, without a look."""
        with self._lock:
            return sorted(self._names.get(identity, ()))

    def named(self, beginning: str) -> list[str]:
        """Return the recordings whose names begin so, in order, as far as they are known."""
        with self._lock:
            return sorted(name for name, file in self._files.items() if file.request and name.startswith(beginning))

    @property
    def number(self) -> int:
        """The number of the next change: equal for as long as nothing is known to change."""
        return self._changes.number

    @property
    def is_fresh(self) -> bool:
        """Whether it was scanned a moment ago."""
        return time.monotonic() < self._fresh_until

    def refresh(self) -> None:
        """Find out what is new. Raises StoreUnavailableError."""
        with self._lock:
            self._refresh(None)

    def changes(self, endpoint: str, since: int) -> Changes:
        """Return what changed of an endpoint's recordings from that number on. Raises StoreUnavailableError."""
        with self._lock:
            # Who asks has most often just looked for something else.
            if not self._scanned or (self.store.is_quick and time.monotonic() > self._scanned_at + _JUST_NOW):
                self._refresh(None)
            names = self._changes.since(since)
            files = self._files if names is None else {name: self._files.get(name) for name in names}
            states = {name: state_of(file, endpoint) for name, file in files.items()}
            return Changes(self._changes.number, states, is_all=names is None)

    def identity_of(self, name: str) -> str:
        """Return the identity of a recording; empty where it is none."""
        file = self._files.get(name)
        return file.request.identity if file and file.request else ""

    def holds(self, name: str) -> bool:
        """Return whether there was a file of this name, when that was last looked at."""
        return name in self._files

    def problems(self) -> dict[str, str]:
        """Return the files that are no recordings, and why."""
        with self._lock:
            return {name: file.problem for name, file in self._files.items() if file.problem}

    def nearest(self, wanted: Outline, endpoint: str, most: int) -> list[Near]:
        """Return the recordings of an endpoint whose requests are nearest, the nearest first.

        Raises StoreUnavailableError.
        """
        with self._lock:
            if self.store.is_quick or not self._scanned:
                self._refresh(None)
            if endpoint not in self._outlines:
                self._outlines[endpoint] = Outlines(self._outlines_of(endpoint))
            outlines = self._outlines[endpoint]
        return outlines.nearest(wanted, most)

    def _outlines_of(self, endpoint: str) -> dict[str, Outline]:
        if self._lacks_outlines:
            self._lacks_outlines = False
            self._recall_outlines()
        requests = {name: file.request for name, file in self._files.items() if file.request}
        return {name: each.outline for name, each in requests.items() if each.endpoint == endpoint and each.outline}

    def _recall_outlines(self) -> None:
        """Take over the outlines that are noted; what is noted without one is read again."""
        notes = self.notes(len(self._files))
        states = {name: file.state for name, file in self._files.items() if file.request and not file.request.outline}
        drawn = dict(notes.outlines(states, self._pieces)) if notes else {}
        for name in states.keys() & drawn.keys():
            file = self._files[name]
            assert file.request
            self._files[name] = file._replace(request=file.request._replace(outline=drawn[name]))
        self._learn([*states.keys() - drawn.keys()], states, notes)

    def requests(self, names: Sequence[str], *, is_strict: bool = False) -> Iterator[tuple[str, RecordedRequest]]:
        """Yield name and request of these recordings, as far as they can be read.

        Where it ``is_strict`` it raises StoreUnavailableError for one of which that cannot be told now.
        """
        notes = None if self.store.is_quick else self.notes(len(names))
        noted = notes.requests(names) if notes else {}
        yield from noted.items()
        yield from self._reader.requests([name for name in names if name not in noted], is_strict=is_strict)

    def notes(self, files: int) -> IndexNotes | None:
        """Return where it is noted what was found out, where that is worth while for so many files."""
        notes = self.store.notes
        is_quick = self.store.is_quick
        if notes is None or (is_quick and files <= _FEW):
            return None
        return IndexNotes(notes, self.session, is_quick=is_quick)

    def _refresh(self, listed: Mapping[str, Hashable] | None) -> None:
        """Scan the session, and read what is new."""
        started = time.monotonic()
        if started < self._next_scan:
            return
        states = self.store.scan(self.session) if listed is None else listed
        notes = self.notes(len(states))
        if notes and not self._scanned:
            self._lacks_outlines = True
            with without_collector():
                for name, request in notes.recall(states):
                    self._enter(name, IndexedFile(states[name], request))
        self._forget_gone(states, notes)
        doubtful = self._doubtful(states)
        aside = set(doubtful)
        new = [name for name in self._new(states) if name not in aside]
        self._learn(new, states, notes)
        self._drop_pieces()
        self._read_again(doubtful, states, notes)
        self._next_scan = 0.0
        now = time.monotonic()
        if len(states) > _FEW:
            # The pause after a scan of a large session is ten times what it took.
            self._next_scan = now + 10 * (now - started)
        self._fresh_until = max(self._next_scan, now + _FRESH)
        self._scanned_at = started
        self._scanned = True

    def _doubtful(self, states: Mapping[str, Hashable]) -> list[str]:
        """Return what is to be read aside, as it could not be read and is as it was."""
        if self.store.is_quick:
            return []
        return [name for name, doubt in self._doubts.items() if doubt.state == states[name]]

    def _new(self, states: Mapping[str, Hashable]) -> list[str]:
        """Return what is unknown, or has another state."""
        known = {name: file.state for name, file in self._files.items()}
        return [name for name, state in states.items() if known.get(name) != state]

    def _forget_gone(self, states: Mapping[str, Hashable], notes: IndexNotes | None) -> None:
        gone = [name for name in (*self._files, *self._doubts) if name not in states]
        for name in gone:
            self._forget(name)
        if gone and notes:
            notes.drop(gone)

    def _learn(self, names: Sequence[str], states: Mapping[str, Hashable], notes: IndexNotes | None) -> None:
        """Read files, and take over what came."""
        for some in batched(self._reader.indexed(names, self._pieces), BATCH):
            self._take_over(some, states, notes)

    def _read_again(self, names: Sequence[str], states: Mapping[str, Hashable], notes: IndexNotes | None) -> None:
        """Read what is in doubt once more, aside."""
        if not names or self._is_reading_again:
            return

        def read() -> None:
            try:
                came = [*self._reader.indexed(names, self._pieces)]
                with self._lock:
                    self._take_over(came, states, notes)
            finally:
                self._is_reading_again = False

        self._is_reading_again = True
        threading.Thread(target=read, name="wiretape-index-again", daemon=True).start()

    def _take_over(
        self, came: Sequence[tuple[str, Came[IndexedRequest]]], states: Mapping[str, Hashable], notes: IndexNotes | None
    ) -> None:
        learned: dict[str, IndexedRequest] = {}
        doubts: list[StoreUnavailableError] = []
        for name, each in came:
            before = self._doubts.get(name)
            self._forget(name)
            if isinstance(each, IndexedRequest):
                # What is noted need not be in memory, too.
                self._enter(name, IndexedFile(states[name], each._replace(packed=b"")))
                learned[name] = each
            elif isinstance(each, OSError):
                problem = self._doubt(name, each)
                self._doubts[name] = Doubt(states[name], problem)
                if before is None or str(before.problem) != str(problem):
                    doubts.append(problem)
            elif each is None or isinstance(each, NotHttpError):
                self._enter(name, IndexedFile(states[name], None))
            else:
                self._enter(name, IndexedFile(states[name], None, str(each)))
                logger.error("%s: no recording, passed over: %s", self._where(name), each)
        if notes:
            notes.keep(learned, states)
        self._tell(doubts)

    def _doubt(self, name: str, error: OSError) -> StoreUnavailableError:
        # The store has told that it is there: it is not away.
        if isinstance(error, StoreUnavailableError):
            return StoreUnavailableError(str(error))
        return StoreUnavailableError(f"{self._where(name)}: {error}")

    def _tell(self, doubts: Sequence[StoreUnavailableError]) -> None:
        for problem in doubts[:_TOLD]:
            logger.error("what is not found may be in a recording that cannot be read: %s", problem)
        if len(doubts) > _TOLD:
            logger.error("and in %d more below %s", len(doubts) - _TOLD, self.store.where(self.session))

    def _where(self, name: str) -> str:
        return self.store.where(self.session, name)

    def _drop_pieces(self) -> None:
        """Forget the pieces that no request has any more, now and then."""
        if len(self._pieces) > self._most_pieces:
            outlines = (file.request.outline for file in self._files.values() if file.request)
            self._pieces = {piece.id: piece for each in outlines if each for piece in each.pieces}
            self._most_pieces = max(_PIECES, 2 * len(self._pieces))

    def _enter(self, name: str, file: IndexedFile) -> None:
        self._files[name] = file
        self._changes.add(name)
        self._outlines.clear()
        if file.request:
            self._names.setdefault(file.request.identity, []).append(name)

    def _forget(self, name: str) -> None:
        self._doubts.pop(name, None)
        file = self._files.pop(name, None)
        self._changes.add(name)
        self._outlines.clear()
        if file and file.request:
            names = self._names[file.request.identity]
            names.remove(name)
            if not names:
                del self._names[file.request.identity]
