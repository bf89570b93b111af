"""The commands that set up: ``doctor``, ``env`` and ``init``, and their flags. What they do is in their packages."""

import os
from collections.abc import Sequence
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


def _confdir(chosen: Path | None, settings: Sequence[str] = ()) -> Path:
    from wiretape.cli.certificates import confdir

    if chosen:
        return chosen.expanduser()
    return confdir(settings)


@command(app, "Write what a project needs.", "wiretape init")
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project's folder.")] = Path(),
) -> None:
    """Write what a project needs: wiretape.toml, a first test, lines for .gitattributes and .gitignore.

    Nothing that is there is changed, but for lines that are added to .gitattributes and .gitignore. Of a file that is
    there already, what would have been written is printed.
    """
    from wiretape.cli.init.command import init as write

    try:
        code = write(folder)
    except (OSError, ValueError) as error:
        say(str(error))
        raise typer.Exit(REFUSED) from error
    raise typer.Exit(code)


@command(app, "Look whether all is set up right.", "wiretape doctor --json")
def doctor(  # noqa: PLR0917 (Typer passes them by name)
    recordings: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Where the recordings are, or are to be.", show_default=False),
    ] = None,
    config: Annotated[
        str | None, typer.Option(metavar="FILE", help="The file that wiretape_config names.", show_default=False)
    ] = None,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", envvar="WIRETAPE_LISTEN", help="Where a shared proxy is to listen.")
    ] = "127.0.0.1:8080",
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any other option, as for mitmdump.")
    ] = None,
    confdir: _Confdir = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look whether all is set up right: programs, options, CA, port, variables, recordings, isolation.

    A line for each, and what to do. Exit code 1: there is a fault. Nothing is sent to a provider, and no line shows a
    token. Who is asked for at most some seconds: the proxy that HTTPS_PROXY names, and a bucket.

    Options: these, then WIRETAPE_MODE, WIRETAPE_SESSION and the like, then mitmproxy's config.yaml.
    """
    from wiretape.cli.doctor.command import doctor as look
    from wiretape.cli.doctor.surroundings import Surroundings
    from wiretape.cli.options import settings
    from wiretape.network import address

    try:
        where = address.parse(listen)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--listen") from error
    flags = {"wiretape_recordings": recordings, "wiretape_config": config}
    chosen = settings(os.environ, assignments or (), flags)
    raise typer.Exit(look(Surroundings(os.environ, chosen, where, _confdir(confdir, chosen)), as_json=as_json))


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
