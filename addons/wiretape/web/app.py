"""The routes of the page. Beside ``control.app``, which serves them: it alone of this package knows the web framework.

What comes in has passed the gates of ``control.app``: its ``Host`` and its ``Origin``. Every answer says what a browser
lets it do (``pages.CONTENT_SECURITY_POLICY``). All that is here only reads, but for the cookie of who has a token.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from wiretape.sessions.tokens import TokenEntry
from wiretape.web import cookies
from wiretape.web.calls import CallFilter
from wiretape.web.pages import CONTENT_SECURITY_POLICY, FOLDER
from wiretape.web.runs import RunKey
from wiretape.web.source import PageSource
from wiretape.web.views import PageError, Views

_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}

_STATIC = {"style.css": "text/css", "play.mjs": "text/javascript", "calls.mjs": "text/javascript"}

_FARTHEST = 10**9

_LARGEST = 4096
"""Bytes of a form."""

type Endpoint = Callable[[Request], Awaitable[Response]]
type MayRead = Callable[[str], bool]


class _NobodyError(Exception):
    """Who asks has shown no token that is good."""


def routes(source: PageSource) -> list[Route]:
    """Return the routes of the page about a source."""
    views = Views(source)

    def html(make: Callable[[Request, MayRead], str]) -> Endpoint:
        return _endpoint(source, views, lambda request, may: _html(make(request, may)))

    def file(*, is_capture: bool) -> Endpoint:
        def make(request: Request, may: MayRead) -> Response:
            session = _session(request, may)
            data = views.raw(session, request.path_params["name"], is_capture=is_capture)
            return Response(data, media_type="application/json")

        return _endpoint(source, views, make)

    def session(request: Request, may: MayRead) -> str:
        return views.session(_session(request, may), request.query_params.get("search", ""), _number(request, "first"))

    def recording(request: Request, may: MayRead) -> str:
        return views.recording(_session(request, may), request.path_params["name"])

    def compare(request: Request, may: MayRead) -> str:
        here, _, name = request.query_params.get("here", "").rpartition("/")
        there, _, other = request.query_params.get("there", "").rpartition("/")
        if not (may(here) and may(there)):
            raise PageError(HTTPStatus.NOT_FOUND, "There is no such recording.")
        return views.compare(here, name, there, other)

    return [
        Route("/", html(lambda _, may: views.index(may))),
        *_calls(source, views),
        Route("/compare", html(compare)),
        Route("/sessions/{session}", html(session)),
        Route("/sessions/{session}/{name}", html(recording)),
        Route("/sessions/{session}/{name}/file", file(is_capture=False)),
        Route("/sessions/{session}/{name}/wire", file(is_capture=True)),
        Route("/static/{name}", _static),
        Route("/login", _login(source, views), methods=["GET", "POST"]),
        Route("/logout", _logout, methods=["POST"]),
    ]


def _calls(source: PageSource, views: Views) -> list[Route]:
    """Return the routes of the pages about calls."""

    def html(make: Callable[[Request, MayRead], str]) -> Endpoint:
        return _endpoint(source, views, lambda request, may: _html(make(request, may)))

    def calls(request: Request, may: MayRead) -> str:
        return views.calls(CallFilter.of(request.query_params), may)

    def call(request: Request, may: MayRead) -> str:
        number = request.path_params["number"]
        if not (number.isascii() and number.isdecimal() and len(number) < 18):
            raise PageError(HTTPStatus.NOT_FOUND, "There is no such call.")
        return views.call(int(number), may)

    def runs(request: Request, may: MayRead) -> str:
        return views.runs(request.query_params.get("session", "").strip(), may)

    def run(request: Request, may: MayRead) -> str:
        return views.run(RunKey.of(request.query_params), may)

    def compare(request: Request, may: MayRead) -> str:
        here = RunKey.of_text(request.query_params.get("here", ""))
        there = RunKey.of_text(request.query_params.get("there", ""))
        return views.compare_runs(here, there, may)

    return [
        Route("/calls", html(calls)),
        Route("/calls/{number}", html(call)),
        Route("/runs", html(runs)),
        Route("/runs/steps", html(run)),
        Route("/runs/compare", html(compare)),
    ]


def _html(text: str, status: int = HTTPStatus.OK) -> Response:
    # Half a surrogate pair, which a recording may hold, has no place in UTF-8.
    return Response(text.encode("utf-8", "replace"), status, _HEADERS, "text/html")


def _session(request: Request, may: MayRead) -> str:
    session = str(request.path_params["session"])
    if not may(session):
        raise PageError(HTTPStatus.NOT_FOUND, f"There is no session {session}.")
    return session


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "0")
    return min(int(text[:12]), _FARTHEST) if text.isascii() and text.isdecimal() else 0


def _endpoint(source: PageSource, views: Views, make: Callable[[Request, MayRead], Response]) -> Endpoint:
    def answered(request: Request) -> Response:
        try:
            return make(request, _may_read(source, request.cookies.get(cookies.NAME, "")))
        except _NobodyError:
            return RedirectResponse("/login", HTTPStatus.SEE_OTHER)
        except PageError as e:
            return _html(views.error(e), e.status)
        except OSError as e:
            away = PageError(HTTPStatus.SERVICE_UNAVAILABLE, f"The recordings cannot be read now: {e}")
            return _html(views.error(away), away.status)

    async def endpoint(request: Request) -> Response:
        response = await run_in_threadpool(answered, request)
        response.headers.update(_HEADERS)
        return response

    return endpoint


def _may_read(source: PageSource, token: str) -> MayRead:
    """Return which sessions a token lets be looked at. Raises _NobodyError, and OSError where that cannot be told."""
    tokens = source.tokens()
    if tokens is None:
        return lambda _: True
    entries: tuple[TokenEntry, ...] = tokens.having(token) if cookies.is_token(token) else ()
    if not entries:
        raise _NobodyError
    return lambda session: any(entry.serves(session) for entry in entries)


def _login(source: PageSource, views: Views) -> Endpoint:
    async def login(request: Request) -> Response:
        if request.method != "POST":
            return _html(views.login())
        token = await _field(request, "token")
        try:
            await run_in_threadpool(_may_read, source, token)
        except (_NobodyError, OSError):
            return _html(views.login("That token opens nothing here."), HTTPStatus.FORBIDDEN)
        response = RedirectResponse("/", HTTPStatus.SEE_OTHER, _HEADERS)
        is_secure = request.url.scheme == "https"
        response.set_cookie(cookies.NAME, token, cookies.LASTS, httponly=True, samesite="strict", secure=is_secure)
        return response

    return login


async def _logout(_: Request) -> Response:
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER, _HEADERS)
    response.delete_cookie(cookies.NAME, httponly=True, samesite="strict")
    return response


async def _field(request: Request, name: str) -> str:
    """Return the value of a field of a form; empty where there is none, and of a form that is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST:
            return ""
    return parse_qs(body.decode("ascii", "replace"), max_num_fields=8).get(name, [""])[0]


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        return Response("there is no such file\n", HTTPStatus.NOT_FOUND, _HEADERS, "text/plain")
    data = await run_in_threadpool((FOLDER / "static" / name).read_bytes)
    return Response(data, headers={**_HEADERS, "cache-control": "no-cache"}, media_type=_STATIC[name])
