"""An app like any other: it knows no proxy, no certificates, no recordings."""

from collections.abc import Iterable
from typing import Any

from openai import BadRequestError, OpenAI

fireworks = OpenAI(base_url="https://api.fireworks.ai/inference/v1", api_key="no-key-needed")
cerebras = OpenAI(base_url="https://api.cerebras.ai/v1", api_key="no-key-needed")
llama = "accounts/fireworks/models/llama-v3p1-8b-instruct"
roses = (
    "Respond to this question and explain your answer. "
    "Complete the sentence using one word: Roses are red, violets are "
)


def chat(question: str, **options: Any) -> Any:
    """Ask Fireworks, streaming."""
    messages: Any = [{"role": "user", "content": question}]
    return fireworks.chat.completions.create(model=llama, messages=messages, stream=True, **options)


def show(title: str, stream: Iterable[Any]) -> None:
    """Print the first choice as it comes, then the others."""
    print(f"\n> {title}")
    texts: dict[int, str] = {}
    for choice in (choice for chunk in stream for choice in chunk.choices):
        text = (choice.delta.content if hasattr(choice, "delta") else choice.text) or ""
        texts[choice.index] = texts.get(choice.index, "") + text
        print(text if choice.index == 0 else "", end="", flush=True)
    print("", *list(texts.values())[1:], sep="\n")


show("api.fireworks.ai: chat", chat("Hello, world!"))
show("api.fireworks.ai: chat, two choices", chat("What is the name of the US captial?", n=2))
for client, model in ((fireworks, llama), (cerebras, "llama-3.3-70b")):
    stream = client.completions.create(model=model, prompt=roses, max_tokens=50, stream=True)
    show(f"{client.base_url.host}: completion", stream)
try:
    show("never reached", chat("Hello, whirled!"))
except BadRequestError as miss:
    print("\n> api.fireworks.ai: a question that nobody recorded")
    print(miss.response.json()["error"]["message"])
