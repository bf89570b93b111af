"""A program that makes SDK calls in the public recorder, as it is told: it runs where that is installed, alone.

A line of JSON in gives one of JSON out. In: ``recorder`` (``ogx``, ``llama-stack``, or none), ``mode``, ``folder``,
``environment`` and ``call``: ``base``, ``method`` (``chat.completions.create``, or ``post`` for what goes out as it
is), ``arguments``, ``test_id``. Out: the list of objects that the call gave, or the error that it raised.

It imports nothing of wiretape, nor does wiretape import it.
"""

import asyncio
import contextlib
import importlib
import json
import os
import sys
from typing import Any

MODULES = {"ogx": "ogx.testing.api_recorder", "llama-stack": "llama_stack.testing.inference_recorder"}
STARTS = {"ogx": "api_recording", "llama-stack": "inference_recording"}


async def ask(call: dict[str, Any]) -> Any:
    headers = {"x-wiretape-test-id": call["test_id"]} if call["test_id"] else {}
    if call["method"] == "post":
        async with importlib.import_module("httpx2").AsyncClient(headers=headers) as http:
            if not call["arguments"].get("stream"):
                return [(await http.post(call["base"], json=call["arguments"])).json()]
            async with http.stream("POST", call["base"], json=call["arguments"]) as answer:
                return [line async for line in answer.aiter_lines()]
    openai = importlib.import_module("openai")
    client = openai.AsyncOpenAI(base_url=call["base"], api_key="sk-test", max_retries=0, default_headers=headers)
    made: Any = client
    for name in call["method"].split("."):
        made = getattr(made, name)
    try:
        answered = made(**call["arguments"])
        if call["method"] != "models.list":
            answered = await answered
        objects = [each async for each in answered] if hasattr(answered, "__aiter__") else [answered]
        return [each.model_dump(mode="json", warnings=False) for each in objects]
    except openai.APIStatusError as e:
        return {"raised": type(e).__name__, "status": e.status_code, "body": e.body}
    finally:
        await client.close()


def run(order: dict[str, Any]) -> Any:
    os.environ.update(order["environment"])
    with contextlib.ExitStack() as stack:
        if recorder := order["recorder"]:
            module = importlib.import_module(MODULES[recorder])
            stack.enter_context(getattr(module, STARTS[recorder])(order["mode"], order["folder"]))
        if test_id := order["call"]["test_id"]:
            context = importlib.import_module("ogx.core.testing_context")
            stack.callback(context.reset_test_context, context.set_test_context(test_id))
        return asyncio.run(ask(order["call"]))


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # What it says of itself is no answer.
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
