"""Agno: an agent with tools, whole and streamed."""

from agno.agent import Agent
from agno.models.openai import OpenAIChat, OpenAIResponses
from files import TASK, read_file, write_file

for model in (OpenAIChat(id="gpt-4o-mini"), OpenAIResponses(id="gpt-4o-mini")):
    clerk = Agent(model=model, tools=[read_file, write_file], instructions="You work on files.", telemetry=False)
    print("loop:", clerk.run(TASK).content)
    streamed = clerk.run(f"Once more. {TASK}", stream=True)
    print("streamed:", "".join(each.content or "" for each in streamed if each.event == "RunContent"))
