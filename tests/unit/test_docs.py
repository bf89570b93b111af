"""What the documents say, held against the code: links, options, commands, and the order in which modules are read."""

import ast
import re
import warnings
from pathlib import Path
from typing import Any, cast

import pytest

from places import ROOT

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy.addonmanager import Loader

    from wiretape.proxy import options as proxy_options

DOCUMENTS = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
PACKAGE = ROOT / "addons" / "wiretape"
PACKAGES = [each.parent for each in sorted(PACKAGE.rglob("__init__.py"))]
INTERNAL = "wiretape_coordinator"


def prose(document: Path) -> str:
    """A document without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    document = ROOT / name
    text = re.sub(r"`[^`\n]*`", "", prose(document))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = ROOT / path if path else document
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_every_section_of_the_readme_is_in_its_contents() -> None:
    text = prose(ROOT / "README.md")
    contents = text[text.index("Contents:") : text.index("\n## ")]
    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [*re.findall(r"\(#([^)]+)\)", contents)] == [
        re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in sections
    ]


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading of the README, without its head."""
    text = (ROOT / "README.md").read_text("utf-8")
    section = text[text.index(f"\n## {heading}\n") :]
    table = next(part for part in section.split("\n\n") if part.startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]


def declared_options() -> dict[str, Any]:
    """Return the addon's options, in the order in which it declares them, with their defaults."""
    declared: dict[str, Any] = {}

    class Declaring:
        def add_option(self, name: str, kind: type, default: Any, told: str, choices: object = None) -> None:
            declared[name] = default

    proxy_options.declare(cast(Loader, Declaring()))
    return declared


def test_the_readme_has_every_option_with_its_default() -> None:
    declared = declared_options()
    del declared[INTERNAL]
    told = {name.strip("`"): default for name, _, default, _ in rows("Options")}
    assert [name.strip("`") for name, *_ in rows("Options")] == [*declared]
    for name, default in declared.items():
        if not default and not isinstance(default, bool):  # What it means is said in words.
            assert "`" not in told[name] or name in ("wiretape_mode", "wiretape_modes"), name
        else:
            assert told[name] == f"`{str(default).lower() if isinstance(default, bool) else default}`", name


def test_the_readme_has_every_command() -> None:
    from typer.main import get_command

    from wiretape.cli.commands import app

    commands = get_command(app).commands  # type: ignore[attr-defined]
    told = [match[1] for name, _ in rows("Commands") if (match := re.match(r"`wiretape (\w+)", name))]
    assert sorted(told) == sorted(commands)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_package_names_its_modules(package: Path) -> None:
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8")))
    assert docstring
    modules = {each.stem for each in package.glob("*.py") if not each.stem.startswith("__")}
    modules |= {each.parent.name for each in package.glob("*/__init__.py")}
    listed: set[str] = set()
    for line in docstring.splitlines():
        # A line of the reading order begins with a name, in a column of its own.
        if re.match(r"``\w+``(, ``\w+``)* {2,}|``\w+``(, ``\w+``)* +\S", line):
            listed |= set(re.findall(r"``(\w+)``", line.partition("  ")[0]))
    assert modules <= set(re.findall(r"``(\w+)``", docstring))
    assert listed <= modules
