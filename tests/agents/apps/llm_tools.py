"""Tools for ``llm --functions``: it has none of its own."""

from pathlib import Path


def read_file(name: str) -> str:
    """Return the text of a file in the working directory."""
    return Path(name).read_text("utf-8")


def write_file(name: str, text: str) -> str:
    """Write a file in the working directory."""
    Path(name).write_text(text, "utf-8")
    return "written"
