"""Help as it is read: for people who type commands, and know nothing of the types of Python. Around Typer."""

import re
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand

# A place for values in braces, and types: what is to be put there is said beside it.
_BRACES = re.compile(r"\{([^{}\n]+)\}(\.\.\.)?")
_TYPE = re.compile(r" <[a-z][a-z \[\]]*>")


class Plain(TyperCommand):
    """A command whose help has no types in it."""

    def get_usage(self, ctx: Any) -> str:
        """The line that says how it is called."""
        return _plain(super().get_usage(ctx))

    def get_help(self, ctx: Any) -> str:
        """The whole of it."""
        return _plain(super().get_help(ctx))


def _plain(text: str) -> str:
    # What stands behind a type keeps its column.
    return _TYPE.sub(lambda match: " " * len(match[0]), _BRACES.sub(r"\1", text))


def command[F: Callable[..., Any]](app: typer.Typer, does: str, example: str, **more: Any) -> Callable[[F], F]:
    """Make a command of a function. ``does``: what the list of all commands says; ``example``: a way to call it."""
    return app.command(cls=Plain, short_help=does, epilog=f"Example: {example}", **more)
