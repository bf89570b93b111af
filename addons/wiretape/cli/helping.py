"""Help for people who type commands, and know nothing of the types of Python. Around Typer."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import typer
from typer.core import TyperCommand

# Values in braces, and types: the text beside them tells what to put there.
_BRACES = re.compile(r"\{([^{}\n]+)\}(\.\.\.)?")
_TYPE = re.compile(r" <[a-z][a-z \[\]]*>")


class Plain(TyperCommand):
    """A command whose help shows no types, and some of whose options may stand without their value."""

    bare: Mapping[str, str] = {}
    """The value of such options where it is left out."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what the user has typed."""
        return super().parse_args(ctx, self._completed(args))

    def _completed(self, args: list[str]) -> list[str]:
        with_value = {name for param in self.params if not getattr(param, "is_flag", True) for name in param.opts}
        completed = []
        place = 0
        while place < len(args) and args[place].startswith("-") and args[place] != "--":
            name = args[place]
            follows = args[place + 1 : place + 2]
            if name in self.bare and (not follows or follows[0].startswith("-")):
                completed.append(f"{name}={self.bare[name]}")
                place += 1
            elif name in with_value:
                completed += [name, *follows]
                place += 2
            else:
                completed.append(name)
                place += 1
        return completed + args[place:]

    def get_usage(self, ctx: Any) -> str:
        """Return the line that tells how it is called."""
        return _plain(super().get_usage(ctx))

    def get_help(self, ctx: Any) -> str:
        """Return the whole help."""
        return _plain(super().get_help(ctx))


def _plain(text: str) -> str:
    # The text behind a type keeps its column.
    return _TYPE.sub(lambda match: " " * len(match[0]), _BRACES.sub(r"\1", text))


def command[F: Callable[..., Any]](
    app: typer.Typer, does: str, example: str, *, bare: Mapping[str, str] | None = None, **more: Any
) -> Callable[[F], F]:
    """Make a function a command. ``does`` stands in the list of all commands, and ``example`` is a way to call it.

    ``bare`` has the values of options that may stand without one.
    """
    kind = type("Plain", (Plain,), {"bare": bare or {}})
    return app.command(cls=kind, short_help=does, epilog=f"Example: {example}", **more)
