"""``wiretape rules check``: the command and its flags. What it does is in ``rules_check``."""

from typing import Annotated

import typer

from wiretape.cli.console import REFUSED, say
from wiretape.cli.helping import command
from wiretape.cli.rules import Config, Match
from wiretape.cli.session import Recordings

app = typer.Typer()

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
    from wiretape.cli.rules_in_force import open_session_rules

    try:
        code = rules_check.check(open_session_rules(recordings, session, config, match), as_json=as_json)
    except (OSError, ValueError) as error:
        say(str(error))
        raise typer.Exit(REFUSED) from error
    raise typer.Exit(code)
