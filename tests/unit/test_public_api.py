"""What other programs may use: what it costs to import, and that the examples of its page do what they say."""

import ast
import re
import subprocess
import sys

import pytest

import wiretape
from places import ROOT

PAGE = ROOT / "docs" / "reference" / "python-api.md"


def python(code: str) -> str:
    """Run code in a process of its own, in the checkout, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_imports_none_of_its_modules_and_nothing_else_of_weight() -> None:
    loaded = python("import sys, wiretape; print(*sys.modules)").split()
    assert [name for name in loaded if name.startswith("wiretape")] == ["wiretape"]
    assert {"asyncio", "dataclasses", "mitmproxy", "rich", "typer"}.isdisjoint(loaded)


def test_no_public_name_needs_mitmproxy_or_what_draws_on_a_terminal() -> None:
    loaded = python("import sys\nfrom wiretape import *\nprint(*sys.modules)").split()
    assert {"wiretape.library.verify", "wiretape.store.opening", "wiretape.recording"} <= {*loaded}
    assert {"mitmproxy", "rich", "typer", "obstore", "wiretape.proxy", "wiretape.cli"}.isdisjoint(loaded)


def test_each_public_name_is_the_one_that_type_checkers_see() -> None:
    tree = ast.parse((ROOT / "addons" / "wiretape" / "__init__.py").read_text("utf-8"))
    (checked,) = (each for each in tree.body if isinstance(each, ast.If) and ast.unparse(each.test) == "TYPE_CHECKING")
    seen = {name.name: each.module for each in checked.body if isinstance(each, ast.ImportFrom) for name in each.names}
    assert sorted(seen) == wiretape.__all__
    for name, module in seen.items():
        assert module
        __import__(module)
        assert getattr(wiretape, name) is getattr(sys.modules[module], name)
    assert {*wiretape.__all__} <= {*dir(wiretape)}


def test_what_is_not_public_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Tape'"):
        wiretape.Tape  # type: ignore[attr-defined]  # noqa: B018


def test_the_examples_of_the_page_print_what_it_says() -> None:
    examples = re.findall(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", PAGE.read_text("utf-8"), re.M | re.S)
    assert len(examples) >= 7
    mark = "-- next example --"
    told = python(f"\nprint({mark!r})\n".join(code for code, _ in examples))
    assert told.split(f"{mark}\n") == [expected for _, expected in examples]
