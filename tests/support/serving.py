"""``wiretape serve`` for tests: real workers behind one port, as ``harness.Mitmdump`` is one of them."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import spares
from forked import WIRETAPE as SCRIPT
from harness import TO_LOOPBACK, Mitmdump, wait_until
from wiretape.metrics import prometheus
from wiretape.metrics.counters import Counters, added

WIRETAPE = (sys.executable, "-P", "-m", "wiretape.cli")


class Serve(Mitmdump):
    """A real ``wiretape serve``, as a context manager, with all that it started. ``origin`` as for ``Mitmdump``.

    ``fork=True``: it, and its first workers, are forks, for a tenth of the price.
    """

    def __init__(
        self,
        recordings: Path,
        mode: str,
        *,
        workers: int = 3,
        balance: str = "haproxy",
        fork: bool = False,
        **arguments: Any,
    ) -> None:
        super().__init__(recordings, mode, fork=fork, **arguments)
        self._flags = ["--workers", str(workers), "--balance", balance]

    def _command(self) -> list[str]:
        # No address of a user's: whatever else is up on this machine stays as it is.
        flags = [*self._flags, "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]
        options = {**self._options, "confdir": str(self.ca_file.parent), "scripts": str(TO_LOOPBACK)}
        sets = [part for name, value in options.items() for part in ("--set", f"{name}={value}")]
        command = [str(SCRIPT)] if self._fork else WIRETAPE
        return [*command, "serve", *flags, *sets, *self._args]

    def _wait_until_up(self) -> int:
        found = self.wait_for_log(r"serving at \S*:(\d+): .*counters at (http://\S+)/metrics$", 60)
        self.metrics_url = found[2]
        return int(found[1])

    def page(self, path: str = "/metrics") -> str:
        """What the page of counters says."""
        with build_opener(ProxyHandler({})).open(self.metrics_url + path, timeout=60) as answer:
            text: str = answer.read().decode()
        return text

    def sessions(self) -> Mapping[str, Counters]:
        """The counters, by session."""
        return prometheus.parse(self.page())

    def counters(self) -> Counters:
        """Their sum."""
        return added(self.sessions().values())

    def wait_for_hits(self, hits: int) -> None:
        """Until so many are counted: a worker reports twice a second."""
        wait_until(lambda: self.counters().hits >= hits)
        assert self.counters().hits == hits

    def wait_for_workers(self, count: int) -> None:
        """Until so many are up."""
        wait_until(lambda: f"\nwiretape_workers {count:.1f}\n" in self.page(), 30)

    def children(self, program: str = "") -> list[int]:
        """The ids of the processes that it started, of those whose command line has ``program``."""
        own = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(each) for each in own if re.search(program, command_line(int(each)))]

    def workers(self) -> list[int]:
        """Those of its workers, the oldest first."""
        return [each for each in self.children() if _is_worker(each)]


def _is_worker(process: int) -> bool:
    return "wiretape_coordinator=" in command_line(process) or spares.role(process).startswith(spares.WORKER)


def command_line(process: int) -> str:
    """A process's command line; empty where there is none, or where nobody has asked yet how it ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""
