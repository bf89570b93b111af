"""A proxy of the run's own, in a process of its own: ``wiretape.cli.hosted``.

It tells the environment of those who go through it, of which what is new counts here. Its input is a pipe from this
process: however pytest ends, the pipe does too, and with it the proxy.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from wiretape.cli.options import CONTROL
from wiretape.policy import Mode

_NOT_FOR_IT = ("COV_CORE_", "COVERAGE_PROCESS", "PYTEST_")
"""How variables begin that would have the proxy itself measured, or taken for a test."""

_STOP_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the proxy is to be."""

    mode: Mode
    root: Path
    """Pytest's root folder: the recordings are below it unless it is said otherwise."""
    options: Sequence[str] = ()
    """Each ``NAME=VALUE``."""
    is_offline: bool = False

    @property
    def command(self) -> list[str]:
        """The command line that starts it."""
        options = [f"wiretape_mode={self.mode}", *self.options]
        if self.is_offline:
            options.append("wiretape_offline=true")
        return [sys.executable, "-P", "-m", "wiretape.cli.hosted", *options]


class RunningProxy:
    """A proxy that is up. ``variables`` are what programs need to go through it, None where one is to be unset."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path, variables: Mapping[str, str | None]) -> None:
        self._process = process
        self._log = log
        self.variables = variables

    @classmethod
    def start(cls, wanted: Wanted, environ: Mapping[str, str]) -> Self:
        """Start one and wait until it is up. Raises pytest.UsageError, which says why it does not start."""
        given = {name: value for name, value in environ.items() if not name.startswith(_NOT_FOR_IT)}
        descriptor, name = tempfile.mkstemp(prefix="wiretape-pytest-", suffix=".log")
        with os.fdopen(descriptor, "w") as errors:
            process = subprocess.Popen(  # noqa: S603  our own command
                wanted.command,
                cwd=wanted.root,
                env=given,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
                # Ctrl-C in the terminal is for pytest, which ends this in its own order.
                start_new_session=True,
            )
        assert process.stdout
        line = process.stdout.readline()
        proxy = cls(process, Path(name), _new_in(json.loads(line), given) if line else {})
        if not line:
            raise pytest.UsageError(f"wiretape: the proxy of the run did not start: {proxy.stop()}")
        if CONTROL not in proxy.variables:
            proxy.stop()
            raise pytest.UsageError("wiretape: the plugin needs the control API: pip install 'wiretape[pytest]'")
        return proxy

    def stop(self) -> str:
        """End it when it has written all recordings, and return what it had to say."""
        with self._process as process:
            try:
                # Its input ends.
                process.communicate(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        try:
            said = self._log.read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""
        self._log.unlink()
        return said.strip()


def _new_in(environ: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str | None]:
    """Return what the proxy has set, and what it has unset."""
    new: dict[str, str | None] = {name: value for name, value in environ.items() if given.get(name) != value}
    return new | dict.fromkeys(given.keys() - environ.keys())
