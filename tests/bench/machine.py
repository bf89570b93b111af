"""Cores, processes, C programs. A server has one core, whoever asks it another: neither takes from the other."""

import json
import os
import platform
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]

_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = _CORES[0], _CORES[-1]

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class BenchError(Exception):
    """What stops a measurement, in words for whoever runs it."""


def describe() -> dict[str, Any]:
    """The machine as a reader of the figures must know it, without what names it."""
    facts = Path("/proc/cpuinfo").read_text("utf-8")
    model = next((line.partition(":")[2].strip() for line in facts.splitlines() if line.startswith("model name")), "")
    versions = {name: version(name) for name in ("mitmproxy", "openai", "vcrpy")}
    return {
        "cores": len(_CORES),
        "processor": model or platform.machine(),
        "python": platform.python_version(),
        "system": platform.system(),
        **versions,
    }


def build(folder: Path) -> None:
    """Compile ``load``, ``origin`` and ``floor`` into a folder."""
    sources = FOLDER / "c"
    programs = {
        "load": ("load", "link", "http1", "http2"),
        "origin": ("origin", "server"),
        "floor": ("floor", "server"),
    }
    for program, parts in programs.items():
        files = [str(sources / f"{part}.c") for part in parts]
        flags = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra"]
        command = ["cc", *flags, "-o", str(folder / program), *files, "-lssl", "-lcrypto", "-pthread"]
        try:
            subprocess.run(command, check=True)
        except (OSError, subprocess.CalledProcessError) as e:
            raise BenchError(f"a C compiler and OpenSSL's headers (Debian: gcc libssl-dev) are needed: {e}") from e


def pinned(core: int, command: Sequence[str]) -> list[str]:
    """The command, bound to a core."""
    return ["taskset", "-c", str(core), *command]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without proxies and options of ours."""
    kept = {k: v for k, v in os.environ.items() if k.lower() not in _PROXIES and not k.startswith("WIRETAPE_")}
    return {**kept, **(extra or {})}


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def ask(command: Sequence[str], env: Mapping[str, str] | None = None, timeout: float = 900) -> dict[str, Any]:
    """Run a program that measures, on its core; the JSON of its last line. Raises BenchError where it fails."""
    done = subprocess.run(
        pinned(CLIENT_CORE, command),
        env=environment(env),
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise BenchError(f"{Path(command[0]).name} failed: {' '.join(lines[-1:])} {done.stderr[-2000:]}".strip())
    result: dict[str, Any] = json.loads(lines[-1])
    return result


class Process:
    """A server, on its core, as a context manager. Its output goes to a file, in whose folder it runs."""

    def __init__(self, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self._command = pinned(SERVER_CORE, command)
        self._env = environment(env)
        self.log = log

    def __enter__(self) -> Self:
        self.started = time.monotonic()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.log.parent,  # MockServer writes files where it is started.
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def check(self) -> None:
        """Raise BenchError where the process has ended."""
        if self._process.poll() is not None:
            raise BenchError(f"the server ended: {self.log.read_text('utf-8', 'replace')[-2000:]}")

    def wait_for_port(self, port: int, timeout: float = 120) -> None:
        """Return when somebody listens."""
        while time.monotonic() < self.started + timeout:
            self.check()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise BenchError(f"the server does not listen: {self.log.read_text('utf-8', 'replace')[-2000:]}")

    def memory(self) -> float:
        """The resident set in megabytes (10^6 bytes)."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text("utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmRSS"))

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
