"""Programs from npm and PyPI, each into a folder of its own in ``agents/``. What is there already is kept."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from agents.programs import APPS, Program, Registry
from places import ROOT

FOLDER = ROOT / "agents"
"""Everything that is installed. Git does not know it; remove it, and the newest versions are installed."""

_NODE = "node@22"
_NODE_NEEDED = 22
_WANTED_VERSION = re.compile(r"(?<=.)@.*")
_VERSION = re.compile(r"\d+(?:\.\d+)+")


class InstallError(Exception):
    """A package could not be had."""


class NotOnMachineError(Exception):
    """A language is the machine's own, and it has not got it."""


def install(program: Program) -> None:
    """Install a program's packages, and Node where it needs one. Raises InstallError and NotOnMachineError."""
    match program.registry:
        case Registry.NPM:
            if _own_node():
                _npm("node", (_NODE,))
            _npm(program.folder, program.packages)
        case Registry.PYPI:
            _pypi(program.folder, program.packages)
        case Registry.MACHINE:
            _on_machine(program)
    for each in program.copied:
        shutil.copy(APPS / each, FOLDER / program.folder)


def beside(name: str, file: str) -> str:
    """Return where a file of ``APPS`` is that was copied beside a program's packages."""
    return str(FOLDER / name / Path(file).name)


def paths(program: Program) -> list[Path]:
    """Return the folders of a program's commands, which go before those of ``PATH``."""
    if program.registry is Registry.MACHINE:
        return []
    if program.registry is Registry.PYPI:
        return [_environment(program.folder) / "bin"]
    own = [FOLDER / "node" / "node_modules" / ".bin"] if _own_node() else []
    return [FOLDER / program.folder / "node_modules" / ".bin", *own]


def version(program: Program) -> str:
    """Return the version of a program's first package, or what the machine's own says of itself."""
    if program.registry is Registry.MACHINE:
        said = subprocess.run(program.tells_version, capture_output=True, text=True, check=True)
        found = _VERSION.search(said.stdout + said.stderr)
        return found[0] if found else "unknown"
    package = _WANTED_VERSION.sub("", program.packages[0])
    if program.registry is Registry.NPM:
        described = json.loads((FOLDER / program.folder / "node_modules" / package / "package.json").read_text("utf-8"))
        return str(described["version"])
    name = package.replace("-", "_")
    for each in (_environment(program.folder) / "lib").glob(f"python*/site-packages/{name}-*.dist-info"):
        return each.name.removesuffix(".dist-info").rpartition("-")[2]
    raise InstallError(f"{package} is not in {_environment(program.folder)}")


def _own_node() -> bool:
    """Return whether Node is installed here as well: the machine has none, or an old one."""
    if shutil.which("node") is None:
        return True
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)", said)
    return found is None or int(found[1]) < _NODE_NEEDED


def _on_machine(program: Program) -> None:
    command = program.tells_version[0]
    if shutil.which(command) is None:
        raise NotOnMachineError(f"this machine has no {command}")


def _environment(name: str) -> Path:
    return FOLDER / name / "venv"


def _npm(name: str, packages: Sequence[str]) -> None:
    folder = FOLDER / name
    if (folder / "node_modules").is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true, "type": "module"}\n', "utf-8")
    _run(["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--silent", *packages])


def _pypi(name: str, packages: Sequence[str]) -> None:
    environment = _environment(name)
    if (environment / "installed").exists():
        return
    uv = str(Path(sys.executable).with_name("uv"))
    _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(environment)])
    _run([uv, "pip", "install", "--quiet", "--python", str(environment / "bin" / "python"), *packages])
    (environment / "installed").touch()


def _run(command: list[str]) -> None:
    print(f"installing: {' '.join(command[-2:])}", file=sys.stderr)
    made = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    if made.returncode:
        raise InstallError(f"{' '.join(command)}: {made.stderr.strip()[-800:]}")
