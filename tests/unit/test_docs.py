"""The order in which modules are read, held against the modules: the docstring of each package names them all."""

import ast
import re
from pathlib import Path

import pytest

from places import ROOT

PACKAGE = ROOT / "addons" / "wiretape"
PACKAGES = [each.parent for each in sorted(PACKAGE.rglob("__init__.py"))]


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
