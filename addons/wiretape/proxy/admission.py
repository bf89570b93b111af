"""Who may come in: a client's credentials -> a ``Grant``, which is a session in a mode, and maybe in a scope.

The proxy has a door, which is in one of three states:

=============  ==================================  =========================================
state          who comes in                        what leads out of it
=============  ==================================  =========================================
``STARTING``   nobody: who may is not known yet    ``use`` opens; ``stop``
``OPEN``       who has the right credentials       ``close_door`` back to STARTING; ``stop``
``STOPPING``   nobody any more                     nothing
=============  ==================================  =========================================

A client shows its credentials with its tunnel, and then all that comes through has their session; or with each request.
Whatever is wrong, or cannot be told, raises ``AccessDeniedError``: there is no grant without a check that has passed.

What credentials give may change from one request to the next, also within one tunnel: by a scope that is open for the
client whom they name, and by what is asked for of its session (``override``). A request keeps what it was given.

``grant`` tells at once, by what is known; whether a session in a bucket is frozen may not be known yet, so ``admit``
looks there first. Both give the same for the same credentials. A token that is taken back is good for 20 ms more.
"""

import time
from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum, auto
from weakref import WeakKeyDictionary

from mitmproxy import connection

from wiretape.policy import Mode
from wiretape.proxy.fault_sets import FaultSets
from wiretape.proxy.refusals import Refusals
from wiretape.proxy.threads import Threads, aside
from wiretape.replay.faults import Faults
from wiretape.sessions.access import Access, AccessDeniedError, AccessPolicy, basic
from wiretape.sessions.model import RECORDING
from wiretape.sessions.scopes import Overrides, Scope
from wiretape.store.freezing import FrozenMarks
from wiretape.tape.pool import TapePool
from wiretape.tape.tape import Tape

_GRANTED = 0.02
"""Seconds for which credentials are not looked at again: a token that is taken back is good for so long."""

_GRANTS = 1000

NO_FAULTS = Faults()


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client's credentials have given it."""

    tape: Tape
    """Its session, in its mode."""
    by: str = ""
    """Its token's name; empty where the proxy is open."""
    client: str = ""
    """The user that the credentials name, without a mode; empty where they name none."""
    scope: Scope | None = None
    """The scope that its requests are in."""
    faults: tuple[Faults, ...] = ()
    """What goes wrong with their answers on purpose: of the scope, of the session, of the configuration."""

    @property
    def mode(self) -> Mode:
        """The mode that its requests are served in."""
        return self.tape.mode

    def test_of(self, said: str | None) -> str | None:
        """Return the test that a request is of, where it is one's alone. ``said``: by its own header."""
        if self.scope and self.scope.is_isolated:
            return self.scope.test_id
        return said


class Door(Enum):
    """Whether anybody comes in: see the module."""

    STARTING = auto()
    OPEN = auto()
    STOPPING = auto()


_CLOSED = {
    Door.STARTING: (500, "this proxy is not configured: its log tells what is wrong"),
    Door.STOPPING: (503, "this proxy stops: ask again when it has started anew"),
}


class Admission:
    """Lets clients in, and remembers what they have shown. For the thread that carries the traffic."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._refusals = Refusals()
        self._door = Door.STARTING
        self._policy: AccessPolicy
        self._tapes: TapePool
        self._configured: AccessPolicy
        """The policy without overrides."""
        self.overrides = Overrides()
        """All that is in force beside what is configured."""
        self._faults = FaultSets()
        self._frozen: FrozenMarks
        self._grants: dict[str | None, tuple[Grant, float]] = {}
        """By credentials, and until when that holds."""
        self._tunnels: WeakKeyDictionary[Hashable, str] = WeakKeyDictionary()
        """The credentials of clients that were let into a tunnel; empty for those that showed none."""
        self._shown: WeakKeyDictionary[Hashable, set[str]] = WeakKeyDictionary()
        """What clients have shown with requests, outside of a tunnel, and were let in with."""

    # -- the door --------------------------------------------------------------------------------------------------

    def use(self, policy: AccessPolicy, tapes: TapePool, faults: Faults = NO_FAULTS) -> None:
        """From now on these decide on who comes in, and on what a client gets. The door opens."""
        self._configured = policy
        self._tapes = tapes
        self._faults.configured = faults
        self.override(self.overrides)
        self._frozen = FrozenMarks(tapes.store, self._threads.searcher_of(tapes.store))
        if self._door is Door.STARTING:
            self._door = Door.OPEN

    def override(self, overrides: Overrides) -> None:
        """From now on these are in force, from the next request of each client on."""
        self.overrides = overrides
        self._policy = self._configured.overridden(overrides)
        self._tapes.use(self._policy.sessions)
        self._faults.use(overrides, self._tapes.turns)
        self._grants.clear()

    def rewind_faults(self) -> None:
        """Let faults that are counted here count from the start; the others begin anew with the turns of takes."""
        self._faults.rewind()

    @property
    def has_faults(self) -> bool:
        """Whether anything goes wrong on purpose, for whomever."""
        return self._faults.has_any

    def close_door(self) -> None:
        """Let nobody in until ``use`` is called again."""
        if self._door is Door.OPEN:
            self._door = Door.STARTING

    def stop(self) -> None:
        """Let nobody in from now on."""
        self._door = Door.STOPPING

    def check_open(self) -> None:
        """Raise AccessDeniedError where nobody comes in, whoever it is."""
        if self._door is not Door.OPEN:
            raise AccessDeniedError(*_CLOSED[self._door])

    def close(self) -> None:
        """Say what has not been said yet of who was refused."""
        self._refusals.flush()

    # -- what a client shows ---------------------------------------------------------------------------------------

    def enter_tunnel(self, client: Hashable, authorization: str | None) -> None:
        """A client asks for a tunnel: what comes through it comes with these credentials."""
        self._tunnels[client] = read_credentials(authorization) if authorization else ""

    def is_settled_by_tunnel(self, client: Hashable) -> bool:
        """Return whether a client was let into a tunnel with credentials: all that comes through has their session."""
        return bool(self._tunnels.get(client))

    def has_been_let_in(self, client: Hashable) -> bool:
        """Return whether a client has shown a token that was good, for a tunnel or with a request."""
        return client in self._tunnels or client in self._shown

    def refuse(self, client: connection.Client, what: str, denied: AccessDeniedError) -> float:
        """Say that a client was refused, and return in how many seconds it may be told."""
        self._refusals.add(client.peername[0], what, str(denied))
        return self._refusals.turn() if denied.status in (403, 407) else 0.0

    # -- what it gets ----------------------------------------------------------------------------------------------

    def grant(self, client: Hashable, authorization: str | None = None, header: str | None = None) -> Grant:
        """Return what a client gets whose request has these ``Proxy-Authorization`` and ``x-wiretape-session``.

        In a tunnel whose credentials have named a session, those do not count; where there is the first, the second
        does not. Raises AccessDeniedError.
        """
        self.check_open()
        credentials = self._tunnels.get(client)
        if not credentials:
            credentials = read_credentials(authorization) if authorization else header
        given = self._grant(credentials)
        if given.by and client not in self._tunnels:
            self._shown.setdefault(client, set()).add(credentials or "")
        return given

    def _grant(self, credentials: str | None) -> Grant:
        known = self._grants.get(credentials)
        if known and known[1] > time.monotonic():
            return known[0]
        given = self._given(self._policy.admit(credentials, self._frozen.is_frozen))
        if len(self._grants) > _GRANTS:
            self._grants.clear()
        self._grants[credentials] = given, time.monotonic() + _GRANTED
        return given

    def _given(self, access: Access) -> Grant:
        scope = access.scope
        return Grant(
            self._tapes.of(access.session, access.mode, scope.id if scope else ""),
            access.by,
            access.client,
            scope,
            self._faults.of(access.session.name, scope),
        )

    async def admit(self, client: Hashable, authorization: str | None = None, header: str | None = None) -> Grant:
        """Return the same as ``grant``, after a look into a store that is not quick where that is needed."""
        given = self.grant(client, authorization, header)
        if not self.is_certain(given):
            store = given.tape.store
            await aside(self._threads.reader_of(store), self._frozen.look, given.tape.session)
            self._grants.clear()
            given = self.grant(client, authorization, header)
        return given

    def is_certain(self, given: Grant) -> bool:
        """Return whether it is known that nothing is frozen that would be recorded in."""
        return given.mode not in RECORDING or self._frozen.knows(given.tape.session)

    def doubt(self, given: Grant) -> str:
        """Return why it cannot be told whether a session may be recorded in; empty where it can."""
        return str(self._frozen.doubt(given.tape.session) or "")

    @property
    def default(self) -> Grant:
        """What a client gets that names no session, on a proxy that is open."""
        return self._given(self._policy.default())

    def mode(self, client: Hashable) -> Mode | None:
        """Return the mode of a client in a tunnel; None where its requests have to tell."""
        try:
            return self.grant(client).mode if client in self._tunnels else None
        except AccessDeniedError:
            return None

    def revoked(self) -> list[Hashable]:
        """Return the clients that were let in with credentials that are good no more."""
        self._grants.clear()
        shown = {client: {credentials} for client, credentials in self._tunnels.items()}
        for client, credentials in self._shown.items():
            shown.setdefault(client, set()).update(credentials)
        is_good = {each: self._policy.is_good(each) for each in set[str]().union(*shown.values())}
        return [client for client, all_of in shown.items() if not all(map(is_good.__getitem__, all_of))]


def read_credentials(authorization: str) -> str:
    """Return ``USER:TOKEN`` of a ``Proxy-Authorization`` header.

    Raises AccessDeniedError where it cannot be told whom it names: nobody is to be taken for somebody else.
    """
    credentials = basic(authorization)
    if credentials is None:
        raise AccessDeniedError(407, "has credentials that are not Basic: HTTPS_PROXY=http://SESSION:TOKEN@HOST:PORT")
    return credentials
