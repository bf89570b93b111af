"""The commands and their flags. What they do is in the modules beside it."""

import os
from pathlib import Path
from typing import Annotated

import typer

import wiretape
from wiretape.cli import session, token
from wiretape.cli.options import settings
from wiretape.cli.saying import say

REFUSED = 2
"""The exit code when the proxy did not start, as for a wrong flag."""

app = typer.Typer(
    help="Record LLM API calls once, replay them offline, in any language, without touching code.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(session.app, name="session")
app.add_typer(token.app, name="token")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wiretape {wiretape.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def addon() -> None:
    """Print the path of the addon's script: mitmdump -s "$(wiretape addon)"."""
    typer.echo(Path(wiretape.__file__).resolve().parents[1] / "wiretape_addon.py")


@app.command(context_settings={"allow_interspersed_args": False})
def run(  # noqa: PLR0917 (Typer passes them by name)
    command: Annotated[list[str], typer.Argument(metavar="-- CMD ...", help="The command, with its arguments.")],
    mode: Annotated[
        str | None, typer.Option(help="live, record, replay or record-if-missing.", show_default=False)
    ] = None,
    session: Annotated[str | None, typer.Option(help="The session's name.")] = None,
    recordings: Annotated[str | None, typer.Option(metavar="DIR", help="The directory of the recordings.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The proxy's port; 0 is a free one.")] = 0,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any other option, as for mitmdump.")
    ] = None,
) -> None:
    """Run a command behind a recording proxy, with its exit code.

    The command finds the proxy and a CA bundle in its environment.

    Options: these, then WIRETAPE_MODE, WIRETAPE_SESSION and the like, then mitmproxy's config.yaml.
    """
    from wiretape.cli.proxy import StartError
    from wiretape.cli.run import run as run_command
    from wiretape.cli.summary import summary

    flags = {"wiretape_mode": mode, "wiretape_session": session, "wiretape_recordings": recordings}
    try:
        outcome = run_command(command, settings(os.environ, assignments or (), flags), os.environ, port)
    except StartError as error:
        say(str(error))
        raise typer.Exit(REFUSED) from error
    say(outcome.problem or summary(outcome))
    raise typer.Exit(outcome.code)


@app.command()
def demo() -> None:
    """Replay the shipped recordings to a real SDK client: offline, without a key, in a few seconds."""
    from wiretape.cli.demo import demo as run_demo

    raise typer.Exit(run_demo())


_Folder = Annotated[
    Path,
    typer.Argument(
        metavar="DIR",
        envvar="WIRETAPE_RECORDINGS",
        exists=True,
        file_okay=False,
        help="A folder of recordings: all sessions, one session or one folder.",
    ),
]


@app.command()
def verify(folder: _Folder = Path("recordings")) -> None:
    """Check every recording: its form, its name, whether it replays to itself, whether a secret is in it.

    One line a fault; the exit code is 1 when there is one.
    """
    from wiretape.cli import recordings

    raise typer.Exit(recordings.verify_folder(folder))


@app.command()
def ls(folder: _Folder = Path("recordings")) -> None:
    """List recordings: name, endpoint, model, answer, tokens."""
    from wiretape.cli import recordings

    raise typer.Exit(recordings.list_folder(folder))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A recording's name, the beginning of it, or a file.")],
    folder: _Folder = Path("recordings"),
) -> None:
    """Show a recording: what was asked, and the words of the answer."""
    from wiretape.cli import recordings

    raise typer.Exit(recordings.show(name, folder))


@app.command()
def convert(
    to: Annotated[str, typer.Option("--to", help="The form to write: 2025-09 or 2026.")],
    folder: _Folder = Path("recordings"),
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write there, and leave the recordings as they are.")
    ] = None,
) -> None:
    """Write recordings in another form: beside the old ones, which are then removed, or to another folder."""
    from wiretape.cli import recordings
    from wiretape.tape import parse_form

    try:
        form = parse_form(to)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--to") from error
    raise typer.Exit(recordings.convert(recordings.Conversion(folder, form, output)))
