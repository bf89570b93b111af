"""Live exchanges in a journal, as a proxy keeps them: for tests of what writes recordings from it."""

import json
from pathlib import Path
from typing import Any

from loopback import from_recording
from samples import CHAT, MODEL
from wiretape.journal.exchange_file import EntryKind, JournalEntry
from wiretape.journal.folder import Journal
from wiretape.journal.write_job import ExchangeRequest, WriterConfig, dumps_head
from wiretape.policy import Mode
from wiretape.providers import table
from wiretape.redaction.rules import DEFAULT_POLICY
from wiretape.store.opening import StoreUrl
from wiretape.tape.config import TapeConfig

ROUTE = table.load({}).route("POST", "https", "api.fireworks.ai", 443, "/inference/v1/chat/completions")
BODY = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "Hello, world!"}], "stream": True}).encode()
PIECES = tuple(step for step in from_recording(CHAT).steps if isinstance(step, bytes))
HEADERS = (("content-type", "text/event-stream"),)


def body(word: object) -> bytes:
    """The body of another request."""
    return BODY.replace(b"Hello, world!", str(word).encode())


def config(root: Path | str, **changes: Any) -> WriterConfig:
    """How the exchanges are recorded."""
    policy = changes.pop("policy", DEFAULT_POLICY)
    return WriterConfig(StoreUrl(str(root)), TapeConfig(**{"mode": Mode.RECORD, **changes}), policy)


def begin(journal: Journal, how: WriterConfig, asked: bytes = BODY) -> JournalEntry:
    """An exchange whose answer is about to come."""
    assert ROUTE
    entry = journal.begin()
    first = ExchangeRequest(how, ROUTE, "application/json", None, "ci", "curl/8.5.0", 1_769_860_800.0)
    entry.append(EntryKind.BEGIN, 0, first.dumps())
    entry.append(EntryKind.BODY, 0, asked)
    return entry


def keep(
    journal: Journal,
    how: WriterConfig,
    asked: bytes = BODY,
    *,
    status: int = 200,
    pieces: tuple[bytes, ...] = PIECES,
    last: EntryKind | None = EntryKind.ENDED,
) -> JournalEntry:
    """An exchange, handed over; or still under way, without its last record."""
    entry = begin(journal, how, asked)
    entry.append(EntryKind.HEAD, 1, dumps_head(status, HEADERS))
    for number, piece in enumerate(pieces):
        entry.append(EntryKind.PIECE, 2 + number, piece)
    journal.grown(entry)
    if last:
        entry.append(last, 1234.5)
        journal.hand_over(entry)
    return entry
