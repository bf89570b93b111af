"""A test suite through the plugin for pytest: 200 replayed tests beside VCR.py's, and what an empty test costs.

The suite is ``tests/e2e/sample_suite`` without what VCR.py cannot do: programs in another language, two recordings of
one request, and fixtures that several tests share. Each run is a process of pytest from its start to its end, the
proxy's start and end included, one after the other in turn.
"""

import re
import shutil
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.machine import BenchError
from bench.servers import Bench
from loopback import Provider
from suites import SAMPLE, Ran, Suite
from talk import Talk

EMPTY = 400

_VCR = """
import hashlib
import os

import pytest
import vcr

MATCH_ON = ("method", "scheme", "host", "port", "path", "query", "body")


@pytest.fixture(autouse=True)
def cassette(request):
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]
    recorder = vcr.VCR(record_mode=os.environ["VCR_MODE"], match_on=MATCH_ON)
    with recorder.use_cassette(f"cassettes/{name}.yaml", allow_playback_repeats=True):
        yield
"""
"""What pytest-recording does for a test that has its marker."""

_BOTH = ("-q", "-k", "not node and not rules and not each_time")


def suite(bench: Bench) -> dict[str, Any]:
    """The group."""
    rows: list[dict[str, Any]] = [{"name": name, "runs": []} for name in ("VCR.py", "wiretape")]
    with Provider() as provider:
        Talk(provider)
        trial = _Trial(bench.folder / "suite", provider)
        trial.record()
        for _ in range(bench.runs):
            rows[0]["runs"].append(trial.vcr("none"))
            rows[1]["runs"].append(trial.wiretape("replay"))
        empty = [trial.empty() for _ in range(bench.runs)]
    ratios = [ours["seconds"] / vcr["seconds"] for vcr, ours in zip(rows[0]["runs"], rows[1]["runs"], strict=True)]
    figures = {"times": round(statistics.median(ratios), 3), "empty_ms": round(statistics.median(empty), 3)}
    return {"kind": "suite", "title": "A suite of 200 replayed tests", "rows": rows, **figures}


class _Trial:
    """One suite, recorded in both ways."""

    def __init__(self, folder: Path, provider: Provider) -> None:
        folder.mkdir()
        self._suite = Suite(folder, provider, SAMPLE)
        (self._suite.folder / "by_vcr.py").write_text(_VCR, "utf-8")
        (self._suite.folder / "nothing").mkdir()
        (self._suite.folder / "nothing" / "test_nothing.py").write_text(
            f"import pytest\n\n@pytest.mark.parametrize('n', range({EMPTY}))\ndef test_nothing(n):\n    pass\n", "utf-8"
        )
        # VCR.py takes the place of the provider's, so the provider is met without a proxy.
        self._direct = {"OPENAI_BASE_URL": f"https://127.0.0.1:{provider.port}/v1", "PYTHONPATH": "."}

    def record(self) -> None:
        """Record in both ways."""
        shutil.rmtree(self._suite.folder / "cassettes", ignore_errors=True)
        self.vcr("all")
        self.wiretape("record")

    def vcr(self, mode: str) -> dict[str, float]:
        """Run it with VCR.py."""
        env = {**self._direct, "VCR_MODE": mode}
        if mode == "none":
            # Nobody is met then: the client has the CAs that a user's has.
            env["SSL_CERT_FILE"] = ""
        return self._timed(env, "-p", "by_vcr", "-p", "no:wiretape")

    def wiretape(self, mode: str) -> dict[str, float]:
        """Run it with the plugin."""
        return self._timed({}, f"--wiretape={mode}")

    def empty(self) -> float:
        """Return the milliseconds by which the plugin makes an empty test longer."""
        took = [self._session(self._suite.run("-q", *more, "nothing")) for more in ((), ("--wiretape=replay",))]
        return round((took[1] - took[0]) / EMPTY * 1000, 3)

    def _timed(self, env: Mapping[str, str], *arguments: str) -> dict[str, float]:
        begun = time.monotonic()
        ran = self._suite.run(*_BOTH, *arguments, env=env)
        took = time.monotonic() - begun
        if ran.code:
            raise BenchError(f"the suite fails: {ran.output[-2000:]}")
        return {"seconds": round(took, 3), "session": self._session(ran)}

    def _session(self, ran: Ran) -> float:
        """Return the seconds that pytest tells, which begin when it has read its configuration."""
        found = re.search(r" in ([\d.]+)s", ran.output.strip().splitlines()[-1])
        if not found:
            raise BenchError(f"the suite does not end: {ran.output[-2000:]}")
        return float(found[1])
