"""aiohttp as it is by default: it reads no proxy, and no CA file but the system's."""

import asyncio
import os
import sys
from pathlib import Path

import aiohttp

BODY = {"model": "gpt-5", "messages": [{"role": "user", "content": sys.argv[1]}]}
KEY = {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"}


async def said() -> str:
    """Return the answer."""
    async with (
        aiohttp.ClientSession(headers=KEY) as session,
        session.post("https://api.openai.com/v1/chat/completions", json=BODY) as response,
    ):
        answer = await response.json()
    return str(answer["choices"][0]["message"]["content"])


Path("answer.txt").write_text(asyncio.run(said()), "utf-8")
