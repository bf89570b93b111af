"""LlamaIndex: a stream, an agent with tools, an answer of a type, several at once."""

import asyncio

from files import TASK, read_file, write_file
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai import OpenAI
from pydantic import BaseModel


class City(BaseModel):
    """What is asked for."""

    name: str
    inhabitants: int


async def main() -> None:
    """Ask in each way, and print what came."""
    model = OpenAI(model="gpt-4o-mini")
    print("streamed:", "".join(each.delta or "" for each in model.stream_complete("Hello.")))
    clerk = FunctionAgent(tools=[read_file, write_file], llm=model, system_prompt="You work on files.")
    print("loop:", await clerk.run(TASK))
    print("typed:", model.as_structured_llm(City).complete("Name a city.").raw)
    together = await asyncio.gather(*(model.acomplete(f"Question {number}?") for number in range(5)))
    print("together:", [each.text for each in together])


asyncio.run(main())
