"""One live exchange as a file that only grows: what keeps an answer until its recording is written.

What it promises: every byte of an answer is in the file before the client gets it, and so is the answer's end before
the last of them. Nothing waits for a disk: the bytes are in the system's page cache, where they survive the process,
and what is written and unlinked within seconds mostly never reaches a disk at all.

A file is a row of records, each a head in the clear (size, kind, time) and sealed data: AES-GCM, whose tag is the
checksum. The nonce is the exchange's number and the record's place in the file, so no record can be moved, and a file
is only ever appended to by the one process that made it. An append that fails is the file's last: nothing is written
over what may stand there. The order of kinds:

    BEGIN BODY* HEAD PIECE* (ENDED | CLOSED | BROKE_OFF | ABANDONED)

A process that is killed leaves a torn tail: a record that is cut, before which all holds. One that is whole and does
not open is damage, or the key is another's. A file without its last record was under way when its proxy was killed;
what it holds says whether it is whole (a client that has seen ``[DONE]`` has its answer).

A file's name says how far it is: ``<number>.live``, then ``<order>-<number>.ended``, which the writer takes, in order;
it leaves ``<number>.recorded`` or ``.unrecorded``, which the proxy removes once it has counted that. A ``.live`` that
is empty waits for an exchange. No file is emptied and used again: ext4 would bring it to the disk when it is closed.

One file an exchange, not one for all: a slow stream would pin everything that was written after it began, and a
follower would have to pick its pieces out of all the others.
"""

import contextlib
import io
import os
import stat
import struct
import weakref
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_HEAD = struct.Struct("<IBd")
_NONCE = struct.Struct("<IQ")

_TAG = 16
_WINDOW = 64 * 1024
"""Bytes that are read ahead."""

_MOST = 1 << 26
"""Bytes that no record has: a head that says more is none, and no memory is taken for it."""

_MOST_NUMBER = (1 << 32) - 1
"""What an exchange's number can be: as much as the nonce has place for."""

_READ = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
    _READ |= getattr(os, _name, 0)
_NEW = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class EntryKind(IntEnum):
    """What a record holds."""

    BEGIN = 1
    """JSON: all that is known of the request but its body."""
    BODY = 2
    """Of the request's body."""
    HEAD = 3
    """JSON: the answer's status and headers."""
    PIECE = 4
    """A piece of the answer's body, as it came."""
    ENDED = 5
    """Nothing: the end of the answer's body was seen, by its length or its transfer coding."""
    BROKE_OFF = 6
    """Nothing: the provider broke off."""
    CLOSED = 7
    """Nothing: the connection was closed, which is all that tells of the end of such a body."""
    ABANDONED = 8
    """Nothing: the client left, or the proxy stopped; what else the provider would have sent is not known."""


LAST = (EntryKind.ENDED, EntryKind.CLOSED, EntryKind.BROKE_OFF, EntryKind.ABANDONED)


@dataclass(frozen=True, slots=True)
class Record:
    """One record, opened."""

    kind: EntryKind
    at: float
    """Milliseconds from the request's last byte."""
    data: bytes


class Stage(StrEnum):
    """How far an exchange's file is, by the end of its name."""

    LIVE = ".live"
    ENDED = ".ended"
    RECORDED = ".recorded"
    """Its recording is written."""
    UNRECORDED = ".unrecorded"
    """It is told why there is none."""


class JournalEntry:
    """The file of an exchange, for the one who appends to it. Every method raises OSError."""

    def __init__(self, cipher: AESGCM, folder: Path, number: int) -> None:
        self.number = number
        self.size = 0
        """Bytes of whole records."""
        self.path = staged(folder, number, Stage.LIVE)
        self._cipher = cipher
        self._held = b""
        """Records that are written with the next one."""
        self._file: int | None = os.open(self.path, _NEW, 0o600)

    def hold(self, kind: EntryKind, at: float, data: bytes = b"") -> None:
        """Add a record, which is in the file when the next one is."""
        head = _HEAD.pack(len(data) + _TAG, kind, at)
        place = self.size + len(self._held)
        self._held += head + self._cipher.encrypt(_NONCE.pack(self.number, place), data, head)

    def append(self, kind: EntryKind, at: float, data: bytes = b"") -> None:
        """Add a record."""
        if self._file is None:
            raise OSError("an append to this file of the journal has failed before, or it is closed")
        self.hold(kind, at, data)
        records = self._held
        self._held = b""
        try:
            done = os.write(self._file, records)
            while done < len(records):
                done += os.write(self._file, records[done:])
        except OSError:
            self.close()
            raise
        self.size += len(records)

    def hand_over(self, order: int) -> None:
        """Give it to the writer, as it has its last record. The writer takes what has a lower order first."""
        self.close()
        path = self.path.with_name(f"{order:08}-{self.number:08}{Stage.ENDED}")
        os.rename(self.path, path)  # noqa: PTH104  on the way of each answer
        self.path = path

    def discard(self) -> None:
        """Remove it, as it is of no use."""
        self.close()
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def close(self) -> None:
        """Append no more."""
        if self._file is not None:
            file = self._file
            self._file = None  # Whatever becomes of the next line, it is closed once.
            os.close(file)

    def reader(self) -> "EntryReader":
        """Return a reader of it, for while it grows. Raises FileNotFoundError where it is written already."""
        return EntryReader(self._cipher, self.number, self.path)


class EntryReader:
    """Reads a file of the journal from its beginning, and goes on when more was appended.

    The file is closed when its reader is forgotten.
    """

    def __init__(self, cipher: AESGCM, number: int, path: Path) -> None:
        """Open the file. Raises OSError."""
        self.offset = 0
        """Bytes of the records that were read."""
        self.is_damaged = False
        """Whether there is a record that is whole and does not open."""
        self._cipher = cipher
        self._number = number
        self._file = io.FileIO(path, "rb", opener=_open_file)
        self._window = b""
        """Bytes that were read ahead."""
        self._at = 0
        """Where in the file they begin."""
        self.close = weakref.finalize(self, self._file.close)

    def next(self) -> Record | None:
        """Return the next record; None where it is not whole, or does not open. Raises OSError."""
        head = self._bytes(self.offset, _HEAD.size)
        if len(head) < _HEAD.size:
            return None
        size, kind, at = _HEAD.unpack(head)
        if not _TAG <= size <= _MOST:
            self.is_damaged = True
            return None
        sealed = self._bytes(self.offset + _HEAD.size, size)
        if len(sealed) < size:
            return None
        try:
            data = self._cipher.decrypt(_NONCE.pack(self._number, self.offset), sealed, head)
            record = Record(EntryKind(kind), at, data)
        except (InvalidTag, ValueError):
            self.is_damaged = True
            return None
        self.offset += _HEAD.size + size
        return record

    def next_piece(self) -> bytes | None:
        """Return what the next record holds of the answer's body.

        It is empty where the record is of another kind, and None as for ``next``.

        Raises OSError.
        """
        record = self.next()
        if record is None:
            return None
        return record.data if record.kind is EntryKind.PIECE else b""

    def _bytes(self, start: int, size: int) -> bytes:
        begin = start - self._at
        if begin < 0 or begin + size > len(self._window):
            self._file.seek(start)
            self._window = self._read(max(size, _WINDOW))
            self._at = start
            begin = 0
        return self._window[begin : begin + size]

    def _read(self, size: int) -> bytes:
        parts = []
        while size > 0 and (part := self._file.read(size)):
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _open_file(path: str, _: int) -> int:
    """Open a file, and nothing else that stands in its place. Raises OSError."""
    file = os.open(path, _READ)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError("it is no file")
    return file


def staged(folder: Path, number: int, stage: Stage) -> Path:
    """Return where the file of an exchange is at a stage that has no order."""
    return folder / f"{number:08}{stage}"


@dataclass(frozen=True, slots=True)
class StoredExchange:
    """A file of the journal as another process than the proxy finds it."""

    path: Path
    number: int
    stage: Stage
    order: int

    @classmethod
    def of(cls, path: Path) -> "StoredExchange | None":
        """Return what a file is by its name; None for one that is no exchange's."""
        digits = path.stem.split("-")
        try:
            stage = Stage(path.suffix)
        except ValueError:
            return None
        if len(digits) != 1 + (stage is Stage.ENDED) or not all(each.isascii() and each.isdecimal() for each in digits):
            return None
        number = int(digits[-1])
        return cls(path, number, stage, int(digits[0])) if number <= _MOST_NUMBER else None

    def moved(self, stage: Stage) -> None:
        """Give it the name of another stage. Raises OSError."""
        self.path.rename(staged(self.path.parent, self.number, stage))

    def reader(self, cipher: AESGCM) -> EntryReader:
        """Return a reader of it. Raises OSError."""
        return EntryReader(cipher, self.number, self.path)
