"""The links of a page, and the anchors that a page has. Text in, names out."""

import re
from pathlib import Path

from places import ROOT

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PATH = re.compile(r"`(?:\.venv/bin/python )?((?:addons|config|docs|tests)(?:/[\w.-]+)+/?)[^`\n]*`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINKED_WORDS = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def documents() -> list[Path]:
    """Return every document of the repository that people read."""
    top = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
    return [*top, *sorted((ROOT / "docs").rglob("*.md"))]


def prose(text: str) -> str:
    """Return a document without its blocks of code."""
    return _FENCE.sub("", text)


def anchors(text: str) -> list[str]:
    """Return the anchors of a document's headings, as GitHub makes them, in their order."""
    headings = (_LINKED_WORDS.sub(r"\1", heading) for heading in _HEADING.findall(prose(text)))
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def links(text: str) -> list[str]:
    """Return where a document's links lead, the pictures' included."""
    # Code within a link's words stands before its target: without code, the brackets stay.
    return _LINK.findall(_CODE.sub("", prose(text)))


def paths(text: str) -> list[str]:
    """Return the files and folders of the repository that a document names as code."""
    return _PATH.findall(prose(text))


def broken(document: Path) -> list[str]:
    """Return the links of a document that lead nowhere, each as it is written."""
    lost = []
    for target in links(document.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = document.parent / path if path else document
        if not linked.exists() or (anchor and anchor not in anchors(linked.read_text("utf-8"))):
            lost.append(target)
    return lost
