"""The sessions of a configuration."""

import pytest

from places import CONFIG
from wiretape import config
from wiretape.policy import Freshness, Mode, OnExpiry, Takes
from wiretape.replay.pacing import Pace
from wiretape.sessions.model import Session, Sessions


def parse(file: str, text: str) -> Sessions:
    return config.loads(file, text).sessions()


def test_all_that_can_be_said() -> None:
    text = """
    [session.checkout]
    layers = ["main", "base"]
    mode = "replay"
    modes = ["record", "replay"]
    pace = "2x"
    takes = "cycle"
    format = "2026"
    frozen = true
    max_age = "2d"
    on_expiry = "fail"
    """
    session = parse("team.toml", text).get("checkout")
    assert session == Session(
        "checkout",
        ("main", "base"),
        Mode.REPLAY,
        (Mode.RECORD, Mode.REPLAY),
        Pace(2.0),
        Takes.CYCLE,
        "2026",
        True,
        freshness=Freshness(2 * 86_400, OnExpiry.FAIL),
    )
    assert dict(session.words)["layers"] == "main, base"


@pytest.mark.parametrize("text", ["", "[session.other]\nmode = 'live'", "[tunnels]"])
def test_a_session_that_is_not_named_has_the_defaults(text: str) -> None:
    assert parse("team.toml", text).get("checkout") == Session("checkout")


def test_of_modes_without_a_mode_the_first_is_it() -> None:
    assert parse("f", "[session.a]\nmodes = ['replay', 'live']").get("a").mode is Mode.REPLAY


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[session.a", r"team.toml: not TOML"),
        ("[[session]]\nname = 'a'", r"team.toml:1: \[session\]: is \[session.NAME\]: each"),
        ("session = 1", r"is \[session.NAME\]"),
        ("[session]\na = 1", r"\[session.a\]: is a table"),
        ("[session.Team]", r"\[session.Team\]: 'Team' is no session name"),
        ("[session.'../x']", r"no session name"),
        (
            "[session.a]\nlayer = ['b']",
            r"\[session.a\]: unknown key layer: did you mean layers\? There are layers, mode, modes, pace",
        ),
        ("[session.v1.2]\nmode = 'live'", r'written \[session."v1.2"\]'),
        ("[session.a]\nlayers = 'b'", r"\[session.a\]: layers: is a list of one or more names"),
        ("[session.a]\nlayers = ['b', 'b']", r"each once"),
        ("[session.a]\nlayers = [1]", r"layers: is a text, not 1"),
        ("[session.a]\nlayers = ['../b']", r"layers: '../b' is no session name"),
        (
            "[session.a]\nmode = 'play'",
            r"mode: is one of live, record, .*, not 'play': did you mean replay\?",
        ),
        ("[session.a]\nmodes = []", r"modes: is a list of one or more"),
        ("[session.a]\nmode = 'live'\nmodes = ['replay']", r"mode is live, which is none of its modes: replay"),
        ("[session.a]\npace = 'fast'", r"pace: 'fast' is no pace"),
        ("[session.a]\npace = 2", r"pace: is a text, not 2"),
        ("[session.a]\ntakes = 'best'", r"takes: is one of first, last, sequence, cycle, not 'best'"),
        ("[session.a]\nformat = '1999'", r"format: is one of 2025-09, 2026, not '1999'"),
        ("[session.a]\nfrozen = 'yes'", r"frozen: is true or false, not 'yes'"),
        ("[session.a]\nmax_age = 'old'", r"max_age: is an age such as 12h, 90d or 4w, not 'old'"),
        ("[session.a]\nmax_age = '0d'", r"max_age: '0d' is no age"),
        ("[session.a]\nmax_age = '1d'\non_expiry = 'die'", r"on_expiry: is one of warn, fail, rerecord, not 'die'"),
        ("[session.a]\non_expiry = 'fail'", r"on_expiry: is without effect: no max_age says when"),
        ("[session.a]\nlayers = ['a']", r"\[session.a\]: layers go round in a circle: a -> a"),
    ],
)
def test_an_error_names_file_table_and_what_is_right(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as raised:
        parse("team.toml", text)
    assert str(raised.value).startswith("team.toml:")


def test_what_expires_is_told_in_the_log_where_nothing_else_is_said() -> None:
    assert parse("f", "[session.a]\nmax_age = '90d'").get("a").freshness == Freshness(90 * 86_400, OnExpiry.WARN)


def test_a_circle_is_named_as_it_goes() -> None:
    text = "[session.a]\nlayers = ['x', 'b']\n[session.b]\nlayers = ['c']\n[session.c]\nlayers = ['b']"
    with pytest.raises(ValueError, match=r"\[session.b\]: layers go round in a circle: b -> c -> b"):
        parse("team.toml", text)


def test_the_example_in_config_is_right_and_read_by_all() -> None:
    text = (CONFIG / "wiretape.toml").read_text("utf-8")
    sessions = parse("wiretape.toml", text)
    assert sessions.order("checkout") == ("checkout", "main")
    assert sessions.get("main").mode is Mode.REPLAY
    known = config.loads("wiretape.toml", text).providers()
    assert "house" in known.names
    assert not config.loads("wiretape.toml", text).faults(known.names)
