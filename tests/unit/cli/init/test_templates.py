"""The files that a project gets: each of them is one that its reader takes, also when all of it is used."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from wiretape import config
from wiretape.cli.init import templates

ALL_OF_IT = re.sub(r"^#(?=[\[a-z])", "", templates.WIRETAPE_TOML, flags=re.MULTILINE)


@pytest.mark.parametrize("text", [templates.WIRETAPE_TOML, ALL_OF_IT], ids=["as it is", "all of it"])
def test_the_configuration_is_accepted(text: str) -> None:
    read = config.loads("wiretape.toml", text)
    read.check()
    providers = read.providers().names
    assert len(read.matching(providers)) == text.count("\n[[match]]")
    assert bool(read.faults(providers)) == ("\n[[fault]]" in text)


def test_as_it_is_it_says_nothing_and_there_is_something_to_use() -> None:
    assert config.loads("wiretape.toml", templates.WIRETAPE_TOML).tables == {}
    assert config.loads("wiretape.toml", ALL_OF_IT).tables.keys() >= {"session", "match", "redact", "provider", "fault"}


def test_tests_can_be_read(tmp_path: Path) -> None:
    compile(templates.PYTHON_TEST.format(path="tests/test_wiretape.py"), "test_wiretape.py", "exec")
    if not shutil.which("node"):
        pytest.skip("node is not on this machine")
    file = tmp_path / "wiretape.test.mjs"
    file.write_text(templates.JAVASCRIPT_TEST.format(path="test/wiretape.test.mjs"), "utf-8")
    subprocess.run(["node", "--check", str(file)], check=True)


@pytest.mark.skipif(not shutil.which("git"), reason="git is not on this machine")
def test_git_takes_recordings_as_they_are(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(tmp_path), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    git("init", "--quiet")
    (tmp_path / ".gitattributes").write_text("* text=auto eol=crlf\n" + "\n".join(templates.ATTRIBUTES), "utf-8")
    (tmp_path / ".gitignore").write_text("\n".join(templates.IGNORED), "utf-8")
    file = "recordings/default/responses/e99f14805360.json"
    assert git("check-attr", "text", "linguist-generated", "--", file).splitlines() == [
        f"{file}: text: unset",
        f"{file}: linguist-generated: set",
    ]
    assert git("check-ignore", file, "wiretape-tokens.toml", "recordings/x/responses/.wiretape-1-2-3.tmp") == (
        "wiretape-tokens.toml\nrecordings/x/responses/.wiretape-1-2-3.tmp\n"
    )
