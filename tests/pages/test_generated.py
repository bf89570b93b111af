"""Whether the generated parts of the documentation are what the code would write today."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import report
from pages import cast, marks, reference
from places import ROOT
from wiretape.config import schema


@pytest.mark.parametrize("page", reference.PAGES, ids=lambda page: page.stem)
def test_a_page_is_what_the_code_writes(page: Path) -> None:
    assert page.read_text("utf-8") == reference.written(page), "run .venv/bin/python tests/pages"


def test_every_option_has_a_heading_of_its_own() -> None:
    page = (reference.REFERENCE / "options.md").read_text("utf-8")
    headings = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## wiretape_")]
    assert headings == [option.name for option in reference.declared_options()]


def _properties(described: Any) -> Iterator[str]:
    """Yield the names of all members that a JSON schema describes."""
    match described:
        case dict():
            yield from described.get("properties", {})
            for each in described.values():
                yield from _properties(each)
        case list():
            for each in described:
                yield from _properties(each)


def test_every_key_of_the_configuration_is_explained() -> None:
    told = "".join(
        (ROOT / "docs" / page).read_text("utf-8") for page in ("reference/config-file.md", "guides/faults.md")
    )
    for name in {*_properties(json.loads(schema.text()))}:
        assert re.search(rf"`\[*{name}\b|\b{name} =", told), name


def test_a_part_without_a_place_and_a_place_without_a_part_are_told() -> None:
    page = "<!-- begin: a -->\nold\n<!-- end: a -->\n"
    assert marks.filled(page, {"a": "new"}) == "<!-- begin: a -->\n\nnew\n\n<!-- end: a -->\n"
    with pytest.raises(ValueError, match="no place for b"):
        marks.filled(page, {"a": "new", "b": "more"})
    with pytest.raises(ValueError, match="nothing is called a"):
        marks.filled(page, {})


def test_texts_of_the_code_become_markdown() -> None:
    assert reference.prose('Below <a>/b: "x" and wiretape_mode, or --set; "*" for all.') == (
        "Below &lt;a>/b: `x` and `wiretape_mode`, or `--set`; `*` for all."
    )


def test_the_picture_of_the_demo_has_the_lines_that_it_was_drawn_of() -> None:
    lines = ["a <b> & c", "", "wiretape: miss"]
    assert cast.shown(cast.drawn(lines)) == lines
    assert any("nothing left this machine" in line for line in cast.shown(cast.PICTURE.read_text("utf-8")))


def test_the_page_of_figures_is_what_the_bench_would_write() -> None:
    page = report.PAGE.read_text("utf-8")
    assert report.filled(page, report.markdown(report.read())) == page
