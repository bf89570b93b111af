"""Does a flood of wrong tokens keep others waiting? Run: .venv/bin/python tests/bench/flood.py

One client asks a proxy for the same hit over and over, on a connection that is kept. Beside it 32 others do nothing,
ask for hits too, each on a connection that is kept or on a new one each time, or come with wrong tokens, as fast as
they are answered. Printed: how long the one client waits, in milliseconds, how often the others were answered, and how
much of the proxy's processor time that took.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import Mitmdump
from places import SHIPPED

HOST = "api.fireworks.ai"
RECORDING = SHIPPED / "default" / "responses" / "e99f14805360.json"
FLOODERS = 32
FLOODS = {
    "nobody": "",
    "hits, kept alive": "keep right",
    "hits, a connection each": "once right",
    "wrong tokens": "once wrong",
}


def request(user: str, *, close: bool) -> bytes:
    """The request for the hit, in reverse mode."""
    body = json.dumps(json.loads(RECORDING.read_bytes())["request"]["body"]).encode()
    lines = ["POST /inference/v1/chat/completions HTTP/1.1", f"host: {HOST}", "content-type: application/json"]
    lines += [f"x-wiretape-session: {user}", f"content-length: {len(body)}", *(["connection: close"] if close else [])]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def hit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> None:
    """Ask once, and read the answer to its end."""
    writer.write(data)
    await reader.readuntil(b"0\r\n\r\n")


async def flood(port: int, how: str, data: bytes, until: float) -> int:
    """Ask until then; how often there was an answer."""
    count = 0
    while time.monotonic() < until:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            while how == "keep" and time.monotonic() < until:
                await hit(reader, writer, data)
                count += 1
            if how != "keep":
                writer.write(data)
                await reader.read(-1)
                count += 1
            writer.close()
    return count


async def floods(port: int, how: str, user: str, seconds: float) -> None:
    """The others: their own process, which prints how often they were answered in a second."""
    data = request(user, close=how == "once")
    until = time.monotonic() + seconds
    counts = await asyncio.gather(*(flood(port, how, data, until) for _ in range(FLOODERS)))
    print(round(sum(counts) / seconds))


async def waits(port: int, user: str, seconds: float) -> list[float]:
    """How long the one client waits for each of its hits."""
    data, found = request(user, close=False), []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        begun = time.monotonic()
        await hit(reader, writer, data)
        found.append((time.monotonic() - begun) * 1000)
        await asyncio.sleep(0.005)
    writer.close()
    return found


def processor_time(pid: int) -> float:
    """Seconds that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(proxy: Mitmdump, what: str, token: str, seconds: float) -> str:
    """A line about the waits of the one client beside others."""
    how, _, which = FLOODS[what].partition(" ")
    beside = None
    if how:
        user = f"default:{token if which == 'right' else 'wt_wrong'}"
        command = [sys.executable, __file__, "--flood", str(proxy.port), how, user, "--seconds", str(seconds + 1)]
        beside = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)
    before = processor_time(proxy.process.pid)
    found = asyncio.run(waits(proxy.port, f"default:{token}", seconds))
    share = (processor_time(proxy.process.pid) - before) / seconds
    answered = beside.communicate()[0].strip() if beside else "0"
    late = statistics.quantiles(found, n=100)[94]
    return f"{statistics.median(found):8.2f}{late:8.2f}{max(found):8.2f}{answered:>18}{share:>17.0%}"


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(prog="flood.py")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--flood", nargs=3, metavar=("PORT", "HOW", "USER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.flood:
        port, how, user = arguments.flood
        asyncio.run(floods(int(port), how, user, arguments.seconds))
        return 0
    with tempfile.TemporaryDirectory(prefix="flood-") as folder:
        file = Path(folder) / "tokens.toml"
        command = [sys.executable, "-P", "-m", "wiretape.cli", "token", "create", "--session", "*", "--role", "read"]
        made = subprocess.run([*command, "--file", str(file)], capture_output=True, text=True, check=True)
        options = {"wiretape_tokens": str(file)}
        with Mitmdump(SHIPPED, "replay", options=options, proxy_mode=f"reverse:https://{HOST}") as proxy:
            head = f"{'median':>8}{'95 %':>8}{'most':>8}{'answers a second':>18}{'processor time':>17}"
            print(f"{'32 others:':26}{head}")
            for what in FLOODS:
                print(f"{what:26}{measured(proxy, what, made.stdout.strip(), arguments.seconds)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
