"""A module of ours in a Python of its own: nothing of the folder that it was started in is run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from wiretape.journal import isolated


def test_the_command_is_an_isolated_python_with_the_installed_packages() -> None:
    python, alone, file, installed, module = isolated.command("wiretape.x")
    assert (python, alone, module) == (sys.executable, "-I", "wiretape.x")
    assert Path(file) == Path(isolated.__file__).resolve()
    folders = json.loads(installed)
    assert folders
    assert all(Path(each).is_absolute() for each in folders)
    assert {Path(each).name for each in folders} <= {"site-packages", "dist-packages"}


def test_a_relative_folder_of_packages_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sys, "path", ["", "site-packages", "./dist-packages", "/a/site-packages", "/a/site-packages", "/b"]
    )
    assert json.loads(isolated.command("m")[3]) == ["/a/site-packages"]


def test_what_a_folder_calls_as_we_do_is_not_run(tmp_path: Path) -> None:
    for name in ("random", "logging", "wiretape", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("print('run'); raise SystemExit(9)")
    env = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = isolated.command("wiretape.codecs.units")  # It has no main: it is imported, and that is all.
    ran = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert ran.stdout == ""
    assert "has no attribute 'main'" in ran.stderr
    assert "wiretape.codecs.units" in ran.stderr
