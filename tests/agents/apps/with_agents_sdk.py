"""OpenAI's Agents SDK: a loop of tools, whole and streamed; an answer of a type; several at once."""

import asyncio

from files import TASK, read_file, write_file
from pydantic import BaseModel

from agents import Agent, Runner, function_tool

MODEL = "gpt-4o-mini"


class City(BaseModel):
    """What is asked for."""

    name: str
    inhabitants: int


async def main() -> None:
    """Ask in each way, and print what came."""
    clerk = Agent(
        name="clerk",
        instructions="You work on files.",
        tools=[function_tool(read_file), function_tool(write_file)],
        model=MODEL,
    )
    print("loop:", (await Runner.run(clerk, TASK)).final_output)
    streamed = Runner.run_streamed(clerk, f"Once more. {TASK}")
    deltas = 0
    async for event in streamed.stream_events():
        deltas += event.type == "raw_response_event"
    print("streamed:", deltas > 0, streamed.final_output)
    guide = Agent(name="guide", instructions="You know cities.", output_type=City, model=MODEL)
    print("typed:", (await Runner.run(guide, "Name a city.")).final_output)
    handing = Agent(name="desk", instructions="You hand over.", handoffs=[clerk], model=MODEL)
    print("handed over:", (await Runner.run(handing, TASK)).final_output)
    plain = Agent(name="plain", instructions="You answer.", model=MODEL)
    together = await asyncio.gather(*(Runner.run(plain, f"Question {number}?") for number in range(5)))
    print("together:", [each.final_output for each in together])


asyncio.run(main())
