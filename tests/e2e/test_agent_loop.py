"""An agent's loop of two calls replays: each run has a key of its own, and makes the ids of its calls itself."""

from typing import Any

import openai

from harness import openai_client
from loopback import Answer, Provider, Received
from samples import MODEL
from sharing import Shared
from talk import streamed


def answer(received: Received) -> Answer:
    """The provider's: it tells whose run it is, and of the tool's result for which call it is."""
    asked: Any = received.json()
    run = asked["prompt_cache_key"]
    last = asked["messages"][-1]
    text = f"the result of {last['tool_call_id']} came" if last["role"] == "tool" else "call the tool"
    return streamed(asked["model"], f"{text} in {run}")


def loop(client: openai.OpenAI, run: str) -> list[tuple[str, str]]:
    """Both answers, each with the rules that it needed."""
    call = {"id": f"call_made_in_{run}", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    question = {"role": "user", "content": "Look!"}
    result = {"role": "tool", "tool_call_id": call["id"], "content": "seen"}
    turns: Any = [[question], [question, {"role": "assistant", "content": None, "tool_calls": [call]}, result]]
    told = []
    for messages in turns:
        raw = client.chat.completions.with_raw_response.create(
            model=MODEL, messages=messages, stream=True, prompt_cache_key=run
        )
        text = "".join(chunk.choices[0].delta.content or "" for chunk in raw.parse())
        told.append((text, raw.headers.get("x-wiretape-rules", "")))
    return told


def test_a_loop_goes_on_with_the_run_that_answered_it_and_has_its_own_ids(shared: Shared, provider: Provider) -> None:
    provider.on("*", answer)
    with shared.lent("record", provider) as proxy:
        with openai_client(proxy) as client:
            for run in ("run-one", "run-two"):
                first, second = loop(client, run)
                assert second == (f"the result of call_made_in_{run} came in {run}", "")
        asked = len(provider.requests)
        proxy.in_mode("replay")
        with openai_client(proxy) as client:
            assert [rules for _, rules in loop(client, "run-one")] == ["", ""], "what was recorded exactly needs none"
            for run in ("run-three", "run-four", "run-three"):
                first, second = loop(client, run)
                answered_by = first[0].removeprefix("call the tool in ")
                assert answered_by in ("run-one", "run-two")
                assert first[1] == "prompt-cache-key"
                assert second[0] == f"the result of call_made_in_{run} came in {answered_by}"
                assert second[1] == "prompt-cache-key, call-ids"
        proxy.wait_for_log("by the rules prompt-cache-key, call-ids")
        assert len(provider.requests) == asked == 4
