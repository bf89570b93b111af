"""What the blocks of code on the pages say and hold: what a reader needs, and examples that can be read."""

import json
import re
from pathlib import Path

import pytest

from pages import blocks, links
from pages.blocks import Block, Ports
from places import ROOT
from wiretape import config

KNOWN_NEEDS = (
    "a bucket",
    "a clone",
    "a key",
    "a proxy",
    "a terminal of its own",
    "make",
    "root",
    "the agent",
    "the environment",
    "the file above",
    "the files above",
    "the network",
    "the proxy",
    "the recording",
    "your program",
    "your tests",
)
"""How the words begin that say what a reader needs: a block is not left out in passing."""


@pytest.fixture
def ports() -> Ports:
    """Where the proxies of a page listen."""
    return Ports.free()


@pytest.mark.parametrize("page", links.documents(), ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_block_needs_is_said_in_words_that_are_known(page: Path) -> None:
    for block in blocks.blocks(page.read_text("utf-8")):
        if block.needs:
            assert block.needs.lower().startswith(KNOWN_NEEDS), block.needs


def _check_configuration(file: str, text: str) -> None:
    """Raise ConfigurationError where wiretape would not take this file of ``wiretape_config``."""
    config.loads(file, text).check()


@pytest.mark.parametrize("page", links.documents(), ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_in_other_languages_can_be_read(page: Path) -> None:
    text = page.read_text("utf-8")
    # That page's are of an endpoint which it adds itself: it has a test of its own.
    for body in blocks.of_language(text, "toml") if page.stem != "adding-an-endpoint" else ():
        _check_configuration(page.name, body)
    for body in blocks.of_language(text, "json"):
        json.loads(body)
    for body in blocks.of_language(text, "python"):
        compile(body, str(page), "exec")


def test_no_block_of_commands_hides_behind_another_language() -> None:
    for page in links.documents():
        fences = re.findall(r"^```(\w*)$", page.read_text("utf-8"), re.MULTILINE)
        assert not {"bash", "shell", "console", "zsh"} & set(fences), page


def test_blocks_of_a_page() -> None:
    text = (
        "```sh\na\n```\nsays\n```text\nx\n...\n```\n"
        "```sh\n# Needs a bucket.\nb\n```\n```toml\nc = 1\n```\n```text\ny\n```\n"
    )
    first, second = blocks.blocks(text)
    assert first == Block(1, "a\n", ("x",))
    assert first.is_run
    assert (second.needs, second.prints, second.is_run) == ("a bucket", (), False)


PATH = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a shell is started."""
    (tmp_path / "clone").mkdir()
    return tmp_path / "clone"


def test_a_command_that_fails_is_told_with_its_line(folder: Path, ports: Ports) -> None:
    with pytest.raises(AssertionError, match=r"the block at line 3 ended with 1:\n\nhello\n$"):
        blocks.run([Block(1, "true\n"), Block(3, "echo hello\nfalse\necho more\n")], folder, PATH, ports)


def test_what_a_block_exports_the_next_one_finds(folder: Path, ports: Ports) -> None:
    page = [Block(1, "export NAME=http://127.0.0.1:8080\n"), Block(3, 'echo "$NAME"\n')]
    assert blocks.run(page, folder, PATH, ports)[3].strip() == f"http://127.0.0.1:{ports.proxy}"
