"""Who shares a live answer with whom, and in what form. Beside ``answering``; ``single_flight`` is what is shared.

Equal requests share the answer of the first of them. It is what their recording would answer, but for two things that
no recording has to do with:

- An answer that depends on who asks, or when (401, 429, 503, a provider that is not to be reached), is for those alone
  who were waiting for it with the same credentials. Of the others each asks by itself, at once, or together with those
  of its own credentials: nobody waits for one stranger after another.
- The bytes may have a content coding that a follower cannot read: then it gets them without.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Hashable
from enum import Enum, auto

from mitmproxy import http

from wiretape.codecs import content_coding, http_fields
from wiretape.policy import Mode
from wiretape.proxy import flow_state, responses
from wiretape.proxy.calls import LARGE, EndpointRequest, Forwarded, Joining, Keeping, Outcome
from wiretape.proxy.compat import supported
from wiretape.proxy.compat.supported import Feature
from wiretape.proxy.decide import Decider
from wiretape.proxy.open_call import OpenCall
from wiretape.recording import capture
from wiretape.redaction import recorded
from wiretape.replay.single_flight import FlightEnd, SharedResponse

logger = logging.getLogger(__name__)

_OF_ALL = frozenset(
    {
        b"accept",
        b"accept-charset",
        b"accept-encoding",
        b"accept-language",
        b"cache-control",
        b"connection",
        b"content-length",
        b"content-type",
        b"date",
        b"host",
        b"pragma",
        b"priority",
        b"referer",
        b"te",
        b"traceparent",
        b"tracestate",
        b"transfer-encoding",
        b"user-agent",
        b"x-request-id",
    }
)
"""Headers that tell nothing of who asks, beside ``x-stainless-...``, in which SDKs tell of themselves."""

_KEY = secrets.token_bytes(32)


_CODED = ("content-encoding", "content-length")


class _Verdict(Enum):
    """What a flight is to one that asks for the same."""

    SHARED = auto()
    """It is its answer."""
    FOR_OTHERS = auto()
    """It depends on who asks, or when."""
    UNREADABLE = auto()
    """It has a content coding that cannot be undone."""
    GONE = auto()
    """It is recorded by now, or there is no answer: its client left."""


class Sharing:
    """The answers that are under way, and who follows them. For the thread that carries the traffic."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider
        self._flights = decider.flights

    def lead(self, flow: http.HTTPFlow, request: EndpointRequest, flight: SharedResponse) -> None:
        """From now on equal requests can follow this one."""
        self._decider.teller.lead(flight)
        flight.asker = _asker(flow)
        key = request.shared_key
        self._flights[key] = self._flights[key, flight.asker] = flight

    def land(self, flight: SharedResponse) -> None:
        """Nobody can follow it any more: it is recorded, or will not be."""
        for key in [key for key, each in [*self._flights.items()] if each is flight]:
            self._flights.pop(key, None)

    def is_shared(self, outcome: Joining | Forwarded) -> bool:
        """Return whether a live answer is for all equal requests that are under way."""
        is_wanted = supported.has(Feature.LAYERS) and self._decider.runtime.shares
        is_recorded = isinstance(outcome, Joining) or outcome.keeping is Keeping.RECORDED
        is_missing = outcome.request.grant.mode is Mode.RECORD_IF_MISSING
        return bool(is_wanted and is_recorded and is_missing and outcome.request.shared_key is not None)

    async def settle(self, flow: http.HTTPFlow, outcome: Outcome, call: OpenCall) -> Outcome | None:
        """Return what becomes of a flow that follows no other; None where it follows one, which is noted of its call.

        What is to be forwarded asks twice whether there is one: before it is looked up, where one was seen, and after,
        as another one may have set out meanwhile.
        """
        while isinstance(outcome, Joining) or (isinstance(outcome, Forwarded) and self.is_shared(outcome)):
            former = outcome
            if self.is_shared(former) and await self._follow_any(flow, former.request):
                follower = flow_state.of(flow).follow
                call.follow(follower.flight if follower else None)
                return None
            outcome = await self._decider.decide_alone(former, flow.request.host)
            if isinstance(former, Forwarded):
                break
        return outcome

    async def _follow_any(self, flow: http.HTTPFlow, request: EndpointRequest) -> bool:
        """Have the flow follow an equal request that is under way, where there is one whose answer is for both."""
        if not self._flights:
            return False
        key = request.shared_key
        asker = _asker(flow)
        state = flow_state.of(flow)
        is_following = not state.is_let_down and await self._follow(flow, key, asker, request.label)
        if state.is_let_down:
            is_following = await self._follow(flow, (key, asker), asker, request.label)
        if is_following:
            tape = request.grant.tape
            tape.counters.followed += 1
            logger.info("following an equal request: %s%s", request.label, tape.named)
        return is_following

    async def _follow(self, flow: http.HTTPFlow, key: Hashable, asker: Hashable, label: str) -> bool:
        while flight := self._flights.get(key):
            has_waited = not flight.status and not flight.ended
            if has_waited:
                logger.info("waiting for the answer to an equal request: %s", label)
            while not flight.status and not flight.ended:
                await _changed(flight)
            verdict = _judge(flight, flow, is_alike=asker == flight.asker, has_waited=has_waited)
            if verdict in (_Verdict.SHARED, _Verdict.UNREADABLE):
                return verdict is _Verdict.SHARED
            if self._flights.get(key) is flight:
                del self._flights[key]
            if verdict is _Verdict.FOR_OTHERS:
                flow_state.of(flow).is_let_down = True
                return False
        return False


def _judge(flight: SharedResponse, flow: http.HTTPFlow, *, is_alike: bool, has_waited: bool) -> _Verdict:
    """Give a flow the answer of a flight whose head, or end, has come, where that is for it.

    ``is_alike``: it asks with the same credentials. ``has_waited``: it asked before the head came.
    """
    if not flight.status:
        if flight.ending in (FlightEnd.LEFT, FlightEnd.UNSHARED):
            return _Verdict.GONE
        if not is_alike:
            return _Verdict.FOR_OTHERS
        flow.response = http.Response.make(502, flight.failure, {"content-type": "text/plain"})
        return _Verdict.SHARED
    # An error may be about who asked, which only its body tells.
    is_for_others = flight.status < 400 or is_alike
    if not is_for_others or (http_fields.is_passing(flight.status) and not (is_alike and has_waited)):
        return _Verdict.FOR_OTHERS
    named = ", ".join(value for name, value in flight.headers if name.lower() == "content-encoding")
    try:
        decoder = content_coding.decoder_for(named, flow.request.headers.get("accept-encoding", ""))
    except content_coding.CodingError:
        return _Verdict.UNREADABLE
    follower = flight.follower(decoder)
    if follower is None:
        return _Verdict.GONE
    headers = flight.headers
    if not is_alike:  # What a provider tells of one of its customers is nothing for another.
        headers = (*capture.kept(headers, recorded.header), *(each for each in headers if each[0].lower() in _CODED))
    if decoder:
        headers = tuple(each for each in headers if each[0].lower() not in _CODED)
    flow_state.of(flow).follow = follower
    flow.response = responses.shared(flight.status, headers, flow.request.http_version)
    return _Verdict.SHARED


def _asker(flow: http.HTTPFlow) -> Hashable:
    """Equal for requests of the same credentials, wherever they stand: all is compared that may be one."""
    request = flow_state.of(flow).request
    if request is None or len(request.body) > LARGE:
        return object()
    digest = hashlib.blake2b(request.body, key=_KEY)
    for name, value in flow.request.headers.fields:
        lowered = name.lower()
        if lowered not in _OF_ALL and not lowered.startswith(b"x-stainless-"):
            digest.update(b"\0%s\0%s" % (lowered, value))
    return digest.digest(), flow.request.path, request.grant.by


async def _changed(flight: SharedResponse) -> None:
    changed = asyncio.Event()
    flight.call_when_changed(changed.set)
    await changed.wait()
