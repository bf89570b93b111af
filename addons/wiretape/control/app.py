"""The app: what is asked over HTTP -> ``api`` and the page of counters -> answers. Beside ``serving``.

Each request passes the same three gates before anything is done: its ``Host`` and ``Origin`` (``dns_rebinding``), its
token, and the size of its body. What is answered is JSON, but for ``/metrics`` and ``/healthz``, which are text.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from wiretape.call_log.call import Call
from wiretape.control import events, openapi
from wiretape.control.api import Api, Cursor, Request
from wiretape.control.openapi import Operation
from wiretape.control.refusal import ApiError
from wiretape.control.serving import STOPPING, App
from wiretape.control.site import Site
from wiretape.web import cookies

logger = logging.getLogger(__name__)

LARGEST = 1_000_000
"""Bytes of a body."""

_THROWN_AWAY = 16_000_000
"""Bytes of one that is too large which are read all the same, so that who sends it reads the answer."""

_BODY = 10.0
"""Seconds in which a body has to come."""

_TEXTS = ("/metrics", "/healthz")
_CODES = {404: "not_found", 405: "method_not_allowed"}
_PRIVATE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

type Endpoint = Callable[[HttpRequest], Awaitable[Response]]


class JsonResponse(Response):
    """A value as JSON, in ASCII: there is no text in a log that cannot be sent."""

    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(content, status_code, {**_PRIVATE, **(headers or {})})

    def render(self, content: Any) -> bytes:
        """Return the bytes of the body."""
        return json.dumps(content, separators=(",", ":")).encode("ascii") + b"\n"


def make(site: Site) -> App:
    """Return the app that serves a site."""
    routes = [Route("/healthz", _health(site))]
    if site.counters:
        routes.append(Route("/metrics", _metrics(site)))
    api = None
    if site.backend:
        api = Api(site.backend)
        routes.append(Route("/openapi.json", _document(api)))
        routes += [Route(each.path, _endpoint(api, each), methods=[each.method]) for each in openapi.OPERATIONS]
    if site.page:
        # It has templates, which the API does without.
        from wiretape.web import app as page

        routes += page.routes(site.page, api.miss_recording if api else None)
    starlette = Starlette(routes=routes, exception_handlers={HTTPException: _unknown})
    # It would lead to where the Host header says.
    starlette.router.redirect_slashes = False

    async def app(scope: Any, receive: Any, send: Any) -> None:
        request = HttpRequest(scope)
        headers = request.headers
        hosts = headers.getlist("host")
        stranger = site.names.stranger(hosts, headers.get("origin"), headers.get("sec-fetch-site"))
        if stranger:
            code = "misdirected" if stranger.status == 421 else "forbidden"
            await _refused(request, ApiError(stranger.status, code, stranger.reason))(scope, receive, send)
        else:
            await starlette(scope, receive, send)

    return app


def _refused(request: HttpRequest, error: ApiError) -> Response:
    """Return an error in the form that the path has."""
    if request.scope["path"] in _TEXTS:
        return PlainTextResponse(f"{error}\n", error.status)
    headers = {}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    if error.status == 413:
        headers["connection"] = "close"
    return JsonResponse(error.as_json(), error.status, headers)


async def _unknown(request: HttpRequest, error: Exception) -> Response:
    """Answer to a path, or a method, that there is not."""
    assert isinstance(error, HTTPException)
    told = ApiError(error.status_code, _CODES.get(error.status_code, "refused"), "there is no such path or method here")
    response = _refused(request, told)
    response.headers.update(error.headers or {})
    return response


def _health(site: Site) -> Endpoint:
    async def health(_: HttpRequest) -> Response:
        if site.is_healthy:
            return PlainTextResponse("ok\n")
        return PlainTextResponse("no worker is up\n", 503)

    return health


def _metrics(site: Site) -> Endpoint:
    assert site.counters
    counters = site.counters

    async def metrics(request: HttpRequest) -> Response:
        text, content_type = await run_in_threadpool(counters.text, request.headers.get("accept", ""))
        return Response(text, headers={"content-type": content_type})

    return metrics


def _document(api: Api) -> Endpoint:
    async def document(request: HttpRequest) -> Response:
        try:
            api.caller(request.headers.get("authorization"))
        except ApiError as e:
            return _refused(request, e)
        return JsonResponse(openapi.document())

    return document


def _endpoint(api: Api, operation: Operation) -> Endpoint:
    async def endpoint(http: HttpRequest) -> Response:
        try:
            # It takes no longer than to hand it to another thread.
            caller = api.caller(_authorization(http))
            body = await _body(http) if operation.body else None
            request = Request(caller, http.path_params, dict(http.query_params), body)
            if operation.content_type == openapi.EVENTS:
                return await _stream(api, operation, request, http)
            value = await run_in_threadpool(api.answer, operation, request)
        except ApiError as e:
            return _refused(http, e)
        except Exception:
            logger.exception("control API: %s %s", http.method, operation.path)
            return _refused(http, ApiError(500, "fault", "a fault of wiretape's own: its log tells more"))
        return JsonResponse(value, operation.status)

    return endpoint


def _authorization(http: HttpRequest) -> str | None:
    """Return the ``Authorization`` of a request; of a browser that looks at the page, what its cookie says.

    A cookie lets nobody change anything: a page of another site could have a browser send it.
    """
    header = http.headers.get("authorization")
    if header is None and http.method in ("GET", "HEAD"):
        return cookies.authorization(http.cookies)
    return header


async def _body(http: HttpRequest) -> Any:
    """Return the value of a request's body. Raises ApiError."""
    body = bytearray()
    size = 0
    try:
        async with asyncio.timeout(_BODY):
            async for part in http.stream():
                size += len(part)
                if size <= LARGEST:
                    body += part
                if size > _THROWN_AWAY:
                    break
    except TimeoutError:
        raise ApiError(413, "too_slow", "the body did not come in time") from None
    if size > LARGEST:
        raise ApiError(413, "too_large", f"the body is larger than {LARGEST:,} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ApiError(400, "no_json", "the body is no JSON") from None


async def _stream(api: Api, operation: Operation, request: Request, http: HttpRequest) -> Response:
    """Return the stream of calls. What is wrong with the request is told before it begins."""
    since = http.headers.get("last-event-id") or request.query.get("since", "")
    begin = await run_in_threadpool(api.follow, operation, request, since)
    stopping: asyncio.Event = http.scope["state"][STOPPING]

    async def look(cursor: Cursor) -> tuple[list[Call], Cursor]:
        # A token that is taken back meanwhile ends the stream.
        caller = api.caller(_authorization(http))
        try:
            return await run_in_threadpool(api.page, replace(request, caller=caller), cursor)
        except (OSError, ValueError):
            return [], cursor  # The log may just be made, or trimmed: the next look finds what there is.

    async def lines() -> AsyncIterator[bytes]:
        with suppress(ApiError):
            async for part in events.stream(look, begin, stopping):
                yield part

    return StreamingResponse(lines(), headers={"content-type": openapi.EVENTS, **_PRIVATE})
