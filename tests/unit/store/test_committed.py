"""When files were committed last, by a real git."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from wiretape.store import committed as module
from wiretape.store.committed import committed

needs_git = pytest.mark.skipif(not shutil.which("git"), reason="git is not on this machine")

WHEN = {"one": 1_700_000_000, "two": 1_710_000_000}


def git(folder: Path, *arguments: str, at: int = 0) -> None:
    identity = {f"GIT_{who}_{what}": "x@example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_AUTHOR_DATE": f"{at} +0000"} | identity
    subprocess.run(["git", "-C", str(folder), *arguments], env=env, check=True, capture_output=True)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A folder of a repository: a file of each commit, one that changed since, one that was never committed."""
    folder = tmp_path / "recordings" / "main" / "responses"
    folder.mkdir(parents=True)
    git(tmp_path, "init", "-q")
    for name, at in WHEN.items():
        (folder / f"{name}.json").write_text(name)
        (folder / "changed.json").write_text(name)
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", name, at=at)
    (folder / "changed.json").write_text("since then")
    (folder / "new.json").write_text("new")
    return folder


NAMES = ["one.json", "two.json", "changed.json", "new.json"]
KNOWN = {f"{name}.json": float(at) for name, at in WHEN.items()}


@needs_git
def test_a_file_is_as_old_as_its_last_commit(folder: Path) -> None:
    assert committed(folder, NAMES) == KNOWN


@needs_git
def test_variables_of_a_hook_lead_to_no_other_repository(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    assert committed(folder, NAMES) == KNOWN


@needs_git
def test_no_more_is_read_than_is_wanted_nor_than_is_allowed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert committed(folder, ["two.json"]) == {"two.json": WHEN["two"]}
    assert committed(folder, []) == {}
    monkeypatch.setattr(module, "_LINES", 3)
    assert "one.json" not in committed(folder, NAMES)


def test_nothing_is_known_outside_of_a_repository_nor_without_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.json").write_text("one")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert committed(tmp_path, ["one.json"]) == {}
    assert committed(tmp_path / "none", ["one.json"]) == {}
    monkeypatch.setenv("PATH", "")
    assert committed(tmp_path, ["one.json"]) == {}
