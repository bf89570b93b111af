"""How the two balances of ``wiretape serve`` share connections out, and what a worker's death costs. No clock in it.

    .venv/bin/python tests/bench/balance.py [--workers 4] [--runs 5]

Two figures each, of real workers: how many of N open connections each of them has, and, with N open ones, how many end
when a worker is killed and what happens to the next N, made one after the other. A connection here is a tunnel that the
worker has agreed to: it is read to the end of that answer, so it is known to be somebody's. Linux only (/proc).
"""

import argparse
import json
import os
import re
import selectors
import signal
import socket
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import wait_until
from places import SHIPPED
from serving import Serve

COUNTS = (16, 64, 256)
BALANCES = ("haproxy", "reuseport")
CONNECT = b"CONNECT api.fireworks.ai:443 HTTP/1.1\r\nHost: api.fireworks.ai:443\r\n\r\n"


def tunnel(port: int) -> socket.socket:
    """A connection that a worker has answered. Raises OSError."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    try:
        connection.sendall(CONNECT)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            data = connection.recv(4096)
            if not data:
                raise ConnectionResetError("it ended before it was answered")
            head += data
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(head.decode())
    except OSError:
        connection.close()
        raise
    return connection


@contextmanager
def tunnels(port: int, count: int) -> Iterator[list[socket.socket]]:
    """As many connections at the same time."""
    opened = [tunnel(port) for _ in range(count)]
    try:
        yield opened
    finally:
        for connection in opened:
            connection.close()


def shares(serve: Serve) -> list[int]:
    """How many clients' connections each worker has."""
    return [_accepted(worker) for worker in serve.workers()]


def _accepted(worker: int) -> int:
    links = (_link(each) for each in Path(f"/proc/{worker}/fd").iterdir())
    inodes = {match[1] for link in links if (match := re.fullmatch(r"socket:\[(\d+)\]", link))}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    mine = [row for row in rows if row[9] in inodes]
    listening = {row[1] for row in mine if row[3] == "0A"}
    return sum(row[3] == "01" and row[1] in listening for row in mine)


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except FileNotFoundError:
        return ""


def spread(serve: Serve, count: int) -> list[int]:
    """The workers' shares of so many connections."""
    wait_until(lambda: sum(shares(serve)) == 0, 30)
    with tunnels(serve.port, count):
        return sorted(shares(serve), reverse=True)


def death(serve: Serve, count: int) -> dict[str, int]:
    """What happens to open connections, and to the next ones, when a worker is killed."""
    wait_until(lambda: sum(shares(serve)) == 0, 30)
    before = serve.workers()
    with tunnels(serve.port, count) as opened:
        had = _accepted(before[0])
        os.kill(before[0], signal.SIGKILL)
        failed, later = 0, []
        for _ in range(count):
            try:
                later.append(tunnel(serve.port))
            except OSError:
                failed += 1
        ended = _ended(opened)
        for connection in later:
            connection.close()
    wait_until(lambda: len(serve.workers()) == len(before) and serve.workers() != before, 30)
    serve.wait_for_workers(len(before))
    return {"open": count, "on the killed worker": had, "ended": ended, "next ones": count, "of them failed": failed}


def _ended(connections: Sequence[socket.socket]) -> int:
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        # Nobody has anything to say in these tunnels: what can be read is an end.
        return len(selector.select(0.2))


def measure(balance: str, workers: int, runs: int) -> dict[str, Any]:
    """All figures of a balance."""
    with Serve(SHIPPED, "replay", workers=workers, balance=balance) as serve:
        found = {count: [spread(serve, count) for _ in range(runs)] for count in COUNTS}
        return {"shares": found, "deaths": [death(serve, count) for count in COUNTS]}


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(prog="tests/bench/balance.py", description=__doc__)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    arguments = parser.parse_args()
    results = {balance: measure(balance, arguments.workers, arguments.runs) for balance in BALANCES}
    for balance, result in results.items():
        for count, several in result["shares"].items():
            fullest = statistics.mean(each[0] for each in several) / (count / arguments.workers)
            worst = max(each[0] for each in several) / (count / arguments.workers)
            print(
                f"{balance}: {count} connections: the fullest has {fullest:.2f} times its share, at worst {worst:.2f}"
            )
            print(f"    {several}")
        for each in result["deaths"]:
            print(f"{balance}: a worker is killed: {', '.join(f'{name} {number}' for name, number in each.items())}")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
