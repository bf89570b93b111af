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
    SYSTEM = "the system"
    """Nothing is installed: the command is on the path, or the program is left out."""


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
    flags: tuple[str, ...] = ()
    """Flags of ``wiretape run``, besides."""
    app: str = ""
    """A file of ours that goes beside what is installed, as Node looks for packages there: ``@APP@`` in the command."""


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

_SAID = {"notes.txt": NOTES, "answer.txt": "Change the word."}
"""What a program leaves that asks once, without tools, and writes the answer."""

FRAMEWORKS = (
    Program("openai-agents", Registry.PYPI, ("openai-agents",), ("python", str(APPS / "agents_sdk.py"), TASK)),
    Program(
        "pydantic-ai",
        Registry.PYPI,
        ("pydantic-ai-slim[google]",),
        ("python", str(APPS / "pydantic_ai_gemini.py"), TASK),
    ),
    Program(
        "langchain",
        Registry.PYPI,
        ("langchain", "langchain-openai"),
        ("python", str(APPS / "langchain_agent.py"), TASK),
    ),
    Program(
        "ai-sdk",
        Registry.NPM,
        ("ai", "@ai-sdk/google", "zod"),
        ("node", "@APP@", TASK),
        app="ai_sdk_gemini.mjs",
    ),
    Program(
        "aiohttp",
        Registry.PYPI,
        ("aiohttp",),
        ("python", str(APPS / "aiohttp_default.py"), TASK),
        leaves=_SAID,
        flags=("--isolate",),
    ),
    Program(
        "java",
        Registry.SYSTEM,
        (),
        ("java", str(APPS / "Chat.java"), TASK),
        leaves=_SAID,
        flags=("--isolate",),
        clock=Clock.ZONE,
    ),
    Program("php", Registry.SYSTEM, (), ("php", str(APPS / "chat.php"), TASK), leaves=_SAID, flags=("--isolate",)),
    Program("ruby", Registry.SYSTEM, (), ("ruby", str(APPS / "chat.rb"), TASK), leaves=_SAID),
)
