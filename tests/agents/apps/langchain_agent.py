"""LangChain's agent on OpenAI."""

import sys

from langchain.agents import create_agent
from llm_tools import read_file, write_file

agent = create_agent("openai:gpt-5", tools=[read_file, write_file])
print(agent.invoke({"messages": [("user", sys.argv[1])]})["messages"][-1].content)
