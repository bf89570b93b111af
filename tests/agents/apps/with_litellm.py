"""LiteLLM: a stream, a loop of tools, several at once; with OpenAI, Anthropic and Google."""

import asyncio
import json
from typing import Any

import litellm
from files import TASK, read_file, write_file

MODELS = ("openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash")
TOOLS = {"read_file": (read_file, ("name",)), "write_file": (write_file, ("name", "text"))}


def described(name: str) -> dict[str, Any]:
    """Return a tool as OpenAI describes it."""
    _, names = TOOLS[name]
    properties = {each: {"type": "string"} for each in names}
    parameters = {"type": "object", "properties": properties, "required": list(names)}
    return {"type": "function", "function": {"name": name, "description": name, "parameters": parameters}}


def loop(model: str) -> str:
    """Let the model call tools until it says something."""
    messages: list[Any] = [{"role": "user", "content": TASK}]
    while True:
        message = litellm.completion(model=model, messages=messages, tools=[*map(described, TOOLS)]).choices[0].message
        if not message.tool_calls:
            return str(message.content)
        messages.append(message)
        for call in message.tool_calls:
            tool, _ = TOOLS[call.function.name]
            result = tool(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "name": call.function.name, "content": result})


async def together(model: str) -> list[str]:
    """Ask five questions at once."""
    questions = [[{"role": "user", "content": f"Question {number}?"}] for number in range(5)]
    answers = await asyncio.gather(*(litellm.acompletion(model=model, messages=each) for each in questions))
    return [each.choices[0].message.content for each in answers]


for model in MODELS:
    streamed = litellm.completion(model=model, messages=[{"role": "user", "content": "Hello."}], stream=True)
    print(model, "streamed:", "".join(each.choices[0].delta.content or "" for each in streamed))
    print(model, "loop:", loop(model))
    print(model, "together:", asyncio.run(together(model)))
