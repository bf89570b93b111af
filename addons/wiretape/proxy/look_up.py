"""Looking for the recording of a request, without a wait for the thread that carries the traffic. Below ``decide``.

What was looked up lately is told at once; all else is asked of the tape aside. Where recordings are being read for
rules, a request that needs rules waits for that, and no other does. Hits, misses, and that it cannot be told are
counted here, and nowhere else.
"""

import asyncio
from collections.abc import Hashable
from concurrent.futures import Future, wait

from wiretape.exceptions import StoreAwayError
from wiretape.policy import Mode, Takes
from wiretape.proxy.admission import Grant
from wiretape.proxy.calls import LARGE, EndpointRequest, Finding, IncomingRequest, LookedUp
from wiretape.proxy.hit_log import HitLog
from wiretape.proxy.threads import Threads, aside
from wiretape.tape.background import StillReadingError
from wiretape.tape.expiry import ExpiredError
from wiretape.tape.hit import Hit
from wiretape.tape.loose import without_place
from wiretape.tape.mismatch import Explanation
from wiretape.tape.question import Question
from wiretape.tape.tape import Tape

_KEEPING = 1.0
"""Seconds for which the end of a proxy waits for misses that are being kept."""

LOOKING = (Mode.REPLAY, Mode.RECORD_IF_MISSING)
"""The modes in which requests are answered from recordings."""


class LookUps:
    """Looks up, and counts what comes of it. For the thread that carries the traffic."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._log = HitLog()
        self._under_way: dict[Hashable, asyncio.Task[Hit | None]] = {}
        """In stores that are not quick."""
        self._kept: set[Future[None]] = set()
        """Misses that are being kept."""

    def close(self) -> None:
        """Say what has not been said yet, and let the last misses be kept."""
        self._log.flush()
        wait(tuple(self._kept), _KEEPING)

    def recall(self, incoming: IncomingRequest) -> Hit | None:
        """Return the hit of a request that was looked up lately: at once, and counted."""
        tape = incoming.grant.tape
        if tape.mode not in LOOKING or len(incoming.body) > LARGE or incoming.too_large:
            return None
        hit = tape.recall(incoming.key(), incoming.head.user_agent)
        if hit:
            self._count(incoming.grant, hit)
        return hit

    async def look_up(self, request: EndpointRequest, key: Hashable = None) -> LookedUp:
        """Look for the recording of a request that was read. ``key``: as ``Question`` has it."""
        tape = request.grant.tape
        assert request.recorded
        question = Question(request.recorded, key, context=request.context)
        try:
            hit = await self._found(tape, question)
        except ExpiredError as e:
            tape.counters.misses += not request.is_beside_model
            if e.is_asked_anew:
                return LookedUp(Finding.MISS, replaces=e.replaces)
            return LookedUp(Finding.EXPIRED, why=str(e))
        except OSError as e:
            tape.counters.unavailable += 1
            return LookedUp(Finding.AWAY if isinstance(e, StoreAwayError) else Finding.BROKEN, why=str(e))
        if hit is None:
            tape.counters.misses += not request.is_beside_model
            return LookedUp(Finding.MISS)
        self._count(request.grant, hit)
        return LookedUp(Finding.HIT, hit)

    async def explain(self, request: EndpointRequest, *, is_offline: bool) -> Explanation:
        """Return why a request has no recording. ``is_offline``: whether nothing is sent anyway. Raises OSError."""
        tape = request.grant.tape
        recorded = request.recorded
        assert recorded
        # Who came with a token is told nothing of sessions that it may not be good for.
        is_open = not request.grant.by
        pool = self._threads.searcher_of(tape.store)
        context = request.context
        explanation = await aside(pool, tape.explain, recorded, context, is_offline=is_offline, is_open=is_open)
        # Whoever asked does not wait for it.
        kept = pool.submit(tape.keep_miss, recorded, context)
        self._kept.add(kept)
        kept.add_done_callback(self._kept.discard)
        return explanation

    def _count(self, grant: Grant, hit: Hit) -> None:
        counters = grant.tape.counters
        counters.hits += 1
        if hit.rules:
            counters.hit_by_rules(map(without_place, hit.rules))
        counters.tokens += hit.tokens
        counters.bytes += hit.size
        by_rules = f" by the rules {', '.join(hit.rules)}" if hit.rules else ""
        self._log.add(hit.name, hit.label + by_rules + grant.tape.named)

    async def _found(self, tape: Tape, question: Question) -> Hit | None:
        """Return the hit of a request, once it can be told. Raises OSError."""
        while True:
            try:
                hit = await self._find(tape, question)
                if hit is None and tape.needs_search:
                    hit = await aside(self._threads.searcher, tape.search, question)
            except StillReadingError as e:
                # It keeps no thread from others. Who goes away meanwhile does not end it.
                await asyncio.shield(asyncio.wrap_future(e.done))
            else:
                return hit

    async def _find(self, tape: Tape, question: Question) -> Hit | None:
        pool = self._threads.reader_of(tape.store)
        has_turns = question.request.moves_on or tape.counts_calls or tape.config.takes not in (Takes.FIRST, Takes.LAST)
        if tape.store.is_quick or question.key is None or has_turns:
            return await aside(pool, tape.lookup, question)
        # Equal requests wait together: many that want one slow recording leave the threads to the others.
        where = tape, question.key
        task = self._under_way.get(where)
        if task is None:
            task = self._under_way[where] = asyncio.create_task(aside(pool, tape.lookup, question))
            task.add_done_callback(lambda _: self._under_way.pop(where, None))
        return await asyncio.shield(task)
