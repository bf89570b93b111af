"""aiohttp as it is: it reads no proxy from the environment. A chat, streamed."""

import asyncio
import os
import sys

import aiohttp

TARGET = "https://api.openai.com/v1/chat/completions"
BODY = {"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": "Hello from aiohttp."}]}


async def main() -> int:
    """Ask, and print how many events came."""
    headers = {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"}
    async with aiohttp.ClientSession() as session, session.post(TARGET, json=BODY, headers=headers) as response:
        text = await response.text()
        print(response.status, text.count("data:"), "events")
        return 0 if response.status == 200 else 1


sys.exit(asyncio.run(main()))
