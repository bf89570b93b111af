"""Pydantic AI: a loop of tools, an answer of a type, a stream; with OpenAI, Anthropic and Google."""

import asyncio

from files import TASK, read_file, write_file
from pydantic import BaseModel
from pydantic_ai import Agent

MODELS = ("openai:gpt-4o-mini", "openai-chat:gpt-4o-mini", "anthropic:claude-sonnet-4-5", "google:gemini-2.5-flash")


class City(BaseModel):
    """What is asked for."""

    name: str
    inhabitants: int


async def main() -> None:
    """Ask in each way, and print what came."""
    for model in MODELS:
        clerk = Agent(model, instructions="You work on files.", tools=[read_file, write_file])
        print(model, "loop:", (await clerk.run(TASK)).output)
        print(model, "typed:", (await Agent(model, output_type=City).run("Name a city.")).output)
        async with clerk.run_stream(f"Once more. {TASK}") as streamed:
            print(model, "streamed:", await streamed.get_output())
        first = await clerk.run("Read notes.txt.")
        again = await clerk.run("What did it say?", message_history=first.all_messages())
        print(model, "history:", again.output)
        plain = Agent(model)
        together = await asyncio.gather(*(plain.run(f"Question {number}?") for number in range(5)))
        print(model, "together:", [each.output for each in together])


asyncio.run(main())
