"""One live exchange under recording: the tap on a response's stream. Between mitmproxy's hooks and the tape."""

import logging
import time

from mitmproxy import http

from wiretape import wire
from wiretape.recording import RecordedRequest
from wiretape.tape import Tape

logger = logging.getLogger(__name__)

LIMIT = 256 * 1024 * 1024
"""Bytes of one answer that are kept for a recording; a longer one still reaches the client whole."""


class Exchange:
    """What is known of a live exchange until it ends."""

    def __init__(self, tape: Tape, asked: RecordedRequest, since: float) -> None:
        """``since`` is when the request's last byte came, by ``time.monotonic``."""
        self._tape = tape
        self._asked = asked
        self._since = since
        self._response: http.Response | None = None
        self._pieces: list[bytes] = []
        self._at: list[float] = []
        self._size = 0
        self._finished = False

    def tap(self, response: http.Response) -> None:
        """Keep a copy of what passes; the response's stream is the tap from here on."""
        self._response = response
        response.stream = self._keep

    def _keep(self, piece: bytes) -> bytes:
        # Runs outside mitmproxy's safe call: an exception here would hang the client.
        if self._size <= LIMIT:
            self._size += len(piece)
            self._pieces.append(piece)
            self._at.append((time.monotonic() - self._since) * 1000)
        return piece

    def finish(self, *, ended: bool) -> None:
        """Record what came; only the first call counts. Blocks on the store.

        ``ended``: the end of the body was seen.
        """
        if self._finished:
            return
        self._finished = True
        pieces, self._pieces = self._pieces, []
        response = self._response
        if response is None:
            self._tape.counters.unrecorded += 1
            logger.warning("not recorded: %s of %s: no answer came", self._asked.endpoint, self._asked.url)
        elif self._size > LIMIT:
            self._tape.counters.unrecorded += 1
            logger.error("RECORDING LOST: the answer of %s is longer than %d bytes", self._asked.url, LIMIT)
        else:
            headers = tuple(response.headers.items(multi=True))
            arrived = wire.Arrived(response.status_code, headers, tuple(pieces), tuple(self._at), ended)
            self._tape.record(self._asked, arrived)
