"""Google's Agent Development Kit: an agent with tools, two turns of one session."""

import asyncio

from files import TASK, read_file, write_file
from google.adk.agents import Agent
from google.adk.runners import InMemoryRunner
from google.genai import types


async def main() -> None:
    """Give the task, and go on in the same session."""
    clerk = Agent(
        name="clerk", model="gemini-2.5-flash", instruction="You work on files.", tools=[read_file, write_file]
    )
    runner = InMemoryRunner(agent=clerk, app_name="clerk")
    session = await runner.session_service.create_session(app_name="clerk", user_id="ada")
    for question in (TASK, "Which word was it?"):
        content = types.Content(role="user", parts=[types.Part(text=question)])
        texts = []
        async for event in runner.run_async(user_id="ada", session_id=session.id, new_message=content):
            parts = event.content.parts if event.content and event.content.parts else []
            texts += [part.text for part in parts if part.text]
        print("loop:", texts)


asyncio.run(main())
