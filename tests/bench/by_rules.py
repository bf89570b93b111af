"""Look-ups by rules in a session of many recordings: read for the first time, then at a start that finds it noted.

    .venv/bin/python tests/bench/by_rules.py FOLDER COUNT

is one such start, on so many recordings in a folder: it prints what it took as JSON. The recordings are chats of 3 kB,
each with a ``prompt_cache_key`` and an id of a call; who asks has other ones. No server is started.
"""

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.servers import Bench

URL = "https://api.openai.com/v1/chat/completions"
CHAT = "/v1/chat/completions"
LOOK_UPS = 200
_LETTERS = "etaoinshrdlu"
_ANSWER = "openai.types.chat.chat_completion.ChatCompletion"


def by_rules(bench: "Bench") -> dict[str, Any]:
    """The group: few against many. The many are read once, and looked up after each start."""
    from bench import rules

    rows = [_row(bench, count) for count in (1000, bench.size)]
    first, following, size, number = rules.measured(10 * bench.runs)
    parts = {part: [1000 * statistics.median(way.parts[part]) for way in (first, following)] for part in first.parts}
    request = {"size": size, "rules": number, "parts": parts}
    return {"kind": "rules", "title": "Hits by rules", "rows": rows, "request": request}


def _row(bench: "Bench", count: int) -> dict[str, Any]:
    folder = bench.folder / f"by-rules-{count}"
    if not folder.exists():
        write(folder, count)
    cache = bench.folder / f"by-rules-{count}-cache"
    return {
        "name": "wiretape",
        "count": count,
        "built": _started(folder, count, cache),
        "runs": [_started(folder, count, cache) for _ in range(bench.runs)],
    }


def _started(folder: Path, count: int, cache: Path) -> dict[str, Any]:
    command = [sys.executable, "-P", __file__, str(folder), str(count)]
    env = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    told = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
    result: dict[str, Any] = json.loads(told)
    return result


class Chats:
    """Requests by their numbers, of a vocabulary of their own."""

    def __init__(self) -> None:
        drawn = random.Random(1)
        self._words = ["".join(drawn.choices(_LETTERS, k=drawn.randint(2, 9))) for _ in range(5000)]
        self._system = {"role": "system", "content": self._text(drawn, 150)}
        self._tools = [
            {"type": "function", "function": {"name": f"tool_{each}", "description": self._text(drawn, 15)}}
            for each in range(4)
        ]

    def _text(self, drawn: random.Random, words: int) -> str:
        return " ".join(drawn.choices(self._words, k=words))

    def body(self, number: int, run: str) -> dict[str, Any]:
        """Return a request as one run of a program sends it: its key and the id of its call are its own."""
        drawn = random.Random(number)
        arguments = json.dumps({"x": self._text(drawn, 3)})
        id_ = f"call_{run}_{number}"
        call = {"id": id_, "type": "function", "function": {"name": "tool_1", "arguments": arguments}}
        messages = [
            self._system,
            {"role": "user", "content": f"question {number} {self._text(drawn, 60)}"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": id_, "content": self._text(drawn, 40)},
        ]
        return {"model": "gpt-5", "messages": messages, "tools": self._tools, "prompt_cache_key": f"{run}-{number}"}


def write(root: Path, count: int) -> None:
    """Write so many recordings."""
    from wiretape.recording import RecordedRequest, RecordedResponse, dumps, make

    folder = root / "default" / "responses"
    folder.mkdir(parents=True)
    chats = Chats()
    for number in range(count):
        message = {"role": "assistant", "content": f"answer {number}"}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        data = {"id": f"chatcmpl-{number}", "object": "chat.completion", "created": 1758920391 + number}
        element = {"__type__": _ANSWER, "__data__": {**data, "model": "gpt-5", "choices": [choice]}}
        request = RecordedRequest(URL, chats.body(number, "recorded"), CHAT)
        made = make(request, RecordedResponse(element, is_streaming=False), "2025-09")
        (folder / f"{made.name}.json").write_bytes(dumps(made))


def start(root: str, count: int) -> dict[str, float]:
    """Return what a start on recordings took: until the first hit by rules, and for each of those after it."""
    started = time.perf_counter()
    from wiretape.matching.built_in import BUILT_IN
    from wiretape.matching.rules import MatchContext, MatchPolicy
    from wiretape.metrics.counters import Counters
    from wiretape.policy import Mode
    from wiretape.recording import RecordedRequest
    from wiretape.store.opening import open_store
    from wiretape.tape.config import TapeConfig
    from wiretape.tape.question import Question
    from wiretape.tape.tape import Tape

    tape = Tape(open_store(root), TapeConfig(mode=Mode.REPLAY), Counters(), policy=MatchPolicy(BUILT_IN))
    context = MatchContext("openai", (CHAT, "/chat/completions"), "gpt-5")
    chats = Chats()

    def ask(number: int, run: str) -> float:
        question = Question(RecordedRequest(URL, chats.body(number, run), CHAT), context=context)
        begun = time.perf_counter()
        hit = tape.lookup(question) or tape.search(question)
        took = time.perf_counter() - begun
        if hit is None or bool(hit.rules) is (run == "recorded"):
            raise RuntimeError(f"request {number} of {run} was answered wrongly")
        return took

    drawn = random.Random(2)
    ask(drawn.randrange(count), "now")
    ready = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    numbers = [drawn.randrange(count) for _ in range(LOOK_UPS)]
    found = {run: statistics.median(ask(number, run) for number in numbers) for run in ("now", "recorded")}
    return {"ready": ready, "memory": memory, "by_rules": 1e6 * found["now"], "exact": 1e6 * found["recorded"]}


if __name__ == "__main__":
    print(json.dumps(start(sys.argv[1], int(sys.argv[2]))))
