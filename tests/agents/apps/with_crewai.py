"""CrewAI: an agent with tools, and a task."""

import files
from crewai import Agent, Crew, Task
from crewai.tools import tool

clerk = Agent(
    role="clerk",
    goal="work on files",
    backstory="You work on files.",
    tools=[tool(files.read_file), tool(files.write_file)],
    llm="gpt-4o-mini",
)
task = Task(description=files.TASK, expected_output="the word", agent=clerk)
print("loop:", Crew(agents=[clerk], tasks=[task]).kickoff().raw)
