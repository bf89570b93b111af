"""What the log of calls costs a hit: CPU time of one hit in memory over HTTP/1.1, without the log and with it, in turn.

    .venv/bin/python tests/bench/call_log.py

The layer is the real one, without sockets and without TLS, so that a microsecond is seen; through a proxy a hit takes
more, and the log as much. The least of many short rounds counts, of either: other programs only add to it.
"""

import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from layer_rig import Rig, post
from samples import CHAT
from wiretape.call_log.log import CallLog

_HITS = 500
"""Of a round: as many come within a tenth of a second."""

_ROUNDS = 60


@dataclass
class Cost:
    """CPU time of rounds, in seconds."""

    log: CallLog | None
    of_traffic: list[float] = field(default_factory=list)
    of_all: list[float] = field(default_factory=list)

    def measure(self, rig: Rig) -> None:
        """Let a round of hits come."""
        rig.decider.teller.log = self.log
        of_all = time.process_time()
        of_traffic = time.thread_time()
        for _ in range(_HITS):
            rig.receive(post())
        self.of_traffic.append(time.thread_time() - of_traffic)
        if self.log:
            self.log.flush()
        self.of_all.append(time.process_time() - of_all)

    def __str__(self) -> str:
        traffic, everything = (min(each) / _HITS * 1e6 for each in (self.of_traffic, self.of_all))
        return f"{traffic:.1f} us of the thread that carries the traffic, {everything:.1f} us in all"


def main() -> None:
    """Measure, and print."""
    folder = Path(tempfile.mkdtemp(prefix="call-log-"))
    responses = folder / "default" / "responses"
    responses.mkdir(parents=True)
    shutil.copy(CHAT, responses)
    rig = Rig(folder)
    rig.ask()
    log = CallLog(folder / "calls.sqlite", "bench")
    costs = {"without": Cost(None), "with": Cost(log)}
    for _ in range(_ROUNDS):
        for cost in costs.values():
            cost.measure(rig)
    log.close()
    rig.close()
    shutil.rmtree(folder)
    for name, cost in costs.items():
        print(f"a hit {name} the log: {cost}")


if __name__ == "__main__":
    main()
