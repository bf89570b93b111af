"""Many recordings, of a shorter answer than elsewhere: the start, the first hit of each, the memory after all.

The files were written shortly before: they come from the system's cache, not from a disk.
"""

from typing import Any

from bench import material
from bench.servers import Bench, Contender, Server


def size(bench: Bench) -> dict[str, Any]:
    """The group: few against many, and mitmproxy's own with a tenth of the many, which it holds in memory."""
    most, tenth = bench.size, max(1, bench.size // 10)
    few = material.FEW
    counts = {count: bench.wiretape(bench.recordings(count, few), chunks=few) for count in (1, most)}
    trials = [(bench.server_replay(tenth, chunks=few), tenth), *((each, count) for count, each in counts.items())]
    rows: list[dict[str, Any]] = [{"name": each.name, "count": count, "runs": []} for each, count in trials]
    for turn in range(bench.runs):
        for row, (contender, count) in zip(rows, trials, strict=True):
            # All of them are asked once, in the last run: how long it takes is no matter of chance.
            everything = turn == bench.runs - 1
            row["runs"].append(_run(bench, contender, count, everything))
    return {"kind": "size", "title": "Many recordings of 20 kB", "rows": rows}


def _run(bench: Bench, contender: Contender, count: int, everything: bool) -> dict[str, Any]:
    with bench.start(contender) as server:
        result: dict[str, Any] = {"ready": round(server.ready, 3), "memory at first": round(server.process.memory(), 1)}
        # Number 0 was the one that told that the server is ready.
        first = min(1000, count - 1)
        if first:
            result["cold"] = _ask(bench, server, 1, first, 1)
        if everything:
            if count > first + 1:
                _ask(bench, server, first + 1, count - first - 1, 16)
            result["memory"] = round(server.process.memory(), 1)
        result["warm"] = bench.load(server, "--requests", "1000", connections=1)
    return result


def _ask(bench: Bench, server: Server, first: int, count: int, connections: int) -> dict[str, Any]:
    numbers = ("--first", str(first), "--cases", str(count), "--requests", str(count))
    return bench.load(server, *numbers, connections=connections)
