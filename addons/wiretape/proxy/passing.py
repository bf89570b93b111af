"""Which requests to a provider's host no recording answers, and what becomes of them. Beside ``requests``.

They pass as they come: paths that the table of providers excludes, methods that are not recorded, conversations. Where
requests are recorded, each is said on a line and counted by its reason. In replay they are refused. Two kinds are no
questions at all, and are answered from nothing where requests are answered here: noise, as the table names it, and a
browser's preflight. Those are not said, and count nowhere.
"""

import logging
import time
from dataclasses import replace

from mitmproxy import http

from wiretape.codecs import printable
from wiretape.metrics.counters import Reason
from wiretape.network import cors, egress
from wiretape.policy import Mode
from wiretape.providers.routing import OTHER, Exclusion, Route
from wiretape.proxy import flow_state, responses, upgrades
from wiretape.proxy.desk import LOOKING, Desk, Grant, IncomingRequest, now
from wiretape.sessions.model import RECORDING
from wiretape.tape.tape import Tape

logger = logging.getLogger(__name__)

_CONVERSATION = "a conversation, in which both sides go on sending (a WebSocket, gRPC)"
_REASONS = {Exclusion.SKIPPED: Reason.SKIPPED, Exclusion.METHOD: Reason.METHOD}


class Passing:
    """Decides on flows, before their bodies are read."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def route(self, flow: http.HTTPFlow, seat: Grant) -> Route | None:
        """Return the route of a request that is read whole before it is sent on; None where it passes as it comes."""
        if upgrades.is_one(flow.request):
            return None
        route = self._desk.route(call_of(flow, None, seat))
        is_other = route is not None and route.endpoint.kind == OTHER
        return None if is_other and seat.tape.mode is Mode.LIVE and not self._desk.faults else route

    def answer_from_nothing(self, flow: http.HTTPFlow, seat: Grant) -> http.Response | None:
        """Return the answer to a preflight, and to noise, where requests are answered here."""
        if seat.tape.mode not in LOOKING or flow_state.of(flow).route:
            return None
        call = call_of(flow, None, seat)
        if method := cors.method_asked_for(flow.request.method, flow.request.headers):
            meant = replace(call, method=method)
            is_ours = self._desk.route(meant) or self._desk.exclusion(meant) is Exclusion.IGNORED
            return responses.preflight(flow.request) if is_ours else None
        is_noise = self._desk.exclusion(call) is Exclusion.IGNORED
        return http.Response.make(200, b"") if is_noise else None

    def is_refused(self, flow: http.HTTPFlow, seat: Grant) -> bool:
        """Return whether this is a provider's host in replay: nothing is sent to one.

        A server on this machine is another matter: on the same port may be the user's own application.
        """
        return seat.tape.mode is Mode.REPLAY and self._is_providers(flow, but_here=True)

    def why(self, flow: http.HTTPFlow, tape: Tape) -> str:
        """Return what a request is that has no route, for whoever is refused."""
        excluded = None if upgrades.is_one(flow.request) else self._desk.exclusion(call_of(flow, None, Grant(tape)))
        return excluded.value if excluded else _CONVERSATION

    def tell(self, flow: http.HTTPFlow, tape: Tape) -> None:
        """Say that a request to a provider's host is sent on and not recorded, unless nobody needs to know."""
        if tape.mode not in RECORDING or not self._is_providers(flow):
            return
        excluded = self._desk.exclusion(call_of(flow, None, Grant(tape)))
        if excluded is Exclusion.SKIPPED and egress.is_here(flow.request.host):
            return  # It is for an application of the user's own.
        if upgrades.is_one(flow.request):
            reason = Reason.CONVERSATION
        elif excluded in _REASONS and not cors.method_asked_for(flow.request.method, flow.request.headers):
            reason = _REASONS[excluded]
        else:
            return
        tape.counters.upstream += 1
        tape.counters.not_recorded(reason)
        what = f"{flow.request.method} {flow.request.pretty_host}{flow.request.path.partition('?')[0]}"
        logger.warning("not recorded: %s: it is %s%s", printable.line(what), self.why(flow, tape), tape.named)

    def _is_providers(self, flow: http.HTTPFlow, *, but_here: bool = False) -> bool:
        """Return whether a request is for a provider's host. ``but_here``: one that is not on this machine."""
        asked = flow.request
        hosts = {asked.host, asked.pretty_host}
        if asked.scheme == "https" and flow.client_conn.sni:
            hosts.add(flow.client_conn.sni)
        known = [host for host in hosts if self._desk.providers.knows(host, asked.port)]
        return any(not (but_here and egress.is_here(host)) for host in known)


def call_of(flow: http.HTTPFlow, test_id: str | None, seat: Grant) -> IncomingRequest:
    """Return a flow's request as a call."""
    asked = flow.request
    # The request's last byte came a little before this hook: mitmproxy tells when, on another clock.
    since = now() - (time.time() - (asked.timestamp_end or time.time()))
    hosts = (asked.host, asked.pretty_host)
    marked = flow_state.of(flow)
    return IncomingRequest(
        asked.method,
        asked.scheme,
        hosts,
        asked.port,
        asked.path,
        asked.headers.get("content-type", ""),
        test_id,
        flow_state.body_of(flow),
        since,
        seat,
        marked.unreadable,
    )
