"""What the control API answers: a method for each line of ``openapi.OPERATIONS``. It knows no web framework.

What changes anything has been done everywhere when it is answered. For any thread but those that carry traffic.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import wiretape
from wiretape.call_log import call as calls_log
from wiretape.call_log.call import Call
from wiretape.config import overrides as parsing
from wiretape.control import authorization, kept
from wiretape.control.authorization import Caller
from wiretape.control.backend import Backend
from wiretape.control.kept import KeptRecordings
from wiretape.control.openapi import Operation
from wiretape.control.overriding import NotInForceError
from wiretape.control.refusal import ApiError
from wiretape.control.scopes import Scopes
from wiretape.metrics import counters as counting
from wiretape.metrics.counters import added
from wiretape.policy import Mode
from wiretape.sessions.model import Role, check_name
from wiretape.sessions.scopes import Scope, SessionOverride, TooManyError
from wiretape.sessions.tokens import EVERY

_PAGE = 1000
"""Calls on a page, at most."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked."""

    caller: Caller
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the log of calls; without either, that of the newest ones."""

    after: int | None = None
    """The id of the call after which it is."""
    since: float = 0.0
    """Else a time: seconds since 1970."""


def start(since: str) -> Cursor:
    """Return the place that a text names: the id of a call, or a time of RFC 3339. Raises ApiError."""
    if not since:
        return Cursor()
    if since.isascii() and since.isdecimal():
        return Cursor(int(since[:18]))
    try:
        # Who has not encoded the plus of "+00:00" has sent a blank.
        at = datetime.fromisoformat(since.replace(" ", "+"))
    except ValueError as e:
        raise ApiError(400, "invalid", "since: it is the id of a call, or a time of RFC 3339") from e
    return Cursor(since=(at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


class Api:
    """Answers for one proxy."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._recordings = KeptRecordings()
        self._scopes = Scopes(backend, self._recordings)

    def caller(self, header: str | None) -> Caller:
        """Return who asks, by its ``Authorization`` header. Raises ApiError."""
        return authorization.caller(self._backend.tokens(), header)

    def answer(self, operation: Operation, request: Request) -> Any:
        """Return the answer as a value of JSON. Raises ApiError."""
        _check_query(operation, request.query)
        method: Callable[[Request], Any] = getattr(self, operation.name)
        try:
            return method(request)
        except TooManyError as e:
            raise ApiError(409, "too_many", str(e)) from e
        except ValueError as e:
            raise ApiError(422, "invalid", str(e)) from e
        except NotInForceError as e:
            raise ApiError(503, "not_in_force", str(e)) from e
        except OSError as e:
            raise ApiError(503, "unavailable", str(e)) from e

    # -- what is there ---------------------------------------------------------------------------------------------

    def status(self, request: Request) -> dict[str, Any]:
        """Return what the proxy is, and what it has counted."""
        facts = self._backend.facts()
        told = self._backend.counters()
        counters = {name: each for name, each in told.items() if request.caller.may(Role.READ, name)}
        return {
            "version": wiretape.__version__,
            "mode": facts.mode,
            "session": facts.session,
            "proxy": facts.proxy,
            "workers": facts.workers,
            "pids": [*facts.pids],
            "uptime_s": round(time.time() - facts.began_at, 3),
            "recordings": self._backend.store().url,
            "run": facts.run,
            "counters": {name: counting.as_json(each) for name, each in counters.items()},
            "total": counting.as_json(added(counters.values())),
        }

    def calls(self, request: Request) -> dict[str, Any]:
        """Return a page of calls: all that were answered before are in the log."""
        self._backend.overriding.flush()
        found, cursor = self.page(request, start(request.query.get("since", "")))
        return {"calls": [calls_log.as_json(call) for call in found], "next": cursor.after or 0}

    def follow(self, operation: Operation, request: Request, since: str) -> Cursor:
        """Return the place from which a stream of calls begins. Raises ApiError where it is refused."""
        _check_query(operation, request.query)
        if session := request.query.get("session", ""):
            request.caller.need(Role.READ, session)
        if since:
            return start(since)
        return Cursor(self._backend.calls().newest())

    def page(self, request: Request, cursor: Cursor) -> tuple[list[Call], Cursor]:
        """Return the calls from a place on that the request asks for and may see, and the place of those after them."""
        session = request.query.get("session", "")
        if session:
            request.caller.need(Role.READ, session)
        reader = self._backend.calls()
        found = reader.calls(
            session=session,
            scope=request.query.get("scope", ""),
            after=cursor.after,
            since=cursor.since,
            limit=_limit(request.query.get("limit", "")),
        )
        if found:
            cursor = Cursor(found[-1].id)
        elif cursor.after is None:
            cursor = Cursor(reader.newest())
        return [call for call in found if request.caller.may(Role.READ, call.session)], cursor

    def call(self, request: Request) -> dict[str, Any]:
        """Return a call with its request and its answer."""
        number = request.path["id"]
        found = None
        if number.isascii() and number.isdecimal():
            found = self._backend.calls().call(int(number[:18]))
        if found is None or not request.caller.may(Role.READ, found.session):
            raise ApiError(404, "not_found", "there is no call with this id: the log keeps the newest ones")
        return {"call": calls_log.as_json(found), **kept.request_and_answer(self._backend.store(), found)}

    def recordings(self, request: Request) -> dict[str, Any]:
        """Return the recordings of a session, and which were asked for."""
        session = check_name(request.path["name"])
        request.caller.need(Role.READ, session)
        run = request.query.get("run") or self._backend.facts().run
        self._backend.overriding.flush()
        asked = [each for each in self._backend.calls().recordings() if each.session == session]
        ever = {each.recording for each in asked}
        in_run = {each.recording for each in asked if run in each.runs}
        found = self._recordings.of(self._backend.store(), session)
        rows = [
            each.as_json() | {"asked_in_run": each.name in in_run, "asked_ever": each.name in ever} for each in found
        ]
        return {"session": session, "run": run, "recordings": rows}

    # -- what holds for sessions -----------------------------------------------------------------------------------

    def put_session(self, request: Request) -> dict[str, Any]:
        """Have something hold for a session."""
        name = check_name(request.path["name"])
        request.caller.need(Role.ADMIN, name)
        override = parsing.session_override(request.body, name, self._backend.known())
        for layer in override.layers or ():
            request.caller.need(Role.READ, layer)
        if request.caller.is_anybody:
            self._check_mode(name, override.mode)
        self._scopes.override(lambda overrides: overrides.with_session(name, override))
        return override.as_json()

    def delete_session(self, request: Request) -> dict[str, Any]:
        """Have a session be as it is configured."""
        name = check_name(request.path["name"])
        request.caller.need(Role.ADMIN, name)
        self._scopes.override(lambda overrides: overrides.without_session(name))
        return SessionOverride().as_json()

    def rewind(self, request: Request) -> dict[str, Any]:
        """Start every sequence of takes again."""
        request.caller.need(Role.ADMIN, EVERY)
        self._backend.overriding.rewind()
        return {}

    # -- scopes ----------------------------------------------------------------------------------------------------

    def post_scope(self, request: Request) -> dict[str, Any]:
        """Begin a scope."""
        scope = parsing.scope(request.body, self._backend.known())
        request.caller.need(Role.WRITE, scope.session)
        self._check_client(request.caller, scope.client)
        self._check_mode(scope.session, scope.override.mode)
        self._scopes.begin(scope, request.caller)
        return scope.as_json()

    def scopes(self, request: Request) -> dict[str, Any]:
        """Return the scopes that are open."""
        found = self._backend.overriding.overrides.scopes.values()
        return {"scopes": [each.as_json() for each in found if request.caller.may(Role.READ, each.session)]}

    def scope(self, request: Request) -> dict[str, Any]:
        """Return the account of a scope so far."""
        return self._scopes.account(request.path["id"], request.caller)

    def patch_scope(self, request: Request) -> dict[str, Any]:
        """Change a scope."""

        def changed(former: Scope) -> Scope:
            scope = parsing.changed_scope(former, request.body, self._backend.known())
            self._check_mode(scope.session, scope.override.mode)
            return scope

        return self._scopes.change(request.path["id"], request.caller, changed).as_json()

    def delete_scope(self, request: Request) -> dict[str, Any]:
        """End a scope."""
        return self._scopes.end(request.path["id"], request.caller)

    def _check_client(self, caller: Caller, client: str) -> None:
        """Raise ApiError for a client that is a session of others: all who name it would be in the scope."""
        if caller.may(Role.WRITE, client):
            return
        tokens = self._backend.tokens()
        taken = {*self._backend.known().sessions.names, *self._backend.store().sessions()}
        if tokens:
            taken |= tokens.sessions()
        if client in taken:
            raise ApiError(403, "forbidden", f"{client} is a session: a client of another name can be in a scope")

    def _check_mode(self, session: str, mode: Mode | None) -> None:
        """Raise ApiError for a mode that no client could ask for itself."""
        if mode is not None:
            refusal = self._backend.policy().refusal(session, mode)
            if refusal:
                raise ApiError(403, "forbidden", refusal)


def _check_query(operation: Operation, query: Mapping[str, str]) -> None:
    known = [parameter.name for parameter in operation.parameters]
    unknown = sorted(query.keys() - {*known})
    if unknown:
        there = f"there are {', '.join(known)}" if known else "there are none"
        raise ApiError(400, "unknown_parameter", f"unknown parameter {unknown[0][:40]!r}: {there}")


def _limit(text: str) -> int:
    if not text:
        return _PAGE
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= _PAGE):
        raise ApiError(400, "invalid", f"limit: it is a number from 1 to {_PAGE}")
    return int(text)
