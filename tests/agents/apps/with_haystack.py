"""Haystack: an agent with tools."""

from typing import Annotated

import files
from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import create_tool_from_function


def read_file(name: Annotated[str, "its name"]) -> str:
    """Return the text of a file."""
    return files.read_file(name)


def write_file(name: Annotated[str, "its name"], text: Annotated[str, "its text"]) -> str:
    """Write a file."""
    return files.write_file(name, text)


clerk = Agent(
    chat_generator=OpenAIChatGenerator(model="gpt-4o-mini"),
    tools=[create_tool_from_function(read_file), create_tool_from_function(write_file)],
)
print("loop:", clerk.run(messages=[ChatMessage.from_user(files.TASK)])["messages"][-1].text)
