"""A program that asks a model: what a user has, and what the tests are of. Nothing in it knows of a proxy."""

import subprocess
from pathlib import Path

import openai

MODEL = "gpt-4o-mini"

shared = openai.OpenAI(max_retries=0)
"""A client that is made when this is imported."""


def messages(text: str) -> list[dict[str, str]]:
    """Return a conversation with one question."""
    return [{"role": "user", "content": text}]


def ask(client: openai.OpenAI, text: str) -> str:
    """Return the answer, which comes in one piece."""
    made = client.chat.completions.create(model=MODEL, messages=messages(text))
    return made.choices[0].message.content


def ask_in_pieces(client: openai.OpenAI, text: str) -> str:
    """Return the answer, which is streamed."""
    chunks = client.chat.completions.create(model=MODEL, messages=messages(text), stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


async def ask_async(text: str) -> str:
    """Return the answer, with a client of asyncio that is made for it."""
    async with openai.AsyncOpenAI(max_retries=0) as client:
        made = await client.chat.completions.create(model=MODEL, messages=messages(text))
        return made.choices[0].message.content


def ask_in_node(text: str) -> str:
    """Return what a program in another language is answered."""
    script = Path(__file__).with_name("ask.mjs")
    return subprocess.run(["node", str(script), text], capture_output=True, text=True, check=True).stdout


def greet(text: str) -> str:
    """Return the answer, or what there is to say without one: whatever goes wrong is swallowed."""
    try:
        return ask(shared, text)
    except Exception:  # noqa: BLE001
        return "Hello anyway."
