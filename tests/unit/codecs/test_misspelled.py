"""The error for a name that nobody reads."""

import pytest

from wiretape.codecs.misspelled import nearest, unknown

KNOWN = ("mode", "session", "Takes")


def test_it_tells_which_one_was_meant_and_all_there_are() -> None:
    error = unknown("wiretape.toml: [session.a]", ["seshion"], KNOWN, " (see the reference)")
    assert str(error) == (
        "wiretape.toml: [session.a]: unknown key seshion: did you mean session? There are mode, session, Takes"
        " (see the reference)"
    )


def test_what_is_like_none_is_not_guessed() -> None:
    assert str(unknown("x", ["qqqq"], KNOWN, kind="option")) == "x: unknown option qqqq; there are mode, session, Takes"


def test_many_and_long_names_are_not_all_told() -> None:
    told = str(unknown("x", ["b" * 1000, "c", "d", "e"], KNOWN))
    assert "b" * 40 + ", c, d and others" in told
    assert "b" * 41 not in told


@pytest.mark.parametrize(("name", "known"), [("takes", "Takes"), ("MODE", "mode"), ("mod", "mode"), ("zzz", "")])
def test_case_does_not_matter(name: str, known: str) -> None:
    assert nearest(name, KNOWN) == known
