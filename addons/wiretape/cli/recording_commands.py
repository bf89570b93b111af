"""The commands on recordings and their flags. What they do is in the modules that they import."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wiretape.cli.console import REFUSED, say
from wiretape.cli.helping import command

if TYPE_CHECKING:
    from wiretape.cli.files import Source

app = typer.Typer()

_Where = Annotated[
    str,
    typer.Argument(
        metavar="DIR",
        envvar="WIRETAPE_RECORDINGS",
        help="A folder of recordings (all sessions, one session or one folder), or a bucket: s3://, gs://, az://.",
    ),
]
_Session = Annotated[
    str | None, typer.Option(metavar="NAME", help="Of all sessions, this one alone.", show_default=False)
]


def _look(where: str, session: str | None, action: "Callable[[Source], int]") -> None:
    """Look at the recordings of a source, and exit with the code of that."""
    from wiretape.cli.sources import source

    try:
        code = action(source(where, session))
    except (OSError, ValueError) as error:
        say(str(error))
        raise typer.Exit(REFUSED) from error
    raise typer.Exit(code)


_Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        envvar="WIRETAPE_CONFIG",
        help="The TOML file with the team's own rules on secrets.",
        show_default=False,
    ),
]


_Prices = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        envvar="WIRETAPE_CONFIG",
        help="The TOML file with the team's own prices and providers.",
        show_default=False,
    ),
]


def _use_rules(file: Path | None) -> None:
    """Use the rules of a team about secrets."""
    from wiretape import config, redaction

    if file is None:
        return
    try:
        redaction.DEFAULT.use(config.read(file).redaction())
    except (OSError, ValueError) as error:
        say(str(error))
        raise typer.Exit(REFUSED) from error


@command(app, "Check every recording.", "wiretape verify recordings --session main")
def verify(where: _Where = "recordings", session: _Session = None, config: _Config = None) -> None:
    """Check every recording: its form and name, whether it is found and replays to itself, whether a secret is in it.

    One line a fault; the exit code is 1 when there is one, 2 when the recordings cannot be looked at.
    """
    from wiretape.cli import recordings

    _use_rules(config)
    _look(where, session, recordings.verify_all)


@command(app, "Take secrets out of older recordings.", "wiretape redact recordings --apply")
def redact(
    where: _Where = "recordings",
    session: _Session = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Do it.")] = False,
    config: _Config = None,
) -> None:
    """Take secrets out of recordings that are older than a rule: a table of where they are, never what.

    A recording whose request holds one gets a new name. Exit code 1: a secret is there; 0: none is left.
    """
    from wiretape import redaction
    from wiretape.cli import redact as redacting

    if dry_run and apply:
        raise typer.BadParameter("is the opposite of --dry-run", param_hint="--apply")
    _use_rules(config)
    _look(where, session, lambda source: redacting.redact(source, redaction.DEFAULT, apply=apply))


@command(app, "List recordings.", "wiretape ls --search Germany")
def ls(
    where: _Where = "recordings",
    session: _Session = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: an array with all that is known.")] = False,
    search: Annotated[
        str, typer.Option(metavar="TEXT", help="Those alone in which it was asked or answered.", show_default=False)
    ] = "",
    config: _Prices = None,
) -> None:
    """List recordings: name, when, model, answer, what it costs at the provider, the first words of the question."""
    from wiretape.cli import listing
    from wiretape.library.costs import costs

    _look(where, session, lambda source: listing.list_all(source, costs(config), as_json=as_json, search=search))


@command(app, "Show a recording.", "wiretape show e99f")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A recording's name, the beginning of it, or a file.")],
    where: _Where = "recordings",
    session: _Session = None,
    full: Annotated[bool, typer.Option("--full", help="Cut nothing: neither long texts nor images.")] = False,
    config: _Prices = None,
) -> None:
    """Show a recording: what was asked, the words of the answer, its tokens and their cost, who had it recorded."""
    from wiretape.cli import recordings
    from wiretape.library.costs import costs

    _look(where, session, lambda source: recordings.show(name, source, costs(config), full=full))


@command(app, "Write recordings in another form.", "wiretape convert --to 2026 recordings --output converted")
def convert(
    to: Annotated[str, typer.Option("--to", metavar="FORM", help="The form to write: 2025-09 or 2026.")],
    where: _Where = "recordings",
    session: _Session = None,
    output: Annotated[
        str | None, typer.Option(metavar="DIR", help="Write there, and leave the recordings as they are.")
    ] = None,
) -> None:
    """Write recordings in another form: beside the old ones, which are then removed, or to another folder."""
    from wiretape.cli import recordings
    from wiretape.policy import parse_form
    from wiretape.store.opening import is_url

    if output is not None and is_url(output):
        raise typer.BadParameter("is a folder of this machine, and no URL", param_hint="--output")
    to_folder = None
    if output is not None:
        to_folder = Path(output)
    try:
        form = parse_form(to)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--to") from error
    _look(where, session, lambda source: recordings.convert(recordings.Conversion(source, form, to_folder)))
