"""What options and files come to is one value, made whole or not at all."""

from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import exceptions
from mitmproxy.options import Options

from wiretape.policy import Mode, Takes
from wiretape.proxy import configure, options
from wiretape.proxy.options import Lane, Large
from wiretape.proxy.runtime import Runtime
from wiretape.replay.pacing import Pace
from wiretape.tape.config import TapeConfig


def chosen(**values: Any) -> Options:
    found = Options()
    for each in options.OPTIONS:
        found.add_option(each.name, each.type, each.default, each.help)
    found.update(**{f"wiretape_{name}": value for name, value in values.items()})
    return found


def built(folder: Path, former: Runtime | None = None, updated: tuple[str, ...] = (), **values: Any) -> Runtime:
    return configure.build(chosen(recordings=str(folder), **values), {*updated}, former)


def test_nothing_chosen_is_the_default(tmp_path: Path) -> None:
    runtime = built(tmp_path)
    assert runtime.place.recordings == str(tmp_path)
    assert runtime.tape == TapeConfig()
    assert (runtime.largest, runtime.largest_said, runtime.large) == (64 * 1000**2, "64MB", Large.REFUSE)
    assert (runtime.memory, runtime.journal) == (128 * 1000**2, 1000**3)
    assert (runtime.shares, runtime.lane, runtime.tokens) == (True, Lane.AUTO, None)
    assert "openai" in runtime.providers.names
    assert not runtime.faults


def test_what_is_chosen_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    file.write_text("[session.main]\nmode = 'replay'\n[[fault]]\nstatus = 429\n[redaction]\npii = true\n", "utf-8")
    runtime = built(
        tmp_path,
        config=str(file),
        takes="cycle",
        pace="2x",
        wire=False,
        record_errors=True,
        offline=True,
        large_requests="pass",
        lane="flows",
        single_flight=False,
        max_request="1kB",
    )
    assert runtime.tape == TapeConfig(
        takes=Takes.CYCLE, pace=Pace(2.0), keep_captures=False, keep_errors=True, is_offline=True
    )
    assert (runtime.largest, runtime.large, runtime.lane, runtime.shares) == (1000, Large.PASS, Lane.FLOWS, False)
    assert runtime.sessions.get("main").mode is Mode.REPLAY
    assert runtime.faults
    assert runtime.redaction.pii
    assert runtime.egress.is_offline


def test_nobody_changes_it() -> None:
    with pytest.raises(FrozenInstanceError):
        Runtime().largest = 1  # type: ignore[misc]


def test_faults_that_stay_go_on_counting(tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    file.write_text("[[fault]]\nstatus = 429\n", "utf-8")
    first = built(tmp_path, config=str(file))
    assert built(tmp_path, first, ("wiretape_pace",), config=str(file)).faults is first.faults
    assert built(tmp_path, first, ("wiretape_config",), config=str(file)).faults is not first.faults


def test_a_configuration_that_went_wrong_is_told_whatever_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    file.write_text("", "utf-8")
    first = built(tmp_path, config=str(file))
    file.write_text("[session.main]\nmode = 'reply'\n", "utf-8")
    with pytest.raises(exceptions.OptionsError) as raised:
        built(tmp_path, first, ("wiretape_pace",), config=str(file))
    assert str(raised.value).startswith(f"wiretape_config: {file}:2: [session.main]: mode: is one of live, ")


def test_every_option_has_a_text_and_a_default_that_is_right() -> None:
    for each in options.OPTIONS:
        assert each.name.startswith(options.PREFIX)
        assert each.help
        assert not each.choices or each.default is None or each.default in each.choices
