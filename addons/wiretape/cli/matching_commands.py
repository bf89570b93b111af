"""``wiretape rules check`` and ``suggest``: the commands and their flags.

What they do is in ``rules_check`` and ``rules_suggest``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from wiretape.cli.console import REFUSED, say
from wiretape.cli.helping import command
from wiretape.cli.rules import Config, Match
from wiretape.cli.session import Recordings

if TYPE_CHECKING:
    from wiretape.cli.rules_in_force import SessionRules

app = typer.Typer()


class _Place(NamedTuple):
    """Where rules and recordings are, as the flags say it."""

    recordings: str
    session: str | None
    config: Path | None
    match: str
    local: str = ""


def _end(place: _Place, action: "Callable[[SessionRules], int]") -> None:
    """Run an action, and exit with its code."""
    from wiretape.cli.rules_in_force import open_session_rules

    try:
        code = action(open_session_rules(*place))
    except (OSError, ValueError) as error:
        say(str(error))
        raise typer.Exit(REFUSED) from error
    raise typer.Exit(code)


_Session = Annotated[
    str | None, typer.Option(metavar="NAME", help="Of all sessions, this one alone.", show_default=False)
]


@command(app, "Tell which recordings rules make one.", "wiretape rules check --session main")
def check(
    session: _Session = None,
    recordings: Recordings = "recordings",
    config: Config = None,
    match: Match = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="For programs: an array of groups.")] = False,
) -> None:
    """Tell which recordings of a session rules make one, by which rules, and whether their answers differ.

    Each recording is looked at by the rules that hold for the client that had it recorded. Exit code 1: there are such
    whose answers differ, so that a request may get the answer to another one; 2: the recordings cannot be looked at.
    """
    from wiretape.cli import rules_check

    place = _Place(recordings, session, config, match)
    _end(place, lambda sessions: rules_check.check(sessions, as_json=as_json))


@command(app, "Suggest rules for the misses.", "wiretape rules suggest --session main >> wiretape.toml")
def suggest(  # noqa: PLR0917 (Typer passes them by name)
    session: _Session = None,
    recordings: Recordings = "recordings",
    config: Config = None,
    match: Match = "auto",
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Of all misses, those that wiretape run has reported there alone."),
    ] = None,
    local: Annotated[
        str,
        typer.Option(metavar="DIR", envvar="WIRETAPE_LOCAL", help="The folder of wiretape_local, where misses are."),
    ] = "",
) -> None:
    """Suggest the fewest rules that make the last misses hits, as lines for wiretape.toml.

    Each is tried before: what makes recordings one whose answers differ is not suggested, and neither is to leave out
    the conversation, the model, the tools or a parameter. Exit code 1: a miss would be one still; 2: trouble.
    """
    from wiretape.cli import rules_suggest

    place = _Place(recordings, session, config, match, local)
    _end(place, lambda sessions: rules_suggest.suggest(sessions, report))
