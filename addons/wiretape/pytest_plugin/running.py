"""A test that runs, as its process's client has it at the proxy: its scope, and what became of those that it had."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from wiretape.control.client import ControlClient
from wiretape.pytest_plugin.account import Account


class RunningTest:
    """A test from its scope's begin to its end. There is one at a time, as a client has one scope at a time."""

    def __init__(self, control: ControlClient, node_id: str, scope: Mapping[str, Any]) -> None:
        """``scope``: what the control API is to be asked for."""
        self.control = control
        self.has_passed = False
        self._scope_ids: list[str] = []
        """The scopes that it had, the last of which is open."""
        self._node_id = node_id
        self._scope = scope
        self.accounts: dict[str, Account] = {}
        """Of its scopes that have ended, by their sessions."""
        self._told = Account()
        """What was told as a problem already."""
        self._begin()

    @property
    def session(self) -> str:
        """The session that its calls are in now."""
        session: str = self._scope["session"]
        return session

    def account(self) -> Account:
        """Return what became of its calls so far."""
        return self._ended() + Account.of(self.control.scope(self._scope_ids[-1]))

    def end(self) -> None:
        """End its scope."""
        account = Account.of(self.control.end_scope(self._scope_ids[-1]))
        self.accounts[self.session] = self.accounts.get(self.session, Account()) + account

    def calls(self) -> list[dict[str, Any]]:
        """Return its calls so far, as the control API tells them."""
        self.account()  # When it answers, each call that was answered before is in the log.
        found: list[dict[str, Any]] = []
        for scope_id in self._scope_ids:
            since = 0
            while (page := self.control.calls(scope=scope_id, since=since))["calls"]:
                found += page["calls"]
                since = page["next"]
        return found

    def change(self, **what: object) -> None:
        """Change the pace or the faults of its next calls."""
        self.control.change_scope(self._scope_ids[-1], **what)

    @contextmanager
    def another(self, scope: Mapping[str, Any]) -> Iterator[None]:
        """Have another scope take its place for the time being. What goes wrong in it is this test's problem."""
        own = self._scope
        self._switch(scope)
        try:
            yield
        finally:
            self._switch(own)

    def problem(self) -> str:
        """Say what has become wrong with it since it was asked last; nothing where nothing has."""
        return self._problem_of(self.account())

    def last_problem(self) -> str:
        """Say the same after its end."""
        return self._problem_of(self._ended())

    def _ended(self) -> Account:
        return sum(self.accounts.values(), Account())

    def _problem_of(self, account: Account) -> str:
        new = account.since(self._told)
        self._told = account
        return new.problem(self._node_id)

    def _switch(self, scope: Mapping[str, Any]) -> None:
        self.end()
        self._scope = scope
        self._begin()

    def _begin(self) -> None:
        self._scope_ids.append(self.control.open_scope(**self._scope)["id"])
