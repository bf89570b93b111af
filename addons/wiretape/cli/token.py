"""``wiretape token ...``: makes tokens, lists them, takes them back. ``token_file`` keeps them."""

from pathlib import Path
from typing import Annotated

import typer

from wiretape.cli.console import REFUSED, console, say
from wiretape.cli.helping import command

app = typer.Typer(
    help="""Who may use which session: tokens, of which a file keeps the hashes.

    The proxy reads it by its option wiretape_tokens, and again whenever it changes.""",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_FILE = Path("wiretape-tokens.toml")
_File = Annotated[Path, typer.Option(metavar="FILE", envvar="WIRETAPE_TOKENS", help="The file of the hashes.")]


@command(app, "Make a token, and print it once.", "wiretape token create --session checkout --role write")
def create(
    session: Annotated[str, typer.Option(metavar="NAME", help='A session\'s name, or "*" for all.')],
    role: Annotated[
        str,
        typer.Option(metavar="ROLE", help="read (replay alone), write (every mode that the session allows), admin."),
    ],
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What it is listed as; by default SESSION-ROLE.", show_default=False)
    ] = "",
    file: _File = _FILE,
) -> None:
    """Make a token and print it: once, on stdout, and nothing else there.

    Its hash goes into the file, which only its owner can read. Who lost a token makes another one.
    """
    from wiretape.sessions import token_file
    from wiretape.sessions.model import parse_role
    from wiretape.sessions.tokens import EVERY, Tokens

    try:
        wanted = parse_role(role)
        # A link that leads nowhere must not be replaced by a new file.
        known = token_file.read(file) if file.exists() or file.is_symlink() else Tokens()
        token, tokens = known.create(session, wanted, name)
        token_file.write(file, tokens)
    except (OSError, ValueError) as e:
        raise _trouble(e) from e
    entry = tokens.entries[-1]
    user = "SESSION"
    if entry.session != EVERY:
        user = entry.session
    scope = "every session"
    if entry.session != EVERY:
        scope = f"session {entry.session}"
    say(
        f"token {entry.name}, for {scope}, role {entry.role}: it is shown this once; its hash is in {file}\n"
        f"clients:  export HTTPS_PROXY=http://{user}:TOKEN@HOST:8080  (or {user}+replay:TOKEN, to ask for a mode)\n"
        f"proxy:    mitmdump ... --set wiretape_tokens={file}"
    )
    print(token.text)


@command(app, "List the tokens.", "wiretape token ls")
def ls(file: _File = _FILE) -> None:
    """List the tokens: name, session, role, when it was made."""
    from wiretape.sessions import token_file

    try:
        tokens = token_file.read(file)
    except (OSError, ValueError) as e:
        raise _trouble(e) from e
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("token", "session", "role", "created"):
        table.add_column(heading, no_wrap=True)
    for entry in tokens.entries:
        table.add_row(entry.name, entry.session, entry.role, f"{entry.created:%Y-%m-%d %H:%M}")
    console().print(table)


@command(app, "Take a token back.", "wiretape token rm checkout-write --yes")
def rm(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The token's name, as ls has it.")],
    file: _File = _FILE,
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
) -> None:
    """Take a token back: proxies refuse it from then on. Without --yes, only say so (exit code 1)."""
    from wiretape.sessions import token_file

    try:
        tokens = token_file.read(file)
        rest = tokens.without(name)
        entry = next(entry for entry in tokens.entries if entry.name == name)
        print(f"remove token {name}, session {entry.session}, role {entry.role}: {file}")
        if not yes:
            say("nothing is done yet: add --yes to do it")
            raise typer.Exit(1)
        token_file.write(file, rest)
    except (OSError, ValueError) as e:
        raise _trouble(e) from e
    say(f"token {name} is refused from now on")


def _trouble(error: Exception) -> typer.Exit:
    say(str(error))
    return typer.Exit(REFUSED)
