"""A request as this proxy decides on it, and what is decided. Values alone: nothing here is changed once it is made.

A request comes by one of three roads: the fast layer of HTTP/1.1, the streams of all other HTTP, and mitmproxy's flows.
Each knows it in a form of its own, and each makes the same two values of it:

- ``RequestHead`` when its head has come: enough to know whom it is for, so whether its body is to be read at all;
- ``IncomingRequest`` when its body has come too, by ``IncomingRequest.build``: the one place that undoes a content
  coding, bounded, so that a body that is looked at anywhere is plain.

``decide`` makes an ``EndpointRequest`` of one that has a route, and then an ``Outcome``, which is one of these:

========================  =======================================================  ==========================
outcome                   what becomes of the request                              what is sent to a provider
========================  =======================================================  ==========================
``Replayed``              its recording answers it                                 nothing
``Faulted``               a fault answers it                                       nothing
``Missed``                it is refused: it has no recording                       nothing
``Unreadable``            it is refused: no recording can be of it                 nothing
``Ignored``               it gets an empty answer: it is beside the model          nothing
``StoreUnavailable``      it is refused: what there is cannot be told now          nothing
``BudgetReached``         it is refused: its session has spent what it may         nothing
``Forwarded``             the provider answers it; ``keeping`` says what is kept   the request
``Joining``               an equal one is under way, whose answer may be for both  not known yet
========================  =======================================================  ==========================

A layer plays the first two by itself, before there is a flow; it hands all others over with their outcome. For example,
a chat that was recorded: ``Replayed(request, hit, fault=None)``.
"""

import hashlib
import time
from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple, Self

from wiretape.codecs import content_coding
from wiretape.matching import request as matching
from wiretape.matching.rules import MatchContext
from wiretape.providers.routing import Route
from wiretape.proxy.admission import Grant
from wiretape.recording import RecordedRequest
from wiretape.replay.faults import Fault
from wiretape.tape.hit import Hit

LARGEST = 64 * 1000**2
"""Bytes of a request's body that are kept, where no option says otherwise."""

LARGE = 256 * 1024
"""Bytes of a request's body from which its digest takes too long for the thread that carries the traffic, and reading
it too long for the one that looks up what others ask for."""


def now() -> float:
    """Return the time by the clock of ``came_at``."""
    return time.monotonic()


class RequestHead(NamedTuple):
    """What a request's head says of it."""

    method: str
    scheme: str
    hosts: tuple[str, ...]
    """Its names for the host: the connection's, then the request's own."""
    port: int
    path: str
    """In origin form, with the query."""
    content_type: str
    test_id: str | None = None
    coding: str = ""
    """The content coding of its body; empty for none."""
    user_agent: str = ""
    """What the client calls itself."""
    origin: str = ""
    """The origin of the web page that asks, where one does."""


class IncomingRequest(NamedTuple):
    """A request that has come whole. It is made by ``build``, once for each: a tuple is made in half the time."""

    head: RequestHead
    grant: Grant
    """Whose it is."""
    body: bytes
    """Without its content coding."""
    came_at: float
    """When its last byte came, by ``now``."""
    too_large: str = ""
    """Why the coding could not be undone: then the body is as it came, and nobody is to look into it."""

    @classmethod
    def build(cls, head: RequestHead, grant: Grant, body: bytes, *, came_at: float, limit: int = LARGEST) -> Self:
        """Make a request of its head and the body as it came, which is at most ``limit`` bytes when it is decoded.

        Of a body with a content coding this takes long: it is for a thread that does not carry the traffic.
        """
        if not head.coding:
            return cls(head, grant, body, came_at)
        try:
            return cls(head, grant, content_coding.plain(body, head.coding, limit), came_at)
        except content_coding.TooLargeError as e:
            return cls(head, grant, body, came_at, f"the request cannot be read: {e} (wiretape_max_request)")

    def key(self) -> Hashable:
        """Return what is equal for requests that are the same byte for byte, but for headers of no meaning here."""
        # All of the head but its last three fields: a body is equal however it came, from any program or web page.
        return (*self.head[:-3], hashlib.sha256(self.body).digest())


class BodyState(Enum):
    """What is known of a request's body."""

    UNREAD = auto()
    """Nobody had to read it."""
    READ = auto()
    NO_RECORDING = auto()
    """It was read, and no recording can be of it."""
    TOO_LARGE = auto()
    """It cannot be read: it is too large without its content coding."""


@dataclass(frozen=True, slots=True)
class EndpointRequest:
    """A request to an endpoint, as far as it had to be read."""

    grant: Grant
    route: Route
    came_at: float
    body: BodyState = BodyState.UNREAD
    recorded: RecordedRequest | None = None
    """As a recording has it, where its body was read."""
    problem: str = ""
    """Why no recording can be of it, where that is so."""
    client: str = ""
    """What the client calls itself: its ``User-Agent``."""
    is_beside_model: bool = False
    """Whether a known program asks for it beside the model: without a recording it is no miss."""

    @property
    def context(self) -> MatchContext:
        """By what rules are chosen for it."""
        model = self.recorded.model if self.recorded else ""
        return MatchContext(self.route.provider, self.route.endpoint_names, model, self.client, self.grant.tape.session)

    @property
    def is_unreadable(self) -> bool:
        """Whether no recording can be of it, as far as that is known."""
        return self.body in (BodyState.NO_RECORDING, BodyState.TOO_LARGE)

    @property
    def label(self) -> str:
        """Endpoint and model, for the log; the URL where it was not read."""
        return self.recorded.label if self.recorded else self.route.sent_url

    @property
    def fault_label(self) -> str:
        """The same for a line about a fault."""
        model = self.recorded.model if self.recorded else ""
        return f"{self.route.endpoint.recorded or self.route.sent_url} {model}".rstrip()

    @property
    def shared_key(self) -> Hashable:
        """What is equal for requests that can share a live answer; None for one that can share none."""
        if self.recorded is None or self.recorded.moves_on:
            return None
        # The identity leaves out in which form embeddings are wanted: the live bytes are in one of them.
        identity = matching.identity(self.recorded)
        return self.grant.tape.session, identity, self.recorded.test_id, self.recorded.base64_wanted


# -- what a look-up gave -----------------------------------------------------------------------------------------------


class Finding(Enum):
    """What a look-up for a recording came to."""

    HIT = auto()
    MISS = auto()
    AWAY = auto()
    """A bucket cannot be reached: it cannot be told, but live traffic flows, and what is recorded waits."""
    BROKEN = auto()
    """The store fails: it cannot be told."""
    EXPIRED = auto()
    """There is one that is too old to answer, and nobody is to be asked in its place."""


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What a look-up gave."""

    finding: Finding
    hit: Hit | None = None
    why: str = ""
    """Why it cannot be told, where that is so, or what has expired."""
    replaces: str = ""
    """Of a miss: the recording that is too old to answer, and that the provider's answer takes the place of."""


# -- what becomes of a request -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Replayed:
    """A recording answers."""

    request: EndpointRequest
    hit: Hit
    fault: Fault | None = None
    """What goes wrong with the answer on purpose."""


@dataclass(frozen=True, slots=True)
class Faulted:
    """A fault answers: it has a status of its own."""

    request: EndpointRequest
    fault: Fault


@dataclass(frozen=True, slots=True)
class Missed:
    """Nothing answers: there is no recording, and nothing may be sent to a provider."""

    request: EndpointRequest
    expired: str = ""
    """What is too old to answer, where there is a recording all the same."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Nothing answers: no recording can be of it, and nothing may be sent to a provider."""

    request: EndpointRequest


@dataclass(frozen=True, slots=True)
class Ignored:
    """An empty answer: nothing is recorded of it, nothing may be sent to a provider, and nobody misses it."""

    request: EndpointRequest


class Untold(Enum):
    """What a store cannot tell."""

    RECORDING = auto()
    """Whether it has one of a request."""
    FROZEN = auto()
    """Whether a session is frozen."""
    SPENT = auto()
    """What a session with a budget has spent: not the store's, but told in the same way."""


@dataclass(frozen=True, slots=True)
class StoreUnavailable:
    """Nothing answers, and nothing is sent: the store cannot be asked."""

    request: EndpointRequest
    untold: Untold
    why: str

    @property
    def label(self) -> str:
        """Of the request, for the log."""
        return self.request.route.sent_url if self.untold is Untold.FROZEN else self.request.label


@dataclass(frozen=True, slots=True)
class BudgetReached:
    """Nothing answers, and nothing is sent: the session has spent its budget."""

    request: EndpointRequest
    why: str
    """For the client: what was spent, and what it can do."""


class Keeping(Enum):
    """What is kept of a provider's answer."""

    RECORDED = auto()
    """A recording, where the answer ends well."""
    LIVE = auto()
    """Nothing: the mode is ``live``."""
    UNREADABLE = auto()
    """Nothing: no recording can be of the request."""
    FAULT = auto()
    """Nothing: the answer goes wrong on purpose."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The provider answers."""

    request: EndpointRequest
    keeping: Keeping
    fault: Fault | None = None
    """What goes wrong with the answer on purpose."""
    looked_up: LookedUp | None = None
    """What a look-up before gave, where there was one: a miss, or that a bucket is away."""


@dataclass(frozen=True, slots=True)
class Joining:
    """An equal request is under way: where its answer is for this one too, that is it; else there is a look-up yet."""

    request: EndpointRequest


type Outcome = (
    Replayed | Faulted | Missed | Unreadable | Ignored | StoreUnavailable | BudgetReached | Forwarded | Joining
)
