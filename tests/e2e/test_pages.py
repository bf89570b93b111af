"""Whether the commands that README and pages show work, and print what the pages say that they print."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import TO_LOOPBACK
from loopback import Provider, json_answer
from pages import blocks, links
from pages.blocks import Block, Ports
from pages.cheap_programs import on_the_path
from places import ROOT

README = ROOT / "README.md"


def _pages() -> list[Path]:
    """Return the pages with commands that a test runs, those with the most of them first."""
    counted = {page: len(_runnable(page)) for page in links.documents()}
    return sorted((page for page in counted if counted[page]), key=lambda page: -counted[page])


def _runnable(page: Path) -> list[Block]:
    """Return the blocks of a page that are run. What the README shares with the tutorial is run there."""
    found = [each for each in blocks.blocks(page.read_text("utf-8")) if each.is_run]
    if page == README:
        tutorial = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
        found = [each for each in found if each.commands not in tutorial]
    return found


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """A provider on loopback, which stands in where a page needs a key."""
    with Provider() as provider:
        message = {"role": "assistant", "content": "Light scatters."}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
        answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini"}
        provider.on("/v1/chat/completions", json_answer(answer | {"choices": [choice], "usage": usage}))
        yield provider


@pytest.fixture
def ports() -> Ports:
    """Where the proxies of a page listen."""
    return Ports.free()


@pytest.fixture(scope="module")
def programs() -> Iterator[dict[str, str]]:
    """The variables by which a reader finds the programs."""
    with on_the_path() as found:
        yield found


@pytest.fixture
def env(tmp_path: Path, provider: Provider, ports: Ports, programs: dict[str, str]) -> dict[str, str]:
    """The environment of a reader whose proxies reach the provider on loopback, and nothing else."""
    home = tmp_path / "home"
    (home / ".mitmproxy").mkdir(parents=True)
    # With the host named, no proxy moves its ports to this machine's own address when the addon comes.
    options = f"scripts: [{TO_LOOPBACK}]\nlisten_host: 127.0.0.1\nlisten_port: {ports.proxy}\n"
    (home / ".mitmproxy" / "config.yaml").write_text(options, "utf-8")
    loopback = {
        "TO_LOOPBACK_ORIGIN": json.dumps({"api.openai.com": provider.port}),
        "TO_LOOPBACK_CONNECTS": str(tmp_path / "connects"),
        "SSL_CERT_FILE": str(provider.ca_pem),
    }
    return blocks.environment(home, ports) | programs | loopback


@pytest.mark.parametrize("page", _pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_work(page: Path, tmp_path: Path, env: dict[str, str], ports: Ports) -> None:
    found = _runnable(page)
    printed = blocks.run(found, blocks.clone(tmp_path / "clone"), env, ports)
    assert printed.keys() == {block.line for block in found if not block.stays}
    for block in found:
        for line in block.prints:
            assert line in printed[block.line], f"the block at line {block.line} is said to print this"
