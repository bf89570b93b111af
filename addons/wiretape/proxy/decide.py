"""What becomes of a request: bytes and values -> an ``Outcome``, before there is a flow or with one.

``decide`` is a pure function over ``Facts``; its table is spelled out in the tests, row by row. ``Decider`` is the
shell around it: it gathers the facts, from the thread that carries the traffic, and has aside what takes long.

The facts come in this order, and none is asked for that makes no difference any more:

1. the route; without one the request is not for us, and there is no outcome;
2. what the request says, read where its mode looks for recordings, or where there are rules for faults;
3. the fault that it meets, drawn from those rules: one with a status ends the way here;
4. whether an equal request is under way, whose answer this one may share (``record-if-missing``);
5. what the look-up gives; whether the proxy is offline for the host, and whether the session may be frozen;
6. of what would be sent on, whether its session has spent its budget.

===================  ==========================================================================================
mode                 without a fault, the request being readable
===================  ==========================================================================================
``live``             forwarded, nothing kept
``record``           forwarded and recorded, whatever it says: whoever writes the recording reads it
``replay``           its recording, or it is refused; what is beside the model gets an empty answer
``record-if-missing``  its recording; else an equal request's answer; else forwarded and recorded
===================  ==========================================================================================

A recording that is too old to answer is a miss, which is refused in every mode where its session says so (see
``tape.expiry``); where the provider is to be asked in its place, it is as if there were none.

What would be forwarded is refused where its session has spent its budget (``budgets``).

Nothing fails open: where the store cannot tell, nothing is sent, unless it is a bucket that is away and keeps what is
recorded meanwhile; where it cannot tell whether the session is frozen, nothing is sent at all.
"""

import hashlib
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from enum import Enum, auto

from wiretape.policy import Mode
from wiretape.providers import routing
from wiretape.providers.routing import Exclusion, Route
from wiretape.proxy import fault_sets, reading
from wiretape.proxy.admission import Admission, Grant
from wiretape.proxy.budgets import Budgets
from wiretape.proxy.call_report import CallReport
from wiretape.proxy.call_teller import CallTeller
from wiretape.proxy.calls import (
    LARGE,
    BodyState,
    BudgetReached,
    EndpointRequest,
    Faulted,
    Finding,
    Forwarded,
    Ignored,
    IncomingRequest,
    Joining,
    Keeping,
    LookedUp,
    Missed,
    Outcome,
    Replayed,
    RequestHead,
    StoreUnavailable,
    Unreadable,
    Untold,
)
from wiretape.proxy.look_up import LOOKING, LookUps
from wiretape.proxy.programs import ProgramsAtWork
from wiretape.proxy.runtime import Runtime
from wiretape.proxy.threads import Threads, aside
from wiretape.replay.faults import Fault, FaultQuery
from wiretape.replay.single_flight import SharedResponse
from wiretape.tape.hit import Hit
from wiretape.tape.mismatch import Explanation
from wiretape.tape.question import Question

# -- the decision ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision depends on."""

    request: EndpointRequest | None
    """None where the request is for no endpoint."""
    fault: Fault | None = None
    """What goes wrong with its answer on purpose."""
    is_under_way: bool = False
    """Whether an equal request was forwarded whose answer it may share."""
    looked_up: LookedUp | None = None
    """What the look-up gave; None before there was one."""
    is_offline: bool = False
    """Whether nothing may be sent to its host, whatever the mode."""
    doubt: str = ""
    """Why it cannot be told whether its session is frozen; empty where it can. A session that is known to be frozen
    admits nobody who records."""
    budget_reached: str = ""
    """What its session has spent, where that is all that it may; empty where it may spend."""


class Wanted(Enum):
    """A fact that there is no decision without."""

    LOOK_UP = auto()


def decide(facts: Facts) -> Outcome | Wanted | None:
    """Return what becomes of a request, or which fact is wanted; None where it is for no endpoint."""
    outcome = _decide(facts)
    if isinstance(outcome, Forwarded) and facts.budget_reached:
        return BudgetReached(outcome.request, facts.budget_reached)
    return outcome


def _decide(facts: Facts) -> Outcome | Wanted | None:
    """Return the same as if every session could spend what it likes."""
    request = facts.request
    fault = facts.fault
    if request is None:
        return None
    if fault and fault.status:
        return Faulted(request, fault)
    mode = request.grant.mode
    if mode is Mode.LIVE:
        return Forwarded(request, Keeping.LIVE, fault)
    if mode is Mode.RECORD and request.body is not BodyState.TOO_LARGE:
        return Forwarded(request, Keeping.FAULT if fault else Keeping.RECORDED, fault)
    if request.is_unreadable:
        if not _stays(facts, mode):
            return Forwarded(request, Keeping.UNREADABLE)
        return Ignored(request) if request.is_beside_model else Unreadable(request)
    if facts.looked_up is None:
        is_joining = mode is Mode.RECORD_IF_MISSING and fault is None and facts.is_under_way
        return Joining(request) if is_joining else Wanted.LOOK_UP
    return _decide_by_look_up(facts, request, facts.looked_up)


def _decide_by_look_up(facts: Facts, request: EndpointRequest, looked_up: LookedUp) -> Outcome:
    if looked_up.hit:
        return Replayed(request, looked_up.hit, facts.fault)
    if looked_up.finding is Finding.EXPIRED:
        return Ignored(request) if request.is_beside_model else Missed(request, looked_up.why)
    if looked_up.finding is Finding.BROKEN:
        return StoreUnavailable(request, Untold.RECORDING, looked_up.why)
    if _stays(facts, request.grant.mode):
        if looked_up.finding is Finding.AWAY:
            return StoreUnavailable(request, Untold.RECORDING, looked_up.why)
        return Ignored(request) if request.is_beside_model else Missed(request)
    if facts.doubt:
        return StoreUnavailable(request, Untold.FROZEN, facts.doubt)
    return Forwarded(request, Keeping.FAULT if facts.fault else Keeping.RECORDED, facts.fault, looked_up)


def _stays(facts: Facts, mode: Mode) -> bool:
    """Return whether what no recording answers is sent to nobody."""
    return mode is Mode.REPLAY or facts.is_offline


def is_read(grant: Grant) -> bool:
    """Return whether it is looked at what a request says: for its recording, or for a fault that it may meet."""
    return grant.mode in LOOKING or bool(grant.faults)


# -- the shell ---------------------------------------------------------------------------------------------------------


class Decider:
    """Gathers the facts and decides. For the thread that carries the traffic."""

    def __init__(
        self,
        admission: Admission,
        threads: Threads,
        is_offline_for: Callable[[str], bool],
        report: CallReport | None = None,
        command: str = "",
    ) -> None:
        """``is_offline_for`` tells of a host whether nothing is sent to it. ``report`` counts misses.

        ``command``: see ``ProgramsAtWork``.
        """
        self.admission = admission
        self._threads = threads
        self._is_offline_for = is_offline_for
        self.teller = CallTeller(report, self.route)
        self.runtime = Runtime()
        """What holds now: swapped whole, and by the addon alone."""
        self.flights: dict[Hashable, SharedResponse] = {}
        """The live answers that can be shared: see ``sharing``."""
        self._programs = ProgramsAtWork(command)
        self.budgets = Budgets(self.teller, time.time)
        self._look_ups = LookUps(threads)

    def close(self) -> None:
        """Let no thread wait for another look-up, and say what has not been said yet."""
        self._look_ups.close()
        self._threads.close()
        self.admission.close()

    # -- whom it is for --------------------------------------------------------------------------------------------

    def route(self, head: RequestHead) -> Route | None:
        """Return the route of a request, by one of its names for the host."""
        for host in dict.fromkeys(head.hosts):
            if route := self.runtime.providers.route(head.method, head.scheme, host, head.port, head.path):
                return route
        return None

    def leads_to(self, head: RequestHead) -> Route:
        """Return where a request leads, be it to an endpoint or not: by that an answer of ours has its form."""
        if route := self.route(head):
            return route
        return routing.elsewhere(head.method, head.scheme, head.hosts[0], head.port, head.path)

    def provider_at(self, head: RequestHead) -> str:
        """Return the name of the provider that a request is for, by one of its names for the host; empty for none."""
        names = (self.runtime.providers.name_at(host, head.port) for host in dict.fromkeys(head.hosts))
        return next(filter(None, names), "")

    def exclusion(self, head: RequestHead) -> Exclusion | None:
        """Return why a request to a provider's host has no route; None where it has one, or the host is nobody's."""
        for host in dict.fromkeys(head.hosts):
            if why := self.runtime.providers.exclusion(head.method, head.scheme, host, head.port, head.path):
                return why
        return None

    def see(self, head: RequestHead, grant: Grant) -> None:
        """Notice which program a request comes from, where it is a known one."""
        self._programs.see(grant.tape.session, head.user_agent, self.runtime.ignored)

    def is_beside_model(self, head: RequestHead, grant: Grant) -> bool:
        """Return whether this is what a known program asks for beside the model."""
        at_work = self._programs.of(grant.tape.session, self.runtime.ignored)
        for host in dict.fromkeys(head.hosts):
            is_providers = self.runtime.providers.knows(host, head.port)
            if self.runtime.ignored.ignores(head.method, host, head.path, at_work, is_providers=is_providers):
                return True
        return False

    def opens(self, host: str, grant: Grant) -> bool:
        """Return whether the TLS of a host that is no provider's is opened: to answer what is beside the model."""
        at_work = self._programs.of(grant.tape.session, self.runtime.ignored)
        return grant.mode is Mode.REPLAY and self.runtime.ignored.has_host(host, at_work)

    def is_answering(self, mode: Mode | None) -> bool:
        """Return whether there are requests that may be answered here: in ``live`` and ``record`` only faults are.

        ``mode`` is None where it is not known yet.
        """
        return mode is None or mode in LOOKING or self.admission.has_faults

    def may_answer(self, head: RequestHead, grant: Grant) -> bool:
        """Return whether a request may be answered here, so that it is worth deciding before there is a flow."""
        return is_read(grant) and self.route(head) is not None

    # -- its facts -------------------------------------------------------------------------------------------------

    async def build(self, head: RequestHead, grant: Grant, body: bytes, came_at: float) -> IncomingRequest:
        """Make a request of its head and its body as it came, aside where that takes long."""
        if not (head.coding and body):
            return IncomingRequest.build(head, grant, body, came_at=came_at)
        make = IncomingRequest.build
        return await aside(self._threads.large, make, head, grant, body, came_at=came_at, limit=self.runtime.largest)

    def recall(self, incoming: IncomingRequest) -> Hit | None:
        """Return the hit of a request that was looked up lately: at once, and counted."""
        return None if incoming.grant.faults else self._look_ups.recall(incoming)

    async def decide(self, incoming: IncomingRequest, route: Route | None = None) -> Outcome | None:
        """Return what becomes of a request; None where it is for no endpoint. ``route``: where it is known."""
        route = route or self.route(incoming.head)
        if route is None:
            return None
        if hit := self.recall(incoming):
            unread = EndpointRequest(incoming.grant, route, incoming.came_at)
            return await self._settle(Facts(unread, looked_up=LookedUp(Finding.HIT, hit)), incoming)
        request = await self._read(incoming, route)
        fault = await self._draw(incoming, request) if request.grant.faults else None
        is_under_way = request.grant.mode is Mode.RECORD_IF_MISSING and request.shared_key in self.flights
        is_offline = self._is_offline_for(incoming.head.hosts[0])
        facts = Facts(request, fault, is_under_way=is_under_way, is_offline=is_offline)
        return await self._settle(facts, incoming)

    async def decide_alone(self, former: Joining | Forwarded, host: str) -> Outcome:
        """Decide on a request that shares nobody's answer, with a look-up where there was none.

        ``host`` is where it would be sent. For one that was to be forwarded it is asked once more whether it may be:
        it may have waited for an answer that was not for it.
        """
        looked_up = former.looked_up if isinstance(former, Forwarded) else None
        facts = Facts(former.request, looked_up=looked_up, is_offline=self._is_offline_for(host))
        return await self._settle(facts, None)

    async def look_up(self, request: EndpointRequest, key: Hashable = None) -> LookedUp:
        """Look for the recording of a request that was read. ``key``: as ``Tape.lookup`` has it."""
        return await self._look_ups.look_up(request, key)

    async def explain(self, request: EndpointRequest, host: str) -> Explanation:
        """Return why a request has no recording, of which nothing is sent to ``host``. Raises OSError."""
        return await self._look_ups.explain(request, is_offline=self._is_offline_for(host))

    async def _read(self, incoming: IncomingRequest, route: Route) -> EndpointRequest:
        # In ``record`` whoever writes the recording reads the request: it is sent on whatever it is.
        if is_read(incoming.grant) or incoming.too_large:
            request = await reading.read(incoming, route, self._threads)
            is_beside_model = self.is_beside_model(incoming.head, incoming.grant)
            return replace(request, is_beside_model=True) if is_beside_model else request
        return EndpointRequest(incoming.grant, route, incoming.came_at)

    async def _draw(self, incoming: IncomingRequest, request: EndpointRequest) -> Fault | None:
        if request.recorded:
            model = request.recorded.model
            # A program that varies meets the same faults in each run: what the rules make one is one.
            pool = self._threads.reader if len(incoming.body) <= LARGE else self._threads.large
            question = Question(request.recorded, context=request.context)
            identity = await aside(pool, request.grant.tape.likeness, question)
        else:  # It can be no recording; it can be sent all the same.
            model = ""
            identity = hashlib.sha256(incoming.body).hexdigest()
        route = request.route
        query = FaultQuery(request.grant.tape.session, route.provider, route.endpoint_names, model, identity)
        # Where several workers count together, that waits for another process.
        return await aside(self._threads.reader, fault_sets.draw, request.grant.faults, query)

    async def _settle(self, facts: Facts, incoming: IncomingRequest | None) -> Outcome:
        """Decide on a request to an endpoint, with a look-up and a look at the session's mark where they are wanted.

        ``incoming`` is the request as it came, where what is found may be kept for the same bytes.
        """
        request = facts.request
        assert request
        outcome = decide(facts)
        if outcome is Wanted.LOOK_UP:
            key = incoming.key() if incoming and len(incoming.body) <= LARGE else None
            facts = replace(facts, looked_up=await self.look_up(request, key))
            outcome = decide(facts)
        if isinstance(outcome, Forwarded) and request.grant.mode is Mode.RECORD_IF_MISSING:
            # In ``record`` the client goes first: whoever writes looks at the mark too, and writes nothing then.
            facts = replace(facts, doubt=self.admission.doubt(request.grant))
            outcome = decide(facts)
        if isinstance(outcome, Forwarded):
            outcome = await self._within_budget(facts, outcome)
        assert outcome is not None
        assert not isinstance(outcome, Wanted)
        if isinstance(outcome, StoreUnavailable) and outcome.untold in (Untold.FROZEN, Untold.SPENT):
            request.grant.tape.counters.unavailable += 1
        return outcome

    async def _within_budget(self, facts: Facts, outcome: Forwarded) -> Outcome | Wanted | None:
        """Return the same where a request's session may pay for it, else that it may not."""
        request = outcome.request
        session = request.grant.tape.session
        budget = self.runtime.sessions.get(session).budget
        try:
            account = await self.budgets.used_up(session, budget, request.route.endpoint.method)
        except OSError as e:
            return StoreUnavailable(request, Untold.SPENT, str(e))
        return decide(replace(facts, budget_reached=str(account))) if account else outcome
