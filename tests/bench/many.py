"""How long do the commands take on a folder of very many recordings, and the nearest of a miss to be told?

    .venv/bin/python tests/bench/many.py [COUNT]

Prints a line for each command: seconds of the clock, with an empty cache (cold) and with what that left (warm). What is
recorded is drawn from a fixed seed: conversations of several messages, half of which go on from another one's, as those
of agents do, and a streamed answer. 10,000 of them have 235 MB.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from wiretape.metrics.counters import Counters
from wiretape.policy import Mode
from wiretape.recording import RecordedRequest, RecordedResponse, capture, dumps, make
from wiretape.recording.capture import Capture, Origin
from wiretape.store.opening import open_store
from wiretape.tape.config import TapeConfig
from wiretape.tape.question import Question
from wiretape.tape.tape import Tape

COUNT = 10_000
MODEL = "accounts/fireworks/models/llama-v3p1-8b-instruct"
URL = "https://api.fireworks.ai/inference/v1"
CHAT = "/v1/chat/completions"
_LETTERS = "etaoinshrdlucmfw"


def texts(rng: random.Random) -> Iterator[str]:
    """Yield paragraphs of some hundred words, of a vocabulary of its own."""
    words = ["".join(rng.choices(_LETTERS, k=rng.randint(2, 9))) for _ in range(20_000)]
    while True:
        yield "\n".join(" ".join(rng.choices(words, k=rng.randint(6, 14))) for _ in range(12))


def conversations(count: int, seed: int = 1) -> Iterator[RecordedRequest]:
    """Yield requests of about 10 kB."""
    rng = random.Random(seed)
    text = texts(rng)
    system = {"role": "system", "content": next(text) + next(text)}
    messages: list[dict[str, str]] = []
    for number in range(count):
        if number % 2 == 0 or len(messages) > 12:
            messages = [system, *({"role": "user", "content": next(text)} for _ in range(5))]
        messages = [*messages, {"role": "assistant", "content": next(text)}, {"role": "user", "content": next(text)}]
        yield RecordedRequest(URL + CHAT, {"model": MODEL, "messages": messages, "stream": True}, CHAT)


def write(root: Path, count: int, session: str = "default") -> None:
    """Write so many recordings with their captures."""
    rng = random.Random(2)
    words = texts(rng)
    for folder in ("responses", "wire"):
        (root / session / folder).mkdir(parents=True)
    for number, asked in enumerate(conversations(count)):
        pieces = [piece + " " for piece in next(words).split(" ")][:12]
        made = make(asked, RecordedResponse([_chunk(number, piece) for piece in pieces], is_streaming=True), "2025-09")
        data = dumps(made)
        (root / session / "responses" / f"{made.name}.json").write_bytes(data)
        events = [f"data: {json.dumps(_chunk(number, piece)['__data__'])}\n\n".encode() for piece in pieces]
        events[-1] += b"data: [DONE]\n\n"
        headers = (("content-type", "text/event-stream"),)
        at = tuple(range(len(events)))
        origin = Origin("", "2026-01-31T12:00:00Z", "OpenAI/Python 3.52.0", "0.1.0", 1234.5)
        kept = Capture(capture.digest(data), 200, headers, tuple(events), at, origin)
        (root / session / "wire" / f"{made.name}.json").write_bytes(capture.dumps(kept))


def _chunk(number: int, content: str) -> dict[str, object]:
    choice = {
        "delta": {"content": content, "function_call": None, "refusal": None, "role": None, "tool_calls": None},
        "finish_reason": None,
        "index": 0,
        "logprobs": None,
    }
    data = {
        "id": f"chatcmpl-{number:08}",
        "choices": [choice],
        "created": 1758920391,
        "model": MODEL,
        "object": "chat.completion.chunk",
        "service_tier": None,
        "system_fingerprint": None,
        "usage": None,
    }
    return {"__type__": "openai.types.chat.chat_completion_chunk.ChatCompletionChunk", "__data__": data}


def _changed(asked: RecordedRequest) -> RecordedRequest:
    messages = [dict(each) for each in asked.body["messages"]]
    messages[-1]["content"] = messages[-1]["content"].replace("\n", " changed\n", 1)
    return RecordedRequest(asked.url, {**asked.body, "messages": messages}, asked.endpoint)


def misses(root: Path, count: int) -> None:
    """Time how long it takes to name the nearest recording."""
    tape = Tape(open_store(str(root)), TapeConfig(mode=Mode.REPLAY), Counters())
    asked = [_changed(each) for number, each in enumerate(conversations(count)) if number % (count // 10) == 7]
    for number, each in enumerate(asked):
        started = time.perf_counter()
        tape.search(Question(each))
        searched = time.perf_counter()
        told = tape.explain(each)
        took = time.perf_counter() - searched
        if number in (0, len(asked) - 1):
            print(f"{'first' if number == 0 else 'a further'} miss: searched in {searched - started:.2f} s, ", end="")
            print(f"the nearest told in {took:.3f} s: {told.nearest}")


COMMANDS = (
    ("ls", "{}"),
    ("ls", "{}"),
    ("ls", "--search", "nothing of the kind", "{}"),
    ("session", "show", "default", "--recordings", "{}"),
    ("session", "promote", "default", "--into", "other", "--recordings", "{}"),
    ("session", "promote", "default", "--into", "other", "--recordings", "{}"),
    ("verify", "{}"),
    ("convert", "--to", "2026", "--output", "{}-2026", "{}"),
)
"""What is timed, in this order: what is asked twice is cold, then warm."""


def timed(command: list[str]) -> None:
    """Run a command and print how long it took."""
    before = os.times()
    subprocess.run([sys.executable, "-P", "-m", "wiretape", *command], stdout=subprocess.DEVNULL, check=False)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"{' '.join(command)}: {after.elapsed - before.elapsed:.1f} s, {used:.1f} s of work", flush=True)


def main() -> int:
    """Write the recordings, and time every command."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    with tempfile.TemporaryDirectory(prefix="many-") as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        root = Path(folder) / "recordings"
        write(root, count)
        size = sum(path.stat().st_size for path in root.rglob("*.json"))
        print(f"{count:,} recordings, {size / 1e6:.0f} MB")
        for _ in range(2):
            misses(root, count)
        for command in COMMANDS:
            timed([part.format(root) for part in command])
    return 0


if __name__ == "__main__":
    sys.exit(main())
