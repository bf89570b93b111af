"""``wiretape unused``, ``prune`` and ``refresh``: the commands and their flags.

What they do is in ``unused`` and ``refresh``.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wiretape.cli.console import REFUSED, say
from wiretape.cli.helping import command
from wiretape.cli.session import Config, Recordings, Yes

if TYPE_CHECKING:
    from wiretape.cli.sessions import Library

app = typer.Typer()

_RECORDINGS = "recordings"

_Sessions = Annotated[
    list[str] | None,
    typer.Option("--session", metavar="NAME", help="This session alone; it can be given again.", show_default=False),
]
_Calls = Annotated[
    list[Path] | None,
    typer.Option(
        "--calls",
        metavar="FILE",
        help="A report or a log of calls, in place of this machine's log; it can be given again.",
        show_default=False,
    ),
]
_Since = Annotated[
    str,
    typer.Option(metavar="WHEN", help="Only runs since then: 2026-11-28, or an age such as 30d.", show_default=False),
]


def _end(recordings: str, config: Path | None, action: "Callable[[Library], int]") -> None:
    """Run an action on all sessions, and exit with its code."""
    from wiretape.cli.sessions import open_library

    try:
        code = action(open_library(recordings, config))
    except (OSError, ValueError) as error:
        say(str(error))
        raise typer.Exit(REFUSED) from error
    raise typer.Exit(code)


@command(app, "List recordings that nobody asked for.", "wiretape unused --calls job-1.jsonl --calls job-2.jsonl")
def unused(  # noqa: PLR0917 (Typer passes them by name)
    session: _Sessions = None,
    calls: _Calls = None,
    since: _Since = "",
    recordings: Recordings = _RECORDINGS,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the recordings that nobody asked for, by what became of the calls of one or many runs, over all workers.

    Takes of a request stay together, and what was answered from a layer counts for the layer. Nothing is said of a
    session that no known run has asked. Exit code 1: there are such recordings; 2: no run is known, or trouble.
    """
    from wiretape.cli import unused as doing

    asked = doing.Asked(session or (), calls or (), since)
    _end(recordings, config, lambda library: doing.list_unused(library, asked, as_json=as_json))


@command(app, "Remove recordings that nobody asked for.", "wiretape prune --session main --yes")
def prune(  # noqa: PLR0917 (Typer passes them by name)
    session: _Sessions = None,
    calls: _Calls = None,
    since: _Since = "",
    recordings: Recordings = _RECORDINGS,
    config: Config = None,
    yes: Yes = False,
) -> None:
    """Remove what wiretape unused lists, with its captures: without --yes it says what would be removed.

    Where no run is known nothing is removed, nor in a frozen session. Exit code 1: --yes is missing; 2: refused.
    """
    from wiretape.cli import unused as doing

    asked = doing.Asked(session or (), calls or (), since)
    _end(recordings, config, lambda library: doing.prune(library, asked, yes=yes))


@command(app, "Ask providers again, and tell what has drifted.", "wiretape refresh --session main --sample 20")
def refresh(  # noqa: PLR0917 (Typer passes them by name)
    session: _Sessions = None,
    sample: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="So many alone, of each endpoint and model in turn.", show_default=False),
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Those alone whose name, endpoint, model or URL it is, * for any text; it can be given again.",
            show_default=False,
        ),
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Replace what has drifted, and what has expired.")] = False,
    recordings: Recordings = _RECORDINGS,
    config: Config = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any option of the proxy, as for mitmdump.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: an array of recordings.")] = False,
) -> None:
    """Send recorded requests to their providers again, through a proxy, and tell what differs in the answers.

    Drift is another status, fields that came or went, another reason for the end, other tools or arguments of another
    shape, other tokens for the same request, another version of the model. Words are told as a likeness alone. Keys
    come from the variables that the providers' SDKs read. Exit code 1: there is drift; 2: trouble.
    """
    from wiretape.cli.embedded import StartError
    from wiretape.cli.refresh import RefreshPlan
    from wiretape.cli.refresh import refresh as ask_again

    plan = RefreshPlan(session or (), match or (), sample, accept, as_json, config, assignments or ())

    def action(library: "Library") -> int:
        try:
            return ask_again(library, plan, os.environ)
        except StartError as error:
            raise ValueError(str(error)) from error

    _end(recordings, config, action)
