"""Who comes in: credentials -> session, mode and token's name, or a refusal that tells nobody's secret."""

import base64
from contextlib import suppress
from pathlib import Path

import pytest

from strangers import headers
from wiretape.policy import Mode, Takes
from wiretape.replay.pacing import Pace
from wiretape.sessions.access import Access, AccessDeniedError, AccessPolicy, basic
from wiretape.sessions.model import Role, Session, Sessions
from wiretape.sessions.scopes import Overrides, Scope, SessionOverride
from wiretape.sessions.token_file import TokenFile, write
from wiretape.sessions.tokens import Token, TokenEntry, Tokens


def thawed(_: str) -> bool:
    return False


def frozen(_: str) -> bool:
    return True


def never(session: str) -> bool:
    raise AssertionError(f"the mark of {session} was looked at")


MAIN = Session("main", mode=Mode.REPLAY, modes=(Mode.REPLAY,))
CHECKOUT = Session("checkout", layers=("main",), mode=Mode.RECORD_IF_MISSING, modes=(Mode.RECORD_IF_MISSING, Mode.LIVE))
KNOWN = Sessions({"main": MAIN, "checkout": CHECKOUT})


def denied(gate: AccessPolicy, credentials: str | None, is_frozen: object = thawed) -> AccessDeniedError:
    assert callable(is_frozen)
    with pytest.raises(AccessDeniedError) as raised:
        gate.admit(credentials, is_frozen)
    return raised.value


# -- an open proxy -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("credentials", [None, "", ":", ":something"])
def test_who_names_no_session_gets_the_default_one(credentials: str | None) -> None:
    gate = AccessPolicy(KNOWN, "default", Mode.RECORD)
    access = gate.admit(credentials, thawed)
    assert (access.session.name, access.mode, access.by) == ("default", Mode.RECORD, "")


def test_credentials_name_the_session_and_it_has_its_own_mode() -> None:
    gate = AccessPolicy(KNOWN, "default", Mode.RECORD)
    assert gate.admit("checkout", thawed).session is CHECKOUT
    assert gate.admit("checkout:whatever", thawed).mode is Mode.RECORD_IF_MISSING
    assert gate.admit("checkout+live:", thawed).mode is Mode.LIVE
    assert gate.admit("checkout%2Blive:", thawed).mode is Mode.LIVE
    # One that the configuration does not name has the proxy's.
    assert gate.admit("unheard-of:", thawed).mode is Mode.RECORD
    assert gate.admit("unheard-of:", thawed).session == Session("unheard-of")


def test_a_mode_that_the_session_does_not_allow_is_refused_and_those_that_it_does_are_named() -> None:
    gate = AccessPolicy(KNOWN, "default", Mode.RECORD)
    refused = denied(gate, "checkout+record:")
    assert refused.status == 403
    assert "record-if-missing and live" in str(refused)


@pytest.mark.parametrize("user", ["../up", "Checkout", "checkout+repeat", "+replay", "a b", "-", "%00"])
def test_what_is_no_session_is_refused_with_the_right_form(user: str) -> None:
    refused = denied(AccessPolicy(KNOWN, "default", Mode.RECORD), f"{user}:")
    assert refused.status == 403
    assert "checkout+replay" in str(refused)


def test_the_mode_that_somebody_chose_goes_before_that_of_the_default_session() -> None:
    known = Sessions({"default": Session("default", mode=Mode.LIVE)})
    assert AccessPolicy(known, "default", Mode.RECORD).default().mode is Mode.LIVE
    chosen = AccessPolicy(known, "default", Mode.RECORD, mode_is_explicit=True)
    assert chosen.default().mode is chosen.admit(None, thawed).mode is Mode.RECORD
    # It is no word on who names the session: that one asks for what the session is.
    assert chosen.admit("default:", thawed).mode is Mode.LIVE


def test_who_names_no_session_is_asked_for_one() -> None:
    gate = AccessPolicy(KNOWN, "default", Mode.RECORD, asks=True)
    for credentials in (None, "", ":", ":token"):
        refused = denied(gate, credentials)
        assert (refused.status, "wiretape_ask" in str(refused)) == (407, True)
    assert gate.admit("default", thawed).session.name == "default"
    # A blank is the plus that it was before a client has decoded it as a form.
    assert gate.admit("team replay:x", thawed).mode is Mode.REPLAY
    assert denied(gate, " replay:x").status == 403


def test_a_default_session_that_does_not_allow_the_mode_is_an_error_at_once() -> None:
    with pytest.raises(ValueError, match="main allows replay, not record"):
        AccessPolicy(KNOWN, "main", Mode.RECORD, mode_is_explicit=True)
    assert AccessPolicy(KNOWN, "main", Mode.RECORD).default().mode is Mode.REPLAY


# -- frozen ------------------------------------------------------------------------------------------------------------


def test_in_a_frozen_session_a_url_without_a_mode_goes_on_in_replay() -> None:
    gate = AccessPolicy(Sessions(), "default", Mode.RECORD_IF_MISSING)
    assert gate.admit("team:", frozen).mode is Mode.REPLAY
    assert gate.admit(None, frozen).mode is Mode.REPLAY
    assert gate.admit("team+live:", frozen).mode is Mode.LIVE


@pytest.mark.parametrize("mode", ["record", "record-if-missing"])
def test_recording_that_is_asked_for_in_a_frozen_session_is_refused(mode: str) -> None:
    refused = denied(AccessPolicy(Sessions(), "default", Mode.REPLAY), f"team+{mode}:", frozen)
    assert refused.status == 403
    assert "team is frozen" in str(refused)


def test_where_nothing_would_be_recorded_nobody_looks_at_the_mark() -> None:
    gate = AccessPolicy(KNOWN, "main", Mode.REPLAY)
    assert gate.admit("main:", never).mode is Mode.REPLAY
    assert gate.admit("checkout+live:", never).mode is Mode.LIVE
    assert gate.default().mode is Mode.REPLAY


# -- tokens ------------------------------------------------------------------------------------------------------------


class Door:
    """Tokens of three roles, and a note of each pair that was checked."""

    def __init__(self) -> None:
        self.tokens = Tokens()
        self.asked: list[tuple[str, str]] = []
        self.write = self.make("checkout", Role.WRITE, "ann")
        self.read = self.make("checkout", Role.READ, "ci")
        self.every = self.make("*", Role.ADMIN, "root")

    def make(self, session: str, role: Role, name: str) -> str:
        token: Token
        token, self.tokens = self.tokens.create(session, role, name)
        return token.text

    def check(self, session: str, token: str) -> TokenEntry | None:
        self.asked.append((session, token))
        return self.tokens.check(session, token)

    def gate(self, sessions: Sessions | None = None) -> AccessPolicy:
        return AccessPolicy(sessions or Sessions(), "default", Mode.RECORD, tokens=self)


@pytest.fixture(name="door", scope="module")
def _door() -> Door:
    return Door()


def test_a_token_opens_its_session_and_is_named(door: Door) -> None:
    gate = door.gate()
    access = gate.admit(f"checkout:{door.write}", thawed)
    assert (access.session.name, access.mode, access.by) == ("checkout", Mode.RECORD, "ann")
    assert gate.admit(f"checkout:{door.every}", thawed).by == "root"
    # Of who names no session, the token has to be good for the default one.
    assert gate.admit(f":{door.every}", thawed).session.name == "default"


def test_who_may_only_read_replays_and_is_refused_all_else(door: Door) -> None:
    gate = door.gate()
    assert gate.admit(f"checkout:{door.read}", thawed).mode is Mode.REPLAY
    assert gate.admit(f"checkout+replay:{door.read}", thawed).by == "ci"
    for mode in ("record", "record-if-missing", "live"):
        refused = denied(gate, f"checkout+{mode}:{door.read}")
        assert refused.status == 403
        assert "role is read" in str(refused)


@pytest.mark.parametrize("mode", ["reply", "", "Replay", "replay+live"])
def test_a_wrong_mode_is_told_from_a_missing_token(door: Door, mode: str) -> None:
    for plus in ("+", "%2B", " "):
        refused = denied(door.gate(), f"checkout{plus}{mode}:{door.write}")
        assert refused.status == 403, "a right token would not help"
        assert "SESSION+MODE" in str(refused)
        assert denied(door.gate(), f"checkout{plus}{mode}:wt_wrong").status == 407
        assert denied(door.gate(), f"checkout{plus}{mode}").status == 407


def test_everything_that_is_wrong_with_a_token_sounds_the_same(door: Door) -> None:
    gate = door.gate(KNOWN)
    wrong = [None, "", "checkout", "checkout:", "checkout:wt_wrong", f"main:{door.write}", f":{door.write}"]
    # Whoever has no token does not hear which sessions there are, nor what they allow.
    wrong += ["unheard-of:x", "../up:x", "checkout+record:x", "Checkout:x", f"{door.write}:", door.write]
    answers = {(refused.status, str(refused)) for refused in (denied(gate, each) for each in wrong)}
    assert len(answers) == 1
    ((status, reason),) = answers
    assert status == 407
    assert "SESSION:TOKEN@" in reason


def test_a_token_is_looked_at_once_for_everybody(door: Door) -> None:
    """What takes time is the hash, so there is one look for each who asks, right or wrong."""
    gate = door.gate()
    for credentials in (None, "checkout:x", "../up:x", f"checkout:{door.write}"):
        door.asked.clear()
        with suppress(AccessDeniedError):
            gate.admit(credentials, thawed)
        assert len(door.asked) == 1


def test_with_a_right_token_a_wrong_user_is_told_what_is_wrong(door: Door) -> None:
    # Of a user that is none, the token is that of the default session.
    refused = denied(door.gate(), f"../up:{door.every}")
    assert refused.status == 403
    assert "no session name" in str(refused)


def test_no_refusal_repeats_a_token(door: Door) -> None:
    gates = [door.gate(), AccessPolicy(KNOWN, "default", Mode.RECORD)]
    for gate in gates:
        for credentials in (door.write, f"{door.write}:", f"{door.write}:{door.every}", f"x+{door.write}:{door.every}"):
            assert "wt_" not in str(denied(gate, credentials)), credentials


def test_a_frozen_session_is_read_only_for_every_role(door: Door) -> None:
    gate = door.gate()
    for token in (door.write, door.every):
        assert denied(gate, f"checkout+record:{token}", frozen).status == 403
        assert gate.admit(f"checkout:{token}", frozen).mode is Mode.REPLAY


# -- scopes and overrides ----------------------------------------------------------------------------------------------


def scoped(scope: Scope, **sessions: SessionOverride) -> Overrides:
    return Overrides(sessions, {scope.client: scope})


def told(access: Access) -> tuple[str, Mode, str, str]:
    return access.session.name, access.mode, access.client, access.scope.id if access.scope else ""


REPLAYED = Scope("1", "gw0", "checkout", override=SessionOverride(Mode.REPLAY, takes=Takes.CYCLE))
OPEN = Scope("2", "gw0", "checkout")


@pytest.mark.parametrize(
    ("scope", "credentials", "wanted"),
    [
        (REPLAYED, "gw0:", ("checkout", Mode.REPLAY, "gw0", "1")),
        (REPLAYED, "gw0+record:", ("checkout", Mode.REPLAY, "gw0", "1")),
        (REPLAYED, "gw1:", ("gw1", Mode.RECORD, "gw1", "")),
        (REPLAYED, "gw1+live:", ("gw1", Mode.LIVE, "gw1", "")),
        (REPLAYED, "checkout:", ("checkout", Mode.RECORD, "checkout", "")),
        (REPLAYED, None, ("default", Mode.RECORD, "", "")),
        (REPLAYED, ":", ("default", Mode.RECORD, "", "")),
        (OPEN, "gw0:", ("checkout", Mode.RECORD, "gw0", "2")),
        (OPEN, "gw0+replay:", ("checkout", Mode.REPLAY, "gw0", "2")),
    ],
)
def test_while_a_scope_is_open_its_session_and_mode_hold(
    scope: Scope, credentials: str | None, wanted: tuple[str, Mode, str, str]
) -> None:
    gate = AccessPolicy(Sessions(), "default", Mode.RECORD)
    opened = gate.overridden(scoped(scope))
    access = opened.admit(credentials, thawed)
    assert told(access) == wanted
    assert access.session.takes is (scope.override.takes if access.scope else None)
    assert told(opened.overridden(Overrides()).admit("gw0:", thawed)) == ("gw0", Mode.RECORD, "gw0", "")
    assert told(gate.admit("gw0:", thawed)) == ("gw0", Mode.RECORD, "gw0", "")


def test_in_a_scope_the_token_is_to_be_good_for_its_session(door: Door) -> None:
    gate = door.gate().overridden(scoped(OPEN))
    assert told(gate.admit(f"gw0:{door.write}", thawed)) == ("checkout", Mode.RECORD, "gw0", "2")
    assert told(gate.admit(f"gw0:{door.read}", thawed)) == ("checkout", Mode.REPLAY, "gw0", "2")
    other = door.make("gw0", Role.WRITE, "other")
    for credentials in ("gw0:", "gw0:wt_wrong", f"gw0:{other}", f"gw0+bogus:{other}"):
        assert denied(gate, credentials).status == 407, credentials
    assert denied(gate, f"gw0+bogus:{door.write}").status == 403
    assert gate.is_good(f"gw0:{door.write}")
    assert not gate.is_good(f"gw0:{other}")
    assert door.gate().is_good(f"gw0:{other}")


def test_a_scope_does_what_its_client_could_ask_for() -> None:
    """It widens nothing: neither what the proxy lets ask for, nor what a session and its role allow."""
    live = Scope("1", "gw0", "checkout", override=SessionOverride(Mode.LIVE))
    gate = AccessPolicy(Sessions(), "default", Mode.REPLAY, askable=(Mode.REPLAY, Mode.RECORD)).overridden(scoped(live))
    assert "nobody can ask for live" in str(denied(gate, "gw0:"))
    door = Door()
    recorded = Scope("1", "gw0", "checkout", override=SessionOverride(Mode.RECORD))
    gate = door.gate().overridden(scoped(recorded))
    assert "role is read" in str(denied(gate, f"gw0:{door.read}"))
    assert "is frozen" in str(denied(gate, f"gw0:{door.write}", frozen))
    only = Scope("1", "gw0", "main", override=SessionOverride(Mode.RECORD))
    gate = AccessPolicy(Sessions({"main": Session("main", modes=(Mode.REPLAY,))}), "default", Mode.RECORD)
    assert "allows replay, not record" in str(denied(gate.overridden(scoped(only)), "gw0:"))


def test_what_holds_for_a_session_goes_before_its_configuration_and_the_proxys_option() -> None:
    known = Sessions({"checkout": Session("checkout", mode=Mode.RECORD, pace=Pace(factor=2.0))})
    gate = AccessPolicy(known, "checkout", Mode.RECORD, mode_is_explicit=True)
    override = SessionOverride(Mode.REPLAY, takes=Takes.FIRST)
    changed = gate.overridden(Overrides({"checkout": override}))
    for access in (changed.default(), changed.admit("checkout:", thawed), changed.admit("", thawed)):
        assert access.mode is Mode.REPLAY
        assert (access.session.takes, access.session.pace) == (Takes.FIRST, Pace(factor=2.0))
    assert changed.admit("checkout+record:", thawed).mode is Mode.RECORD
    assert gate.admit("", thawed).mode is Mode.RECORD
    # And a scope's before that.
    scope = Scope("1", "gw0", "checkout", override=SessionOverride(takes=Takes.CYCLE))
    access = gate.overridden(scoped(scope, checkout=override)).admit("gw0:", thawed)
    assert (access.mode, access.session.takes) == (Mode.REPLAY, Takes.CYCLE)


# -- the header --------------------------------------------------------------------------------------------------------


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_basic_credentials(scheme: str) -> None:
    assert basic(f"{scheme} {encoded('checkout+replay:wt_token')}") == "checkout+replay:wt_token"
    assert basic(f"{scheme}  {encoded('ü:x')} ") == "ü:x"


@pytest.mark.parametrize("header", ["", "Basic", "Basic ", "Bearer wt_x", "Basic a", "Basic %%%%", "Basic /w==", "x"])
def test_what_is_none(header: str) -> None:
    assert not basic(header)


def test_while_the_tokens_cannot_be_read_nobody_gets_in_and_may_ask_again() -> None:
    class Unreadable:
        def check(self, session: str, token: str) -> None:
            raise OSError("Too many open files")

    gate = AccessPolicy(Sessions(), "default", Mode.REPLAY, tokens=Unreadable())
    with pytest.raises(AccessDeniedError, match="the tokens cannot be read now: Too many open files") as raised:
        gate.admit("default:wt_x", lambda _: False)
    assert raised.value.status == 503


# -- the modes that can be asked for -----------------------------------------------------------------------------------


def test_modes_that_nobody_allows_cannot_be_asked_for() -> None:
    gate = AccessPolicy(KNOWN, "default", Mode.REPLAY, askable=(Mode.REPLAY, Mode.RECORD))
    assert gate.admit("any+record:", thawed).mode is Mode.RECORD
    refused = denied(gate, "any+live:")
    assert refused.status == 403
    assert "wiretape_modes" in str(refused)
    assert "[session.any]" in str(refused)
    # A session with modes of its own goes by those, and one's own mode can always be asked for.
    assert gate.admit("checkout+live:", thawed).mode is Mode.LIVE
    assert AccessPolicy(KNOWN, "default", Mode.LIVE, askable=()).admit("any+live:", thawed).mode is Mode.LIVE
    assert AccessPolicy(KNOWN, "default", Mode.LIVE, askable=()).admit("", thawed).mode is Mode.LIVE


def test_it_tells_beforehand_what_could_not_be_asked_for() -> None:
    policy = AccessPolicy(Sessions(), "default", Mode.REPLAY, askable=(Mode.REPLAY, Mode.RECORD))
    assert policy.refusal("a", Mode.RECORD) == ""
    assert "nobody can ask for live" in policy.refusal("a", Mode.LIVE)
    # Also where it is the default session, which may be in the proxy's own mode without being asked.
    assert "nobody can ask for live" in policy.refusal("default", Mode.LIVE)


def test_a_default_mode_that_somebody_chose_is_not_asked_for() -> None:
    gate = AccessPolicy(
        Sessions({"default": Session("default", mode=Mode.REPLAY)}),
        "default",
        Mode.LIVE,
        mode_is_explicit=True,
        askable=(),
    )
    assert gate.admit(None, thawed).mode is Mode.LIVE
    assert denied(gate, "default+live:").status == 403


@pytest.mark.parametrize(
    "header", ["Basic \xe9", "Basic \xe9\xe9", "Basic YTpi\xff", "Basic \udce9", "\ud800", "Basic ===="]
)
def test_what_no_header_is_to_have_is_none_and_no_error(header: str) -> None:
    assert not basic(header)


def test_none_of_ten_thousand_strangers_comes_in(door: Door, tmp_path: Path) -> None:
    """As the layers have headers, and as mitmproxy's flows have them."""
    write(tmp_path / "tokens.toml", door.tokens)
    gate = AccessPolicy(KNOWN, "default", Mode.RECORD, tokens=TokenFile(tmp_path / "tokens.toml"))
    for header in headers(10_000):
        for text in (header.decode("latin-1"), header.decode("utf-8", "surrogateescape")):
            for credentials in (basic(text), text):
                try:
                    gate.admit(credentials, thawed)
                except AccessDeniedError as e:
                    assert e.status == 407  # noqa: PT017  pytest.raises is slow, forty thousand times
                else:
                    raise AssertionError(header)
