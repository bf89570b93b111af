"""The commands that set up: ``doctor``, ``env`` and ``init``, and their flags. What they do is in their packages."""

import os
from pathlib import Path
from typing import Annotated

import typer

from wiretape.cli.console import REFUSED, say
from wiretape.cli.helping import command

app = typer.Typer()

_Confdir = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Where proxies of this machine keep their CA; by default ~/.mitmproxy."),
]


def _confdir(chosen: Path | None) -> Path:
    from wiretape.cli.certificates import confdir

    if chosen:
        return chosen.expanduser()
    return confdir()


@command(app, "Print the variables for programs behind a proxy.", "wiretape env --format dotenv > .env")
def env(  # noqa: PLR0917 (Typer passes them by name)
    proxy: Annotated[
        str,
        typer.Option(
            metavar="URL",
            envvar="WIRETAPE_PROXY",
            help="The proxy, on this machine or another one; with a token, http://SESSION:TOKEN@HOST:PORT.",
        ),
    ] = "http://127.0.0.1:8080",
    syntax: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="sh, fish, docker, dotenv, powershell or github.")
    ] = "sh",
    session: Annotated[
        str | None, typer.Option(metavar="NAME", help="The session of the programs: SESSION or SESSION+MODE.")
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder for the files that the variables name; by default below ~/.config/wiretape, for docker "
            "wiretape-ca.",
        ),
    ] = None,
    expect: Annotated[
        str, typer.Option(metavar="SHA256", help="Refuse another CA than the one with this fingerprint.")
    ] = "",
    fingerprint: Annotated[
        bool, typer.Option("--fingerprint", help="Print the fingerprint of this machine's CA, and nothing else.")
    ] = False,
    confdir: _Confdir = None,
) -> None:
    """Print the variables by which programs find a proxy that is up, and trust it.

    They are those that `wiretape run` sets. The proxy is asked for its CA, which goes into a folder, with those that
    the system trusts; its fingerprint is on stderr. Exit code 2: there is no CA, or none that may be trusted.
    """
    from wiretape.cli import proxy_url
    from wiretape.cli.variables import command as variables
    from wiretape.cli.variables.authorities import NoAuthorityError
    from wiretape.cli.variables.formats import Format

    try:
        chosen = Format(syntax)
    except ValueError as error:
        raise typer.BadParameter(f"is one of {', '.join(Format)}", param_hint="--format") from error
    try:
        where = proxy_url.parse(proxy)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--proxy") from error
    if session is not None:
        where = where.of_session(session)
    try:
        if fingerprint:
            typer.echo(variables.fingerprint(_confdir(confdir)))
            return
        plan = variables.EnvPlan(where, chosen, os.environ, _confdir(confdir), files, expect)
        code = variables.env(plan)
    except (NoAuthorityError, OSError, ValueError) as error:
        say(str(error))
        raise typer.Exit(REFUSED) from error
    raise typer.Exit(code)
