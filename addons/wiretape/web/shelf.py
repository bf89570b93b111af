"""The recordings of a store, as lists and one by one. Below ``views``.

A list of many is not read before it is shown: what a page of it shows is read then, and the rest beside it, by a thread
of its own for each session. Until that is done, a list is in the order of the names; then the newest comes first. What
was read stays known for as long as its file is as it was.
"""

import threading
import time
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from wiretape import recording
from wiretape.exceptions import WiretapeError
from wiretape.library import conversation, history
from wiretape.library.conversation import Turn
from wiretape.library.rows import Row, row_of, searchable
from wiretape.recording import RecordedRequest, Recording
from wiretape.recording import capture as captures
from wiretape.recording.capture import Capture
from wiretape.store.base import WIRE, Store
from wiretape.tape.names import take_of

_WORDS = 64 << 20
"""Characters of requests and answers that are kept in memory, of all sessions: what is beyond is not searched."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """A recording, with what lies beside it."""

    session: str
    name: str
    recording: Recording
    data: bytes
    """The file as it is."""
    capture: Capture | None
    capture_data: bytes | None
    is_as_captured: bool
    """Whether the recording is what it was when the capture was made: else that tells nothing about it."""


@dataclass(frozen=True, slots=True)
class RowPage:
    """Some rows of a session."""

    rows: list[Row]
    total: int
    """How many there are in all, of a search those found by now."""
    unread: int
    """How many have not been read yet: what they hold is in no search."""
    unsearched: int
    """How many have been read, and are in no search all the same: there is no more room for their words."""
    broken: Mapping[str, str]
    """The files that are no recordings, as far as they were read, and why."""


@dataclass(slots=True)
class _Known:
    """What is known of one session."""

    states: dict[str, Hashable] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    ends: dict[str, bytes] = field(default_factory=dict)
    """The mark of each recording's whole conversation: see ``history``."""
    reading: threading.Thread | None = None


class Shelf:
    """Those of one store. For any thread."""

    def __init__(self, store: Store, *, reads_ahead: bool = True, rest: float = 0.0) -> None:
        """``reads_ahead``: whether a thread reads what no page has shown yet, for searches and for the order. ``rest``:
        how many times as long as it has read a recording it rests, for the sake of what else this process does.
        """
        self.store = store
        self._reads_ahead = reads_ahead
        self._rest = rest
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._size = 0
        self._is_closed = False

    def close(self) -> None:
        """Read no more."""
        self._is_closed = True

    def counts(self) -> dict[str, int]:
        """Return the sessions, with the number of their recordings. Raises OSError."""
        return {session: len(self.store.scan(session)) for session in self.store.sessions()}

    def page(self, session: str, search: str = "", first: int = 0, most: int = 200) -> RowPage:
        """Return the rows of a session from the ``first`` one on. Raises OSError."""
        known = self._look(session)
        unread = [name for name in sorted(known.states) if name not in known.rows and name not in known.broken]
        if search:
            wanted_words = search.lower()
            found = [known.rows[name] for name, words in [*known.words.items()] if wanted_words in words]
            found = _newest_first(found)
            unsearched = len(known.rows) - len(known.words)
            return RowPage(found[first : first + most], len(found), len(unread), unsearched, {**known.broken})
        wanted = unread[: max(0, first + most - len(known.rows))]
        listed = _newest_first([row for name, row in [*known.rows.items()] if name not in wanted])
        for name in wanted:
            self._read(session, known, name)
        read_now = [known.rows[name] for name in wanted if name in known.rows]
        listed = [*listed, *read_now] if len(wanted) < len(unread) else _newest_first([*listed, *read_now])
        left = len(unread) - len(wanted)
        return RowPage(listed[first : first + most], len(known.states), left, 0, {**known.broken})

    def shelved(self, session: str, name: str) -> Shelved | None:
        """Return a recording; None where there is none. Raises OSError, and ValueError where it is none."""
        data = self.store.read(session, name)
        if data is None:
            return None
        kept = self.store.read(session, name, WIRE)
        capture = None
        if kept is not None:
            with suppress(ValueError):
                capture = captures.loads(kept)
        is_as_captured = capture is not None and capture.recording == captures.digest(data)
        return Shelved(session, name, recording.loads(data), data, capture, kept, is_as_captured)

    def takes(self, session: str, name: str) -> list[str]:
        """Return the names of the other takes of a recording, in their order. Raises OSError."""
        base, number = take_of(name)
        others = [each for each in self.store.scan(session) if each != name and take_of(each)[0] == base]
        return sorted(others, key=lambda each: (abs(take_of(each)[1] - number), take_of(each)[1]))

    def before(self, session: str, request: RecordedRequest, turns: Sequence[Turn]) -> tuple[str, int] | None:
        """Return the name of the recording before a request in the same conversation, as far as they have been read,
        and how many of its turns that one has; None where there is none. One of the same model goes first.
        """
        if len(turns) < 2:
            return None
        known = self._look(session)
        with self._lock:
            others = [(known.rows[name].model != request.model, name, mark) for name, mark in known.ends.items()]
        ends: dict[bytes, str] = {}
        for _, name, mark in sorted(others):
            ends.setdefault(mark, name)
        return history.before(turns, ends)

    # -- what is known ---------------------------------------------------------------------------------------------

    def _look(self, session: str) -> _Known:
        """Return what is known of a session, without what is not there any more, and have the rest read."""
        states = self.store.scan(session)
        with self._lock:
            known = self._known.setdefault(session, _Known())
            for name in [name for name, state in known.states.items() if states.get(name) != state]:
                known.rows.pop(name, None)
                known.broken.pop(name, None)
                known.ends.pop(name, None)
                self._size -= len(known.words.pop(name, ""))
            known.states = dict(states)
            is_reading = known.reading is not None and known.reading.is_alive()
            is_read = len(known.rows) + len(known.broken) >= len(states)
            if self._reads_ahead and not is_reading and not is_read and not self._is_closed:
                known.reading = threading.Thread(
                    target=self._read_all, args=(session, known, states), name="wiretape-shelf", daemon=True
                )
                known.reading.start()
        return known

    def _read_all(self, session: str, known: _Known, states: Mapping[str, Hashable]) -> None:
        for name in states:
            if self._is_closed:
                return
            if name not in known.rows and name not in known.broken:
                begun = time.monotonic()
                self._read(session, known, name)
                time.sleep(min(self._rest * (time.monotonic() - begun), 1.0))

    def _read(self, session: str, known: _Known, name: str) -> None:
        try:
            data = self.store.read(session, name)
            if data is None:
                return
            recorded = recording.loads(data)
            made = row_of(name, recorded, self.store.read(session, name, WIRE), None)
        except (OSError, ValueError, WiretapeError) as e:
            with self._lock:
                known.broken[name] = str(e)
            return
        words = searchable(recorded)
        marks = history.marks(conversation.turns_of(recorded.request))
        with self._lock:
            known.rows[name] = made
            if marks:
                known.ends[name] = marks[-1]
            if self._size + len(words) <= _WORDS:
                self._size += len(words)
                known.words[name] = words


def _newest_first(rows: list[Row]) -> list[Row]:
    by_name = sorted(rows, key=lambda row: row.name)
    return sorted(by_name, key=lambda row: row.when, reverse=True)
