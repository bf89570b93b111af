"""Which requests to a provider's host no recording answers, and what becomes of them. Beside ``flows``.

They pass as they come: paths that the table of providers excludes, methods that are not recorded, conversations. Where
requests are recorded, each is said on a line and counted by its reason. In replay they are refused. Three kinds are no
questions at all, and are answered from nothing. Noise, as the table names it, and a browser's preflight are where
requests are answered here; in replay so is what a known program asks for beside the model (``ignoring``), of any host
whose TLS is opened for that. A WebSocket of a client that can ask over HTTP as well is refused in all modes but
``live``, so that there is something to record.
"""

import logging

from mitmproxy import http

from wiretape.codecs import printable
from wiretape.metrics.counters import Reason
from wiretape.network import cors, egress
from wiretape.policy import Mode
from wiretape.providers.routing import OTHER, Exclusion, Route
from wiretape.proxy import flow_state, responses, upgrades
from wiretape.proxy.admission import Grant
from wiretape.proxy.calls import RequestHead, now
from wiretape.proxy.decide import Decider
from wiretape.proxy.declining import Declining
from wiretape.proxy.look_up import LOOKING
from wiretape.proxy.open_call import OpenCall
from wiretape.proxy.responses import Refused

logger = logging.getLogger(__name__)

_CONVERSATION = "a conversation, in which both sides go on sending (a WebSocket, gRPC)"
_REASONS = {Exclusion.SKIPPED: Reason.SKIPPED, Exclusion.METHOD: Reason.METHOD}


class Passing:
    """Decides on flows, before their bodies are read."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider

    def route(self, flow: http.HTTPFlow, grant: Grant) -> Route | None:
        """Return the route of a request that is read whole before it is sent on; None where it passes as it comes."""
        if upgrades.is_one(flow.request):
            return None
        route = self._decider.route(flow_state.head_of(flow))
        is_other = route is not None and route.endpoint.kind == OTHER
        return None if is_other and grant.mode is Mode.LIVE and not grant.faults else route

    def answer_from_nothing(self, flow: http.HTTPFlow, grant: Grant) -> http.Response | None:
        """Return the answer to what is no question; None where it is one, or is not answered here in this mode."""
        if grant.mode is Mode.LIVE or flow_state.of(flow).route:
            return None
        head = flow_state.head_of(flow)
        if upgrades.is_one(flow.request):
            return self._upgrade(flow, head, grant)
        if grant.mode not in LOOKING:
            return None
        if method := cors.method_asked_for(flow.request.method, flow.request.headers):
            meant = head._replace(method=method)
            is_ours = self._decider.route(meant) or self._decider.exclusion(meant) is Exclusion.IGNORED
            return responses.preflight(flow.request) if is_ours else None
        if not self._is_nobodys_question(head, grant):
            return None
        what = f"{head.method} {head.hosts[-1]}{head.path.partition('?')[0]}"
        return Declining.nothing(self.open(flow, grant, what), what)

    def _is_nobodys_question(self, head: RequestHead, grant: Grant) -> bool:
        """Return whether a request is noise, or in replay one that a known program sends beside the model."""
        if self._decider.exclusion(head) is Exclusion.IGNORED:
            return True
        return grant.mode is Mode.REPLAY and self._decider.is_beside_model(head, grant)

    def _upgrade(self, flow: http.HTTPFlow, head: RequestHead, grant: Grant) -> http.Response | None:
        """Return the refusal of a WebSocket whose client goes on over HTTP; None where it does not, or may not."""
        client = flow.request.headers.get("user-agent", "")
        providers = self._decider.runtime.providers
        if not any(providers.falls_back(head.scheme, host, head.port, head.path, client) for host in head.hosts):
            return None
        what = printable.line(f"{head.hosts[-1]}{head.path.partition('?')[0]}")
        logger.info("a WebSocket of %s is refused, which is asked for over HTTP then: %s", printable.line(client), what)
        self.open(flow, grant, what).refuse("a WebSocket is not recorded: the client asks over HTTP then")
        return responses.answer(upgrades.refusal(self._decider.leads_to(head)))

    def is_refused(self, flow: http.HTTPFlow, grant: Grant) -> bool:
        """Return whether this is a provider's host in replay: nothing is sent to one.

        A server on this machine is another matter: on the same port may be the user's own application.
        """
        return grant.mode is Mode.REPLAY and self._is_providers(flow, but_here=True)

    async def over_budget(self, flow: http.HTTPFlow, grant: Grant) -> Refused | None:
        """Return the refusal of a request that would be sent to a provider as it comes, and may not be paid for."""
        session = grant.tape.session
        budget = self._decider.runtime.sessions.get(session).budget
        if budget is None or not self._is_providers(flow, but_here=True):
            return None
        # A conversation begins with a GET, and is paid for all the same.
        method = "" if upgrades.is_one(flow.request) else flow.request.method
        route = self._decider.leads_to(flow_state.head_of(flow))
        try:
            account = await self._decider.budgets.used_up(session, budget, method)
        except OSError as e:
            return Refused(responses.unavailable("what this session has spent", str(e), route), str(e))
        if account is None:
            return None
        logger.warning("refused: %s %s: %s", flow.request.method, flow.request.pretty_host, account)
        return Refused(responses.budget_reached(str(account), route), str(account))

    def carry_out(self, flow: http.HTTPFlow, grant: Grant) -> None:
        """Answer a flow that has no route and was not sent on yet, or let it leave."""
        state = flow_state.of(flow)
        tape = grant.tape
        if state.nothing:
            flow.response = state.nothing
            return
        if not self.is_refused(flow, grant):
            state.leaves = True
            return
        why = self._why(flow)
        request = flow.request
        path = request.path.partition("?")[0]
        tape.counters.misses += 1
        logger.warning("miss: %s %s%s", request.host, path, tape.named)
        self._decider.teller.miss(self.open(flow, grant, f"{request.host} {path}"), why)
        what = f"wiretape: {request.method} {path} at {request.host}"
        text = f"{what} is {why}, and in replay nothing is sent to a provider."
        flow.response = responses.no_recording(text, self._decider.leads_to(flow_state.head_of(flow)))

    def open(self, flow: http.HTTPFlow, grant: Grant, what: str) -> OpenCall:
        """Return the call of a flow that is not decided on. ``what``: what it asks, for people."""
        state = flow_state.of(flow)
        if state.call is None:
            head = flow_state.head_of(flow)
            call = state.call = self._decider.teller.open(grant, now())
            call.lead(state.route or self._decider.leads_to(head), printable.line(what))
            call.provider = call.provider or self._decider.provider_at(head)
        return state.call

    def _why(self, flow: http.HTTPFlow) -> str:
        """Return what a request is that has no route, for whoever is refused."""
        excluded = None if upgrades.is_one(flow.request) else self._decider.exclusion(flow_state.head_of(flow))
        return excluded.value if excluded else _CONVERSATION

    def tell(self, flow: http.HTTPFlow, grant: Grant) -> None:
        """Say that a request to a provider's host is sent on and not recorded, unless nobody needs to know."""
        tape = grant.tape
        if tape.mode is Mode.REPLAY or not self._is_providers(flow):
            return
        head = flow_state.head_of(flow)
        excluded = self._decider.exclusion(head)
        if excluded is Exclusion.SKIPPED and egress.is_here(flow.request.host):
            return  # It is for an application of the user's own.
        if self._decider.is_beside_model(head, grant):
            return
        what = f"{flow.request.method} {flow.request.pretty_host}{flow.request.path.partition('?')[0]}"
        if tape.mode is Mode.LIVE:
            if excluded is not Exclusion.IGNORED:
                self.open(flow, grant, what).pass_on("the mode is live")
            return
        if upgrades.is_one(flow.request):
            reason = Reason.CONVERSATION
        elif excluded in _REASONS and not cors.method_asked_for(flow.request.method, flow.request.headers):
            reason = _REASONS[excluded]
        else:
            return
        tape.counters.upstream += 1
        tape.counters.not_recorded(reason)
        self.open(flow, grant, what).pass_on(f"it is {self._why(flow)}")
        logger.warning("not recorded: %s: it is %s%s", printable.line(what), self._why(flow), tape.named)

    def _is_providers(self, flow: http.HTTPFlow, *, but_here: bool = False) -> bool:
        """Return whether a request is for a provider's host. ``but_here``: one that is not on this machine."""
        request = flow.request
        hosts = {request.host, request.pretty_host}
        if request.scheme == "https" and flow.client_conn.sni:
            hosts.add(flow.client_conn.sni)
        known = [host for host in hosts if self._decider.runtime.providers.knows(host, request.port)]
        return any(not (but_here and egress.is_here(host)) for host in known)
