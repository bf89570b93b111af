"""What is compared: a server, how it is started, how a client comes to it. ``peers`` has those of others.

All of mitmproxy's run without their log of flows and without looking for the origin at once (``lazy``): what makes all
of them slower alike, or lets them fail offline, says nothing about replaying.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import machine, material
from bench.machine import ROOT, BenchError, Process

MITMDUMP = Path(sys.executable).parent / "mitmdump"


@dataclass(frozen=True)
class Contender:
    """A server that can be started."""

    name: str
    how: str
    """For the table: how it is reached, in how many pieces it answers, what it compares."""
    command: Callable[[int], Sequence[str]]
    """Given a port."""
    path: str = material.PATH
    plain: bool = False
    """Met over plain HTTP as an origin, not through CONNECT and TLS."""
    chunks: int = material.CHUNKS
    """Of the answer to expect."""
    learn: Callable[[int], bytes] | None = None
    """The answer to expect, asked of the server itself, where it makes some of it up."""
    missing: str = ""
    """Why it cannot be started here, with what to do about it."""
    env: Mapping[str, str] = field(default_factory=dict)
    warm: float = 5
    """Seconds of work before it is measured."""


@dataclass(frozen=True)
class Server:
    """One that is up."""

    name: str
    port: int
    process: Process
    arguments: tuple[str, ...]
    """Of the load generator: how to reach it, what to ask, what to expect."""
    ready: float
    """Seconds from its start to its first right answer."""

    @property
    def url(self) -> str:
        """The proxy; of a plain one the origin."""
        return f"http://127.0.0.1:{self.port}"


class Bench:
    """The work folder with all that servers and clients read, and how long to measure."""

    def __init__(self, folder: Path, runs: int, seconds: float, size: int, warm: float) -> None:
        self.folder, self.runs, self.seconds, self.size, self.warm = folder, runs, seconds, size, warm
        machine.build(folder)
        (folder / "confdir").mkdir()
        self.authority = material.Authority(folder / "confdir")
        self.body = folder / "body"
        self.body.write_bytes(material.body())

    def load(self, server: Server, *arguments: str, connections: int = 16) -> dict[str, Any]:
        """Run the load generator; raises BenchError where an answer is wrong."""
        options = [*server.arguments, *arguments, "--connections", str(connections)]
        return machine.ask([str(self.folder / "load"), "--connect", f"127.0.0.1:{server.port}", *options])

    @contextmanager
    def start(self, contender: Contender, *, http2: bool = False, body: Path | None = None) -> Iterator[Server]:
        """Start it, and wait until it has answered once, rightly; the answer to another body may be any."""
        if contender.missing:
            raise BenchError(contender.missing)
        port = machine.free_port()
        expected = None if body else self._answer(contender.chunks)
        arguments = ["--origin", f"{material.HOST}:443", "--path", contender.path, "--body", str(body or self.body)]
        arguments += ["--header", "content-type: application/json"]
        if not contender.plain:
            arguments += ["--tunnel", "--ca", str(self.authority.certificate), *(["--http2"] if http2 else [])]
        log = self.folder / f"{contender.name}-{port}.log"
        with Process(contender.command(port), log, contender.env) as process:
            process.wait_for_port(port)
            if contender.learn:
                expected = self.folder / f"{contender.name}.answer"
                expected.write_bytes(contender.learn(port))
            arguments += ["--expect", str(expected)] if expected else []
            server = Server(contender.name, port, process, tuple(arguments), 0)
            self._wait(server)
            ready = time.monotonic() - process.started
            yield Server(contender.name, port, process, tuple(arguments), ready)

    def _answer(self, chunks: int) -> Path:
        file = self.folder / f"answer-{chunks}"
        file.write_bytes(material.answer(chunks))
        return file

    def _wait(self, server: Server) -> None:
        while True:
            server.process.check()
            try:
                self.load(server, "--requests", "1", connections=1)
            except BenchError:
                if time.monotonic() > server.process.started + 120:
                    raise
                time.sleep(0.02)
            else:
                return

    def mitmdump(self, *arguments: str) -> Callable[[int], list[str]]:
        """The command of a mitmdump."""
        common = ["--listen-host", "127.0.0.1", "--set", f"confdir={self.authority.folder}", "--set", "flow_detail=0"]
        common += ["--set", "termlog_verbosity=warn", "--set", "connection_strategy=lazy"]
        return lambda port: [str(MITMDUMP), *common, "--listen-port", str(port), *arguments]

    def recordings(self, count: int, chunks: int = material.CHUNKS, *, whole: bool = False) -> Path:
        """A folder of numbered recordings, made once; ``whole``: the provider sent each answer in one piece."""
        folder = self.folder / f"recordings-{count}-{chunks}{'-whole' if whole else ''}"
        if not folder.exists():
            pieces = material.events(material.content(chunks))
            material.write_recordings(folder, count, material.Case([b"".join(pieces)] if whole else pieces))
        return folder

    def server_replay(self, count: int = 1, *, chunks: int = material.CHUNKS, reverse: bool = False) -> Contender:
        """mitmproxy's own."""
        flows = self.folder / f"flows-{count}-{chunks}"
        if not flows.exists():
            material.write_flows(flows, count, chunks)
        options = ["--set", "server_replay_reuse=true", "--set", "server_replay_extra=404"]
        options += ["--server-replay", str(flows), *_reverse(reverse)]
        how = f"{way(reverse)}; one body; the exact bytes"
        return Contender("server-replay", how, self.mitmdump(*options), plain=reverse, chunks=chunks)

    def wiretape(
        self,
        recordings: Path,
        *extra: str,
        name: str = "wiretape",
        mode: str = "replay",
        reverse: bool = False,
        chunks: int = material.CHUNKS,
        pieces: str = "",
    ) -> Contender:
        """This project's, as it is."""
        options = ["-s", str(ROOT / "addons" / "wiretape_addon.py"), "--set", f"wiretape_mode={mode}"]
        options += ["--set", f"wiretape_recordings={recordings}", *extra, *_reverse(reverse)]
        how = f"{way(reverse)}; {pieces or f'{chunks + 1} chunks'}; the whole request as JSON"
        return Contender(name, how, self.mitmdump(*options), plain=reverse, chunks=chunks)


def way(plain: bool) -> str:
    """For the table."""
    return "plain HTTP" if plain else "CONNECT, TLS"


def _reverse(wanted: bool) -> list[str]:
    return ["--mode", f"reverse:https://{material.HOST}"] if wanted else []
