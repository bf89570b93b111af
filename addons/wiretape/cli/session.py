"""``wiretape session ...``: the commands and their flags. What they do is in ``sessions``."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wiretape.cli.console import REFUSED, say
from wiretape.cli.helping import command

if TYPE_CHECKING:
    from wiretape.cli.sessions import Library

app = typer.Typer(
    help="""Look at sessions, compare them, and take recordings from one into another.

    What would change something says what it would do, and ends with exit code 1: add --yes to do it. Exit code 2 means
    that it was refused or could not be done.""",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Recordings = Annotated[
    str,
    typer.Option(
        metavar="DIR", envvar="WIRETAPE_RECORDINGS", help="Where all sessions are: a directory, or s3://, gs://, az://."
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(metavar="FILE", envvar="WIRETAPE_CONFIG", help="The TOML file that says what sessions stand on."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it.")]
_Name = Annotated[str, typer.Argument(metavar="NAME", help="The session's name.")]
_RECORDINGS = "recordings"


def _end(recordings: str, config: Path | None, action: Callable[["Library"], int]) -> None:
    """Run an action, and exit with its code."""
    from wiretape.cli.sessions import open_library

    try:
        code = action(open_library(recordings, config))
    except (OSError, ValueError) as e:
        say(str(e))
        code = REFUSED
    raise typer.Exit(code)


@command(app, "List the sessions.", "wiretape session ls")
def ls(recordings: Recordings = _RECORDINGS, config: Config = None) -> None:
    """List the sessions that have recordings, or that the configuration names."""
    from wiretape.cli import sessions

    _end(recordings, config, sessions.list_all)


@command(app, "Show a session.", "wiretape session show main")
def show(name: _Name, recordings: Recordings = _RECORDINGS, config: Config = None) -> None:
    """Show a session: what it holds, whether it is frozen, what it stands on and what stands on it."""
    from wiretape.cli import sessions

    _end(recordings, config, lambda library: sessions.show(library, name))


@command(app, "Compare two sessions.", "wiretape session diff main checkout")
def diff(
    first: Annotated[str, typer.Argument(metavar="A")],
    second: Annotated[str, typer.Argument(metavar="B")],
    recordings: Recordings = _RECORDINGS,
    config: Config = None,
) -> None:
    """Compare two sessions, request by request, whatever the files' names and forms are.

    A line each: "-" for what only A has, "+" for what only B has, "~" for what both answer differently. The exit code
    is that of diff: 0 where there is no difference, 1 where there is one, 2 for trouble.
    """
    from wiretape.cli import sessions

    _end(recordings, config, lambda library: sessions.diff(library, first, second))


@command(app, "Take recordings over into another session.", "wiretape session promote checkout --into main --yes")
def promote(
    name: _Name,
    into: Annotated[str, typer.Option("--into", metavar="NAME", help="The session that gets them.")],
    recordings: Recordings = _RECORDINGS,
    config: Config = None,
    yes: Yes = False,
) -> None:
    """Take a session's recordings and captures over into another, which then answers as it does.

    All takes of a request are replaced together. Nothing is done where wiretape verify finds a fault in what is to be
    copied, or where the other session is frozen. The session itself stays as it is.
    """
    from wiretape.cli import sessions

    _end(recordings, config, lambda library: sessions.promote(library, name, into, yes=yes))


@command(app, "Make a session read-only.", "wiretape session freeze main --yes")
def freeze(name: _Name, recordings: Recordings = _RECORDINGS, config: Config = None, yes: Yes = False) -> None:
    """Make a session read-only for every role, in every proxy on these recordings."""
    from wiretape.cli import sessions

    _end(recordings, config, lambda library: sessions.freeze(library, name, yes=yes))


@command(app, "Let a session be recorded in again.", "wiretape session thaw main --yes")
def thaw(name: _Name, recordings: Recordings = _RECORDINGS, config: Config = None, yes: Yes = False) -> None:
    """Let a frozen session be recorded in again."""
    from wiretape.cli import sessions

    _end(recordings, config, lambda library: sessions.thaw(library, name, yes=yes))


@command(app, "Remove a session.", "wiretape session rm checkout --yes")
def rm(name: _Name, recordings: Recordings = _RECORDINGS, config: Config = None, yes: Yes = False) -> None:
    """Remove a session with all that is in it; not a frozen one, nor one that others stand on."""
    from wiretape.cli import sessions

    _end(recordings, config, lambda library: sessions.remove(library, name, yes=yes))
