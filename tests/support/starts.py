"""Starts of the shared proxy while the machine is busy: for a test, and as a program.

    .venv/bin/python tests/support/starts.py [N]

Each is a real mitmdump in a mode in which it records, on a port of its own and without ``--listen-host``: it listens on
all interfaces first, moves to this machine alone, and then starts the process that writes. Printed is each log of one
that did not listen where it should.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from harness import Mitmdump
from inside import free_port

AT_ONCE = 5


@contextmanager
def busy() -> Iterator[None]:
    """Keep every core at work."""
    command = [sys.executable, "-c", "while True: pass"]
    workers = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for each in workers:
            each.kill()
            each.wait()


def failure(folder: Path) -> str:
    """Start one and end it; return its log where it failed, and nothing where it did not."""
    port = free_port()
    args = ["--listen-host", "", "--listen-port", str(port)]
    try:
        with Mitmdump(folder, "record", args=args, fork=False) as proxy:
            proxy.wait_for_log(rf"listening at 127\.0\.0\.1:{port}", 60)
    except AssertionError as e:
        return str(e)
    return "" if "address already in use" not in proxy.log() else proxy.log()


def failures(count: int) -> list[str]:
    """Start so many, several at once, and return the logs of those that failed."""
    with tempfile.TemporaryDirectory() as folder, busy(), ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(failure, [Path(folder, str(number)) for number in range(count)])
        return [each for each in found if each]


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    logs = failures(wanted)
    for log in logs:
        print(log)
    print(f"{wanted - len(logs)} of {wanted} started")
    sys.exit(bool(logs))
