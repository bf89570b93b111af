"""What is changed of a running proxy, and scopes from their begins to their accounts. Below ``api``.

A scope goes through these states:

=======  =====================================================  ================================================
state    what holds                                             what leads out of it
=======  =====================================================  ================================================
open     the requests of its client are in it, on all workers   its end; a second scope of its client; the
                                                                proxy's end
ending   no request is in it any more, and all that were are    each call of it is in the log, and its account
         on their way into the log                              is made; who asks again tries again
ended    its account is told for as long as it is remembered    1,000 others have ended after it
=======  =====================================================  ================================================

A scope that ends waits for the log; others begin and end meanwhile.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from wiretape.call_log.call import Call
from wiretape.control.accounts import account
from wiretape.control.authorization import Caller
from wiretape.control.backend import Backend
from wiretape.control.kept import KeptRecording, KeptRecordings
from wiretape.control.refusal import ApiError
from wiretape.sessions.model import Role
from wiretape.sessions.scopes import Overrides, Scope

_REMEMBERED = 1000
"""Scopes that have ended whose accounts are remembered."""

_PAGE = 1000
"""Calls that are read at once."""


class Scopes:
    """Those of one proxy. For any thread but those that carry traffic."""

    def __init__(self, backend: Backend, recordings: KeptRecordings) -> None:
        self._backend = backend
        self._recordings = recordings
        self._lock = threading.Lock()
        self._began: dict[str, int] = {}
        """The newest call at the begin of each that is open."""
        self._ending: dict[str, Scope] = {}
        """Those that are no more in force, and whose account was not made yet."""
        self._ended: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def override(self, change: Callable[[Overrides], Overrides]) -> None:
        """Have something else in force, everywhere."""
        with self._lock:
            overriding = self._backend.overriding
            overriding.apply(change(overriding.overrides))

    def begin(self, scope: Scope, caller: Caller) -> None:
        """Begin a scope, and end the one that its client has. Raises ApiError where that is not the caller's."""
        with self._lock:
            overriding = self._backend.overriding
            former = overriding.overrides.scopes.get(scope.client)
            if former:
                caller.need(Role.WRITE, former.session)
            began = self._backend.calls().newest()
            overriding.apply(overriding.overrides.with_scope(scope))
            self._began[scope.id] = began
            if former:
                self._ending[former.id] = former
        if former:
            self._close(former)

    def change(self, scope_id: str, caller: Caller, change: Callable[[Scope], Scope]) -> Scope:
        """Change a scope that is open, and return it as it is then. Raises ApiError."""
        with self._lock:
            former = self._open(scope_id, caller, Role.WRITE)
            if former is None:
                raise _unknown()
            scope = change(former)
            overriding = self._backend.overriding
            overriding.apply(overriding.overrides.with_scope(scope))
        return scope

    def end(self, scope_id: str, caller: Caller) -> dict[str, Any]:
        """End a scope, and return its account; of one that has ended before, the same again. Raises ApiError."""
        with self._lock:
            scope = self._open(scope_id, caller, Role.WRITE)
            if scope:
                overriding = self._backend.overriding
                self._ending[scope.id] = scope
                overriding.apply(overriding.overrides.without_scope(scope.id))
        return self._closed(scope_id, caller, Role.WRITE)

    def account(self, scope_id: str, caller: Caller) -> dict[str, Any]:
        """Return the account of a scope so far, or that of its end. Raises ApiError."""
        scope = self._open(scope_id, caller, Role.READ)
        if scope is None:
            return self._closed(scope_id, caller, Role.READ)
        self._backend.overriding.flush()
        return self._account(scope, is_open=True)

    def _open(self, scope_id: str, caller: Caller, role: Role) -> Scope | None:
        scope = self._backend.overriding.overrides.scope(scope_id)
        if scope:
            caller.need(role, scope.session)
        return scope

    def _closed(self, scope_id: str, caller: Caller, role: Role) -> dict[str, Any]:
        """Return the account of a scope that has ended, or is about to."""
        scope = self._ending.get(scope_id)
        if scope and caller.may(role, scope.session):
            return self._close(scope)
        told = self._ended.get(scope_id)
        if told is None or not caller.may(role, told["session"]):
            raise _unknown()
        return told

    def _close(self, scope: Scope) -> dict[str, Any]:
        """Return the account of a scope that is ending, and keep it for a while."""
        self._backend.overriding.flush()
        told = self._account(scope, is_open=False)
        with self._lock:
            self._ended[scope.id] = told
            self._ending.pop(scope.id, None)
            self._began.pop(scope.id, None)
            if len(self._ended) > _REMEMBERED:
                self._ended.popitem(last=False)
        return told

    def _account(self, scope: Scope, *, is_open: bool) -> dict[str, Any]:
        return account(scope, self._calls_of(scope), self._recordings_of(scope), is_open=is_open)

    def _calls_of(self, scope: Scope) -> list[Call]:
        reader = self._backend.calls()
        calls: list[Call] = []
        after = self._began.get(scope.id, 0)
        while True:
            page = reader.calls(scope=scope.id, after=after, limit=_PAGE)
            calls += page
            if len(page) < _PAGE:
                return calls
            after = page[-1].id

    def _recordings_of(self, scope: Scope) -> list[KeptRecording]:
        """Return the recordings of a scope: those of its test, or all of its session where it is of no test."""
        found = self._recordings.of(self._backend.store(), scope.session)
        return [each for each in found if each.test_id == scope.test_id or not scope.test_id]


def _unknown() -> ApiError:
    return ApiError(404, "not_found", "there is no scope with this id")
