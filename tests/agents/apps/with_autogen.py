"""AutoGen: an assistant with tools, streamed."""

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient
from files import TASK, read_file, write_file


async def main() -> None:
    """Give the task, and print what came."""
    client = OpenAIChatCompletionClient(model="gpt-4o-mini")
    clerk = AssistantAgent(
        "clerk", client, tools=[read_file, write_file], max_tool_iterations=5, model_client_stream=True
    )
    print("loop:", (await clerk.run(task=TASK)).messages[-1].content)
    await client.close()


asyncio.run(main())
