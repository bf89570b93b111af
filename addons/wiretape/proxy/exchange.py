"""One live exchange under recording: the tap on a response's stream. Between mitmproxy's hooks and the tape."""

import logging
import time
from datetime import UTC, datetime, timedelta

from mitmproxy import http

from wiretape import capture, wire
from wiretape.flight import Flight
from wiretape.providers import Route
from wiretape.scribe import Job, Scribe, Settings
from wiretape.store.opening import Place
from wiretape.tape import Tape

logger = logging.getLogger(__name__)

LIMIT = 256 * 1024 * 1024
"""Bytes of one answer that are kept for a recording; a longer one still reaches the client whole."""


class Exchange:
    """What is known of a live exchange until it ends; others may follow its flight."""

    def __init__(
        self,
        tape: Tape,
        place: Place,
        route: Route,
        flow: http.HTTPFlow,
        *,
        body: bytes,
        test_id: str | None,
        since: float,
        by: str = "",
    ) -> None:
        """``body`` is the request's, without its content coding.

        ``since`` is when its last byte came, by ``time.monotonic``; ``by`` whose token it came with.
        """
        self.flight = Flight()
        self._tape = tape
        self._place = place
        self._route = route
        self._test_id = test_id
        self._content_type = flow.request.headers.get("content-type", "")
        self._body = body
        self._user_agent = flow.request.headers.get("user-agent", "")
        self._by = by
        self._since = since
        self._last = since
        self._at: list[float] = []
        self._size = 0
        self._finished = False

    def tap(self, response: http.Response) -> None:
        """Keep a copy of what passes; the response's stream is the tap from here on."""
        self._last = time.monotonic()
        self.flight.begin(response.status_code, tuple(response.headers.items(multi=True)))
        response.stream = self._keep

    def _keep(self, piece: bytes) -> bytes:
        # Runs outside mitmproxy's safe call: an exception here would hang the client.
        if piece and self._size <= LIMIT:
            self._size += len(piece)
            self._last = time.monotonic()
            self._at.append((self._last - self._since) * 1000)
            if self._size > LIMIT:
                self.flight.end("the answer is too long to be shared")
            else:
                self.flight.add(piece)
        return piece

    def finish(self, scribe: Scribe, *, ended: bool) -> None:
        """Record what came; only the first call counts. Blocks until it is written.

        ``ended``: the end of the body was seen.
        """
        if self._finished:
            return
        self._finished = True
        flight, counters, url = self.flight, self._tape.counters, self._route.url
        if not flight.status:
            counters.unrecorded += 1
            logger.warning("not recorded: %s: no answer came%s", url, self._tape.named)
        elif self._size > LIMIT:
            counters.unrecorded += 1
            text = "RECORDING LOST: the answer of %s is longer than %d bytes%s"
            logger.error(text, url, LIMIT, self._tape.named)
        else:
            arrived = wire.Arrived(flight.status, flight.headers, tuple(flight.pieces), tuple(self._at), ended)
            job = Job(self._route, self._content_type, self._test_id, self._body, arrived, self._origin())
            scribe.write(Settings.of(self._tape, self._place), job, counters)
            self._tape.store.refresh(self._tape.session)

    def _origin(self) -> capture.Origin:
        # This may be some time later: others are written first.
        ended = datetime.now(UTC) - timedelta(seconds=time.monotonic() - self._last)
        return capture.origin(self._by, ended, self._user_agent, (self._last - self._since) * 1000)
