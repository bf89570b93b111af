"""A user's test suite in small: streamed chat calls of the openai SDK, one after the other, each answer checked.

Started by ``sdk`` with proxy and CA in its environment: sdk_client.py network|vcr|none BASE_URL SECONDS [CASSETTE].
Prints a line of JSON.
"""

import contextlib
import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx2
import openai
import vcr

from bench import material


def ask(client: openai.OpenAI) -> None:
    question = material.numbered(material.QUESTION.encode(), 0).decode()
    stream = client.chat.completions.create(
        model=material.MODEL, messages=[{"role": "user", "content": question}], stream=True
    )
    said = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    if said != "".join(material.content()):
        raise SystemExit("another answer than expected")


def main() -> None:
    """Measure and print."""
    way, base_url, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    with contextlib.ExitStack() as stack:
        transport = None
        if way == "none":
            body = material.numbered(material.answer(), 0)
            headers = {"content-type": "text/event-stream; charset=utf-8"}
            answer = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, content=body))
            transport = stack.enter_context(httpx2.Client(transport=answer))
        if way == "vcr":
            match_on = ("method", "scheme", "host", "port", "path", "query", "body")
            cassette = vcr.VCR(record_mode="none", match_on=match_on)
            stack.enter_context(cassette.use_cassette(sys.argv[4], allow_playback_repeats=True))
        client = stack.enter_context(openai.OpenAI(base_url=base_url, api_key="none", http_client=transport))
        for _ in range(5):
            ask(client)
        took = []
        end = time.monotonic() + seconds
        while (begun := time.monotonic()) < end:
            ask(client)
            took.append(time.monotonic() - begun)
    p50, p99 = statistics.median(took) * 1e6, sorted(took)[int((len(took) - 1) * 0.99)] * 1e6
    latency = {"count": len(took), "p50": round(p50, 1), "p99": round(p99, 1), "max": round(max(took) * 1e6, 1)}
    print(json.dumps({"requests": len(took), "rate": round(len(took) / sum(took), 2), "latency": latency}))


if __name__ == "__main__":
    main()
