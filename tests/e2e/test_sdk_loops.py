"""Loops of tools with the SDKs of Anthropic and Gemini replay in another directory, on another day, with other ids."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from harness import Mitmdump, client_env, environment, wait_until
from loopback import Answer, Provider, Received, json_answer, sse

CONFIG = """
[[match]]
name = "where-and-when"
kinds = ["paths", "dates"]
"""


@dataclass(frozen=True)
class Run:
    """What varies from one run of the program to the next."""

    cwd: str
    day: str
    id: str

    @property
    def system(self) -> str:
        return f"You work in {self.cwd}. Today is {self.day}."

    @property
    def places(self) -> str:
        return json.dumps({"cwd": self.cwd})


RECORDED = Run("/home/ann/greeter", "2026-11-27", "aa11")
PRESENT = Run("/srv/build-7/greeter", "2026-12-03", "bb22")


def pieces(text: str) -> Iterator[str]:
    """A text in pieces of five: each path is split."""
    yield from (text[at : at + 5] for at in range(0, len(text), 5))


def steps_of(run: Run) -> Sequence[tuple[str, Any]]:
    """What the model says in the turns of a run: calls of a tool, then a text."""
    return [
        ("read", {"path": f"{run.cwd}/README.md"}),
        ("write", {"path": f"{run.cwd}/out/greeting.txt", "text": f"Hello of {run.day}\nin {run.cwd}"}),
        ("", f"I wrote {run.cwd}/out/greeting.txt on {run.day}."),
    ]


# -- Anthropic ---------------------------------------------------------------------------------------------------------

HEAD = {"type": "message", "role": "assistant", "model": "claude-of-a-test", "stop_sequence": None}
USAGE = {"input_tokens": 12, "output_tokens": 7}


def anthropic_answer(received: Received) -> Answer:
    asked: Any = received.json()
    turn = len(asked["messages"]) // 2
    name, said = steps_of(RECORDED)[turn]
    tool_id = f"toolu_01{RECORDED.id}{turn}"
    end = "tool_use" if name else "end_turn"
    block = {"type": "tool_use", "id": tool_id, "name": name, "input": said} if name else {"type": "text", "text": said}
    message = {"id": f"msg_01{turn}", **HEAD, "usage": USAGE}
    if not asked.get("stream"):
        return json_answer({**message, "content": [block], "stop_reason": end})
    empty: dict[str, Any] = {"input": {}} if name else {"text": ""}
    start = {**block, **empty}
    text = json.dumps(said) if name else said
    kind, key = ("input_json_delta", "partial_json") if name else ("text_delta", "text")
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": start},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": kind, key: part}} for part in pieces(text)),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": end, "stop_sequence": None}, "usage": USAGE},
        {"type": "message_stop"},
    ]
    return Answer(steps=[f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode() for each in events])


def anthropic_loop(proxy: Mitmdump, run: Run, *, stream: bool) -> list[tuple[str, Any]]:
    """What the program is told in each turn."""
    import anthropic

    told: list[tuple[str, Any]] = []
    messages: list[Any] = [{"role": "user", "content": "Greet them."}]
    with environment(client_env(proxy)), anthropic.Anthropic(api_key="sk-ant-api03-x", max_retries=0) as client:
        while True:
            wanted: Any = {
                "model": "claude-of-a-test",
                "max_tokens": 256,
                "system": run.system,
                "messages": messages,
                "metadata": {"user_id": json.dumps({"session": run.id})},
            }
            if stream:
                with client.messages.stream(**wanted) as streaming:
                    answer = streaming.get_final_message()
            else:
                answer = client.messages.create(**wanted)
            (block,) = answer.content
            if block.type != "tool_use":
                assert block.type == "text"
                return [*told, ("", block.text)]
            told.append((block.name, block.input))
            messages.append({"role": "assistant", "content": [block.model_dump(exclude_none=True)]})
            result = {"type": "tool_result", "tool_use_id": block.id, "content": f"done in {run.cwd}"}
            messages.append({"role": "user", "content": [result]})


# -- Gemini ------------------------------------------------------------------------------------------------------------


def gemini_answer(received: Received) -> Answer:
    asked: Any = received.json()
    turn = len(asked["contents"]) // 2
    name, said = steps_of(RECORDED)[turn]
    usage = {"promptTokenCount": 4, "candidatesTokenCount": 3, "totalTokenCount": 7}
    if "stream" not in received.path:
        part = {"functionCall": {"name": name, "args": said}} if name else {"text": said}
        candidate = {"content": {"parts": [part], "role": "model"}, "index": 0, "finishReason": "STOP"}
        return json_answer({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.5-flash"})
    parts = [{"functionCall": {"name": name, "args": said}}] if name else [{"text": part} for part in pieces(said)]
    chunks = [{"candidates": [{"content": {"parts": [part], "role": "model"}, "index": 0}]} for part in parts]
    last = {"candidates": [{"content": {"parts": [{"text": ""}], "role": "model"}, "index": 0, "finishReason": "STOP"}]}
    return Answer(steps=sse([*chunks, {**last, "usageMetadata": usage}], done=False))


def gemini_loop(proxy: Mitmdump, run: Run, *, stream: bool) -> list[tuple[str, Any]]:
    """As ``anthropic_loop``; the provider sends no ids, and the program makes some."""
    from google import genai

    told: list[tuple[str, Any]] = []
    contents: list[Any] = [{"role": "user", "parts": [{"text": "Greet them."}]}]
    with environment(client_env(proxy)):
        client = genai.Client(api_key="AIza-x")
        while True:
            wanted: Any = {
                "model": "gemini-2.5-flash",
                "contents": contents,
                "config": {"system_instruction": run.system},
            }
            if stream:
                chunks = [*client.models.generate_content_stream(**wanted)]
            else:
                chunks = [client.models.generate_content(**wanted)]
            calls = [call for chunk in chunks for call in chunk.function_calls or ()]
            if not calls:
                return [*told, ("", "".join(chunk.text or "" for chunk in chunks))]
            (call,) = calls
            told.append((call.name or "", call.args))
            id_ = f"call-{run.id}-{len(contents)}"
            contents.append(
                {"role": "model", "parts": [{"function_call": {"id": id_, "name": call.name, "args": call.args}}]}
            )
            response = {"id": id_, "name": call.name, "response": {"result": f"done in {run.cwd}"}}
            contents.append({"role": "user", "parts": [{"function_response": response}]})


def answer(received: Received) -> Answer:
    """The provider's."""
    return anthropic_answer(received) if "messages" in received.path else gemini_answer(received)


# -- the proof ---------------------------------------------------------------------------------------------------------

LOOPS: Mapping[str, Any] = {"anthropic": anthropic_loop, "gemini": gemini_loop}


@pytest.fixture(name="replays", scope="module")
def _replays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Mitmdump]]:
    """Two that replay what was recorded of both, as streams and not: one without the captures."""
    recordings = tmp_path_factory.mktemp("recordings")
    (recordings / "default" / "responses").mkdir(parents=True)
    (recordings / "alone").mkdir()
    (recordings / "alone" / "responses").symlink_to(recordings / "default" / "responses", target_is_directory=True)
    config = tmp_path_factory.mktemp("team") / "wiretape.toml"
    config.write_text(CONFIG)
    options = {"wiretape_config": str(config)}
    with Provider() as provider:
        provider.on("*", answer)
        here = options | {"wiretape_places": RECORDED.places}
        with Mitmdump(recordings, "record", origin=provider, options=here) as proxy:
            for loop in LOOPS.values():
                for stream in (True, False):
                    assert loop(proxy, RECORDED, stream=stream) == steps_of(RECORDED)
            wait_until(lambda: len([*recordings.glob("default/responses/*.json")]) == 12)
            proxy.stop()
    with ExitStack() as stack:
        there = options | {"wiretape_places": PRESENT.places}
        yield [
            stack.enter_context(Mitmdump(recordings, "replay", session=session, options=there))
            for session in ("default", "alone")
        ]


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("name", LOOPS)
def test_the_tools_are_called_with_what_is_there_now(replays: Sequence[Mitmdump], name: str, *, stream: bool) -> None:
    for proxy in replays:
        for run in (PRESENT, RECORDED, PRESENT):
            told = LOOPS[name](proxy, run, stream=stream)
            assert told == steps_of(run)
        assert proxy.connects() == []
        proxy.assert_sound()
