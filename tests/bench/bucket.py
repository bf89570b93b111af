"""How long does a team wait for its bucket? Run: .venv/bin/python tests/bench/bucket.py [--latency 0.1] [--at-once 20]

Recordings in a real S3 server (moto), each of whose answers comes so many seconds late, and a real proxy in replay.
Printed: the first, the median and the last of so many calls at once, and how many requests the bucket got. A cold proxy
has nothing on this machine; a warm one has answered misses of the same session, and has started anew since or not.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from between import Between
from harness import Mitmdump
from s3 import BUCKET, S3Server
from talk import async_httpx_client, body, post_async, whole
from wiretape.matching import request
from wiretape.metrics.counters import Counters
from wiretape.policy import Mode
from wiretape.providers import table, wire
from wiretape.store.opening import open_store
from wiretape.tape.config import TapeConfig
from wiretape.tape.recorder import TapeRecorder

HOST = "api.fireworks.ai"
PATH = "/inference/v1/chat/completions"
URL = f"s3://{BUCKET}/bench"


def fill(texts: Sequence[str]) -> None:
    """Record an answer to each text."""
    route = table.load({}).route("POST", "https", HOST, 443, PATH)
    assert route
    store = open_store(URL, spool=0)
    recorder = TapeRecorder(store, TapeConfig(mode=Mode.RECORD_IF_MISSING), Counters())
    for text in texts:
        asked = request.recorded(route, json.dumps(body(text, stream=False)).encode(), "application/json")
        answer = whole("m", f"answer to {text} " * 40).body
        recorder.record(asked, wire.LiveResponse(200, (("content-type", "application/json"),), (answer,), (1.0,), True))
    store.close()
    assert recorder.counters.recorded == len(texts)


async def ask(proxy: Mitmdump, texts: Sequence[str]) -> list[tuple[int, float]]:
    """Each call's status, and the seconds until its end. Connections are there before."""
    async with async_httpx_client(proxy) as client:

        async def one(text: str) -> tuple[int, float]:
            began = time.monotonic()
            answer = await post_async(client, text)
            return answer.status_code, time.monotonic() - began

        return await asyncio.gather(*map(one, texts))


def run(what: str, proxy: Mitmdump, between: Between, texts: Sequence[str]) -> None:
    """Ask, and print how long it took."""
    before = len(between.asked)
    answers = asyncio.run(ask(proxy, texts))
    took = sorted(seconds for _, seconds in answers)
    statuses = ",".join(str(status) for status in sorted({status for status, _ in answers}))
    print(
        f"{what:28} {statuses}  first {took[0]:.2f}  median {statistics.median(took):.2f}  last {took[-1]:.2f} s"
        f"  {len(between.asked) - before} requests to the bucket"
    )


def main() -> None:
    """Fill a bucket, and ask one proxy after the other."""
    parser = argparse.ArgumentParser(prog="tests/bench/bucket.py")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds by which each answer of the bucket is late")
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--recordings", type=int, default=60)
    arguments = parser.parse_args()
    known = [f"known {number}" for number in range(max(arguments.recordings, arguments.at_once))]
    with S3Server("moto") as moto, Between(moto.port) as between, tempfile.TemporaryDirectory() as folder:
        os.environ.update(moto.env)
        fill(known)
        env = moto.env | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{between.port}"}
        between.delay = arguments.latency

        def proxy(name: str) -> Mitmdump:
            return Mitmdump(URL, "replay", options={"wiretape_local": str(Path(folder, name))}, env=env)

        def unknown(word: str) -> list[str]:
            return [f"{word} {number}" for number in range(arguments.at_once)]

        with proxy("one") as one:
            run("hits, cold", one, between, known[: arguments.at_once])
            run("the same again", one, between, known[: arguments.at_once])
        with proxy("two") as two:
            run("misses, cold", two, between, unknown("cold"))
            run("misses, warm", two, between, unknown("warm"))
        with proxy("two") as two:
            run("misses, warm, a new start", two, between, unknown("anew"))


if __name__ == "__main__":
    main()
