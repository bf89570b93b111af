"""Answers of ours as a flow's response, in one piece: refusals, errors, statuses, the head of one that is shared.

``framing`` is about answers that are played, chunk by chunk.
"""

import logging
from collections.abc import Sequence
from typing import NamedTuple

from mitmproxy import http

from wiretape.codecs import http_fields
from wiretape.network import cors
from wiretape.providers import wire
from wiretape.providers.routing import Route
from wiretape.replay.faults import Fault
from wiretape.sessions.access import AccessDeniedError

logger = logging.getLogger(__name__)


class Refused(NamedTuple):
    """The answer to a request that is refused, and why it is, for whoever asks for that."""

    answer: http.Response
    why: str


def allow(response: http.Response, origin: str) -> None:
    """Let a web page of this origin read an answer."""
    for name, value in cors.allowance(origin, response.headers):
        response.headers[name] = value


def preflight(request: http.Request) -> http.Response:
    """Return the answer to a web page that asks whether it may ask."""
    headers = cors.permission(request.headers)
    response = http.Response.make(204, b"", dict(headers))
    response.headers.pop("content-length", None)
    return response


def answer(wire_answer: wire.HttpResponse) -> http.Response:
    """Return an answer in one piece."""
    response = http.Response.make(wire_answer.status, wire_answer.body, dict(wire_answer.headers))
    if wire_answer.status in http_fields.UNFRAMED:
        response.headers.pop("content-length", None)
    return response


def no_recording(text: str, route: Route, *, code: str = "recording_not_found") -> http.Response:
    """Return the refusal of a request that no recording answers. ``code`` is the error's.

    Of all statuses it is 400 that clients show with its text, and do not ask again for: of a 404 they make a text of
    their own, or retry for a minute.
    """
    return answer(wire.error(400, text, code, route))


def budget_reached(why: str, route: Route) -> http.Response:
    """Return the refusal of a request that would be paid for, where its session has spent its budget."""
    return answer(wire.error(402, f"wiretape: {why}.", "budget_reached", route))


def unavailable(what: str, why: str, route: Route) -> http.Response:
    """Return the answer to a request that cannot be decided on now, as something cannot be looked up: ask again."""
    text = f"wiretape: {what} cannot be looked up now ({why}), so nothing is sent to a provider."
    return answer(wire.error(503, text, "recordings_unavailable", route, retry=True))


_CODES = {413: "request_too_large", 500: "internal_error", 503: "recordings_unavailable"}
"""Status -> the error's code; of all others ``session_refused``."""

_FAILURE = AccessDeniedError(500, "an error inside wiretape, which its log tells; nothing is sent to a provider")


def refusal(denied: AccessDeniedError, http_version: str = "HTTP/1.1", route: Route | None = None) -> http.Response:
    """Return the answer to a client that stays outside: the last one on its connection.

    ``route`` is where its request leads, where that is known.
    """
    code = _CODES.get(denied.status, "session_refused")
    response = answer(wire.error(denied.status, f"wiretape: {denied}", code, route, retry=denied.status == 503))
    if denied.status == 407:  # RFC 9110, 15.5.8: it comes with this.
        response.headers["proxy-authenticate"] = 'Basic realm="wiretape"'
    if http_version.startswith("HTTP/1"):  # HTTP/2 has no such header.
        response.headers["connection"] = "close"
    return response


def failure(http_version: str = "HTTP/1.1") -> http.Response:
    """Return the answer to a request on which something of ours has failed."""
    return refusal(_FAILURE, http_version)


def shared(status: int, headers: Sequence[tuple[str, str]], http_version: str) -> http.Response:
    """Return the head of a live answer that is shared, as a flow's response."""
    response = http.Response.make(status, b"")
    response.headers = http.Headers([(_encoded(name), _encoded(value)) for name, value in headers])
    for name in ("transfer-encoding", "connection", "keep-alive"):
        response.headers.pop(name, None)
    _frame(response, http_version)
    return response


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")  # As mitmproxy has decoded it.


def unframe(response: http.Response, http_version: str) -> None:
    """Announce no length: the body will have another one."""
    response.headers.pop("content-length", None)
    _frame(response, http_version)


def _frame(response: http.Response, http_version: str) -> None:
    # A body of unknown length: chunked; HTTP/2 has its own frames, HTTP/1.0 the connection's end.
    if "content-length" not in response.headers and http_version == "HTTP/1.1":
        response.headers["transfer-encoding"] = "chunked"


def log_missed(fault: Fault, count: int) -> None:
    """Say that a fault was not all reached."""
    logger.warning("fault: %s: was not all reached: the answer had %d chunks", fault, count)
