"""Answers a second. Each group's servers are up at once and measured in turn, A B C A B C, so that a change of the
machine's mood meets them all; a server that is not asked does nothing. Before, each has worked for as long as it needs.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from bench import peers
from bench.machine import BenchError
from bench.servers import Bench, Contender, Server


def interleaved(
    bench: Bench,
    contenders: Sequence[Contender],
    measure: Callable[[Server], dict[str, Any]],
    *,
    http2: bool = False,
    warm: Sequence[str] | None = (),
) -> list[dict[str, Any]]:
    """A row for each contender: its runs, or why it was skipped.

    ``warm``: further arguments of the load before the first run; None for no such load.
    """
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        servers = []
        for contender in contenders:
            row: dict[str, Any] = {"name": contender.name, "how": contender.how, "runs": []}
            rows.append(row)
            try:
                server = stack.enter_context(bench.start(contender, http2=http2))
                if warm is not None:
                    bench.load(server, "--seconds", f"{min(contender.warm, bench.warm):g}", *warm)
            except BenchError as e:
                row["skipped"] = str(e).partition("\n")[0]
                continue
            servers.append((row, server))
        for _ in range(bench.runs):
            for row, server in servers:
                row["runs"].append(measure(server))
    return rows


def _group(
    bench: Bench, title: str, contenders: Sequence[Contender], *arguments: str, http2: bool = False
) -> dict[str, Any]:
    warmup = min(0.5, bench.seconds / 2)
    timed = ("--seconds", f"{bench.seconds:g}", "--warmup", f"{warmup:g}", *arguments)
    rows = interleaved(bench, contenders, lambda server: bench.load(server, *timed), http2=http2, warm=arguments)
    return {"kind": "rate", "title": title, "unit": "answers/s", "rows": rows}


def hits(bench: Bench) -> dict[str, Any]:
    """The case that is met most."""
    one = bench.recordings(1)
    flows = bench.wiretape(one, "--set", "wiretape_lane=flows", name="wiretape, lane=flows")
    contenders = [
        bench.server_replay(),
        flows,
        bench.wiretape(one),
        peers.mockserver(bench),
        peers.wiremock(bench),
    ]
    return _group(bench, "HTTP/1.1 through CONNECT and TLS, kept alive, 16 connections", contenders)


def http2(bench: Bench) -> dict[str, Any]:
    """The same over HTTP/2."""
    contenders = [bench.server_replay(), bench.wiretape(bench.recordings(1))]
    return _group(bench, "HTTP/2 through CONNECT and TLS, 16 connections", contenders, http2=True)


def thousand(bench: Bench) -> dict[str, Any]:
    """Many answers in turn."""
    contenders = [bench.server_replay(1000), bench.wiretape(bench.recordings(1000))]
    return _group(bench, "1,000 recordings in turn, else as the first", contenders, "--cases", "1000")


def connections(bench: Bench) -> dict[str, Any]:
    """A CONNECT and a TLS handshake for each request."""
    contenders = [
        bench.server_replay(),
        bench.wiretape(bench.recordings(1)),
        peers.mockserver(bench),
        peers.wiremock(bench),
    ]
    return _group(bench, "A connection for each request: TCP, CONNECT, TLS, 16 at once", contenders, "--close")


def reverse(bench: Bench) -> dict[str, Any]:
    """For clients with a base URL."""
    contenders = [
        bench.server_replay(reverse=True),
        bench.wiretape(bench.recordings(1), reverse=True),
        peers.aimock(bench),
        peers.wiremock(bench, plain=True),
        peers.mockserver(bench, plain=True),
    ]
    return _group(bench, "Reverse mode, plain HTTP/1.1, kept alive, 16 connections", contenders)
