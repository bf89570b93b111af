"""What cannot be is told by option and reason: the real addon is configured as mitmproxy does it, in this process.

That a start ends for it, and how, is seen once for each kind of mistake in ``e2e``: test_replay.py (an option),
test_tokens.py (the tokens' file, and listening elsewhere) and test_layers.py (the configuration).
"""

import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from mitmproxy import exceptions, hooks

from places import ROOT
from wiretape.call_log.log import CallLog
from wiretape.call_log.places import log_file

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy.addons.proxyserver import Proxyserver
    from mitmproxy.test import taddons

    from wiretape.control import server
    from wiretape.proxy import configure
    from wiretape.proxy.addon import Wiretape
    from wiretape.sessions.access import AccessDeniedError


@pytest.fixture
def tctx(tmp_path: Path) -> Iterator[taddons.context]:
    before = {*threading.enumerate()}
    addon = Wiretape()
    # The other one declares options of mitmproxy's that are looked at too.
    with taddons.context(Proxyserver(), addon) as tctx:
        # As at a start, but for where recordings are: no test looks into the repository's.
        tctx.options.set(f"wiretape_recordings={tmp_path / 'recordings'}")
        yield tctx
        tctx.master.addons.invoke_addon_sync(addon, hooks.DoneHook())
    assert {*threading.enumerate()} <= before


def told(tctx: taddons.context, option: str) -> str:
    """Why an option, as ``--set`` takes it, is refused; it is then as it was."""
    name = option.partition("=")[0]
    before = getattr(tctx.options, name)
    with pytest.raises(exceptions.OptionsError) as raised:
        tctx.options.set(option)
    assert getattr(tctx.options, name) == before
    return str(raised.value)


LANES = "the lanes are auto, fast, flows"
VALUES = {
    "wiretape_mode=repeat": "live, record, replay, record-if-missing",
    "wiretape_session=../up": "no session name",
    "wiretape_session=Checkout": "a-z, 0-9",
    "wiretape_takes=all": "first, last, sequence, cycle",
    "wiretape_format=2024": "2025-09, 2026",
    f"wiretape_recordings={ROOT / 'README.md'}": "not a directory",
    "wiretape_recordings=": "name a directory",
    "wiretape_config=no-such.toml": "cannot read no-such.toml",
    "stream_large_bodies=1m": "unset it",
    "wiretape_lane=slow": LANES,
    "wiretape_lane=": LANES,
    "wiretape_lane=Fast": LANES,
    "wiretape_cache=lots": "such as 128MB",
    "wiretape_cache=-1": "such as 128MB",
    "wiretape_cache=1TB": "kB, MB or GB",
    "wiretape_cache=": "a number of bytes",
    "wiretape_max_request=lots": "such as 128MB",
    "wiretape_max_request=-1": "such as 128MB",
    "wiretape_max_request=": "such as 128MB",
    "wiretape_max_request=0": "a size such as 64MB",
    "wiretape_max_request=0.0001kB": "a size such as 64MB",
    "wiretape_max_request=\u0666\u0664MB": "such as 128MB",
    f"wiretape_max_request={'9' * 400}": "such as 128MB",
    "wiretape_large_requests=maybe": "refuse, pass",
    "wiretape_large_requests=": "refuse, pass",
    f"wiretape_call_log={ROOT}": "is a folder",
    f"wiretape_call_log={ROOT / 'README.md'}": "is no log of calls, and is left as it is",
    "wiretape_metrics=here": "HOST:PORT",
    "wiretape_metrics=127.0.0.1:99999": "PORT alone for 127.0.0.1",
    "wiretape_control=here": "HOST:PORT",
    "wiretape_control=0.0.0.0:9465": "wiretape token create",
    "wiretape_coordinator=here": "wiretape serve sets it",
    "wiretape_modes=replay,repeat": "live, record, replay, record-if-missing",
    "wiretape_modes=,": "live, record, replay, record-if-missing",
    "wiretape_hosts=http://proxy.example": "proxy.example,*.corp.example",
    "wiretape_hosts=*": "proxy.example,*.corp.example",
}


@pytest.mark.parametrize("option", VALUES)
def test_a_wrong_value_names_its_option_and_the_right_values(option: str, tctx: taddons.context) -> None:
    message, name = told(tctx, option), option.partition("=")[0]
    assert message.startswith((f"{name}: ", f"{name} cannot be used"))
    assert VALUES[option] in message


def test_an_api_that_nothing_can_serve_is_an_error_that_says_what_to_install(
    tctx: taddons.context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "find_spec", lambda _: None)
    assert "pip install starlette uvicorn" in told(tctx, "wiretape_control=9465")


@pytest.mark.parametrize("url", ["s3://", "ftp://a/b", "s3://user:secret@bucket/prefix", "s3://bucket/../x"])
def test_a_url_that_is_none_is_told_without_what_is_secret_in_it(url: str, tctx: taddons.context) -> None:
    tctx.options.set("wiretape_call_log=on")
    message = told(tctx, f"wiretape_recordings={url}")
    assert "wiretape_recordings" in message
    assert "secret" not in message


def test_calls_are_told_where_the_options_say(tctx: taddons.context, tmp_path: Path) -> None:
    addon = tctx.master.addons.get("wiretape")
    assert isinstance(addon, Wiretape)
    teller = addon._decider.teller

    def log(option: str) -> CallLog | None:
        tctx.options.set(f"wiretape_call_log={option}")
        return teller.log

    assert log("") is None
    named = log(str(tmp_path / "calls"))
    assert named
    assert named.file == tmp_path / "calls"
    tctx.options.set("wiretape_session=other")
    assert teller.log is named, "it goes on"
    own = log("on")
    assert own
    assert own.file == log_file(str(tmp_path / "recordings"))
    assert own.run == named.run, "a run is from a proxy's start to its end"
    tctx.options.set("wiretape_run=job 7")
    assert teller.log
    assert teller.log.run == "job 7"
    assert log("off") is None


@pytest.mark.parametrize("option", ["listen_host=0.0.0.0", "listen_host=::", "mode=regular@0.0.0.0:0"])
def test_without_tokens_it_does_not_listen_elsewhere_and_says_how_to_make_one(
    option: str, tctx: taddons.context
) -> None:
    message = told(tctx, option)
    assert "wiretape token create --session NAME --role write" in message
    assert "wiretape_tokens" in message


def test_no_tokens_in_a_mode_in_which_none_can_be_shown(tctx: taddons.context, tmp_path: Path) -> None:
    tctx.options.set("mode=socks5")
    assert "cannot name its token" in told(tctx, f"wiretape_tokens={tmp_path}")


@pytest.mark.parametrize(
    ("text", "says"), [(None, "wiretape token create"), ("[[token]]\nname = 1\n", "token 1"), ("[", "not TOML")]
)
def test_a_file_of_tokens_that_is_none(text: str | None, says: str, tctx: taddons.context, tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    if text:
        file.write_text(text)
    message = told(tctx, f"wiretape_tokens={file}")
    assert "wiretape_tokens" in message
    assert says in message


def test_offline_there_is_no_bucket(tctx: taddons.context) -> None:
    tctx.options.set("wiretape_offline=true")
    assert "wiretape_offline: s3://bucket is not on this machine" in told(tctx, "wiretape_recordings=s3://bucket")


CONFIGURATIONS = {
    '[tunnels]\nallow = ["*"]\n': "team.toml:2: [tunnels]: allow: '*' is none",
    "[tunnel]\n": "team.toml:1: unknown table tunnel: did you mean tunnels? There are",
    '[session.a]\nlayers = ["b"]\n[session.b]\nlayers = ["a"]\n': "a -> b -> a",
    '[session.default]\nmodes = ["replay"]\n': "default allows replay",
    "[session.a]\nlayer = []\n": "unknown key layer",
    "[[fault]]\nprovider = 'x'\nstall = 1": "team.toml:2: [[fault]] 1: no provider is named 'x'; there are ",
}


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_a_configuration_that_is_wrong(text: str, tctx: taddons.context, tmp_path: Path) -> None:
    config = tmp_path / "team.toml"
    config.write_text(text)
    tctx.options.set("wiretape_mode=record")
    assert CONFIGURATIONS[text] in told(tctx, f"wiretape_config={config}")


def test_an_option_that_there_is_not_is_told_with_the_one_that_was_meant(tctx: taddons.context) -> None:
    """mitmproxy would keep it, for an addon that never comes: a replay that was misspelled would record."""
    tctx.options.set("wiretape_moed=replay", "another_addons=1", defer=True)
    message = told(tctx, "wiretape_pace=2x")
    assert message.startswith("wiretape: unknown option wiretape_moed: did you mean wiretape_mode? There are ")
    tctx.options.deferred.clear()


CHOSEN = {
    "": "replay",
    "wiretape_mode=record-if-missing": "record-if-missing",  # What holds without a word on it, too.
    "wiretape_mode=record": "record",
    "wiretape_mode=live": "live",
}


@pytest.mark.parametrize("option", CHOSEN)
def test_a_mode_that_is_chosen_goes_before_the_sessions_own(option: str, tctx: taddons.context, tmp_path: Path) -> None:
    config = tmp_path / "team.toml"
    config.write_text('[session.main]\nmode = "replay"\n')
    tctx.options.set(*filter(None, [f"wiretape_config={config}", "wiretape_session=main", option]))
    tape = tctx.master.addons.get("wiretape").default_tape()
    assert (tape.session, tape.mode) == ("main", CHOSEN[option])
    tctx.options.reset()
    assert tctx.master.addons.get("wiretape").default_tape().mode == "record-if-missing"


def test_after_a_failure_that_nobody_foresaw_nobody_comes_in(
    tctx: taddons.context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """mitmproxy logs it and goes on, with options of which it is not known what became."""
    addon = tctx.master.addons.get("wiretape")
    addon._admission.check_open()
    with monkeypatch.context() as patched:
        patched.setattr(configure, "build", lambda *_: 1 // 0)
        tctx.options.set("wiretape_mode=replay")
        with pytest.raises(AccessDeniedError) as raised:
            addon._admission.grant(object())
        assert raised.value.status == 500
    tctx.options.set("wiretape_mode=record")
    addon._admission.check_open()
