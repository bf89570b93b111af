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
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from weakref import WeakKeyDictionary

import re2
from mitmproxy import connection

from wiretape.codecs import content_coding
from wiretape.exceptions import StoreAwayError
from wiretape.matching import request
from wiretape.metrics.counters import SessionCounters
from wiretape.policy import Mode, Takes
from wiretape.providers.routing import Exclusion, Providers, Route
from wiretape.proxy.call_report import Became, CallReport
from wiretape.proxy.hit_log import HitLog
from wiretape.proxy.refusals import Refusals
from wiretape.recording import RecordedRequest
from wiretape.replay.faults import Fault, FaultQuery, Faults
from wiretape.replay.single_flight import SharedResponse
from wiretape.sessions.access import AccessDeniedError, AccessPolicy, basic
from wiretape.sessions.model import RECORDING
from wiretape.store.freezing import FrozenMarks
from wiretape.tape.mismatch import Explanation
from wiretape.tape.pool import TapePool
from wiretape.tape.tape import Hit, Tape

_QUICK = 2048
"""Bytes of a request's body that are read within a millisecond, whatever they are: one of as many texts as there can be
takes 0.4 us a byte. A longer one is read aside, by a thread that does not carry the traffic."""

_MARKS = (b'"', b"\\", b"%", b"=")
_FEW = 100
"""Marks in such a body: each may begin a text, or a value, that is looked at by itself."""
_LONG_WORD = re2.compile(rb"[A-Za-z0-9+/_-]{20,}")
_FEW_WORDS = 16
"""Words in such a body that may be keys, or base64 of a text."""

_LARGE = 256 * 1024
"""Bytes of a request's body from which its digest takes too long for the thread that carries the traffic, and reading
it too long for the one that looks up what others ask for."""

LARGEST = 64 * 1000**2
"""Bytes of a request's body that are kept, where no option says otherwise."""

LOOKING = (Mode.REPLAY, Mode.RECORD_IF_MISSING)
"""The modes in which requests are answered from recordings."""

_SEATED = 0.02
"""Seconds for which credentials are not looked at again: a token that is taken back is good for so long."""

_SEATS = 1000

_WAITING = 64
"""Look-ups that are under way at once in a store that is not quick."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client's credentials have given it."""

    tape: Tape
    """Its session, in its mode."""
    by: str = ""
    """Its token's name; empty where the proxy is open."""


@dataclass(slots=True)
class IncomingRequest:
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
    seat: Grant
    """Whose it is."""
    unreadable: str = ""
    """Why its body cannot be read."""
    origin: str = ""
    """The origin of the web page that asks, where one does."""

    def key(self) -> Hashable:
        """Equal for calls that are the same byte for byte, but for headers of no meaning here."""
        digest = hashlib.sha256(self.body).digest()
        return self.method, self.scheme, self.hosts, self.port, self.path, self.content_type, self.test_id, digest


@dataclass(slots=True)
class Decision:
    """What was decided on a call to an endpoint."""

    route: Route
    since: float
    seat: Grant
    fault: Fault | None = None
    label: str = ""
    """Of the request, for the log, where there is a fault."""
    asked: RecordedRequest | None = None
    unreadable: str = ""
    """Why the request can be no recording."""
    looked_up: bool = False
    unavailable: str = ""
    """Why it could not be looked up."""
    is_away: bool = False
    """Whether that is because a bucket is away, so that live traffic flows and what is recorded waits."""
    hit: Hit | None = None


class _State(Enum):
    """Whether anybody comes in."""

    STARTING = auto()
    """Nobody does: it is not known yet who may."""
    OPEN = auto()
    STOPPING = auto()
    """Nobody does any more."""


_CLOSED = {
    _State.STARTING: (500, "this proxy is not configured: its log tells what is wrong"),
    _State.STOPPING: (503, "this proxy stops: ask again when it has started anew"),
}


class Desk:
    """Who may come in, the tapes that are in use, and what else decides."""

    def __init__(self, ledger: SessionCounters) -> None:
        self.ledger = ledger
        self.providers = Providers(())
        self.faults = Faults()
        self.flights: dict[Hashable, SharedResponse] = {}
        """The live answers that can be shared: see ``sharing``."""
        self.log = HitLog()
        self.calls = CallReport()
        """What became of each call, for who asks after a run."""
        self.refusals = Refusals()
        self.largest = LARGEST
        """Bytes of a request's body that are kept."""
        self._state = _State.STARTING
        self._gate: AccessPolicy
        self._tapes: TapePool
        self._frozen: FrozenMarks
        self._seats: dict[str | None, tuple[Grant, float]] = {}
        """By credentials, and until when that holds."""
        self._clients: WeakKeyDictionary[Hashable, str] = WeakKeyDictionary()
        self._shown: WeakKeyDictionary[Hashable, set[str]] = WeakKeyDictionary()
        """What clients have shown with requests, outside of a tunnel, and were let in with."""
        # A thread for what knows a file's name, and one for what has to search: a search delays no hit.
        self._reader = ThreadPoolExecutor(1, "wiretape-read")
        self._searcher = ThreadPoolExecutor(1, "wiretape-search")
        # Many where each look-up waits for a network: none waits for another.
        self._waiters = ThreadPoolExecutor(_WAITING, "wiretape-wait")
        self._looking: dict[Hashable, asyncio.Task[Hit | None]] = {}
        self._large = ThreadPoolExecutor(1, "wiretape-large")

    def use(self, gate: AccessPolicy, tapes: TapePool) -> None:
        """From now on these decide on who comes in, and on what he gets."""
        self._gate, self._tapes = gate, tapes
        self._seats.clear()
        self._frozen = FrozenMarks(tapes.store, self._thread_for(self._searcher))
        if self._state is _State.STARTING:
            self._state = _State.OPEN

    def _thread_for(self, quick: ThreadPoolExecutor) -> ThreadPoolExecutor:
        return quick if self._tapes.store.is_quick else self._waiters

    def close_door(self) -> None:
        """Let nobody in until ``use`` is called again."""
        if self._state is _State.OPEN:
            self._state = _State.STARTING

    def stop(self) -> None:
        """Let nobody in from now on."""
        self._state = _State.STOPPING

    def close(self) -> None:
        """Let no thread wait for another look-up."""
        for pool in (self._reader, self._searcher, self._large, self._waiters):
            pool.shutdown(wait=False, cancel_futures=True)
        self.log.flush()
        self.refusals.flush()

    # -- who asks --------------------------------------------------------------------------------------------------

    def check_open(self) -> None:
        """Raise Denied where nobody comes in, whoever it is."""
        if self._state is not _State.OPEN:
            raise AccessDeniedError(*_CLOSED[self._state])

    def enter(self, client: Hashable, authorization: str | None) -> None:
        """A client asks for a tunnel: what comes through it comes with these credentials."""
        self._clients[client] = read_credentials(authorization) if authorization else ""

    def is_settled_by_tunnel(self, client: Hashable) -> bool:
        """Whether a client was let into a tunnel with credentials: all that comes through it has their session."""
        return bool(self._clients.get(client))

    def has_been_let_in(self, client: Hashable) -> bool:
        """Whether a client has shown a token that was good, for a tunnel or with a request."""
        return client in self._clients or client in self._shown

    def refuse(self, client: connection.Client, what: str, denied: AccessDeniedError) -> float:
        """Say that a client was refused, and return in how many seconds it may be told."""
        self.refusals.add(client.peername[0], what, str(denied))
        return self.refusals.turn() if denied.status in (403, 407) else 0.0

    def seat(self, client: Hashable, authorization: str | None = None, header: str | None = None) -> Grant:
        """Where a client sits whose request has these ``Proxy-Authorization`` and ``x-wiretape-session``.

        In a tunnel whose credentials have named a session, those do not count; where there is the first, the second
        does not. Raises Denied.
        """
        self.check_open()
        credentials = self._clients.get(client)
        if not credentials:
            credentials = read_credentials(authorization) if authorization else header
        found = self._seat(credentials)
        if found.by and client not in self._clients:
            self._shown.setdefault(client, set()).add(credentials or "")
        return found

    def _seat(self, credentials: str | None) -> Grant:
        known = self._seats.get(credentials)
        if known and known[1] > now():
            return known[0]
        access = self._gate.admit(credentials, self._frozen.is_frozen)
        found = Grant(self._tapes.of(access.session, access.mode), access.by)
        if len(self._seats) > _SEATS:
            self._seats.clear()
        self._seats[credentials] = found, now() + _SEATED
        return found

    async def settled(self, client: Hashable, authorization: str | None = None, header: str | None = None) -> Grant:
        """As ``seat``, with a look into a store that is not quick where that is needed."""
        found = self.seat(client, authorization, header)
        if not self.is_settled(found):
            await aside(self._thread_for(self._reader), self._frozen.look, found.tape.session)
            self._seats.clear()
            found = self.seat(client, authorization, header)
        return found

    def is_settled(self, seat: Grant) -> bool:
        """Whether it is known that nothing is frozen that would be recorded in."""
        return seat.tape.mode not in RECORDING or self._frozen.knows(seat.tape.session)

    def outside(self) -> list[Hashable]:
        """The clients that were let in with credentials that are good no more."""
        self._seats.clear()
        shown = {client: {credentials} for client, credentials in self._clients.items()}
        for client, credentials in self._shown.items():
            shown.setdefault(client, set()).update(credentials)
        is_good = {each: self._gate.is_good(each) for each in set[str]().union(*shown.values())}
        return [client for client, all_of in shown.items() if not all(map(is_good.__getitem__, all_of))]

    def doubt(self, tape: Tape) -> str:
        """Why it cannot be told whether a session may be recorded in; empty where it can."""
        return str(self._frozen.doubt(tape.session) or "")

    @property
    def default(self) -> Grant:
        """Where somebody sits who names no session, on a proxy that is open."""
        access = self._gate.default()
        return Grant(self._tapes.of(access.session, access.mode))

    def mode(self, client: Hashable) -> Mode | None:
        """The mode of a client in a tunnel; None where its requests have to tell."""
        try:
            return self.seat(client).tape.mode if client in self._clients else None
        except AccessDeniedError:
            return None

    # -- what becomes of it ----------------------------------------------------------------------------------------

    def route(self, call: IncomingRequest) -> Route | None:
        """The route of a call, by one of its names for the host."""
        for host in dict.fromkeys(call.hosts):
            if route := self.providers.route(call.method, call.scheme, host, call.port, call.path):
                return route
        return None

    def exclusion(self, call: IncomingRequest) -> Exclusion | None:
        """Why a call to a provider's host has no route; None where it has one, or the host is nobody's."""
        for host in dict.fromkeys(call.hosts):
            if why := self.providers.exclusion(call.method, call.scheme, host, call.port, call.path):
                return why
        return None

    def recall(self, call: IncomingRequest) -> Hit | None:
        """The hit of a call that was looked up lately: at once, and counted."""
        tape = call.seat.tape
        if tape.mode not in LOOKING or self.faults or len(call.body) > _LARGE:
            return None
        hit = tape.recall(call.key())
        if hit:
            self._count(call.seat, hit)
        return hit

    def recalled(self, call: IncomingRequest, route: Route) -> Decision | None:
        """The decision on a call that has a hit in memory; counted. Its request is not read."""
        hit = self.recall(call)
        return Decision(route, call.since, call.seat, looked_up=True, hit=hit) if hit else None

    def _count(self, seat: Grant, hit: Hit) -> None:
        counters = seat.tape.counters
        counters.hits += 1
        counters.tokens += hit.tokens
        counters.bytes += hit.size
        self.log.add(hit.name, hit.label + seat.tape.named)
        self.calls.hit(seat.tape, hit)

    def answers(self, call: IncomingRequest) -> bool:
        """Whether the call may be answered here, so that it is worth deciding before there is a flow."""
        return self.is_answering(call.seat.tape.mode) and self.route(call) is not None

    def is_answering(self, mode: Mode | None) -> bool:
        """Whether there are calls that may be answered here: in ``live`` and ``record`` only faults are.

        ``mode`` is None where it is not known yet.
        """
        return mode is None or mode in LOOKING or bool(self.faults)

    async def decide(self, call: IncomingRequest, route: Route | None = None) -> Decision | None:
        """What becomes of a call; None where it is to no endpoint. A hit is counted. ``route``: where it is known."""
        route, tape = route or self.route(call), call.seat.tape
        if route is None:
            return None
        made = Decision(route, call.since, call.seat, unreadable=call.unreadable)
        # In ``record`` whoever writes the recording reads the request: it is sent on whatever it is.
        if self.is_answering(call.seat.tape.mode) and not call.unreadable:
            try:
                made.asked = await self._read(call, route)
            except ValueError as e:
                made.unreadable = str(e)
        if self.faults:
            self._draw(call, made)
        if made.fault and made.fault.status:
            self.calls.other(Became.FAULT, tape, made.label)
        elif made.asked and tape.mode in LOOKING:
            following = (
                tape.mode is Mode.RECORD_IF_MISSING and not made.fault and key_of(tape, made.asked) in self.flights
            )
            if not following:
                await self.look_up(made, call.key() if len(call.body) <= _LARGE else None)
        return made

    async def look_up(self, made: Decision, key: Hashable = None) -> None:
        """Look for the recording of what was asked; a hit or a miss is counted."""
        tape, asked = made.seat.tape, made.asked
        assert asked
        made.looked_up = True
        try:
            made.hit = await self._find(tape, asked, key)
            if made.hit is None and tape.needs_search:
                made.hit = await aside(self._searcher, tape.search, asked, key)
        except OSError as e:
            made.unavailable = str(e)
            made.is_away = isinstance(e, StoreAwayError)
        if made.unavailable:
            tape.counters.unavailable += 1
        elif made.hit:
            self._count(made.seat, made.hit)
        else:
            tape.counters.misses += 1

    async def explain(self, seat: Grant, asked: RecordedRequest, *, is_offline: bool = False) -> Explanation:
        """Why there is no recording, in replay, or in other modes while offline."""
        pool = self._thread_for(self._searcher)
        # Who came with a token is told nothing of sessions that it may not be good for.
        return await aside(pool, seat.tape.explain, asked, is_offline=is_offline, is_open=not seat.by)

    async def _find(self, tape: Tape, asked: RecordedRequest, key: Hashable) -> Hit | None:
        if tape.store.is_quick:
            return await aside(self._reader, tape.lookup, asked, key)
        if key is None or asked.moves_on or tape.config.takes not in (Takes.FIRST, Takes.LAST):
            return await aside(self._waiters, tape.lookup, asked, key)
        # Equal requests wait together: many that want one slow recording leave the threads to the others.
        where = tape, key
        task = self._looking.get(where)
        if task is None:
            task = self._looking[where] = asyncio.create_task(aside(self._waiters, tape.lookup, asked, key))
            task.add_done_callback(lambda _: self._looking.pop(where, None))
        return await asyncio.shield(task)

    async def plain(self, body: bytes, coding: str) -> bytes:
        """A request's body without its content coding, which may make much of little. Raises TooLargeError."""
        return await aside(self._large, content_coding.plain, body, coding, self.largest)

    def _draw(self, call: IncomingRequest, made: Decision) -> None:
        if made.asked:
            model, identity = made.asked.model, request.identity(made.asked)
        else:  # It can be no recording; it can be sent all the same.
            model, identity = "", hashlib.sha256(call.body).hexdigest()
        recorded = made.route.endpoint.recorded
        made.label = f"{recorded or made.route.sent_url} {model}".rstrip()
        endpoints = tuple(filter(None, (recorded, made.route.path.partition("?")[0])))
        made.fault = self.faults.draw(
            FaultQuery(made.seat.tape.session, made.route.provider, endpoints, model, identity)
        )

    async def _read(self, call: IncomingRequest, route: Route) -> RecordedRequest:
        if _is_quick(call.body):
            return _recorded(call, route)
        pool = self._reader if len(call.body) <= _LARGE else self._large
        return await aside(pool, _recorded, call, route)


def _is_quick(body: bytes) -> bool:
    """Tell whether a request is read in about a millisecond at most: it is small, and has little in it to look at."""
    if len(body) > _QUICK or any(body.count(mark) > _FEW for mark in _MARKS):
        return False
    return len(_LONG_WORD.findall(body)) <= _FEW_WORDS


def _recorded(call: IncomingRequest, route: Route) -> RecordedRequest:
    asked = request.recorded(route, call.body, call.content_type, call.test_id)
    request.identity(asked)  # It is kept, and asked for again and again.
    return asked


async def aside[**P, T](pool: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what takes time away from the thread that carries the traffic."""
    return await asyncio.get_running_loop().run_in_executor(pool, partial(function, *args, **kwargs))


def read_credentials(authorization: str) -> str:
    """Return ``USER:TOKEN`` of a header. Raises Denied where nobody can tell whom it names: it is not to be another."""
    found = basic(authorization)
    if found is None:
        raise AccessDeniedError(407, "has credentials that are not Basic: HTTPS_PROXY=http://SESSION:TOKEN@HOST:PORT")
    return found


def key_of(tape: Tape, asked: RecordedRequest) -> Hashable:
    """Equal for requests that can share a live answer."""
    # The identity leaves out in which form embeddings are wanted: the live bytes are in one of them.
    return tape.session, request.identity(asked), asked.test_id, asked.base64_wanted


def now() -> float:
    """The clock of ``Call.since``."""
    return time.monotonic()
