"""Flags and variables -> the options of the proxy: a flag, --set, the environment."""

import pytest

from wiretape.cli.options import check_names, from_environment, is_ci, settings

OPTIONS = ["wiretape_mode", "wiretape_session"]


def test_variables_are_options_but_for_those_of_commands_and_keys() -> None:
    environ = {
        "WIRETAPE_MODE": "replay",
        "WIRETAPE_SESSION": "",
        "WIRETAPE_WORKERS": "4",
        "WIRETAPE_LISTEN": ":1",
        "WIRETAPE_BALANCE": "kernel",
        "WIRETAPE_URL": "http://x",
        "WIRETAPE_PSEUDONYM_KEY": "secret",
        "HOME": "/x",
    }
    assert from_environment(environ) == {"wiretape_mode": "replay"}


def test_a_variable_that_nobody_reads_is_told_with_the_one_that_was_meant() -> None:
    check_names({"WIRETAPE_MODE": "x", "WIRETAPE_WORKERS": "4", "WIRETAPE_MOD": ""}, OPTIONS)
    with pytest.raises(ValueError, match=r"WIRETAPE_MDOE.*WIRETAPE_MODE"):
        check_names({"WIRETAPE_MDOE": "replay"}, OPTIONS)


def test_a_variable_in_small_letters_is_none() -> None:
    assert from_environment({"wiretape_mode": "replay"}) == {}


@pytest.mark.parametrize(
    ("environ", "assignments", "flags", "chosen"),
    [
        ({}, [], {}, []),
        ({"WIRETAPE_MODE": "replay"}, [], {}, ["wiretape_mode=replay"]),
        ({"WIRETAPE_MODE": "replay"}, ["wiretape_mode=live"], {}, ["wiretape_mode=live"]),
        ({"WIRETAPE_MODE": "replay"}, ["wiretape_mode=live"], {"wiretape_mode": "record"}, ["wiretape_mode=record"]),
        ({"WIRETAPE_MODE": "replay"}, [], {"wiretape_mode": None}, ["wiretape_mode=replay"]),
        ({}, ["ignore_hosts=a", "ignore_hosts=b", "x=1"], {}, ["ignore_hosts=a", "ignore_hosts=b", "x=1"]),
        ({}, ["a=b=c"], {"a": ""}, ["a="]),
    ],
)
def test_the_nearest_to_the_user_counts(
    environ: dict[str, str], assignments: list[str], flags: dict[str, str | None], chosen: list[str]
) -> None:
    assert settings(environ, assignments, flags) == chosen


@pytest.mark.parametrize(
    ("value", "is_so"),
    [
        *((value, True) for value in ("true", "1", "yes", "woodpecker")),
        *((value, False) for value in ("", " ", "0", "false", "FALSE", "no", "off")),
    ],
)
def test_a_run_that_nobody_watches(value: str, *, is_so: bool) -> None:
    assert is_ci({"CI": value}) is is_so


def test_without_the_variable_somebody_watches() -> None:
    assert not is_ci({})
