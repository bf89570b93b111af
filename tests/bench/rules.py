"""What a look-up by rules costs: a request of 100 kB as a coding agent sends it, with its preset. No server is started.

    .venv/bin/python tests/bench/rules.py

prints the processor time of each part of the way, in milliseconds, as median and least of many:

    first sight     texts that were never searched
    next turn       the same conversation with one more message of each side, as nearly every request of an agent is
"""

import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from wiretape.matching import choice, presets, reduction, request
from wiretape.matching.rules import MatchContext, Places
from wiretape.providers import table
from wiretape.recording import RecordedRequest

CLIENT = "claude-cli/2.1.197 (external, cli)"
TOOLS = 30
TURNS = 20
"""Each has a message of both sides."""
RUNS = 30

_TALE = """
the agent reads a file and writes what it has found into another one before it asks which test is to be run next where a
path leads to a directory that has no name of its own then nothing is changed and a line says why so that whoever comes
later can tell what was meant by it without a look into the history of the repository
"""
_WORDS = _TALE.split()


class Filler:
    """Makes requests of a conversation, each a turn longer than the one before."""

    def __init__(self, seed: int) -> None:
        self._drawn = random.Random(seed)
        self.cwd = f"/home/dev/project{seed}"
        self.session = f"{seed:032x}"
        self._system = [
            {"type": "text", "text": f"x-anthropic-billing-header: cc_version=2.1.197.{seed % 1000}; cch={seed:05x};"},
            {"type": "text", "text": "You are an agent.", "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": self._text(2600)},
            {"type": "text", "text": f"{self._text(300)}\n - Primary working directory: {self.cwd}\n{self._text(200)}"},
        ]
        self._tools = [self._tool(number) for number in range(TOOLS)]
        reminder = "<system-reminder>\n# currentDate\nToday's date is 2026-11-27.\n</system-reminder>"
        first = [{"type": "text", "text": reminder}, {"type": "text", "text": self._text(60)}]
        self._messages: list[dict[str, Any]] = [{"role": "user", "content": first}]
        for _ in range(TURNS - 1):
            self._turn()

    def _text(self, words: int) -> str:
        return " ".join(self._drawn.choices(_WORDS, k=words))

    def _tool(self, number: int) -> dict[str, Any]:
        properties = {f"parameter_{each}": {"type": "string", "description": self._text(20)} for each in range(4)}
        schema = {
            "type": "object",
            "properties": properties,
            "required": ["parameter_0"],
            "additionalProperties": False,
        }
        return {"name": f"Tool{number}", "description": self._text(200), "input_schema": schema}

    def _turn(self) -> None:
        id_ = f"toolu_{self._drawn.getrandbits(96):024x}"
        call = {"type": "tool_use", "id": id_, "name": "Read", "input": {"file_path": f"{self.cwd}/{self._text(2)}.py"}}
        said = {"type": "text", "text": self._text(40)}
        result = {"type": "tool_result", "tool_use_id": id_, "content": f"{self.cwd}/x.py:\n{self._text(150)}"}
        self._messages.append({"role": "assistant", "content": [said, call]})
        self._messages.append({"role": "user", "content": [result]})

    def bodies(self) -> Iterator[bytes]:
        """Yield the bodies of one request after the other."""
        while True:
            user_id = json.dumps({"device_id": "d", "session_id": self.session})
            body = {
                "model": "claude-sonnet-4-5",
                "max_tokens": 32000,
                "system": self._system,
                "tools": self._tools,
                "messages": self._messages,
                "metadata": {"user_id": user_id},
                "stream": True,
            }
            yield json.dumps(body).encode()
            self._turn()


class Way:
    """The way of such a request, and what each part of it takes."""

    def __init__(self) -> None:
        known = presets.built_in()
        self._policy = presets.policy(choice.parse("auto", known), known, (), Places())
        route = table.load({}).route("POST", "https", "api.anthropic.com", 443, "/v1/messages?beta=true")
        assert route
        self._route = route
        self._context = MatchContext("anthropic", route.endpoint_names, "claude-sonnet-4-5", CLIENT, "default")
        self.parts: dict[str, list[float]] = {}

    def go(self, body: bytes, cwd: str) -> int:
        """Go it once."""
        recorded: RecordedRequest = self._timed("read, without secrets", lambda: request.recorded(self._route, body))
        self._timed("exact identity", lambda: request.identity(recorded))
        rules = self._timed("which rules", lambda: self._policy.rules_for(self._context))
        by = self._timed("their reducer", lambda: reduction.reducer(rules))
        places = Places(cwd=(cwd,), home=("/home/dev",), tmp=("/tmp",))
        self._timed("reduced by them", lambda: by.reduce(recorded, places))
        return len(rules)

    def _timed(self, part: str, work: Callable[[], Any]) -> Any:
        started = time.thread_time()
        made = work()
        self.parts.setdefault(part, []).append(time.thread_time() - started)
        return made


def measured(runs: int) -> tuple[Way, Way, int, int]:
    """Return the way at first sight, that of the next turns, and how many bytes and rules the last request had."""
    first = Way()
    following = Way()
    size = 0
    rules = 0
    for seed in range(runs):
        filler = Filler(seed)
        bodies = filler.bodies()
        first.go(next(bodies), filler.cwd)
        for _ in range(3):
            body = next(bodies)
            rules = following.go(body, filler.cwd)
            size = len(body)
    return first, following, size, rules


def main() -> int:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    first, following, size, rules = measured(runs)
    print(f"a request of {size / 1000:.0f} kB, {rules} rules, {runs} conversations; ms of one core, median (least)")
    for part in first.parts:
        columns = [
            f"{1000 * statistics.median(way.parts[part]):7.2f} ({1000 * min(way.parts[part]):.2f})"
            for way in (first, following)
        ]
        print(f"  {part:24} first sight {columns[0]:>16}   next turn {columns[1]:>16}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
