"""``wiretape rules ...``: the commands and their flags. What they do is in the modules that they import."""

from pathlib import Path
from typing import Annotated

import typer

from wiretape.cli.console import REFUSED, out, say

app = typer.Typer(
    help="""Tell by which rules a request is the same as a recorded one though they differ.

    Without a command: the rules that there are, in plain words. The flags narrow them to those that can hold for a
    request.""",
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
def rules(  # noqa: PLR0917 (Typer passes them by name)
    context: typer.Context,
    config: Config = None,
    match: Match = "auto",
    client: Annotated[str, typer.Option(metavar="TEXT", help="What the client calls itself: its User-Agent.")] = "",
    provider: Annotated[str, typer.Option(metavar="NAME", help="The provider that is asked.")] = "",
    endpoint: Annotated[str, typer.Option(metavar="NAME", help="A recording's name for it, or its path.")] = "",
    model: Annotated[str, typer.Option(metavar="NAME", help="The model that is asked.")] = "",
    session: Annotated[str, typer.Option(metavar="NAME", help="The session.")] = "",
) -> None:
    """Tell which rules there are."""
    if context.invoked_subcommand:
        return
    from wiretape.cli.rule_texts import Asker, told
    from wiretape.config import Configuration, read
    from wiretape.matching import presets

    try:
        known = read(config.expanduser()) if config else Configuration()
        chosen, every = presets.choose(match, known.presets())
        own = known.matching(known.providers().names)
        lines = [*told(chosen, every, own, Asker(provider, endpoint, model, client, session))]
    except (OSError, ValueError) as error:
        say(str(error))
        raise typer.Exit(REFUSED) from error
    for line in lines:
        out(line)
