"""Who comes in: the door's states, for what credentials hold, what is known of a session before it is recorded in."""

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wiretape.metrics.counters import SessionCounters
from wiretape.policy import Mode
from wiretape.proxy import admission
from wiretape.proxy.admission import Admission, Grant
from wiretape.proxy.threads import Threads
from wiretape.sessions import token_file
from wiretape.sessions.access import AccessDeniedError, AccessPolicy
from wiretape.sessions.model import Role, Sessions
from wiretape.sessions.token_file import TokenFile
from wiretape.sessions.tokens import Tokens
from wiretape.store import freezing
from wiretape.store.directory import DirectoryStore
from wiretape.tape.pool import TapePool


class Client:
    """Stands for a connection."""


class SlowStore(DirectoryStore):
    """Each file of it takes a while, as one in a bucket does."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.is_quick = False


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.moment = 1000.0

    def monotonic(self) -> float:
        return self.moment


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(admission, "time", clock)
    return clock


class Gate:
    """An admission, and what it is to use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.threads = Threads()
        self.admission = Admission(self.threads)

    def use(self, mode: Mode = Mode.RECORD_IF_MISSING, tokens: TokenFile | None = None, **kind: Any) -> Admission:
        store = kind.get("store", DirectoryStore)(self.folder)
        policy = AccessPolicy(Sessions(), "default", mode, tokens=tokens)
        self.admission.use(policy, TapePool(store, Sessions(), SessionCounters()))
        return self.admission


@pytest.fixture(name="gate")
def _gate(tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(tmp_path)
    yield gate
    gate.threads.close()


def basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


def told(grant: Grant) -> tuple[str, Mode, str]:
    return grant.tape.session, grant.mode, grant.by


def test_nobody_comes_in_but_by_an_open_door(gate: Gate) -> None:
    def status() -> int:
        try:
            gate.admission.grant(Client())
        except AccessDeniedError as e:
            return e.status
        return 200

    statuses = [status()]
    for step in (
        gate.use,
        gate.admission.close_door,
        gate.use,
        gate.admission.stop,
        gate.use,
        gate.admission.close_door,
    ):
        step()
        statuses.append(status())
    assert statuses == [500, 200, 500, 200, 503, 503, 503]


@pytest.mark.parametrize(
    ("tunnel", "authorization", "header", "session"),
    [
        (None, None, None, "default"),
        (None, "one:", None, "one"),
        (None, None, "two", "two"),
        (None, "one:", "two", "one"),
        ("three:", None, None, "three"),
        ("three:", "one:", "two", "three"),
        ("", "one:", "two", "one"),
        ("", None, "two", "two"),
    ],
)
def test_whose_a_request_is(
    gate: Gate, tunnel: str | None, authorization: str | None, header: str | None, session: str
) -> None:
    """``tunnel``: what its tunnel was opened with; None where there is none."""
    made, client = gate.use(), Client()
    if tunnel is not None:
        made.enter_tunnel(client, basic(tunnel) if tunnel else None)
    shown = basic(authorization) if authorization else None
    assert told(made.grant(client, shown, header)) == (session, Mode.RECORD_IF_MISSING, "")
    assert made.has_been_let_in(client) is (tunnel is not None)
    assert made.is_settled_by_tunnel(client) is bool(tunnel)
    assert made.mode(client) is (None if tunnel is None else Mode.RECORD_IF_MISSING)


def test_credentials_that_name_nobody_are_refused(gate: Gate) -> None:
    made, client = gate.use(), Client()
    for enter in (made.grant, made.enter_tunnel):
        with pytest.raises(AccessDeniedError) as raised:
            enter(client, "Bearer one:secret")
        assert raised.value.status == 407
        assert "secret" not in str(raised.value)
    assert not made.has_been_let_in(client)


def test_a_token_that_is_taken_back_is_good_for_a_moment_and_its_clients_are_known(gate: Gate, clock: Clock) -> None:
    entries = Tokens()
    token, with_one = entries.create("*", Role.WRITE)
    file = gate.folder / "tokens.toml"
    token_file.write(file, with_one)
    made = gate.use(tokens=TokenFile(file))
    in_tunnel, outside, stranger = Client(), Client(), Client()
    shown = basic(f"one:{token.text}")
    made.enter_tunnel(in_tunnel, shown)
    assert made.grant(outside, shown).by
    with pytest.raises(AccessDeniedError):
        made.grant(stranger, basic("one:wrong"))
    assert [made.has_been_let_in(each) for each in (in_tunnel, outside, stranger)] == [True, True, False]
    assert made.revoked() == []
    made.grant(outside, shown)
    token_file.write(file, Tokens())
    made.grant(outside, shown)
    clock.moment += 0.021
    with pytest.raises(AccessDeniedError) as raised:
        made.grant(outside, shown)
    assert raised.value.status == 407
    assert {*made.revoked()} == {in_tunnel, outside}


def test_a_session_in_a_bucket_is_looked_at_before_it_is_recorded_in(gate: Gate) -> None:
    store = SlowStore(gate.folder)
    freezing.freeze(store, "default", freezing.Frozen("ann"))
    made, client = gate.use(store=SlowStore), Client()
    first = made.grant(client)
    assert (first.mode, made.is_certain(first)) == (Mode.RECORD_IF_MISSING, False)
    looked = asyncio.run(made.admit(client))
    assert (looked.mode, made.is_certain(looked)) == (Mode.REPLAY, True)
    assert asyncio.run(made.admit(client, basic("other:"))).mode is Mode.RECORD_IF_MISSING
    # Who replays, or goes live, writes nothing: there is nothing to look at.
    assert made.is_certain(made.grant(client, basic("third+replay:")))
    assert made.is_certain(made.grant(client, basic("third+live:")))


def test_it_is_told_that_a_mark_cannot_be_seen(gate: Gate) -> None:
    class BrokenStore(SlowStore):
        def exists(self, session: str, name: str, folder: str = "") -> bool:
            raise OSError(f"the disk of {session} is broken")

    made, client = gate.use(store=BrokenStore), Client()
    given = asyncio.run(made.admit(client))
    assert "cannot be told" in made.doubt(given)
