"""The entry point of the ``wiretape`` command."""

import sys
from io import TextIOWrapper

from wiretape.cli.commands import app


def main() -> None:
    """Run the command that was typed. Always ends in ``SystemExit``."""
    for stream in (sys.stdout, sys.stderr):
        # What the terminal's encoding does not have is said by its code, and is no reason to end.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="wiretape")
