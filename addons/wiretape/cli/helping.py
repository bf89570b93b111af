"""Help for people who type commands, and know nothing of the types of Python. Around Typer."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import typer
from typer.core import TyperCommand

# Values in braces, and types: the text beside them tells what to put there.
_BRACES = re.compile(r"\{([^{}\n]+)\}(\.\.\.)?")
_TYPE = re.compile(r" <[a-z][a-z \[\]]*>")


class Plain(TyperCommand):
    """A command whose help shows no types, and whose options may have no value, or two words for one."""

    bare: Mapping[str, str] = {}
    """The value of options that may stand without one."""
    followed: Mapping[str, Collection[str]] = {}
    """The values of options that another word follows: the option gets both, with a space between them."""

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
            elif follows and follows[0] in self.followed.get(name, ()):
                words = [word for word in args[place + 1 : place + 3] if word != "--"]
                completed.append(f"{name}={' '.join(words)}")
                place += 1 + len(words)
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
    app: typer.Typer,
    does: str,
    example: str,
    *,
    bare: Mapping[str, str] | None = None,
    followed: Mapping[str, Collection[str]] | None = None,
    **more: Any,
) -> Callable[[F], F]:
    """Make a function a command. ``does`` stands in the list of all commands, and ``example`` is a way to call it.

    ``bare`` has the values of options that may stand without one, and ``followed`` the values of options that another
    word follows.
    """
    kind = type("Plain", (Plain,), {"bare": bare or {}, "followed": followed or {}})
    return app.command(cls=kind, short_help=does, epilog=f"Example: {example}", **more)
