"""Pydantic AI on Gemini, for whose calls it makes ids of its own."""

import sys

from llm_tools import read_file, write_file
from pydantic_ai import Agent

agent = Agent("google:gemini-2.5-flash", tools=[read_file, write_file])
print(agent.run_sync(sys.argv[1]).output)
