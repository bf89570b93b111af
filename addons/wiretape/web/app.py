"""The routes of the page. Beside ``control.app``, which serves them: it alone of this package knows the web framework.

What comes in has passed the gates of ``control.app``: its ``Host`` and its ``Origin``. Every answer says what a browser
lets it do (``pages.CONTENT_SECURITY_POLICY``). All that is here only reads.
"""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wiretape.web.pages import CONTENT_SECURITY_POLICY, FOLDER
from wiretape.web.views import PageError, Views

logger = logging.getLogger(__name__)

_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}

_STATIC = {"style.css": "text/css", "play.mjs": "text/javascript", "calls.mjs": "text/javascript"}

_FARTHEST = 10**9

type Endpoint = Callable[[Request], Awaitable[Response]]
type MayRead = Callable[[str], bool]


def routes(views: Views, may_read: Callable[[Request], MayRead]) -> list[Route]:
    """Return the routes. ``may_read`` tells of who asks which sessions it may look at."""

    def html(make: Callable[[Request, MayRead], str]) -> Endpoint:
        return _endpoint(views, lambda request, may: Response(make(request, may), media_type="text/html"), may_read)

    def file(*, is_capture: bool) -> Endpoint:
        def make(request: Request, may: MayRead) -> Response:
            session = _session(request, may)
            data = views.raw(session, request.path_params["name"], is_capture=is_capture)
            return Response(data, media_type="application/json")

        return _endpoint(views, make, may_read)

    def session(request: Request, may: MayRead) -> str:
        return views.session(_session(request, may), request.query_params.get("search", ""), _number(request, "first"))

    def recording(request: Request, may: MayRead) -> str:
        return views.recording(_session(request, may), request.path_params["name"])

    def call(request: Request, may: MayRead) -> str:
        number = request.path_params["number"]
        if not (number.isascii() and number.isdecimal() and len(number) < 18):
            raise PageError(HTTPStatus.NOT_FOUND, "There is no such call.")
        return views.call(int(number), may)

    def compare(request: Request, may: MayRead) -> str:
        here = request.query_params.get("here", "").rpartition("/")
        there = request.query_params.get("there", "").rpartition("/")
        if not (may(here[0]) and may(there[0])):
            raise PageError(HTTPStatus.NOT_FOUND, "There is no such recording.")
        return views.compare(here[0], here[2], there[0], there[2])

    return [
        Route("/", html(lambda _, may: views.index(may))),
        Route("/calls", html(lambda _, may: views.calls(may))),
        Route("/calls/{number}", html(call)),
        Route("/compare", html(compare)),
        Route("/sessions/{session}", html(session)),
        Route("/sessions/{session}/{name}", html(recording)),
        Route("/sessions/{session}/{name}/file", file(is_capture=False)),
        Route("/sessions/{session}/{name}/wire", file(is_capture=True)),
        Route("/static/{name}", _static),
    ]


def _session(request: Request, may: MayRead) -> str:
    session = str(request.path_params["session"])
    if not may(session):
        raise PageError(HTTPStatus.NOT_FOUND, f"There is no session {session}.")
    return session


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "0")
    return min(int(text[:12]), _FARTHEST) if text.isascii() and text.isdecimal() else 0


def _endpoint(
    views: Views, make: Callable[[Request, MayRead], Response], may_read: Callable[[Request], MayRead]
) -> Endpoint:
    def answered(request: Request) -> Response:
        try:
            return make(request, may_read(request))
        except PageError as e:
            return Response(views.error(e), e.status, media_type="text/html")
        except OSError as e:
            away = PageError(HTTPStatus.SERVICE_UNAVAILABLE, f"The recordings cannot be read now: {e}")
            return Response(views.error(away), away.status, media_type="text/html")

    async def endpoint(request: Request) -> Response:
        response = await run_in_threadpool(answered, request)
        response.headers.update(_HEADERS)
        return response

    return endpoint


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        return Response("there is no such file\n", HTTPStatus.NOT_FOUND, _HEADERS, "text/plain")
    data = await run_in_threadpool((FOLDER / "static" / name).read_bytes)
    return Response(data, headers={**_HEADERS, "cache-control": "no-cache"}, media_type=_STATIC[name])
