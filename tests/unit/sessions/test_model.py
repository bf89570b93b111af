"""Sessions: each name becomes part of a path; what is asked for, and what may be had."""

import base64
import contextlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape.policy import Mode
from wiretape.sessions.model import (
    Refused,
    RequestedSession,
    Role,
    Session,
    Sessions,
    check_name,
    effective_mode,
    parse_role,
    parse_user,
)

NAMES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True)
LIVE, RECORD, REPLAY, MISSING = Mode.LIVE, Mode.RECORD, Mode.REPLAY, Mode.RECORD_IF_MISSING


@pytest.mark.parametrize("name", ["default", "a", "7", "team-a", "pr_123", "v1.2", "a..b", "0" * 64, "a" + "-" * 63])
def test_a_name(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc",
            "a\\b",
            ".hidden",
            "-x",
            "_x",
            "Team",
            "é",
            "a b",
            "a\n",
            "a\x00b",
            "\n",
        ),
        *("a:b", "~", "*", "a%2fb", "0" * 65, "\uff41", "٣"),
    ],
)
def test_any_other_text_is_an_error_that_names_it_and_says_what_is_one(name: str) -> None:
    with pytest.raises(ValueError, match="no session name: 1 to 64 of a-z, 0-9") as raised:
        check_name(name)
    assert repr(name) in str(raised.value)


# -- what is asked -----------------------------------------------------------------------------------------------------


@given(NAMES, st.none() | st.sampled_from(Mode))
def test_what_a_client_writes_is_what_it_asks_for(name: str, mode: Mode | None) -> None:
    asked = RequestedSession(name, mode)
    assert parse_user(str(asked)) == asked
    assert parse_user(quote(str(asked), safe="")) == asked
    header = base64.b64encode(f"{asked}:wt_secret".encode())
    assert parse_user(base64.b64decode(header).decode().partition(":")[0]) == asked


@given(st.text(max_size=100))
def test_any_text_is_a_session_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        asked = parse_user(text)
        assert check_name(asked.name) == asked.name


@pytest.mark.parametrize(
    ("user", "says"),
    [
        ("", "no session name"),
        ("+replay", "no session name"),
        ("checkout+", "the modes are live, record, replay, record-if-missing"),
        ("checkout+Replay", "the modes are"),
        ("checkout+replay+record", "the modes are"),
        ("%2e%2e%2fetc", "no session name"),
        ("check out", "the modes are"),  # A blank is a plus that was decoded.
        ("check.out ", "the modes are"),
    ],
)
def test_a_wrong_user_is_told_what_is_right(user: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_user(user)


@pytest.mark.parametrize("user", ["wt_" + "aB-_" * 11, "wt%5F" + "aB-_" * 11, "checkout+wt_secretSECRET", "S" * 81])
def test_what_may_be_a_token_is_not_repeated(user: str) -> None:
    with pytest.raises(ValueError, match="a token goes behind the colon") as raised:
        parse_user(user)
    assert "aB-_" not in str(raised.value)
    assert "SECRET" not in str(raised.value)
    assert raised.value.__cause__ is None


# -- layers ------------------------------------------------------------------------------------------------------------


def layered(**layers: str) -> Sessions:
    return Sessions({name: Session(name, tuple(below.split())) for name, below in layers.items()})


def test_the_order_is_depth_first_and_each_once() -> None:
    sessions = layered(top="left right", left="base", right="base other", base="ground")
    assert sessions.order("top") == ("top", "left", "base", "ground", "right", "other")
    assert sessions.order("nobody") == ("nobody",)


def test_who_stands_on_a_session() -> None:
    sessions = layered(top="left", left="base", alone="")
    assert sessions.above("base") == ("top", "left")
    assert sessions.above("top") == ()


# -- what is allowed ---------------------------------------------------------------------------------------------------


def mode_of(
    asked: Mode | None,
    session: Session | None = None,
    role: Role | None = None,
    *,
    default: Mode = MISSING,
    frozen: bool = False,
) -> Mode | str:
    """The mode, or why not."""
    try:
        return effective_mode(RequestedSession("s", asked), session or Session("s"), default, role, frozen=frozen)
    except Refused as e:
        return str(e)


def test_asked_goes_before_the_sessions_own_before_the_proxys() -> None:
    session = Session("s", mode=RECORD)
    assert mode_of(LIVE, session) is LIVE
    assert mode_of(None, session) is RECORD
    assert mode_of(None, default=REPLAY) is REPLAY


@pytest.mark.parametrize("role", [None, Role.WRITE, Role.ADMIN])
@pytest.mark.parametrize("mode", Mode)
def test_who_may_write_may_have_every_mode(mode: Mode, role: Role | None) -> None:
    assert mode_of(mode, role=role) is mode


@pytest.mark.parametrize("mode", [LIVE, RECORD, MISSING])
def test_who_may_read_has_replay_alone(mode: Mode) -> None:
    assert mode_of(REPLAY, role=Role.READ) is REPLAY
    assert "whose role is read" in str(mode_of(mode, role=Role.READ))
    assert mode_of(None, role=Role.READ, default=mode) is REPLAY


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("by_config", [True, False])
def test_nobody_records_in_a_frozen_session(role: Role | None, by_config: bool) -> None:
    session = Session("s", frozen=by_config)
    for mode in (RECORD, MISSING):
        refused = mode_of(mode, session, role, frozen=not by_config)
        assert "session s" in str(refused)
        assert refused not in (RECORD, MISSING)
        assert mode_of(None, session, role, default=mode, frozen=not by_config) is REPLAY
    assert "is frozen" in str(mode_of(RECORD, session, Role.ADMIN, frozen=not by_config))
    assert mode_of(REPLAY, session, role, frozen=not by_config) is REPLAY


def test_live_writes_nothing_and_stays_in_a_frozen_session() -> None:
    assert mode_of(LIVE, frozen=True) is LIVE
    assert mode_of(None, default=LIVE, frozen=True) is LIVE


def test_a_mode_that_the_session_does_not_allow_is_refused_to_every_role() -> None:
    session = Session("s", mode=REPLAY, modes=(REPLAY, RECORD))
    for role in (None, *Role):
        assert mode_of(LIVE, session, role) == "session s allows replay and record, not live"


def test_replay_is_no_way_out_where_the_session_does_not_allow_it() -> None:
    session = Session("s", mode=RECORD, modes=(RECORD,))
    assert "is frozen" in str(mode_of(None, session, frozen=True))
    assert "whose role is read" in str(mode_of(None, session, Role.READ))


@given(st.none() | st.sampled_from(Mode), st.sampled_from(Mode), st.none() | st.sampled_from(Role), st.booleans())
def test_what_is_asked_for_is_got_or_refused(
    asked: Mode | None, default: Mode, role: Role | None, frozen: bool
) -> None:
    got = mode_of(asked, role=role, default=default, frozen=frozen)
    assert isinstance(got, str)
    if isinstance(got, Mode):
        assert asked in (None, got)
        assert not (frozen and got in (RECORD, MISSING))
        assert role is not Role.READ or got is REPLAY


def test_a_role_by_its_name() -> None:
    assert [parse_role(role) for role in ("read", "write", "admin")] == [*Role]
    with pytest.raises(ValueError, match="the roles are read, write, admin"):
        parse_role("owner")
