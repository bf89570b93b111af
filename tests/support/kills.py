"""Kills under load, and what is missing afterwards: for tests, and as a program.

    .venv/bin/python tests/support/kills.py WHO N [SECONDS]

WHO is proxy, writer, both or term (of one mitmdump, started again after each), worker, haproxy or all (of a ``wiretape
serve`` of two workers that goes on). Sixteen clients keep their connections and ask one thing after the other: streams
in chunks and answers of a known length. Each answer is another one, so that what is recorded can be compared with what
its client got. At the end ``wiretape recover`` is asked to finish, and everything that a client has got whole has to
be recorded, whole and right.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import ssl
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import spares
from forked import wiretape
from harness import Mitmdump, connect_head, wait_until
from loopback import Answer, Provider, Received
from serving import Serve, command_line
from talk import body, question, streamed, whole

CLIENTS = 16
HOST = "api.fireworks.ai"
PATH = "/inference/v1/chat/completions"


def text_for(word: str) -> str:
    """What the provider answers to it."""
    number = int(word.rpartition("-")[2])
    return " ".join(f"{word}.{part}" + "x" * (number % 50) for part in range(3 + number % 20))


def is_streamed(word: str) -> bool:
    """Whether it is asked for as a stream."""
    return int(word.rpartition("-")[2]) % 3 > 0


def answer(received: Received) -> Answer:
    """For ``Provider.on``."""
    asked = received.json()
    text = text_for(question(asked))
    return streamed(asked["model"], text) if asked.get("stream") else whole(asked["model"], text)


@dataclass
class Load:
    """Clients of a proxy. ``finished`` is what they have got whole, with the time."""

    name: str
    finished: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self, proxy: Mitmdump) -> None:
        """Begin. To be called in a loop."""
        context = ssl.create_default_context(cafile=str(proxy.ca_file))
        self._tasks = [asyncio.create_task(self._ask(proxy, context, number)) for number in range(CLIENTS)]

    async def wait_for(self, count: int) -> None:
        """Until so many are finished."""
        await asyncio.to_thread(wait_until, lambda: len(self.finished) >= count, 120)

    async def stop(self) -> None:
        """End when each has its answer, or knows that it gets none."""
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def _ask(self, proxy: Mitmdump, context: ssl.SSLContext, client: int) -> None:
        number = 0
        while not self._stop.is_set():
            writer = None
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port, limit=1 << 22)
                writer.write(connect_head(proxy, f"{HOST}:443"))
                if not (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200"):
                    continue
                await writer.start_tls(context, server_hostname=HOST, ssl_handshake_timeout=20)
                while not self._stop.is_set():
                    number += 1
                    word = f"{self.name}-{client}-{number}"
                    await self._exchange(reader, writer, word)
            except (OSError, EOFError, asyncio.LimitOverrunError):
                if proxy.process.poll() is not None:
                    return
                await asyncio.sleep(0.02)
            finally:
                if writer:
                    writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, word: str) -> None:
        asked = json.dumps(body(word, stream=is_streamed(word))).encode()
        head = f"POST {PATH} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\ncontent-length: {len(asked)}"
        writer.write(head.encode() + b"\r\n\r\n" + asked)
        async with asyncio.timeout(60):
            status, got = await self._answer(reader, word)
        if status == 200 and said(got) != text_for(word):
            self.wrong.append(word)

    async def _answer(self, reader: asyncio.StreamReader, word: str) -> tuple[int, bytes]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split()[1])
        if "transfer-encoding: chunked" not in head:
            length = int(head.partition("content-length:")[2].split()[0])
            got = await reader.readexactly(length)
        else:
            got = b""
            while size := int(await reader.readuntil(b"\r\n"), 16):
                got += (await reader.readexactly(size + 2))[:-2]
                if status == 200 and got.endswith(b"data: [DONE]\n\n"):
                    # The SDKs take this for the end: what comes after it may never come.
                    self.finished[word] = time.monotonic()
            await reader.readexactly(2)
        if status == 200:
            self.finished[word] = time.monotonic()
        return status, got


def said(got: bytes) -> str:
    """The text of an answer."""
    if got.startswith(b"{"):
        text: str = json.loads(got)["choices"][0]["message"]["content"]
        return text
    chunks = [json.loads(line[6:]) for line in got.split(b"\n") if line.startswith(b"data: {")]
    return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)


def recorded(recordings: Path) -> dict[str, str]:
    """The text of each recording, by what was asked. Raises ValueError where one is torn."""
    found = {}
    for path in recordings.glob("*/responses/*.json"):
        content: dict[str, Any] = json.loads(path.read_bytes())
        elements = content["response"]["body"]
        chosen = [each["__data__"]["choices"][0] for each in (elements if isinstance(elements, list) else [elements])]
        words = [each["delta"]["content"] if "delta" in each else each["message"]["content"] for each in chosen]
        found[question(content["request"]["body"])] = "".join(word or "" for word in words)
    return found


def recover(state: Path) -> tuple[int, str]:
    """Exit code and output of ``wiretape recover``."""
    env = {**os.environ, "XDG_STATE_HOME": str(state)}
    done = wiretape("recover", env=env, timeout=300)
    return done.returncode, done.stdout + done.stderr


def left(state: Path) -> list[Path]:
    """The journals that there are."""
    return [*(state / "wiretape" / "journal").glob("*")]


def writer_of(proxy: Mitmdump) -> int | None:
    """The process that writes for a mitmdump."""
    for children in Path(f"/proc/{proxy.process.pid}/task").glob("*/children"):
        for child in children.read_text().split():
            is_started = "wiretape.journal.writer_process" in command_line(int(child))
            if is_started or spares.role(int(child)) == spares.WRITER:
                return int(child)
    return None


def kill(*processes: int | None) -> None:
    """Kill these at once."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            if process:
                os.kill(process, signal.SIGKILL)


async def one_life(who: str, load: Load, proxy: Mitmdump, seconds: float) -> float:
    """Load a mitmdump for a while, then kill; how long its end took."""
    load.start(proxy)
    await load.wait_for(1)
    await asyncio.sleep(seconds)
    if who == "writer":
        for _ in range(3):
            kill(writer_of(proxy))
            await asyncio.sleep(random.uniform(0.05, 0.3))
    began = time.monotonic()
    if who == "both":
        kill(proxy.process.pid, writer_of(proxy))
    elif who == "proxy":
        kill(proxy.process.pid)
    else:
        proxy.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(proxy.process.wait, 60)
    took = time.monotonic() - began
    await load.stop()
    return took


def lives(whom: Sequence[str], seconds: float, folder: Path) -> dict[str, Any]:
    """Kill one mitmdump after the other."""
    recordings, state = folder / "recordings", folder / "state"
    loads, ends = [], []
    with Provider() as provider:
        provider.on("*", answer)
        for life, who in enumerate(whom):
            load = Load(f"k-{life}")
            env = {"XDG_STATE_HOME": str(state)}
            with Mitmdump(recordings, "record-if-missing", origin=provider, env=env) as proxy:
                ends.append(asyncio.run(one_life(who, load, proxy, random.uniform(0.2, 2 * seconds))))
            loads.append(load)
            print(f"{life}: {len(load.finished)} finished, ended within {ends[-1]:.2f} s", flush=True)
    return judged(loads, recordings, state) | {"longest end": round(max(ends), 2)}


async def team_life(who: str, count: int, seconds: float, team: Serve, load: Load) -> None:
    """Kill parts of a team, which come back."""
    load.start(team)
    await load.wait_for(1)
    for life in range(count):
        await asyncio.sleep(random.uniform(0.2, 2 * seconds))
        before = len(load.finished)
        workers, balancer = team.workers(), team.children("haproxy")
        if who == "worker":
            kill(random.choice(workers))
        elif who == "haproxy":
            kill(*balancer)
        else:
            kill(*workers, *balancer)
        await load.wait_for(before + CLIENTS)
        print(f"{life}: {len(load.finished)} finished", flush=True)
    await load.stop()


def team(who: str, count: int, seconds: float, folder: Path) -> dict[str, Any]:
    """Kill parts of one team again and again."""
    recordings, state, load = folder / "recordings", folder / "state", Load("t-0")
    with Provider() as provider:
        provider.on("*", answer)
        env = {"XDG_STATE_HOME": str(state)}
        with Serve(recordings, "record-if-missing", workers=2, origin=provider, env=env, fork=True) as serve:
            asyncio.run(team_life(who, count, seconds, serve, load))
    return judged([load], recordings, state)


def judged(loads: list[Load], recordings: Path, state: Path) -> dict[str, Any]:
    """What is missing or wrong when all that is left is recovered."""
    finished = {word for load in loads for word in load.finished}
    # A writer that has outlived its proxy may still be at work.
    wait_until(lambda: recover(state)[0] == 0 and not left(state), 120)
    found = recorded(recordings)
    return {
        "finished": len(finished),
        "lost": sorted(finished - found.keys()),
        "wrong": sorted(word for word, text in found.items() if text != text_for(word)),
        "wrong to clients": [word for load in loads for word in load.wrong],
        "recorded": len(found),
        "temporary files": len([*recordings.rglob(".wiretape-*")]),
    }


def main() -> None:
    """The program."""
    who, count = sys.argv[1], int(sys.argv[2])
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 1.0
    random.seed(int(os.environ.get("SEED", "1")))
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        if who in ("proxy", "writer", "both", "term"):
            found = lives([who] * count, seconds, Path(folder))
        else:
            found = team(who, count, seconds, Path(folder))
        print(who, count, found)


if __name__ == "__main__":
    main()
