"""One live exchange under recording: the tap on a response's stream. Between mitmproxy's hooks and the journal.

Every piece is in the journal before it is passed on, and the end before the last piece is: where the length is known,
with the piece that completes it; else mitmproxy says that the end was seen before it tells the client.
"""

import asyncio
import logging
import time
from enum import Enum

from mitmproxy import http

from wiretape import redaction
from wiretape.call_log.call import Outcome
from wiretape.journal.exchange_file import LAST, EntryKind, JournalEntry
from wiretape.journal.folder import Journal
from wiretape.journal.outcome import WriteOutcome
from wiretape.journal.write_job import ExchangeRequest, WriterConfig, dumps_head
from wiretape.metrics.counters import LOSSES, Reason
from wiretape.providers.routing import OTHER, Route
from wiretape.providers.usage import Usage
from wiretape.proxy.open_call import OpenCall
from wiretape.replay.single_flight import FlightEnd, SharedResponse
from wiretape.store.opening import StoreUrl
from wiretape.tape.hit import NOTHING
from wiretape.tape.tape import Tape

logger = logging.getLogger(__name__)

LIMIT = 256 * 1024 * 1024
"""Bytes of one answer that are kept for a recording; a longer one still reaches the client whole."""

LIMIT_OF_OTHERS = 64 * 1024 * 1024
"""The same of a path that no entry of the providers' table names: what is as long is a file, and mostly no text."""

_BODY = 1 << 20
"""Bytes of a request's body in one record."""

_LARGE = 256 * 1024
"""Bytes of a request's body from which sealing it is too long for the thread that carries the traffic."""


class State(Enum):
    """How far an exchange is."""

    WAITING = "waiting"
    """For its answer."""
    OPEN = "open"
    """Its answer is under way, and goes into the journal."""
    LOST = "lost"
    """Its answer is under way, or was, and cannot be recorded; it is told why."""
    HANDED_OVER = "handed over"
    """The journal has its end: it is the writer's."""
    DONE = "done"
    """Nothing more is to come of it."""


class LiveRecording:
    """What is known of a live exchange until it ends; others may follow its flight."""

    def __init__(
        self,
        tape: Tape,
        place: StoreUrl,
        route: Route,
        flow: http.HTTPFlow,
        *,
        body: bytes,
        test_id: str | None,
        since: float,
        call: OpenCall,
        by: str = "",
        replaces: str = "",
    ) -> None:
        """``body`` is the request's, without its content coding; ``replaces`` names the recording that has expired.

        ``since`` is when its last byte came, by ``time.monotonic``; ``by`` whose token it came with. ``call`` is told
        when it is known what has become of the answer.
        """
        self.flight = SharedResponse()
        self.client = flow.client_conn
        self.tape = tape
        self.state = State.WAITING
        self.url = route.sent_url
        self.call = call
        self.usage = NOTHING
        """The tokens that the answer says that it took, when it is recorded."""
        self.log: list[str] = []
        """What was said of it when it was written, or was not."""
        self._reason: Reason | None = None
        """Why it is not recorded, where it is not."""
        self._since = since
        self._request = ExchangeRequest(
            WriterConfig(place, tape.config, redaction.DEFAULT.policy),
            route,
            flow.request.headers.get("content-type", ""),
            test_id,
            by,
            flow.request.headers.get("user-agent", ""),
            time.time() - (time.monotonic() - since),
            replaces,
        )
        self._body = body
        self._journal: Journal
        self._entry: JournalEntry | None = None
        self._size = 0
        self._is_other = route.endpoint.kind == OTHER
        self._length: int | None = None
        self._end = EntryKind.ENDED
        """What the end of the answer's body is, when it is seen."""

    @property
    def number(self) -> int | None:
        """What the journal calls it."""
        return self._entry.number if self._entry else None

    async def open(self, journal: Journal) -> None:
        """Begin in the journal, for the answer that is about to come. Never raises."""
        self._journal = journal
        try:
            self._entry = journal.begin()
            if len(self._body) > _LARGE:
                await asyncio.to_thread(self._write_request, self._entry)
            else:
                self._write_request(self._entry)
        except OSError as e:
            self._lose(f"the journal cannot be written: {e}")
        self._body = b""

    def _write_request(self, entry: JournalEntry) -> None:
        """Write what was asked. For any thread: it touches nothing but the file."""
        entry.hold(EntryKind.BEGIN, 0.0, self._request.dumps())
        for start in range(0, len(self._body) or 1, _BODY):
            entry.append(EntryKind.BODY, 0.0, self._body[start : start + _BODY])

    def lose(self, why: str) -> None:
        """There is no journal for it, or none any more."""
        self._body = b""
        if self.state is not State.LOST:
            self._lose(why)

    def tap(self, response: http.Response) -> None:
        """Keep a copy of what passes; the response's stream is the tap from here on."""
        response.stream = self._keep
        if self.state is not State.WAITING or self._entry is None:
            return
        self.state = State.OPEN
        length = response.headers.get("content-length", "")
        self._length = int(length) if length.isascii() and length.isdecimal() and len(length) < 19 else None
        is_chunked = response.headers.get("transfer-encoding", "").lower().endswith("chunked")
        if response.http_version.startswith("HTTP/1") and self._length is None and not is_chunked:
            self._end = EntryKind.CLOSED
        head = response.status_code, tuple(response.headers.items(multi=True))
        # It is of no use before there is something of the body, and goes with that.
        self.call.begin(response.status_code)
        self._entry.hold(EntryKind.HEAD, self._now(), dumps_head(*head))
        self.flight.begin(*head, self._entry)
        if self._length == 0:
            self._append(EntryKind.ENDED)

    def _keep(self, piece: bytes) -> bytes:
        # Runs outside mitmproxy's safe call: an exception here would hang the client, a native module's panic too.
        try:
            self._add(piece)
        except BaseException:
            logger.exception("RECORDING LOST: %s%s", self.url, self.tape.named)
            self.state = State.LOST
        return piece

    def _add(self, piece: bytes) -> None:
        if not piece:
            self._append(self._end)
        elif self.state is State.OPEN:
            self._size += len(piece)
            limit = LIMIT_OF_OTHERS if self._is_other else LIMIT
            if self._size > limit:
                self._lose(f"the answer is longer than {limit} bytes", Reason.SIZE)
            elif not self._journal.has_room(len(piece)):
                self._lose(f"the journal is full ({self._journal.limit} bytes, wiretape_journal)")
            self._append(EntryKind.PIECE, piece)
            if self._size == self._length:
                self._append(EntryKind.ENDED)
            self.flight.changed()

    def _now(self) -> float:
        """Milliseconds from the request's last byte, which are the last that are known of its answer."""
        at = self.call.last_at = time.monotonic()
        return (at - self._since) * 1000

    def _append(self, kind: EntryKind, data: bytes = b"") -> None:
        if self.state is not State.OPEN:
            return
        assert self._entry
        try:
            self._entry.append(kind, self._now(), data)
            self._journal.grown(self._entry)
            if kind in LAST:
                self.call.is_over = True
                self._journal.hand_over(self._entry)
                self.state = State.HANDED_OVER
        except OSError as e:
            self._lose(f"the journal cannot be written: {e}")

    def _lose(self, why: str, reason: Reason = Reason.LOST) -> None:
        self.state = State.LOST
        self.tape.counters.not_recorded(reason)
        self._reason = reason
        self.call.last_at = None  # It goes on.
        self.log.append(why)
        logger.error("RECORDING LOST: %s: %s%s", self.url, why, self.tape.named)
        self.flight.end(FlightEnd.UNSHARED)
        self._discard()

    def _discard(self) -> None:
        if self._entry:
            try:
                self._entry.discard()
            except OSError as e:
                logger.error("%s: cannot be removed: %s", self._entry.path, e)
            self._journal.freed(self._entry.number)

    def finish(self, how: EntryKind) -> None:
        """The answer has ended, or will not; only the first call counts. ``how`` is one of the last records."""
        if self.state is State.WAITING:
            self.state = State.DONE
            self.tape.counters.not_recorded(Reason.NO_ANSWER)
            self._reason = Reason.NO_ANSWER
            self.log.append("no answer came")
            logger.warning("not recorded: %s: no answer came%s", self.url, self.tape.named)
            self._discard()
        elif self.state is State.OPEN:
            self._append(self._end if how is EntryKind.ENDED else how)

    def written(self, outcome: WriteOutcome) -> None:
        """The writer is done with it, or keeps it for later."""
        counters = self.tape.counters
        counters.recorded += outcome.recorded
        if outcome.unrecorded:
            self._reason = Reason(outcome.reason)
            counters.not_recorded(self._reason)
        self.usage = Usage(**outcome.usage)
        call = self.call
        call.recording = outcome.recording
        call.request = outcome.label or call.request
        call.model = outcome.model or call.model
        self.log += [message for _, level, message in outcome.log if level >= logging.INFO]
        self.flight.close()
        if outcome.is_kept:
            self._journal.kept(outcome.number)
        else:
            self._journal.written(outcome.number)
        self.tape.store.refresh(self.tape.session)
        self.state = State.DONE

    def tell(self) -> None:
        """Tell what has become of the call; only the first time counts."""
        call = self.call
        if call.has_ended:
            return
        call.usage = self.usage
        call.size = self._size
        if self._reason is None:
            call.outcome = Outcome.RECORDED
            call.recorded_in = self.tape.session
        else:
            call.outcome = Outcome.LOST if self._reason in LOSSES else Outcome.PASSED
        call.why += self.log
        call.end()
