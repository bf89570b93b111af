"""A user's test suite and what is around it: a folder of its own, an empty home, a provider on loopback for every host.

``Suite.run`` runs pytest in a process of its own, as a user does, with the plugin that is installed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import TO_LOOPBACK, confdir
from loopback import Provider
from places import TESTS

SAMPLE = TESTS / "e2e" / "sample_suite"
"""200 tests of a program that asks a model."""

_NOT_THEIRS = (
    "PYTEST_",
    "WIRETAPE_",
    "OPENAI_",
    "COV_",
    "CI",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
)
"""How variables begin that a user's own pytest would not have."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of pytest has said."""

    code: int
    output: str

    @property
    def counts(self) -> dict[str, int]:
        """How many tests came to what, as pytest's last line tells: ``{"passed": 200}``."""
        last = self.output.strip().splitlines()[-1]
        return {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last.partition(" in ")[0])}

    @property
    def told(self) -> str:
        """What the plugin says at the end, without pytest's last line."""
        _, _, after = self.output.rpartition("= wiretape =")
        return "\n".join(after.splitlines()[1:-1])


class Suite:
    """A suite in a folder of its own."""

    def __init__(self, folder: Path, provider: Provider, sources: Path | None = None) -> None:
        """``sources``: what is copied to there."""
        self.folder = folder / "suite"
        if sources:
            shutil.copytree(sources, self.folder, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            self.folder.mkdir()
        self.recordings = self.folder / "recordings"
        self._connects = folder / "connects"
        home = folder / "home"
        shutil.copytree(confdir(), home / ".mitmproxy")
        (home / ".mitmproxy" / "config.yaml").write_text(f"scripts: [{TO_LOOPBACK}]\n", "utf-8")
        own = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_THEIRS)}
        self.env = own | {
            "HOME": str(home),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "OPENAI_API_KEY": "sk-test-secret",
            "SSL_CERT_FILE": str(provider.ca_pem),
            "TO_LOOPBACK_ORIGIN": json.dumps({"*": provider.port}),
            "TO_LOOPBACK_CONNECTS": str(self._connects),
        }

    def write(self, **files: str) -> None:
        """Write modules, by their names without the ending."""
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text, "utf-8")

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ran:
        """Run pytest, and wait for its end."""
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:anyio", "-p", "no:cacheprovider", *arguments],
            cwd=self.folder,
            env=self.env | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout)

    def files(self) -> dict[str, bytes]:
        """Return all recordings, with their captures, by their paths below the folder of recordings."""
        return {
            path.relative_to(self.recordings).as_posix(): path.read_bytes()
            for path in sorted(self.recordings.glob("*/*/*.json"))
        }

    def connects(self) -> list[str]:
        """Return where the proxies have connected to."""
        return self._connects.read_text("utf-8").splitlines() if self._connects.exists() else []
