"""Requests for ``tests/data/agents``: those of five runs of a program, with long texts shortened. Its README says how.

Two texts that were equal stay equal, and two that differed differ in the same lines: a line stays where it has
something in it that may differ between runs, folders, days or machines.
"""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from agents import installing
from agents.programs import Clock, Program
from agents.provider import Received
from agents.trial import Place, Trial
from places import DATA

FOLDER = DATA / "agents"

_LONG = 200
_LONG_IN_TOOLS = 60
_LINE = 260
_BEFORE = 50
_AFTER = 130

_MAY_DIFFER = re.compile(
    r"/home/|/srv/|-home-|-srv-|tmp/\w|answer\.txt|notes\.txt|marmalade|/node_modules/"  # paths
    r"|\b2026\b|Wall time \d|PGID: \d|cch=|^[0-9a-f]{7} "  # times, processes, hashes
    r"|OS Version|Platform:|Shell: |SHELL=|<shell>|<timezone>|OS: |operating system is"  # the machine
    r"|gitStatus|Current branch|Main branch|Status:|commits:|git repo: |git repository: |inside a git repository"
    r"|<cwd>|<root>|<current_date>|environment_context>|</?env>|[Ww]orking directory: |Workspace (?:root|Dir)"
    r"|temporary directory is|available_skills>|</?skill>|<location>"
    r"|<name>(?:skill-creator|antigravity)|'skill-creator'"
    r"|# currentDate|session_context>|This is the Gemini CLI|Directory Structure|\(clean\)"
    r"|Use the appropriate shell|Change the word"
)

_TOOLS = frozenset(
    ("Bash", "Write", "exec", "functions", "run_shell_command", "write_file", "activate_skill", "bash", "read_file")
)
"""The tools that the task uses, and those that vary. The others are left out."""

_KERNEL = "6.8.0-51-generic"
_OTHER_KERNEL = "6.11.0-1018-azure"
_OTHER_LIBRARY = "/opt/node/lib"


def write(program: Program, folder: Path) -> Path:
    """Record a program's five runs, and write its file. Returns where that is."""
    trial = Trial(program, folder)
    runs = {"first": trial.record()}
    runs["again"] = trial.replay(Place.SAME, mode="record")
    runs["elsewhere"] = trial.replay(Place.FOLDER, mode="record")
    runs["tomorrow"] = trial.replay(Place.DAY, mode="record")
    machine = Trial(_on_another_machine(program), folder / "machine")
    runs["machine"] = machine.replay(Place.FOLDER, mode="record")
    described: dict[str, Any] = {"program": program.name, "version": installing.version(program)}
    beside = [f"{each.method} https://{each.host}{each.path}" for each in runs["first"].requests if not each.for_model]
    described["beside_the_model"] = [*dict.fromkeys(beside)]
    described["runs"] = {}
    for name, run in runs.items():
        asked = sorted((each for each in run.requests if each.for_model), key=_by_turn)
        requests = [_shown(each) for each in asked]
        place = {"home": str(run.home), "cwd": str(run.checkout), "requests": requests}
        base = folder / "machine" if name == "machine" else folder
        described["runs"][name] = _cleaned(place, base / program.name, other=name == "machine")
    path = FOLDER / f"{program.name}.json"
    path.write_text(json.dumps(described, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def _on_another_machine(program: Program) -> Program:
    """Return the program as it is started where kernel and shell are others."""
    command = ("setarch", "x86_64", "--uname-2.6", *program.command)
    return replace(program, command=command, environment={**program.environment, "SHELL": "/bin/sh"}, clock=Clock.ZONE)


def _by_turn(request: Received) -> tuple[str, str, int]:
    """Order requests that may have gone out at the same time."""
    said = request.body.get("messages") or request.body.get("input") or request.body.get("contents")
    return request.path, request.body.get("model", ""), len(said)


def _shown(request: Received) -> dict[str, Any]:
    url = f"https://{request.host}{request.target}"
    return {"method": request.method, "url": url, "user_agent": request.agent, "body": _shortened(request.body, _LONG)}


def _cleaned(value: Any, folder: Path, *, other: bool) -> Any:
    """Return it without what is this machine's own: the folder of the lab, the kernel, where the program is."""
    text = json.dumps(value)
    text = text.replace(str(folder), "").replace(re.sub(r"[^a-zA-Z0-9]", "-", str(folder)), "")
    kernel = os.uname().release
    text = text.replace(kernel, _KERNEL)
    text = re.sub(r"2\.6\.\d+" + re.escape(kernel.partition("-")[1] + kernel.partition("-")[2]), _OTHER_KERNEL, text)
    library = _OTHER_LIBRARY if other else "/usr/local/lib"
    text = re.sub(re.escape(str(installing.FOLDER)) + r"/[\w-]+(?=/node_modules)", library, text)
    return json.loads(text)


def _shortened(value: Any, most: int, name: str = "") -> Any:
    tools = name in ("tools", "functionDeclarations")
    match value:
        case dict():
            inner = _LONG_IN_TOOLS if tools else most
            return {key: _shortened(each, inner, key) for key, each in value.items()}
        case list() if tools:
            return [_shortened(each, _LONG_IN_TOOLS) for each in value if _kept(each)]
        case list():
            return [_shortened(each, most, name) for each in value]
        case str() if len(value) > most and not value.startswith('{"'):
            return _lines(value)
    return value


def _kept(tool: dict[str, Any]) -> bool:
    name = tool.get("name") or tool.get("function", {}).get("name")
    return name is None or name in _TOOLS


def _lines(text: str) -> str:
    kept: list[str] = []
    left_out = 0
    for line in text.split("\n"):
        blank_between = not line and kept and not left_out
        if not blank_between and not _MAY_DIFFER.search(line):
            left_out += 1
            continue
        if left_out:
            kept.append(_instead(left_out))
            left_out = 0
        kept.append(line if len(line) <= _LINE else _pieces(line))
    if left_out:
        kept.append(_instead(left_out))
    return "\n".join(kept)


def _instead(count: int) -> str:
    return f"[... {count} {'line' if count == 1 else 'lines'}]"


def _pieces(line: str) -> str:
    """Return what may differ in a long line, each with some letters around its words: paths are of any length."""
    spans: list[tuple[int, int]] = []
    for word in re.finditer(r"\S+", line):
        if not _MAY_DIFFER.search(line, word.start(), word.end()):
            continue
        begin = max(0, word.start() - _BEFORE)
        end = word.end() + _AFTER
        if spans and begin <= spans[-1][1]:
            begin = spans.pop()[0]
        spans.append((begin, end))
    return " [...] ".join(line[begin:end] for begin, end in spans)
