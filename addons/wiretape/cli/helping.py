"""Help for people who type commands, and know nothing of the types of Python. Around Typer."""

import re
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand

# Values in braces, and types: the text beside them tells what to put there.
_BRACES = re.compile(r"\{([^{}\n]+)\}(\.\.\.)?")
_TYPE = re.compile(r" <[a-z][a-z \[\]]*>")


class Plain(TyperCommand):
    """A command whose help shows no types."""

    def get_usage(self, ctx: Any) -> str:
        """Return the line that tells how it is called."""
        return _plain(super().get_usage(ctx))

    def get_help(self, ctx: Any) -> str:
        """Return the whole help."""
        return _plain(super().get_help(ctx))


def _plain(text: str) -> str:
    # The text behind a type keeps its column.
    return _TYPE.sub(lambda match: " " * len(match[0]), _BRACES.sub(r"\1", text))


def command[F: Callable[..., Any]](app: typer.Typer, does: str, example: str, **more: Any) -> Callable[[F], F]:
    """Make a function a command. ``does`` stands in the list of all commands, and ``example`` is a way to call it."""
    return app.command(cls=Plain, short_help=does, epilog=f"Example: {example}", **more)
