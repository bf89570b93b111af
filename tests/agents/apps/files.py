"""The two tools that each framework's program gives its model, and what it asks."""

from pathlib import Path

TASK = "Read notes.txt, write the word it names into answer.txt, and tell me the word."


def read_file(name: str) -> str:
    """Return the text of a file in the working directory."""
    return Path(name).read_text("utf-8")


def write_file(name: str, text: str) -> str:
    """Write a file in the working directory."""
    Path(name).write_text(text, "utf-8")
    return "written"
