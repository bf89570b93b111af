"""What the page is shown in tests: recordings of each kind, plain and hostile, and calls, one of which missed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from samples import CHAT, SAMPLES
from told_calls import call, miss
from wiretape import recording
from wiretape.call_log.call import Outcome, as_json
from wiretape.call_log.reader import CallReader
from wiretape.control.server import WebServer
from wiretape.control.site import Site
from wiretape.matching.rules import MatchContext, Places
from wiretape.network.address import Address
from wiretape.network.dns_rebinding import OwnNames
from wiretape.recording import request_hash
from wiretape.store.base import Store
from wiretape.store.opening import open_store
from wiretape.tape.kept_misses import KeptMisses

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="

EVIL = "http://evil.example/pixel.png"

HOSTILE = {
    "markup": f'</pre></script><script>alert(1)</script><img src="{EVIL}" onerror=alert(2)><style>p{{top:9px}}</style>',
    "drawing": f'<svg onload=alert(3)><image href="{EVIL}"/><foreignObject><iframe src="{EVIL}"></iframe></svg>',
    "template": "{{ 7 * 7 }}{% include 'frame.html' %}${alert(4)}",
    "direction": "\u202egnp.exe\u2066 \u05e9\u05dc\u05d5\u05dd" * 40,
    "terminal": "\x1b[31m\x1b]0;title\x07\x00\x08",
    "surrogates": "half \ud83d and the other \ude00",
    "long": "W" * 5_000_000,
}
"""Texts that a model, a client or a colleague may have written."""


class LookedAt:
    """What the page is about."""

    def __init__(self, folder: Path) -> None:
        self._store = open_store(str(folder), spool=0)
        self._log = folder / "calls.jsonl"
        calls = [call(Outcome.HIT, id=1, recording=CHAT.stem, model="gpt-5"), _missed(self._store)]
        self._log.write_text("".join(f"{json.dumps(as_json(each))}\n" for each in calls))

    def store(self) -> Store:
        return self._store

    def tokens(self) -> None:
        return None

    def calls(self) -> CallReader:
        return CallReader([self._log])


def _missed(store: Store) -> Any:
    """Keep a request that nearly has a recording, and return its call."""
    near = recording.loads(CHAT.read_bytes()).request
    body = dict(near.body) | {"messages": [{"role": "user", "content": HOSTILE["markup"]}], "temperature": 0.5}
    request = replace(near, body=body)
    assert store.notes
    KeptMisses(store.notes, "default").keep(request, MatchContext(), Places())
    told = miss(HOSTILE["markup"], id=2, model="gpt-5")
    assert told.miss
    return replace(told, miss=replace(told.miss, hash=request_hash(request)[:12], nearest=CHAT.stem))


def write(folder: Path, session: str, name: str, **changes: Any) -> None:
    """Write a recording that is the sample's but for some members of its request's body."""
    content = json.loads(CHAT.read_bytes())
    content["request"]["body"] |= changes
    responses = folder / session / "responses"
    responses.mkdir(parents=True, exist_ok=True)
    (responses / f"{name}.json").write_text(json.dumps(content))


def recordings_of_each_kind(folder: Path) -> None:
    """Write recordings in which each kind of part is, and hostile ones."""
    responses = folder / "default" / "responses"
    responses.mkdir(parents=True)
    for sample in SAMPLES.values():
        (responses / sample.name).write_bytes(sample.read_bytes())
    function = {"name": "get_weather", "arguments": '{"city": "Tokyo"}'}
    messages = [
        {"role": "system", "content": "You are a helpful assistant."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is the weather here?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                {"type": "image_url", "image_url": {"url": EVIL}},
            ],
        },
        {
            "role": "assistant",
            "reasoning_content": "A tool, then.",
            "tool_calls": [{"id": "c1", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "Rain."},
    ]
    write(folder, "default", "00000000000a", messages=messages, tools=[{"type": "function", "function": function}])
    for number, text in enumerate(HOSTILE.values()):
        said = [{"role": text, "content": text}, {"role": "tool", "content": text}]
        named = [{"type": "function", "function": {"name": text}}]
        calls = [{"role": "assistant", "tool_calls": [{"id": text, "function": {"name": text, "arguments": text}}]}]
        name = f"{number:012x}"
        if text is HOSTILE["long"]:
            write(folder, "long", name, messages=[{"role": "user", "content": text}], model=text[:100_000])
        else:
            write(folder, "hostile", name, messages=[*said, *calls], tools=named, model=text)


@contextmanager
def looking(source: LookedAt) -> Iterator[str]:
    """Serve the page about a source, and give its address."""
    with WebServer(Address("127.0.0.1", 0), Site(OwnNames(), page=source)) as server:
        yield server.url
