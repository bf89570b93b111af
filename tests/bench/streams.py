"""Streams in their own time: what recording adds to one that passes, and how well a paced replay keeps it.

A live stream's provider (``c/origin.c``) writes into each chunk when it was sent, a replay's recording when it is due.
Provider and client share a core; neither is near to filling it. Streams start 5 ms apart, and a little more, so that
they are in all phases between two chunks: starts that come in one heap are another matter. Their connections are open
and, live, have been used: no handshake is measured.
"""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench import machine, material
from bench.machine import CLIENT_CORE, FOLDER, BenchError
from bench.servers import Bench, Contender, Server

RATE = 200
STREAMS = (1, 16, 40)
PACED = ((16, 1 / RATE), (128, 0.05))
"""Streams, and seconds from chunk to chunk: few that are as fast as the live ones, and many."""

PACED_CHUNKS = 50


def record(bench: Bench) -> dict[str, Any]:
    """The group: nothing between, mitmproxy with a line of Python, wiretape as it records."""
    warm, body = _question(bench, 1), _question(bench, int(RATE * bench.seconds))
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        origin = stack.enter_context(_origin(bench))
        direct = [*_common(bench), "--connect", f"127.0.0.1:{origin}"]
        proxies = [stack.enter_context(bench.start(each, body=warm)) for each in _proxies(bench, origin)]
        ways: list[tuple[str, Server | None]] = [("direct", None), *((each.name, each) for each in proxies)]
        for streams in STREAMS:
            group = [_row(name, streams) for name, _ in ways]
            rows += group
            for _ in range(bench.runs):
                for row, (_, server) in zip(group, ways, strict=True):
                    reach = [*_through(bench, server)] if server else direct
                    before = server.process.cpu() if server else 0
                    arguments = [*reach, "--warm-body", str(warm), "--body", str(body)]
                    result = _streams(bench, arguments, streams, 1 / RATE)
                    if server:
                        spent = (server.process.cpu() - before) * 1e6
                        result["cpu_per_chunk"] = round(spent / (streams * (RATE * bench.seconds + 2)), 1)
                    row["runs"].append(result)
    return {"kind": "record", "title": f"Live streams of {RATE} chunks a second", "rows": rows}


def _proxies(bench: Bench, origin: int) -> Sequence[Contender]:
    upstream = ["--set", f"ssl_verify_upstream_trusted_ca={bench.authority.certificate}"]
    upstream += ["-s", str(FOLDER / "to_origin.py")]
    env = {"BENCH_ORIGIN": str(origin)}
    passing = bench.mitmdump("-s", str(FOLDER / "passing.py"), *upstream)
    recording = bench.wiretape(bench.folder / "recorded", *upstream, name="wiretape, recording", mode="record").command
    return [
        Contender("mitmproxy, stream = True", "", passing, env=env),
        Contender("wiretape, recording", "", recording, env=env),
    ]


def pace(bench: Bench) -> dict[str, Any]:
    """The group: a recording of chunks at regular times, replayed at the recorded pace."""
    rows: list[dict[str, Any]] = []
    for streams, pause in PACED:
        rows += _paced(bench, streams, pause)
    return {"kind": "pace", "title": f"Paced replays of {PACED_CHUNKS} chunks", "rows": rows}


def _paced(bench: Bench, streams: int, pause: float) -> list[dict[str, Any]]:
    folder = bench.folder / f"paced-{streams}"
    chunks = [f"t{int(place * pause * 1e9):018d}" for place in range(PACED_CHUNKS)]
    asked = material.numbered(material.body(), 0)
    case = material.Case(material.events(chunks)[:-1], pause, asked, end=b"data: [DONE]\n\n")
    material.write_recordings(folder, 1, case)
    body = bench.folder / "body-paced"
    body.write_bytes(asked)
    option = ("--set", "wiretape_pace=recorded")
    contenders = [
        bench.wiretape(folder, *option, "--set", "wiretape_lane=flows", name="wiretape, lane=flows"),
        bench.wiretape(folder, *option),
    ]
    rows = [{**_row(each.name, streams), "rate": round(1 / pause)} for each in contenders]
    with ExitStack() as stack:
        servers = [stack.enter_context(bench.start(each, body=body)) for each in contenders]
        for _ in range(bench.runs):
            for row, server in zip(rows, servers, strict=True):
                arguments = [*_through(bench, server), "--body", str(body), "--relative"]
                row["runs"].append(_streams(bench, arguments, streams, pause))
    return rows


def _row(name: str, streams: int) -> dict[str, Any]:
    return {"name": name, "streams": streams, "runs": []}


@contextmanager
def _origin(bench: Bench) -> Iterator[int]:
    certificate, key = bench.authority.leaf(bench.folder)
    command = [str(bench.folder / "origin"), str(certificate), str(key), str(RATE)]
    with subprocess.Popen(machine.pinned(CLIENT_CORE, command), stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def _question(bench: Bench, chunks: int) -> Path:
    """A request that the origin answers with so many chunks."""
    file = bench.folder / f"question-{chunks}"
    asked = {"model": material.MODEL, "messages": [{"role": "user", "content": "Go on."}], "stream": True, "n": chunks}
    file.write_text(json.dumps(asked, separators=(",", ":")), "utf-8")
    return file


def _common(bench: Bench) -> list[str]:
    arguments = ["--origin", f"{material.HOST}:443", "--ca", str(bench.authority.certificate), "--path", material.PATH]
    return [*arguments, "--header", "content-type: application/json"]


def _through(bench: Bench, server: Server) -> list[str]:
    return [*_common(bench), "--connect", f"127.0.0.1:{server.port}", "--tunnel"]


def _streams(bench: Bench, arguments: Sequence[str], streams: int, pause: float) -> dict[str, Any]:
    stagger = str(int(5000 + pause * 1e6 / streams))
    command = [str(bench.folder / "load"), *arguments, "--stream", "--connections", str(streams), "--stagger", stagger]
    result = machine.ask(command)
    if "delay" not in result:
        raise BenchError("a stream without chunks")
    return result
