"""Does anybody wait while a large recording is written? Run: .venv/bin/python tests/bench/waiting.py

Live streams of 50 chunks a second run through one proxy in record mode; beside them one answer of 50 MB is fetched, and
then built and written as a recording. Printed: by how much the streams' chunks come later than the provider sent them,
for those that came before the 50 MB, while they were passed on, and while their recording was written.
"""

import argparse
import asyncio
import json
import ssl
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import Mitmdump, connect_head
from loopback import Provider

PATH = "/inference/v1/chat/completions"
PAUSE = 0.02


class Origin:
    """A provider of our own for this: its chunks say when they were sent."""

    def __init__(self, provider: Provider) -> None:
        self._context = provider._context
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Origin":
        self._thread.start()
        serving = asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        asked = json.loads(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        if asked["model"] == "large":
            for _ in range(asked["n"]):
                writer.write(_chunk("x" * 1000))
                await writer.drain()
        else:
            for _ in range(asked["n"]):
                writer.write(_chunk(f"t{time.monotonic()}"))
                await asyncio.sleep(PAUSE)
        writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
        await writer.drain()


def _chunk(text: str) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    data = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    event = b"data: " + json.dumps(data).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(event), event)


async def ask(proxy: Mitmdump, model: str, count: int) -> list[tuple[float, float]]:
    """When each timed chunk came, and how many milliseconds after it was sent."""
    context = ssl.create_default_context(cafile=str(proxy.ca_file))
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(connect_head(proxy))
    await reader.readuntil(b"\r\n\r\n")
    await writer.start_tls(context, server_hostname="api.fireworks.ai")
    body = json.dumps({"model": model, "messages": [], "stream": True, "n": count}).encode()
    head = f"POST {PATH} HTTP/1.1\r\nhost: api.fireworks.ai\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    late, rest = [], b""
    while b"[DONE]" not in rest:
        rest = rest[-200:] + await reader.read(1 << 16)
        now = time.monotonic()
        if model != "large" and b'"content": "t' in rest:
            late.append((now, (now - float(rest.rpartition(b'"content": "t')[2].partition(b'"')[0])) * 1000))
    writer.close()
    return late


def report(name: str, late: list[float]) -> None:
    late.sort()
    print(
        f"{name:34} median {statistics.median(late):6.2f} ms   p99 {late[int(len(late) * 0.99)]:6.2f} ms"
        f"   max {late[-1]:6.2f} ms   ({len(late)} chunks)"
    )


async def run(proxy: Mitmdump, streams: int, megabytes: int) -> None:
    count = int(20 / PAUSE)
    tasks = [asyncio.create_task(ask(proxy, f"stream {number}", count)) for number in range(streams)]
    await asyncio.sleep(5)
    begun = time.monotonic()
    await ask(proxy, "large", megabytes * 1000)
    passed = time.monotonic()
    await asyncio.to_thread(proxy.wait_for_log, r"recorded .* large", 60)
    written = time.monotonic()
    arrivals = [each for task in tasks for each in await task]
    print(
        f"{streams} live streams; {megabytes} MB came in {passed - begun:.1f} s, written {written - passed:.1f} s later"
    )
    settled = min(at for at, _ in arrivals) + 2
    report("before", [late for at, late in arrivals if settled < at < begun])
    report(f"while {megabytes} MB are passed on", [late for at, late in arrivals if begun < at < passed])
    report("while the recording is written", [late for at, late in arrivals if passed < at < written])
    report("after", [late for at, late in arrivals if at > written + 0.1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--megabytes", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Provider() as provider, Origin(provider) as origin:
        env = {"TO_LOOPBACK_ORIGIN": json.dumps({"*": origin.port})}
        with Mitmdump(Path(folder), "record", origin=provider, env=env) as proxy:
            asyncio.run(run(proxy, arguments.streams, arguments.megabytes))


if __name__ == "__main__":
    main()
