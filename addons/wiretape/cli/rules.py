"""``wiretape rules ...``: the commands and their flags. What they do is in the modules that they import."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="""Tell by which rules a request is the same as a recorded one though they differ.

    Without a command: the rules that there are, in plain words.""",
    epilog="Example: wiretape rules --client claude-cli/2.1",
    rich_markup_mode=None,
)

Config = Annotated[
    Path | None,
    typer.Option(metavar="FILE", envvar="WIRETAPE_CONFIG", help="The TOML file with the team's own rules."),
]
Match = Annotated[
    str, typer.Option(metavar="HOW", envvar="WIRETAPE_MATCH", help="As the option wiretape_match has it.")
]


@app.callback(invoke_without_command=True)
def rules(context: typer.Context, config: Config = None, match: Match = "auto") -> None:
    """Tell which rules there are."""
