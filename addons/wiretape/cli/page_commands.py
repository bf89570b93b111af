"""The commands that show recordings in a browser, and their flags."""

from pathlib import Path
from typing import Annotated

import typer

from wiretape.cli.console import REFUSED, say
from wiretape.cli.helping import command

app = typer.Typer()
export_app = typer.Typer(help="Write recordings in the form of another program.", no_args_is_help=True)

_Where = Annotated[
    str,
    typer.Argument(
        metavar="DIR", envvar="WIRETAPE_RECORDINGS", help="A folder of recordings, or a bucket: s3://, gs://, az://."
    ),
]


@command(app, "Look at recordings.", "wiretape ui recordings")
def ui(
    where: _Where = "recordings",
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the page is; port 0 takes a free one.")] = "0",
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", envvar="WIRETAPE_CONFIG", help="The TOML file that says what sessions stand on, and prices."
        ),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in a browser.")] = True,
) -> None:
    """Show recordings in a browser: conversations, and when each piece of an answer came. Ctrl-C ends it.

    A proxy that runs has the same page with its calls: wiretape_page=HOST:PORT.
    """
    from wiretape.cli.ui import ui as show
    from wiretape.network import address

    try:
        code = show(where, config, address.parse(listen), opens_browser=browser)
    except (OSError, ValueError) as error:
        say(str(error))
        raise typer.Exit(REFUSED) from error
    raise typer.Exit(code)


@command(export_app, "Hand recordings on.", "wiretape export html --output report.html")
def html(
    where: _Where = "recordings",
    session: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Of all sessions, these alone.", show_default=False)
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="What is written.")] = Path(
        "report.html"
    ),
) -> None:
    """Write recordings as one file of HTML that opens in any browser without a server. Secrets were taken out before.

    It has the newest 500, and stays below 1.5 MB: longer texts are cut, and say so.
    """
    from wiretape.cli.export_html import export
    from wiretape.store.opening import open_store

    try:
        store = open_store(where, spool=0)
        code = export(store, session or (), output)
    except (OSError, ValueError) as error:
        say(str(error))
        raise typer.Exit(REFUSED) from error
    raise typer.Exit(code)
