"""The routes of the page. Beside ``control.app``, which serves them: it alone of this package knows the web framework.

What comes in has passed the gates of ``control.app``: its ``Host`` and its ``Origin``. Every answer says what a browser
lets it do (``pages.CONTENT_SECURITY_POLICY``). A GET only reads. What a POST changes beside the cookie of who has a
token is done for a page of this origin alone (``forms.is_ours``).
"""

import threading
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from wiretape.sessions.tokens import TokenEntry
from wiretape.web import cookies
from wiretape.web.calls import CallFilter
from wiretape.web.forms import LARGEST, Form, fields, is_ours
from wiretape.web.miss_actions import MissActions
from wiretape.web.pages import CONTENT_SECURITY_POLICY, FOLDER
from wiretape.web.reviews import Reviews
from wiretape.web.runs import RunKey
from wiretape.web.source import PageSource, Steering
from wiretape.web.views import PageError, Views
from wiretape.web.visitor import Visitor

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
"""Bytes of a form that has a token."""

type Endpoint = Callable[[Request], Awaitable[Response]]
type MayRead = Callable[[str], bool]


class _NobodyError(Exception):
    """Who asks has shown no token that is good."""


def routes(source: PageSource, steering: Steering | None = None) -> list[Route]:
    """Return the routes of the page about a source. ``steering``: what changes the proxy, where one runs."""
    reading = threading.Lock()
    views = Views(source, reading)

    def html(make: Callable[[Request, MayRead], str]) -> Endpoint:
        return _endpoint(source, views, lambda request, visitor: _html(make(request, visitor.may_read)))

    def file(*, is_capture: bool) -> Endpoint:
        def make(request: Request, visitor: Visitor) -> Response:
            session = _session(request, visitor.may_read)
            data = views.raw(session, request.path_params["name"], is_capture=is_capture)
            return Response(data, media_type="application/json")

        return _endpoint(source, views, make)

    def session(request: Request, visitor: Visitor) -> Response:
        name = _session(request, visitor.may_read)
        search = request.query_params.get("search", "")
        return _html(views.session(name, search, _number(request, "first"), can_review=visitor.is_admin))

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
        *_call_routes(source, steering, views),
        Route("/compare", html(compare)),
        *_review_routes(source, views, reading),
        Route("/sessions/{session}", _endpoint(source, views, session)),
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
        return _endpoint(source, views, lambda request, visitor: _html(make(request, visitor.may_read)))

    def calls(request: Request, may: MayRead) -> str:
        return views.calls(CallFilter.of(request.query_params), may)

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
        Route("/runs", html(runs)),
        Route("/runs/steps", html(run)),
        Route("/runs/compare", html(compare)),
    ]


def _call_routes(source: PageSource, steering: Steering | None, views: Views) -> list[Route]:
    """Return the routes of what is about one call."""
    actions = MissActions(source, steering)

    def call(request: Request, visitor: Visitor) -> Response:
        number = _call_number(request)
        return _html(views.call(number, visitor.may_read, lambda found: actions.offer(found, visitor)))

    def rule(request: Request, visitor: Visitor) -> Response:
        return _html(actions.rule(_call_number(request), visitor))

    def change(do: Callable[[int, Visitor], None]) -> Endpoint:
        def changed(request: Request, _: Form, visitor: Visitor) -> str:
            number = _call_number(request)
            do(number, visitor)
            return f"/calls/{number}"

        return _change(source, views, changed)

    return [
        Route("/calls/{number}", _endpoint(source, views, call)),
        Route("/calls/{number}/rule", _endpoint(source, views, rule)),
        Route("/calls/{number}/record", change(actions.record), methods=["POST"]),
        Route("/calls/{number}/stop", change(actions.stop), methods=["POST"]),
    ]


def _call_number(request: Request) -> int:
    number = str(request.path_params["number"])
    if not (number.isascii() and number.isdecimal() and len(number) < 18):
        raise PageError(HTTPStatus.NOT_FOUND, "There is no such call.")
    return int(number)


def _review_routes(source: PageSource, views: Views, reading: threading.Lock) -> list[Route]:
    """Return the routes of what is about two sessions."""
    reviews = Reviews(source, reading)

    def page(make: Callable[[Request, Visitor], str]) -> Endpoint:
        return _endpoint(source, views, lambda request, visitor: _html(make(request, visitor)))

    def differences(request: Request, visitor: Visitor) -> str:
        before = request.query_params.get("before", "")
        after = request.query_params.get("after", "")
        return reviews.differences(before, after, _number(request, "first"), visitor)

    def plan(request: Request, visitor: Visitor) -> str:
        from_ = request.query_params.get("source", "")
        into = request.query_params.get("target", "")
        return reviews.plan(from_, into, _number(request, "first"), _number(request, "done"), visitor)

    def promote(_: Request, form: Form, visitor: Visitor) -> str:
        from_ = _one(form, "source")
        into = _one(form, "target")
        done = reviews.promote(from_, into, form.get("accepted", []), visitor)
        return "/promote?" + urlencode({"source": from_, "target": into, "done": done})

    return [
        Route("/differences", page(differences)),
        Route("/promote", page(plan)),
        Route("/promote", _change(source, views, promote), methods=["POST"]),
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


def _endpoint(source: PageSource, views: Views, make: Callable[[Request, Visitor], Response]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(_answered, source, views, request, lambda visitor: make(request, visitor))

    return endpoint


def _change(source: PageSource, views: Views, do: Callable[[Request, Form, Visitor], str]) -> Endpoint:
    """Return what answers a form that changes something. ``do`` does it, and returns the page to show then."""

    async def endpoint(request: Request) -> Response:
        form = None
        problem = PageError(HTTPStatus.FORBIDDEN, "Only a page of this address can do that.")
        if is_ours(request.headers):
            problem = PageError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That is too much at a time.")
            form = await _form(request, LARGEST)

        def make(visitor: Visitor) -> Response:
            if form is None:
                raise problem
            return RedirectResponse(do(request, form, visitor), HTTPStatus.SEE_OTHER)

        return await run_in_threadpool(_answered, source, views, request, make)

    return endpoint


def _answered(source: PageSource, views: Views, request: Request, make: Callable[[Visitor], Response]) -> Response:
    try:
        response = make(_visitor(source, request.cookies.get(cookies.NAME, "")))
    except _NobodyError:
        response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    except PageError as e:
        response = _html(views.error(e), e.status)
    except OSError as e:
        away = PageError(HTTPStatus.SERVICE_UNAVAILABLE, f"The recordings cannot be read now: {e}")
        response = _html(views.error(away), away.status)
    response.headers.update(_HEADERS)
    return response


def _visitor(source: PageSource, token: str) -> Visitor:
    """Return who has a token. Raises _NobodyError, and OSError where that cannot be told."""
    tokens = source.tokens()
    if tokens is None:
        return Visitor(None)
    entries: tuple[TokenEntry, ...] = tokens.having(token) if cookies.is_token(token) else ()
    if not entries:
        raise _NobodyError
    return Visitor(entries)


def _login(source: PageSource, views: Views) -> Endpoint:
    async def login(request: Request) -> Response:
        if request.method != "POST":
            return _html(views.login())
        token = _one(await _form(request, _LARGEST) or {}, "token")
        try:
            await run_in_threadpool(_visitor, source, token)
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


async def _form(request: Request, largest: int) -> Form | None:
    """Return the fields of a form; None of one that is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            return None
    try:
        return fields(bytes(body))
    except ValueError:
        return None


def _one(form: Form, name: str) -> str:
    """Return the value of a field; empty where there is none."""
    return form.get(name, [""])[0]


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        return Response("there is no such file\n", HTTPStatus.NOT_FOUND, _HEADERS, "text/plain")
    data = await run_in_threadpool((FOLDER / "static" / name).read_bytes)
    return Response(data, headers={**_HEADERS, "cache-control": "no-cache"}, media_type=_STATIC[name])
