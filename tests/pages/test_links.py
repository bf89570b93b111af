"""Whether every link of the documents leads somewhere, and every page is found from the first one."""

import re
from pathlib import Path

import pytest

from pages import links
from places import PACKAGE, ROOT

DOCS = ROOT / "docs"


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", links.documents(), ids=name)
def test_every_link_leads_somewhere(document: Path) -> None:
    assert links.broken(document) == []


@pytest.mark.parametrize("document", links.documents(), ids=name)
def test_no_two_headings_have_one_anchor(document: Path) -> None:
    if document.name == "CHANGELOG.md":
        return  # Each version has the same headings.
    found = links.anchors(document.read_text("utf-8"))
    assert sorted(set(found)) == sorted(found)


@pytest.mark.parametrize("document", links.documents(), ids=name)
def test_every_file_of_the_repository_that_is_named_is_there(document: Path) -> None:
    if document.name == "CHANGELOG.md":
        return  # It tells of what was.
    for path in links.paths(document.read_text("utf-8")):
        assert (ROOT / path).exists(), path


def test_every_module_that_the_architecture_names_is_there() -> None:
    text = (DOCS / "contributing" / "architecture.md").read_text("utf-8")
    named = re.findall(r"`(\w+)/(\w+)`", text)
    assert len(named) > 5
    for package, module in named:
        assert (PACKAGE / package / module).is_dir() or (PACKAGE / package / f"{module}.py").is_file(), module


def test_links_and_anchors_of_a_page() -> None:
    text = "# A `b` c: d\n[`x`](y.md#z) ![p](q.svg)\n```sh\n# no heading\n[no](link)\n```\n`[no](link)`\n"
    assert links.anchors(text) == ["a-b-c-d"]
    assert links.links(text) == ["y.md#z", "q.svg"]


def test_a_broken_link_and_a_broken_anchor_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here\n[a](page.md#here) [b](page.md#there) [c](gone.md) [d](https://example.com)\n", "utf-8")
    assert links.broken(page) == ["page.md#there", "gone.md"]


def test_every_page_is_in_the_index() -> None:
    index = DOCS / "README.md"
    listed = {(DOCS / target.partition("#")[0]).resolve() for target in links.links(index.read_text("utf-8"))}
    assert {page for page in DOCS.rglob("*.md") if page != index} <= listed


def test_every_page_is_in_the_sites_navigation() -> None:
    navigation = (ROOT / "config" / "mkdocs.yml").read_text("utf-8")
    for page in DOCS.rglob("*.md"):
        assert f": {page.relative_to(DOCS)}\n" in navigation, page


def test_the_readme_is_of_one_sitting() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 180
