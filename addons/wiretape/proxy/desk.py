"""Who decides what becomes of a request: from bytes and values, before there is a flow or with one.

Between mitmproxy's layers and hooks, which ask, and the tape, which knows. What carries the traffic calls from its
thread; what may take long is done aside.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from wiretape import request, wire
from wiretape.counters import Counters
from wiretape.faults import Asked, Fault, Faults
from wiretape.flight import Flight
from wiretape.providers import Providers, Route
from wiretape.proxy.hitlog import HitLog
from wiretape.recording import RecordedRequest
from wiretape.store.base import Unavailable
from wiretape.tape import Hit, Mode, Tape

_LARGE = 256 * 1024
"""Bytes of a request's body from which reading it is too long for the thread that carries the traffic."""

_LOOKING = (Mode.REPLAY, Mode.RECORD_IF_MISSING)
"""The modes in which requests are answered from recordings."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Call:
    """A request that has come whole."""

    method: str
    scheme: str
    hosts: tuple[str, ...]
    """Its names for the host: the connection's, then the request's own."""
    port: int
    path: str
    """In origin form, with the query."""
    content_type: str
    test_id: str | None
    body: bytes
    since: float
    """When its last byte came, by ``time.monotonic``."""

    def key(self) -> Hashable:
        """Equal for calls that are the same byte for byte, but for headers of no meaning here."""
        digest = hashlib.sha256(self.body).digest()
        return self.method, self.scheme, self.hosts, self.port, self.path, self.content_type, self.test_id, digest


@dataclass(slots=True)
class Decision:
    """What was decided on a call to an endpoint."""

    route: Route
    since: float
    fault: Fault | None = None
    label: str = ""
    """Of the request, for the log, where there is a fault."""
    asked: RecordedRequest | None = None
    unreadable: str = ""
    """Why the request can be no recording."""
    looked_up: bool = False
    unavailable: str = ""
    """Why it could not be looked up."""
    hit: Hit | None = None


@dataclass
class Desk:
    """The tape that is in use, and what else decides."""

    counters: Counters
    providers: Providers = field(default_factory=lambda: Providers(()))
    faults: Faults = field(default_factory=Faults)
    flights: dict[tuple[str, str | None], Flight] = field(default_factory=dict)
    tape: Tape | None = None

    def __post_init__(self) -> None:
        self.log = HitLog()
        # A thread for what knows a file's name, and one for what has to search: a search delays no hit.
        self._reader = ThreadPoolExecutor(1, "wiretape-read")
        self._searcher = ThreadPoolExecutor(1, "wiretape-search")

    def close(self) -> None:
        """Let no thread wait for another look-up."""
        for pool in (self._reader, self._searcher):
            pool.shutdown(wait=False, cancel_futures=True)
        self.log.flush()

    def route(self, call: Call) -> Route | None:
        """The route of a call, by one of its names for the host."""
        for host in dict.fromkeys(call.hosts):
            if route := self.providers.route(call.method, call.scheme, host, call.port, call.path):
                return route
        return None

    def recall(self, call: Call) -> Hit | None:
        """The hit of a call that was looked up lately: at once, and counted."""
        tape = self.tape
        if tape is None or tape.mode not in _LOOKING or self.faults or len(call.body) > _LARGE:
            return None
        hit = tape.recall(call.key())
        if hit:
            self.count(hit)
        return hit

    def count(self, hit: Hit) -> None:
        """A hit is going to be served."""
        self.counters.hits += 1
        self.counters.tokens += hit.tokens
        self.log.add(hit.name, hit.label)

    def answers(self, call: Call) -> bool:
        """Whether the call may be answered here, so that it is worth deciding before there is a flow."""
        return self.is_answering and self.route(call) is not None

    @property
    def is_answering(self) -> bool:
        """Whether there are calls that may be answered here: in ``live`` and ``record`` only faults are."""
        return self.tape is not None and (self.tape.mode in _LOOKING or bool(self.faults))

    async def decide(self, call: Call, route: Route | None = None) -> Decision | None:
        """What becomes of a call; None where it is to no endpoint. A hit is counted. ``route``: where it is known."""
        route, tape = route or self.route(call), self.tape
        if route is None or tape is None:
            return None
        made = Decision(route, call.since)
        # In ``record`` whoever writes the recording reads the request: it is sent on whatever it is.
        if self.is_answering:
            try:
                made.asked = await self._read(call, route)
            except ValueError as e:
                made.unreadable = str(e)
        if self.faults:
            self._draw(call, made)
        if made.asked and tape.mode in _LOOKING and not (made.fault and made.fault.status):
            following = tape.mode is Mode.RECORD_IF_MISSING and not made.fault and key_of(made.asked) in self.flights
            if not following:
                await self.look_up(made, call.key() if len(call.body) <= _LARGE else None)
        return made

    async def look_up(self, made: Decision, key: Hashable = None) -> None:
        """Look for the recording of what was asked; a hit or a miss is counted."""
        tape, asked = self.tape, made.asked
        assert tape
        assert asked
        made.looked_up = True
        try:
            made.hit = await aside(self._reader, tape.lookup, asked, key)
            if made.hit is None and tape.needs_search:
                made.hit = await aside(self._searcher, tape.search, asked, key)
        except Unavailable as e:
            made.unavailable = str(e)
        if made.unavailable:
            self.counters.unavailable += 1
        elif made.hit:
            self.count(made.hit)
        else:
            self.counters.misses += 1

    async def explain(self, asked: RecordedRequest) -> wire.Answer:
        """The answer to what has no recording, in replay."""
        assert self.tape
        return await aside(self._searcher, self.tape.explain, asked)

    def _draw(self, call: Call, made: Decision) -> None:
        if made.asked:
            model, identity = made.asked.model, request.identity(made.asked)
        else:  # It can be no recording; it can be sent all the same.
            model, identity = "", hashlib.sha256(call.body).hexdigest()
        assert self.tape
        recorded = made.route.endpoint.recorded
        made.label = f"{recorded or made.route.url} {model}".rstrip()
        endpoints = tuple(filter(None, (recorded, made.route.path.partition("?")[0])))
        made.fault = self.faults.draw(Asked(self.tape.session, made.route.provider, endpoints, model, identity))

    async def _read(self, call: Call, route: Route) -> RecordedRequest:
        arguments = route, call.body, call.content_type, call.test_id
        if len(call.body) < _LARGE:
            return request.recorded(*arguments)
        return await aside(self._reader, request.recorded, *arguments)


async def aside[**P, T](pool: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what takes time away from the thread that carries the traffic."""
    return await asyncio.get_running_loop().run_in_executor(pool, partial(function, *args, **kwargs))


def key_of(asked: RecordedRequest) -> tuple[str, str | None]:
    """Equal for requests that can share a live answer."""
    return request.identity(asked), asked.test_id


def now() -> float:
    """The clock of ``Call.since``."""
    return time.monotonic()
