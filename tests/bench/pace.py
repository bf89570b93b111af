"""How well does a replay keep its time? Run: .venv/bin/python tests/bench/pace.py [--streams 50] [--seconds 30]

A recording with a capture of chunks at regular times is replayed at the recorded pace to many clients at once, each
with a TLS connection of its own through the proxy. Their requests come 20 ms apart, in all phases between two chunks,
or with --together at one moment, so that all chunks of all streams are due at once. Printed: how far each chunk's
arrival is from its time, seen by the client, counted from the request's last byte; and the same for the first and the
last tenth of the stream, which shows a drift.
"""

import argparse
import asyncio
import json
import ssl
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import Mitmdump, connect_head
from samples import CHAT, load
from wiretape.recording.capture import Capture, digest, dumps

PATH = "/inference/v1/chat/completions"


def prepare(root: Path, chunks: int, pause: float) -> None:
    """The sample recording, with a capture whose chunks are numbered."""
    for folder in ("responses", "wire"):
        (root / "default" / folder).mkdir(parents=True)
    (root / "default" / "responses" / CHAT.name).write_bytes(CHAT.read_bytes())
    pieces = [b": %d\n\n" % number for number in range(chunks)]
    at = [(number + 1) * pause * 1000 for number in range(chunks)]
    headers = (("content-type", "text/event-stream"),)
    kept = Capture(digest(CHAT.read_bytes()), 200, headers, tuple(pieces), tuple(at))
    (root / "default" / "wire" / CHAT.name).write_bytes(dumps(kept))


async def listen(proxy: Mitmdump, chunks: int, pause: float, start: asyncio.Event, after: float) -> list[float]:
    """Milliseconds by which each chunk came too late (or too early, below 0)."""
    context = ssl.create_default_context(cafile=str(proxy.ca_file))
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(connect_head(proxy))
    await reader.readuntil(b"\r\n\r\n")
    await writer.start_tls(context, server_hostname="api.fireworks.ai")
    body = json.dumps(load(CHAT)["request"]["body"]).encode()
    head = f"POST {PATH} HTTP/1.1\r\nhost: api.fireworks.ai\r\ncontent-length: {len(body)}\r\n\r\n"
    await start.wait()
    await asyncio.sleep(after)
    writer.write(head.encode() + body)
    sent = time.monotonic()
    await reader.readuntil(b"\r\n\r\n")
    late = []
    for number in range(chunks):
        size = int(await reader.readline(), 16)
        await reader.readexactly(size + 2)
        late.append((time.monotonic() - sent - (number + 1) * pause) * 1000)
    writer.close()
    return late


def report(name: str, late: list[float]) -> None:
    errors = sorted(abs(each) for each in late)
    print(
        f"{name:12} median error {statistics.median(errors):6.2f} ms   p99 {errors[int(len(errors) * 0.99)]:6.2f} ms"
        f"   max {errors[-1]:6.2f} ms   ({len(errors)} chunks)"
    )


async def run(proxy: Mitmdump, streams: int, chunks: int, pause: float, spread: float) -> list[list[float]]:
    start = asyncio.Event()
    tasks = []
    for number in range(streams):
        after = (0.02 + spread / streams) * number if spread else 0
        tasks.append(asyncio.create_task(listen(proxy, chunks, pause, start, after)))
        await asyncio.sleep(0.02)  # Handshakes one after the other: they are not what is measured.
    await asyncio.sleep(1)
    start.set()
    return [*await asyncio.gather(*tasks)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--chunks-per-second", type=float, default=20)
    parser.add_argument("--together", action="store_true")
    arguments = parser.parse_args()
    pause = 1 / arguments.chunks_per_second
    chunks = int(arguments.seconds / pause)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        prepare(root, chunks, pause)
        with Mitmdump(root, "replay", options={"wiretape_pace": "recorded"}) as proxy:
            streams = asyncio.run(run(proxy, arguments.streams, chunks, pause, 0 if arguments.together else pause))
    print(f"{arguments.streams} streams at once, {chunks} chunks each over {arguments.seconds:g} s")
    tenth = max(1, chunks // 10)
    report("all", [each for late in streams for each in late])
    report("first tenth", [each for late in streams for each in late[:tenth]])
    report("last tenth", [each for late in streams for each in late[-tenth:]])


if __name__ == "__main__":
    main()
