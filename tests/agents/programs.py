"""The programs: what is installed of each, how it is started, and what it must leave behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

APPS = Path(__file__).parent / "apps"

TASK = "Print notes.txt with cat, write the word it names into answer.txt, and tell me the word."
KEYS = {
    "OPENAI_API_KEY": "sk-invented-0123456789abcdef0123",
    "ANTHROPIC_API_KEY": "sk-ant-invented-0123456789abcdef",
    "GEMINI_API_KEY": "AIzaInvented0123456789abcdefghijklmnopq",
}
NOTES = "the word is marmalade\n"
ANSWER = "the answer is marmalade\n"


class Registry(Enum):
    """Where a program's packages come from."""

    NPM = "npm"
    PYPI = "PyPI"
    MACHINE = "the machine"
    """Nothing is installed: a language that the machine has, or has not."""


class Clock(Enum):
    """How a program is made to believe that it is another day."""

    FAKETIME = "faketime"
    ZONE = "the zone's file"
    """For static binaries, which faketime does not reach, and for what hangs in it: the local date is that of the other
    side of the earth."""


@dataclass(frozen=True)
class Program:
    """A program and its task."""

    name: str
    registry: Registry
    packages: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    match: str = "auto"
    """What ``wiretape_match`` is in replays: a program without a User-Agent of its own has its preset by its name."""
    leaves: Mapping[str, str] = field(default_factory=lambda: {"notes.txt": NOTES, "answer.txt": ANSWER})
    clock: Clock = Clock.FAKETIME
    same_output: bool = False
    """Whether a replay must print what was printed while it was recorded."""
    recorded_isolated: bool = False
    """Whether it is recorded isolated: it reads no proxy from its environment."""
    copied: tuple[str, ...] = ()
    """Files of ``APPS`` that must stand beside the packages, as Node looks for packages there."""
    refused: int = 0
    """How many of its calls a replay refuses, each a miss, and the recording did not take: a WebSocket."""
    tells_version: tuple[str, ...] = ()
    """For what is the machine's own: the command that prints its version."""
    installed_as: str = ""
    """The program whose packages these are, where it is one of them with other settings."""

    @property
    def folder(self) -> str:
        """The name of the folder of its packages."""
        return self.installed_as or self.name


AGENTS = (
    Program(
        "claude-code",
        Registry.NPM,
        ("@anthropic-ai/claude-code",),
        ("claude", "-p", TASK, "--allowedTools", "Bash", "Write"),
    ),
    Program(
        "codex",
        Registry.NPM,
        ("@openai/codex",),
        ("codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", TASK),
        environment={"CODEX_API_KEY": KEYS["OPENAI_API_KEY"]},
        clock=Clock.ZONE,
    ),
    Program(
        "codex-functions",
        Registry.NPM,
        ("@openai/codex",),
        ("codex", "exec", "-m", "gpt-5", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", TASK),
        environment={"CODEX_API_KEY": KEYS["OPENAI_API_KEY"]},
        clock=Clock.ZONE,
        installed_as="codex",
    ),
    Program("gemini-cli", Registry.NPM, ("@google/gemini-cli",), ("gemini", "-p", TASK, "--yolo", "--skip-trust")),
    Program("opencode", Registry.NPM, ("opencode-ai",), ("opencode", "run", "-m", "openai/gpt-5", TASK)),
    Program(
        "aider",
        Registry.PYPI,
        ("aider-chat",),
        (
            *("aider", "--model", "openai/gpt-5", "--yes-always", "--no-check-update", "--no-show-model-warnings"),
            *("--no-gitignore", "--message", "Change the word to jam.", "notes.txt"),
        ),
        match="auto,aider",
        clock=Clock.ZONE,
        leaves={"notes.txt": "the word is jam\n"},
    ),
    Program(
        "llm",
        Registry.PYPI,
        ("llm",),
        ("llm", "-m", "gpt-4o-mini", "--functions", str(APPS / "llm_tools.py"), TASK),
    ),
)
