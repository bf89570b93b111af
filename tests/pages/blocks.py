"""The commands that a page shows, run as a reader would run them: in the order of the page, in one shell.

A block of ``sh`` is run. One that begins with a comment ``# Needs ...`` says what a reader needs for it, and is not
run, except where all that it needs is a key or what came before it on the page: then a provider on loopback stands in.
Each line of a block of ``text`` that follows must be in what the commands print; ``...`` stands for any lines.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from places import ROOT

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NEEDS = re.compile(r"# Needs (.+)\.\n")
_AT_HAND = re.compile(r"a key of OpenAI|the recording of step \d")
"""What a test has, though a reader may not."""

_MARK = "===== block"


@dataclass(frozen=True, slots=True)
class Block:
    """A block of commands: the line of the page, the commands, and the lines that they are said to print."""

    line: int
    commands: str
    prints: tuple[str, ...] = ()

    @property
    def needs(self) -> str | None:
        """What a reader needs for it, or None."""
        match = _NEEDS.match(self.commands)
        return match[1] if match else None

    @property
    def is_run(self) -> bool:
        """Whether a test runs it."""
        return self.needs is None or _AT_HAND.fullmatch(self.needs) is not None


def blocks(text: str) -> list[Block]:
    """Return the blocks of commands of a page, in their order."""
    found: list[Block] = []
    last = ""
    for match in _FENCE.finditer(text):
        language, body = match[1], match[2]
        if language == "sh":
            found.append(Block(text.count("\n", 0, match.start()) + 1, body))
        elif language == "text" and last == "sh":
            printed = tuple(line for line in body.splitlines() if line.strip() not in ("", "..."))
            found[-1] = Block(found[-1].line, found[-1].commands, printed)
        last = language
    return found


def of_language(text: str, language: str) -> list[str]:
    """Return the blocks of a page in a language, such as ``toml``."""
    return [body for found, body in _FENCE.findall(text) if found == language]


def clone(folder: Path) -> Path:
    """Make what a reader has: a clone of the repository, as far as the commands of pages need it."""
    folder.mkdir()
    for name in ("addons", "config"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "recordings" / "default", folder / "recordings" / "default")
    return folder


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a reader who has activated the virtual environment."""
    scripts = Path(sys.executable).parent
    return {
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "OPENAI_API_KEY": "sk-of-nobody",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def run(page: list[Block], folder: Path, env: Mapping[str, str]) -> dict[int, str]:
    """Run blocks in one shell. Return what each of them printed, by its line.

    Raises AssertionError, with the output, where a command fails.
    """
    script = "set -e\n" + "".join(f"echo '{_MARK} {block.line}'\n{block.commands}\n" for block in page)
    result = subprocess.run(
        ["sh"],
        input=script,
        cwd=folder,
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    printed: dict[int, str] = {}
    for piece in result.stdout.split(_MARK)[1:]:
        line, _, output = piece.partition("\n")
        printed[int(line)] = output
    if result.returncode != 0:
        failed = max(printed, default=0)
        raise AssertionError(f"the block at line {failed} ended with {result.returncode}:\n{printed.get(failed)}")
    return printed
