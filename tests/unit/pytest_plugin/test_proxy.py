import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from wiretape.policy import Mode
from wiretape.pytest_plugin.proxy import RunningProxy, Wanted

STANDS_IN = """
import json, os, sys
print("a warning", file=sys.stderr)
changed = {**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", sys.argv[1]: "http://127.0.0.1:8"}
del changed["TO_BE_UNSET"]
print(json.dumps(changed), flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Scripted(Wanted):
    """Another program stands in for wiretape."""

    control: str = "WIRETAPE_CONTROL"

    @property
    def command(self) -> list[str]:
        python, _, _, _, *rest = super().command
        return [python, "-c", STANDS_IN, self.control, *rest]


def test_it_is_started_with_its_options() -> None:
    command = Wanted(Mode.RECORD, Path(), ["wiretape_recordings=tapes"], is_offline=True).command
    assert command[:4] == [sys.executable, "-P", "-m", "wiretape.cli.hosted"]
    assert command[4:] == ["wiretape_mode=record", "wiretape_recordings=tapes", "wiretape_offline=true"]


def test_what_it_sets_and_unsets_is_told_and_it_ends_with_its_input(tmp_path: Path) -> None:
    environ = {**os.environ, "TO_BE_UNSET": "1", "PYTEST_CURRENT_TEST": "t"}
    proxy = RunningProxy.start(Scripted(Mode.REPLAY, tmp_path), environ)
    assert proxy.variables["HTTPS_PROXY"] == "http://127.0.0.1:9"
    assert proxy.variables["TO_BE_UNSET"] is None
    assert "PYTEST_CURRENT_TEST" not in json.dumps(dict(proxy.variables))
    assert proxy.stop() == "a warning"
    assert proxy.stop() == ""


def test_one_without_the_control_api_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(pytest.UsageError, match=r"wiretape\[pytest\]"):
        RunningProxy.start(Scripted(Mode.REPLAY, tmp_path, control="ANOTHER"), {**os.environ, "TO_BE_UNSET": "1"})


def test_one_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(pytest.UsageError, match=r"(?s)did not start: .*KeyError: 'TO_BE_UNSET'"):
        RunningProxy.start(Scripted(Mode.REPLAY, tmp_path), dict(os.environ))
