"""OpenAI's Agents SDK, with its tracing as it is by default."""

import sys

from llm_tools import read_file, write_file

from agents import Agent, Runner, function_tool

agent = Agent(name="notes", model="gpt-5", tools=[function_tool(read_file), function_tool(write_file)])
print(Runner.run_sync(agent, sys.argv[1]).final_output)
