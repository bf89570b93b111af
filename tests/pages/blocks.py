"""The commands that a page shows, run as a reader would run them: in the order of the page, in one shell.

A block of ``sh`` is run. One that begins with a comment ``# Needs ...`` says what a reader needs for it, and is not
run, with two exceptions. Where it needs a key, or what came before it on the page, a provider on loopback stands in.
And what needs a terminal of its own is started beside the shell, and ended with the page.

Each line of a block of ``text`` that follows must be in what the commands print; ``...`` stands for any lines.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import TO_LOOPBACK, wait_until
from places import ROOT

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NEEDS = re.compile(r"# Needs (.+)\.\n")
_AT_HAND = re.compile(r"a key of OpenAI|the recording of step \d|the proxy(, and a key of OpenAI)?")
"""What a test has, though a reader may not."""

_STAYS = "a terminal of its own: it runs until Ctrl-C"
"""What a block needs that starts a proxy which stays up."""

_UP = "wiretape: mode "
"""What the log of a proxy says when the addon is there."""

_MARK = "===== the block has ended"


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
    def stays(self) -> bool:
        """Whether it starts what stays up."""
        return self.needs == _STAYS

    @property
    def is_run(self) -> bool:
        """Whether a test runs it."""
        return self.needs is None or self.stays or _AT_HAND.fullmatch(self.needs) is not None


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


def in_order(text: str) -> list[tuple[str, str]]:
    """Return all blocks of a page in their order, each with its language."""
    return _FENCE.findall(text)


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


@dataclass(frozen=True, slots=True)
class Ports:
    """Free ports of this machine for those that pages name: several pages are run at the same time."""

    proxy: int
    reverse: int
    second_reverse: int
    counters: int

    @classmethod
    def free(cls) -> "Ports":
        """Find four."""
        with contextlib.ExitStack() as held:
            sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(4)]
            return cls(*(each.getsockname()[1] for each in sockets))

    def put_into(self, commands: str) -> str:
        """Return the commands with these ports in the place of the page's."""
        for page, ours in ((8080, self.proxy), (8081, self.reverse), (8082, self.second_reverse)):
            commands = re.sub(rf"(?<=[:@]){page}\b", str(ours), commands)
        return commands


def environment(home: Path, ports: Ports) -> dict[str, str]:
    """Return the environment of a reader, all but where programs are found."""
    return {
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "OPENAI_API_KEY": "sk-of-nobody",
        "PYTHONDONTWRITEBYTECODE": "1",
        "WIRETAPE_WORKERS": "1",
        "WIRETAPE_LISTEN": f"127.0.0.1:{ports.proxy}",
        "WIRETAPE_PROXY": f"http://127.0.0.1:{ports.proxy}",
        "WIRETAPE_METRICS": f"127.0.0.1:{ports.counters}",
        "WIRETAPE_URL": f"http://127.0.0.1:{ports.counters}",
    }


class Shell:
    """A shell that stays: what one block exports, the next one finds. A context manager.

    It writes to a file, as that is what a program that was forked (``cheap_programs``) can write to.
    """

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._log = folder.parent / "log"
        with self._log.open("a", encoding="utf-8") as log:
            self._sh = subprocess.Popen(
                ["sh"],
                cwd=folder,
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                encoding="utf-8",
                start_new_session=True,
            )
        self._seen = 0

    def __enter__(self) -> "Shell":
        return self

    def __exit__(self, *exc: object) -> None:
        # Whatever a command has left behind goes with its shell.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._sh.pid, signal.SIGKILL)
        self._sh.communicate()

    def run(self, block: Block) -> str:
        """Run a block. Return what it prints. Raises AssertionError, with that, where a command of it fails."""
        assert self._sh.stdin
        # In a subshell of its own "set -e" would end it, but lose what it exports: so it ends the whole shell.
        self._sh.stdin.write(f"set -e\n{block.commands}\nset +e\necho; echo '{_MARK}'\n")
        self._sh.stdin.flush()
        wait_until(lambda: self._sh.poll() is not None or _MARK in self._printed(), 100)
        printed, mark, _ = self._printed().partition(_MARK)
        assert mark, f"the block at line {block.line} ended with {self._sh.poll()}:\n{printed}"
        self._seen += len(printed) + len(mark)
        return printed

    def _printed(self) -> str:
        return self._log.read_text("utf-8")[self._seen :]


@contextlib.contextmanager
def started(block: Block, folder: Path, env: dict[str, str], port: int) -> Iterator[None]:
    """Start what stays up, wait until it listens, and end it as SIGTERM ends it: with exit code 0."""
    command = _NEEDS.sub("", block.commands).strip()
    if command.startswith("mitmdump"):
        command += f" -s {TO_LOOPBACK}"  # Of scripts, those on the line replace those of config.yaml.
    path = folder.parent / f"log-{block.line}"
    ca = Path(env["HOME"]) / ".mitmproxy" / "mitmproxy-ca-cert.pem"

    def is_up() -> bool:
        # The first proxy of a home makes its CA behind the first lines of its log.
        return _UP in path.read_text("utf-8") and _listens(port) and ca.exists()

    with path.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            ["sh", "-c", f"exec {command}"],
            cwd=folder,
            env=env | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_until(lambda: process.poll() is not None or is_up(), 100)
            yield
            process.terminate()
            code = process.wait(60)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        assert code == 0, f"the block at line {block.line} ended with {code}:\n{path.read_text('utf-8')}"


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def run(page: list[Block], folder: Path, env: dict[str, str], ports: Ports) -> dict[int, str]:
    """Run the blocks of a page in one shell. Return what each of them printed, by its line.

    Raises AssertionError, with the output, where a command fails.
    """
    printed: dict[int, str] = {}
    with contextlib.ExitStack() as proxies, Shell(folder, env) as shell:
        for block in page:
            here = Block(block.line, ports.put_into(block.commands), block.prints)
            if here.stays:
                proxies.enter_context(started(here, folder, env, ports.proxy))
            else:
                printed[here.line] = shell.run(here)
    return printed
