"""Somebody with a shell in an empty folder, who types ``wiretape``: a real process, and files to inspect."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import forked
from harness import TO_LOOPBACK, confdir
from loopback import Provider

PLAIN = """
import json, urllib.request
messages = [{"role": "user", "content": "Hello, world!"}]
model = "accounts/fireworks/models/llama-v3p1-8b-instruct"
asked = json.dumps({"messages": messages, "model": model, "stream": True}).encode()
headers = {"content-type": "application/json", "authorization": "Bearer sk-secret-of-the-user"}
url = "https://api.fireworks.ai/inference/v1/chat/completions"
with urllib.request.urlopen(urllib.request.Request(url, asked, headers)) as answer:
    for line in answer:
        if line.startswith(b"data: {"):
            print(json.loads(line[6:])["choices"][0]["delta"].get("content") or "", end="", flush=True)
"""
"""A client without an SDK, whose import would take most of the time of a test."""


class User:
    """Runs ``wiretape`` with an environment in which nothing of the test machine's settings is left."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.folder = folder / "work"
        self.temporary = folder / "tmp"
        self.folder.mkdir()
        self.temporary.mkdir()
        # As of a user who has run it before: to make a CA and to read its key of RSA is half of a start.
        shutil.copytree(confdir(), home / ".mitmproxy", dirs_exist_ok=True)
        kept = {key: os.environ[key] for key in ("PATH", "LANG", "SYSTEMROOT") if key in os.environ}
        self.env = kept | {"HOME": str(home), "TMPDIR": str(self.temporary), "PYTHONDONTWRITEBYTECODE": "1"}
        self.script = shutil.which("wiretape", path=str(Path(sys.executable).parent)) or "wiretape"

    def app(self, text: str) -> list[str]:
        """The command that runs this Python program."""
        path = self.folder / "app.py"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return [sys.executable, str(path)]

    def wiretape(self, *args: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """``wiretape`` with these arguments, when it has ended."""
        return forked.wiretape(*args, cwd=self.folder, env=self.env | dict(env or {}))

    def started(self, *args: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """The same with all of its start, imports too."""
        return subprocess.run(
            [self.script, *args],
            cwd=self.folder,
            env=self.env | dict(env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def to(self, origin: Provider) -> list[str]:
        """Flags with which everything that goes upstream goes to ``origin``, whose CA is the user's own."""
        self.env["TO_LOOPBACK_ORIGIN"] = json.dumps({"*": origin.port})
        self.env["TO_LOOPBACK_CONNECTS"] = str(self.folder / "connects")
        self.env["SSL_CERT_FILE"] = str(origin.ca_pem)
        return ["--set", f"scripts={TO_LOOPBACK}"]
