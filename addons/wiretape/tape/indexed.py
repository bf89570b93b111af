"""What an index knows of one file: read from it, or noted on this machine when it was read before. Below ``index``.

A note holds for a state of a file, the rules on secrets and a version of wiretape. It has what the index needs; in a
store where each file takes a while it has the request too, packed, so that a miss is explained without the store.
"""

import json
import zlib
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import batched
from typing import NamedTuple

import wiretape
from wiretape import recording, redaction
from wiretape.exceptions import StoreUnavailableError
from wiretape.matching import request as matching
from wiretape.matching.outline import Outline, Piece, outline, unpacked, unpacked_piece
from wiretape.recording import JSON, RecordedRequest
from wiretape.store.base import Store
from wiretape.store.notes import Note, Notes

BATCH = 256
"""Files of which it is told at once what they are."""

_AT_ONCE = 32
"""Files that are asked for at once, of a store where each takes a while."""

_WORTH_NOTING = 64
"""Files of a disk of this machine that take longer to be read again than a note does to be written."""

_PACKED = 1 << 16
"""Bytes of a request that are noted, packed: one with images is near to none."""


class IndexedRequest(NamedTuple):
    """What an index keeps of a recording's request."""

    identity: str
    endpoint: str
    outline: Outline | None
    """None where it is noted, and nobody has asked for it yet."""
    packed: bytes = b""
    """The request as its file has it, in few bytes; empty where that is not noted."""


@dataclass(frozen=True, slots=True)
class Known:
    """What an index knows of one identity."""

    names: list[str]
    """Its recordings, in order."""
    doubt: StoreUnavailableError | None
    """Why there may be another one, in a file that cannot be read; None where there is none."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed of the recordings of one endpoint."""

    number: int
    """What to ask with the next time."""
    states: Mapping[str, Hashable | None]
    """The state of each; None where it has gone."""
    is_all: bool
    """Whether there are no others than these."""


class IndexedFile(NamedTuple):
    """A file that was read."""

    state: Hashable
    request: IndexedRequest | None
    """None for one that is no recording."""
    problem: str = ""
    """What is wrong with it."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A file that could not be read."""

    state: Hashable
    problem: StoreUnavailableError


def state_of(file: IndexedFile | None, endpoint: str) -> Hashable | None:
    """Return the state of a recording of an endpoint; None for all else."""
    return file.state if file and file.request and file.request.endpoint == endpoint else None


type Came[Value] = Value | Exception | None
"""What was made of a file; None where it has gone; why it could not be read, or is no recording."""


class FileReader:
    """Reads files of one session, and makes something of each. Several at once, where each takes a while."""

    def __init__(self, store: Store, session: str) -> None:
        self._store = store
        self._session = session

    def indexed(self, names: Sequence[str], pieces: dict[int, Piece]) -> Iterator[tuple[str, Came[IndexedRequest]]]:
        """Yield what an index keeps of each file. ``pieces`` are those of all outlines, to which new ones are added."""

        def make(data: bytes) -> IndexedRequest:
            request = recording.read_request(data)
            kept = b"" if self._store.is_quick else packed(request)
            if len(kept) > _PACKED:
                kept = b""
            request = matching.by_rules_of_today(request)
            identity = matching.identity(request)
            return IndexedRequest(identity, matching.endpoint(request), outline(request, pieces), kept)

        return self._read(names, make)

    def requests(self, names: Sequence[str], *, is_strict: bool = False) -> Iterator[tuple[str, RecordedRequest]]:
        """Yield the request of each file; nothing of one that cannot be read, which was told when it was indexed.

        Where it ``is_strict`` it raises OSError for one of which that cannot be told now.
        """
        for name, came in self._read(names, recording.read_request):
            if isinstance(came, RecordedRequest):
                yield name, came
            elif is_strict and isinstance(came, OSError):
                raise came

    def _read[T](self, names: Sequence[str], make: Callable[[bytes], T]) -> Iterator[tuple[str, Came[T]]]:
        def read(name: str) -> Came[T]:
            try:
                data = self._store.read(self._session, name)
                return make(data) if data is not None else None
            except (OSError, ValueError) as e:
                return e
            except RecursionError:
                return ValueError("nested too deeply")

        if self._store.is_quick or len(names) < 2:
            yield from ((name, read(name)) for name in names)
            return
        with ThreadPoolExecutor(_AT_ONCE, "wiretape-index") as pool:
            for some in batched(names, BATCH):
                yield from zip(some, pool.map(read, some), strict=True)


class IndexNotes:
    """What was found out about the files of one session, noted on this machine."""

    def __init__(self, notes: Notes, session: str, *, is_quick: bool) -> None:
        """``is_quick``: whether a file is read in no time, so that few of them are not worth a note."""
        self._notes = notes
        self._session = session
        self._fewest = _WORTH_NOTING if is_quick else 1

    def recall(self, states: Mapping[str, Hashable]) -> Iterator[tuple[str, IndexedRequest]]:
        """Yield what was noted of files that are as they were, without outlines."""
        holds_for = _holds_for()
        for name, note in self._notes.all(self._session).items():
            state = states.get(name)
            if state is not None and note.state == f"{holds_for}{state!r}":
                identity, _, endpoint = note.head.partition(" ")
                yield name, IndexedRequest(identity, endpoint, None)

    def outlines(self, states: Mapping[str, Hashable], pieces: dict[int, Piece]) -> Iterator[tuple[str, Outline]]:
        """Yield the outlines that are noted of files that are as they were; ``pieces`` gets theirs."""
        for number, data in self._notes.pieces(self._session).items():
            with suppress(ValueError):
                id_ = int.from_bytes(number)
                pieces.setdefault(id_, unpacked_piece(id_, data))
        holds_for = _holds_for()
        for name, (noted, data) in self._notes.outlines(self._session).items():
            state = states.get(name)
            if state is not None and noted == f"{holds_for}{state!r}":
                with suppress(ValueError):
                    yield name, unpacked(data, pieces)

    def keep(self, learned: Mapping[str, IndexedRequest], states: Mapping[str, Hashable]) -> None:
        """Note what was found out."""
        if len(learned) < self._fewest:
            return
        holds_for = _holds_for()
        notes = []
        pieces: dict[int, Piece] = {}
        for name, each in learned.items():
            drawn = each.outline
            pieces |= {piece.id: piece for piece in drawn.pieces} if drawn else {}
            head = f"{each.identity} {each.endpoint}"
            packed = drawn.packed() if drawn else b""
            notes.append(Note(name, f"{holds_for}{states[name]!r}", head, packed, each.packed))
        self._notes.keep(self._session, notes, {number.to_bytes(8): piece.packed() for number, piece in pieces.items()})

    def drop(self, names: Sequence[str]) -> None:
        """Forget files that have gone."""
        self._notes.drop(self._session, names)

    def requests(self, names: Sequence[str]) -> dict[str, RecordedRequest]:
        """Return the requests that are noted of these files."""
        noted = self._notes.bodies(self._session, names)
        return {name: recording.loads_request(json.loads(zlib.decompress(body))) for name, body in noted.items()}


def _holds_for() -> str:
    """Return what a note holds for beside the file's state: the rules by which its identity was told."""
    return f"{wiretape.__version__} {redaction.DEFAULT.fingerprint} "


def packed(request: RecordedRequest) -> bytes:
    """Return a request as a file of a recording has it, in few bytes."""
    content: dict[str, JSON] = {"url": request.url, "method": request.method}
    if request.passthrough:
        content["payload"] = request.body
    else:
        content |= {"body": request.body, "endpoint": request.endpoint}
    content |= request.extra
    return zlib.compress(json.dumps({"test_id": request.test_id, "request": content}).encode(), 1)
