"""What the model says next: a call of a tool, or a text. It knows no provider's words.

The first turn prints ``notes.txt``. The second writes ``answer.txt``, by the absolute path that the request tells of,
as a model would. The third says the word.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.programs import ANSWER

_PRINT = "cat notes.txt"
_EDIT = """I change the word.

notes.txt
```
<<<<<<< SEARCH
the word is marmalade
=======
the word is jam
>>>>>>> REPLACE
```
"""

_FOLDER = (
    re.compile(r"Primary working directory: ([^\\\n\"]+)"),
    re.compile(r"<cwd>([^<]+)</cwd>"),
    re.compile(r"Workspace Directories:\*{0,2}(?:\\n|\s)+- ([^\\\n\"]+)"),
    re.compile(r"Working directory: ([^\\\n\"<]+)"),
)
"""How the agents tell their working directory."""


@dataclass(frozen=True)
class Tool:
    """A tool that a request offers. ``schema`` is that of its arguments."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """A tool is to be called. ``script`` is what a tool gets that takes a text instead of arguments."""

    name: str
    arguments: Mapping[str, Any]
    script: str | None = None

    @property
    def json(self) -> str:
        """The arguments, as the model writes them."""
        return json.dumps(self.arguments)


def _shell(command: str) -> dict[str, Callable[[], Call]]:
    said = {"command": command, "description": "Do what was asked"}
    script = f"const r = await tools.exec_command({{cmd: {json.dumps(command)}}}); text(r.output ?? '');"
    return {
        "Bash": lambda: Call("Bash", said),
        "run_shell_command": lambda: Call("run_shell_command", said),
        "bash": lambda: Call("bash", said),
        "exec": lambda: Call("exec", {}, script),
        "exec_command": lambda: Call("exec_command", {"cmd": command}),
        "read_file": lambda: Call("read_file", {"name": "notes.txt"}),
    }


def _writing(path: str) -> dict[str, Callable[[], Call]]:
    own: dict[str, Callable[[], Call]] = {
        "Write": lambda: Call("Write", {"file_path": path, "content": ANSWER}),
        "write": lambda: Call("write", {"filePath": path, "content": ANSWER}),
    }
    return own | _shell(f"printf '{ANSWER.strip()}\\n' > {path}")


def next_turn(done: int, tools: Sequence[Tool], request: str) -> Call | str:
    """Return what the model says after ``done`` calls of tools, to a request that is given as its JSON."""
    if not tools or done > 1:
        return _text(done, request)
    if done == 0:
        return _chosen(tools, _shell(_PRINT))
    named = {tool.name: tool for tool in tools}
    if (tool := named.get("write_file")) is not None:
        by_name = "name" in tool.schema.get("properties", {})
        if by_name:
            return Call("write_file", {"name": "answer.txt", "text": ANSWER})
        return Call("write_file", {"file_path": f"{_folder(request)}/answer.txt", "content": ANSWER})
    return _chosen(tools, _writing(f"{_folder(request)}/answer.txt"))


def value(schema: Mapping[str, Any]) -> Any:
    """Return the least value that fits a JSON schema, as far as the programs need it."""
    if "enum" in schema:
        return schema["enum"][0]
    match str(schema.get("type", "string")).lower():
        case "object":
            return {key: value(each) for key, each in schema.get("properties", {}).items()}
        case "array":
            return [value(schema.get("items", {}))]
        case "integer" | "number":
            return 7
        case "boolean":
            return True
    return "seven"


def _chosen(tools: Sequence[Tool], known: Mapping[str, Callable[[], Call]]) -> Call:
    offered = {tool.name for tool in tools}
    for name, call in known.items():
        if name in offered:
            return call()
    return Call(tools[0].name, value(tools[0].schema))


def _text(done: int, request: str) -> str:
    if done:
        return "The word is marmalade. Done."
    if "SEARCH/REPLACE" in request:
        return _EDIT
    return "Change the word."


def _folder(request: str) -> str:
    for pattern in _FOLDER:
        if found := pattern.search(request):
            return found[1].strip()
    return "/folder-that-no-request-told"
