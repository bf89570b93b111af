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
from wiretape.replay import fault_config
from wiretape.replay.pacing import Pace
from wiretape.sessions import token_file
from wiretape.sessions.access import AccessDeniedError, AccessPolicy
from wiretape.sessions.model import Role, Sessions
from wiretape.sessions.scopes import Overrides, Scope, SessionOverride
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


def test_the_next_request_in_a_tunnel_is_in_the_scope_that_is_open_then(gate: Gate, clock: Clock) -> None:
    made, client, other = gate.use(Mode.REPLAY), Client(), Client()
    made.enter_tunnel(client, basic("gw0:"))
    made.enter_tunnel(other, basic("gw1+live:"))
    before = made.grant(client)
    assert (told(before), before.client, before.scope) == (("gw0", Mode.REPLAY, ""), "gw0", None)
    one = Scope("1", "gw0", "a", "test_a", override=SessionOverride(Mode.RECORD, pace=Pace(rate=5)))
    two = Scope("2", "gw0", "b", "test_b", is_isolated=True)
    made.override(Overrides().with_scope(one))
    in_one = made.grant(client)
    assert (told(in_one), in_one.scope, in_one.tape.config.pace) == (("a", Mode.RECORD, ""), one, Pace(rate=5))
    assert (in_one.test_of(None), in_one.test_of("said")) == (None, "said")
    made.override(Overrides().with_scope(two))
    in_two = made.grant(client)
    assert (told(in_two), in_two.scope, in_two.tape.config.pace) == (("b", Mode.REPLAY, ""), two, Pace())
    assert (in_two.test_of(None), in_two.test_of("said")) == ("test_b", "test_b")
    assert told(made.grant(Client(), None, "gw0+live")) == ("b", Mode.LIVE, ""), "a header names a client as well"
    assert told(made.grant(other)) == ("gw1", Mode.LIVE, "")
    made.override(Overrides())
    assert made.grant(client).tape is before.tape
    # What came before is served as it was.
    assert (in_one.mode, in_two.mode) == (Mode.RECORD, Mode.REPLAY)
    assert clock.moment == 1000.0


def test_overrides_stay_in_force_when_options_change(gate: Gate) -> None:
    made = gate.use(Mode.REPLAY)
    scope = Scope("1", "gw0", "a")
    overrides = Overrides({"default": SessionOverride(Mode.LIVE)}).with_scope(scope)
    made.override(overrides)
    gate.use(Mode.RECORD)
    assert made.overrides == overrides
    assert told(made.grant(Client())) == ("default", Mode.LIVE, "")
    assert told(made.grant(Client(), basic("gw0:"))) == ("a", Mode.RECORD, "")


def test_layers_that_a_session_has_for_now_are_looked_into(gate: Gate) -> None:
    made = gate.use(Mode.REPLAY)
    made.override(Overrides({"a": SessionOverride(layers=("b",)), "b": SessionOverride(layers=("c",))}))
    assert made.grant(Client(), basic("a:")).tape.config.layers == ("b", "c")
    made.override(Overrides({"a": SessionOverride(layers=("b",))}))
    assert made.grant(Client(), basic("a:")).tape.config.layers == ("b",)


def test_a_request_meets_the_faults_of_its_scope_its_session_and_the_configuration(gate: Gate) -> None:
    made = gate.use(Mode.REPLAY)
    assert not made.has_faults
    rules = fault_config.parse([{"status": 429}], ())
    scope = Scope("1", "gw0", "a", override=SessionOverride(faults=rules))
    made.override(Overrides({"a": SessionOverride(faults=rules)}).with_scope(scope))
    assert made.has_faults
    assert [len(made.grant(Client(), basic(f"{user}:")).faults) for user in ("gw0", "a", "b")] == [2, 1, 0]


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
