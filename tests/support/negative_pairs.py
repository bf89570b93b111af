"""Conversations in every endpoint's form, and changes of them that matter: each change makes another request.

A conversation is one of an agent's: what it tells itself of its surroundings, a question, calls of tools made at once,
their results, an answer, a further question. The pairs of a run are those of every run.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

CWD = "/home/dev/app"
SYSTEM = f"""You are an agent. Working directory: {CWD}
Today's date: Fri Nov 27 2026. Your memory is in /home/dev/.agent/projects/-home-dev-app/.
Be brief."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool, and its result."""

    id: str
    name: str
    path: str
    result: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is said, whatever the endpoint."""

    model: str = "gpt-5"
    system: str = SYSTEM
    question: str = f"What is in {CWD}/notes.txt?"
    image: str = "aGVsbG8="
    calls: Sequence[Call] = ()
    results: Sequence[Call] = ()
    """Whose results, in the order in which they are told; the id of each is that of its call."""
    answer: str = "It says hello."
    further: Sequence[str] = ("And what else?",)
    tools: Sequence[tuple[str, str, str]] = (("bash", "Run a command.", "command"), ("read", "Read a file.", "path"))
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"temperature": 0.5, "max_tokens": 1000})


def conversation(number: int, ids: str = "call") -> Conversation:
    """Return one of several conversations. ``ids``: what those of the calls begin with."""
    calls = (
        Call(f"{ids}_{number}a", "bash", f"cat {CWD}/notes.txt", "Wall time 0.3 seconds\nhello"),
        Call(f"{ids}_{number}b", "read", f"{CWD}/README.md", "Process Group PGID: 9774\nA project."),
    )
    return Conversation(model=f"model-{number}", calls=calls, results=calls)


# -- the forms ---------------------------------------------------------------------------------------------------------


def chat(said: Conversation) -> dict[str, Any]:
    """As OpenAI's chat completions have it."""
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{said.image}"}}
    calls = [
        {"id": each.id, "type": "function", "function": {"name": each.name, "arguments": f'{{"path":"{each.path}"}}'}}
        for each in said.calls
    ]
    tools = [
        {"type": "function", "function": {"name": name, "description": text, "parameters": _schema(member)}}
        for name, text, member in said.tools
    ]
    messages = [
        {"role": "system", "content": said.system},
        {"role": "user", "content": [{"type": "text", "text": said.question}, image]},
        {"role": "assistant", "content": None, "tool_calls": calls},
        *({"role": "tool", "tool_call_id": each.id, "content": each.result} for each in said.results),
        {"role": "assistant", "content": said.answer},
        *({"role": "user", "content": text} for text in said.further),
    ]
    return {"model": said.model, "messages": messages, "tools": tools, **said.parameters}


def ollama(said: Conversation) -> dict[str, Any]:
    """As Ollama's chat has it."""
    return chat(said)


def responses(said: Conversation) -> dict[str, Any]:
    """As OpenAI's responses have it."""
    image = {"type": "input_image", "image_url": f"data:image/png;base64,{said.image}"}
    items = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": said.question}, image]},
        *(
            {"type": "function_call", "call_id": each.id, "name": each.name, "arguments": f'{{"path":"{each.path}"}}'}
            for each in said.calls
        ),
        *({"type": "function_call_output", "call_id": each.id, "output": each.result} for each in said.results),
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": said.answer}]},
        *(
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
            for text in said.further
        ),
    ]
    tools = [
        {"type": "function", "name": name, "description": text, "parameters": _schema(member)}
        for name, text, member in said.tools
    ]
    return {"model": said.model, "instructions": said.system, "input": items, "tools": tools, **said.parameters}


def anthropic(said: Conversation) -> dict[str, Any]:
    """As Anthropic's messages have it."""
    source = {"type": "base64", "media_type": "image/png", "data": said.image}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": said.question}, {"type": "image", "source": source}]},
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": each.id, "name": each.name, "input": {"path": each.path}}
                for each in said.calls
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": each.id, "content": [{"type": "text", "text": each.result}]}
                for each in said.results
            ],
        },
        {"role": "assistant", "content": [{"type": "text", "text": said.answer}]},
        *({"role": "user", "content": [{"type": "text", "text": text}]} for text in said.further),
    ]
    tools = [{"name": name, "description": text, "input_schema": _schema(member)} for name, text, member in said.tools]
    system = [{"type": "text", "text": said.system}]
    return {"model": said.model, "system": system, "messages": messages, "tools": tools, **said.parameters}


def gemini(said: Conversation) -> dict[str, Any]:
    """As Gemini's contents have it."""
    image = {"inlineData": {"mimeType": "image/png", "data": said.image}}
    contents = [
        {"role": "user", "parts": [{"text": said.question}, image]},
        {
            "role": "model",
            "parts": [
                {"functionCall": {"id": each.id, "name": each.name, "args": {"path": each.path}}} for each in said.calls
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": each.id, "name": each.name, "response": {"output": each.result}}}
                for each in said.results
            ],
        },
        {"role": "model", "parts": [{"text": said.answer}]},
        *({"role": "user", "parts": [{"text": text}]} for text in said.further),
    ]
    declarations = [
        {"name": name, "description": text, "parametersJsonSchema": _schema(member)}
        for name, text, member in said.tools
    ]
    return {
        "systemInstruction": {"parts": [{"text": said.system}]},
        "contents": contents,
        "tools": [{"functionDeclarations": declarations}],
        "generationConfig": {"model": said.model, **said.parameters},
    }


def code_assist(said: Conversation) -> dict[str, Any]:
    """As Gemini CLI has it with a login of Google's."""
    return {"model": said.model, "project": "p", "request": gemini(said)}


def converse(said: Conversation) -> dict[str, Any]:
    """As Bedrock's Converse has it."""
    image = {"image": {"format": "png", "source": {"bytes": said.image}}}
    messages = [
        {"role": "user", "content": [{"text": said.question}, image]},
        {
            "role": "assistant",
            "content": [
                {"toolUse": {"toolUseId": each.id, "name": each.name, "input": {"path": each.path}}}
                for each in said.calls
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": each.id, "content": [{"text": each.result}]}} for each in said.results
            ],
        },
        {"role": "assistant", "content": [{"text": said.answer}]},
        *({"role": "user", "content": [{"text": text}]} for text in said.further),
    ]
    tools = [
        {"toolSpec": {"name": name, "description": text, "inputSchema": {"json": _schema(member)}}}
        for name, text, member in said.tools
    ]
    return {
        "modelId": said.model,
        "system": [{"text": said.system}],
        "messages": messages,
        "toolConfig": {"tools": tools},
        "inferenceConfig": dict(said.parameters),
    }


def _schema(member: str) -> dict[str, Any]:
    return {"type": "object", "properties": {member: {"type": "string"}}, "required": [member]}


FORMS: Mapping[str, tuple[Callable[[Conversation], dict[str, Any]], str]] = {
    "chat": (chat, "/v1/chat/completions"),
    "responses": (responses, "/v1/responses"),
    "anthropic": (anthropic, "/messages"),
    "gemini": (gemini, "/models/gemini-3-pro:generateContent"),
    "code assist": (code_assist, "/v1internal:streamGenerateContent"),
    "converse": (converse, "/model/anthropic.claude/converse"),
    "ollama": (ollama, "/api/chat"),
}
"""Each endpoint's form, and its path below a provider's base."""


# -- what matters ------------------------------------------------------------------------------------------------------

ASKED: Sequence[tuple[str, str]] = (
    # Two questions that differ in what is asked for
    ("How many lines has it?", "How many words has it?"),
    (f"Read {CWD}/a.txt", f"Read {CWD}/b.txt"),
    (f"Read {CWD}/src/a.txt", f"Read {CWD}/a.txt"),
    ("Read /srv/data/x", "Read /opt/data/x"),
    ("Read /home/alice/x", "Read /home/bob/x"),
    ("Read /tmp/one.log", "Read /tmp/two.log"),
    ("Read ~/one", "Read ~/two"),
    ("What happened on 2024-01-01?", "What happened on 2024-01-02?"),
    ("What happened on January 1, 2024?", "What happened on January 2, 2024?"),
    ("Today's date is 2024-01-01. Which day is it?", "Today's date is 2024-01-02. Which day is it?"),
    ("Today's date: Mon Jan 01 2024", "Today's date: Tue Jan 02 2024"),
    ("Today's date is Monday, January 1, 2024", "Today's date is Tuesday, January 2, 2024"),
    ("Current date: 2024-01-01", "Current date: 2024-01-02"),
    ("<current_date>2024-01-01</current_date>", "<current_date>2024-01-02</current_date>"),
    ("<cwd>/x/one</cwd>", "<cwd>/x/two</cwd>"),
    ("Working directory: /x/one", "Working directory: /x/two"),
    ("Primary working directory: /x/one", "Primary working directory: /x/two"),
    ("Current branch: one", "Current branch: two"),
    ("Wall time 3 seconds: is that long?", "Wall time 4 seconds: is that long?"),
    ("Process Group PGID: 17", "Process Group PGID: 18"),
    ("What is cch=7053e; for?", "What is cch=7053f; for?"),
    ("x-anthropic-billing-header: cch=7053e;", "x-anthropic-billing-header: cch=7053f;"),
    ("- OS Version: Linux 6.1", "- OS Version: Linux 6.2"),
    ("Platform: linux", "Platform: darwin"),
    ("At 10:12:13, what?", "At 10:12:14, what?"),
    ("Remind me in 5 minutes", "Remind me in 6 minutes"),
    ("Stop process 1234", "Stop process 1235"),
    ("Is localhost:3000 up?", "Is localhost:3001 up?"),
    ("What is new in Python 3.12.1?", "What is new in Python 3.12.2?"),
    ("Show commit 3a4b5c6", "Show commit 3a4b5c7"),
    ("Find 0199f3a2-7c1b-7def-8a01-23456789abcd", "Find 0199f3a2-7c1b-7def-8a01-23456789abce"),
    ("Find 01JDQ4Y7ZK8M3N5P6R7S8T9V0W", "Find 01JDQ4Y7ZK8M3N5P6R7S8T9V0X"),
    ("Find a1b2c3d4e5f6", "Find a1b2c3d4e5f7"),
    ("Order 4711", "Order 4712"),
    ("What is 1 + 1?", "What is 1 + 1.0?"),
    ("if x:\n    y()", "if x:\n  y()"),
    ("Is it?", "is it?"),
    ('[{"id": 1}]', '[{"id": 2}]'),
    ('{"metadata": {"user_id": "a"}}', '{"metadata": {"user_id": "b"}}'),
    ("Explain call_x1", "Explain call_x2"),
    ("\0date\0", "2026-11-27"),
    ("\0cwd\0", CWD),
)


AROUND = ("*", "Please: *", "*\n\nBe quick.", "Well.\n*\n", "Look:\n\n  *\n\nWhat is it?")
"""What a user may write around it."""


def _call(said: Conversation, number: int, **changed: str) -> Conversation:
    calls = [*said.calls]
    calls[number] = replace(calls[number], **changed)
    return replace(said, calls=calls, results=calls)


CHANGES: Mapping[str, Callable[[Conversation], Conversation]] = {
    "model": lambda said: replace(said, model=said.model + "-mini"),
    "model of another day": lambda said: replace(said, model=said.model + "-2024-08-06"),
    "temperature": lambda said: replace(said, parameters={**said.parameters, "temperature": 0.6}),
    "max_tokens": lambda said: replace(said, parameters={**said.parameters, "max_tokens": 1001}),
    "a parameter more": lambda said: replace(said, parameters={**said.parameters, "top_p": 1}),
    "a user": lambda said: replace(said, parameters={**said.parameters, "user": "b"}),
    "system prompt": lambda said: replace(said, system=said.system.replace("brief", "kind")),
    "no system prompt": lambda said: replace(said, system=""),
    "image": lambda said: replace(said, image="aGVsbG9v"),
    "one message more": lambda said: replace(said, further=(*said.further, "Go on.")),
    "one message less": lambda said: replace(said, further=()),
    "two messages in another order": lambda said: replace(said, further=("Go on.", *said.further)),
    "first question": lambda said: replace(said, question=said.question.replace("notes", "note")),
    "answer": lambda said: replace(said, answer="It says goodbye."),
    "who says what": lambda said: replace(said, answer=said.further[0], further=(said.answer,)),
    "a tool's name": lambda said: replace(said, tools=(("sh", *said.tools[0][1:]), *said.tools[1:])),
    "a tool's description": lambda said: replace(said, tools=((said.tools[0][0], "Run.", "command"), said.tools[1])),
    "a tool's parameter": lambda said: replace(said, tools=((*said.tools[0][:2], "line"), said.tools[1])),
    "a tool less": lambda said: replace(said, tools=said.tools[:1]),
    "a tool more": lambda said: replace(said, tools=(*said.tools, ("write", "Write a file.", "path"))),
    "another tool called": lambda said: _call(said, 0, name="read"),
    "another file read": lambda said: _call(said, 1, path=f"{CWD}/LICENSE"),
    "another directory read": lambda said: _call(said, 1, path="/srv/README.md"),
    "another result": lambda said: _call(said, 1, result="Process Group PGID: 9774\nNo project."),
    "a date in a result": lambda said: _call(said, 1, result="due 2024-01-01"),
    "another call of the two first": lambda said: replace(said, calls=said.calls[::-1], results=said.calls[::-1]),
    "results attached to the other calls": lambda said: replace(
        said, results=[replace(one, id=two.id) for one, two in zip(said.calls, said.calls[::-1], strict=True)]
    ),
    "results swapped": lambda said: replace(said, results=said.calls[::-1]),
    "a result less": lambda said: replace(said, results=said.calls[:1]),
    "a result of an unknown call": lambda said: replace(
        said, results=[replace(said.calls[0], id="call_unknown"), said.calls[1]]
    ),
    "two calls with one id": lambda said: _call(said, 1, id=said.calls[0].id),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two requests that are two."""

    form: str
    what: str
    one: dict[str, Any]
    two: dict[str, Any]


def pairs() -> list[Pair]:
    """Return pairs of requests that differ in something that matters, a thousand at least, in one order."""
    drawn = random.Random(13)
    made = []
    for form, (body, _) in FORMS.items():
        for number in range(2):
            said = conversation(number)
            for one, two in ASKED:
                before, after = drawn.sample((one, two), 2)
                around = drawn.choice(AROUND)
                first = replace(said, further=(around.replace("*", before),))
                second = replace(said, further=(around.replace("*", after),))
                made.append(Pair(form, f"{one!r} or {two!r}", body(first), body(second)))
            for what, change in CHANGES.items():
                made.append(Pair(form, what, body(said), body(change(said))))
    return made
