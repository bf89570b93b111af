"""LangChain and LangGraph: a stream, an agent with tools, an answer of a type, several at once."""

import asyncio

from files import TASK, read_file, write_file
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI
from pydantic import BaseModel


class City(BaseModel):
    """What is asked for."""

    name: str
    inhabitants: int


MODELS: dict[str, BaseChatModel] = {
    "chat": ChatOpenAI(model="gpt-4o-mini"),
    "responses": ChatOpenAI(model="gpt-4o-mini", use_responses_api=True),
    "anthropic": ChatAnthropic(model="claude-sonnet-4-5"),
    "gemini": ChatGoogleGenerativeAI(model="gemini-2.5-flash"),
}


async def main() -> None:
    """Ask in each way, and print what came."""
    for name, model in MODELS.items():
        print(name, "streamed:", "".join(each.text for each in model.stream("Hello.")))
        clerk = create_agent(model, [tool(read_file), tool(write_file)])
        done = await clerk.ainvoke({"messages": [("user", TASK)]})
        print(name, "loop:", done["messages"][-1].text)
        print(name, "typed:", model.with_structured_output(City).invoke("Name a city."))
        together = await asyncio.gather(*(model.ainvoke(f"Question {number}?") for number in range(5)))
        print(name, "together:", [each.text for each in together])


asyncio.run(main())
