"""The commands and their flags. What they do is in the modules that they import."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

import wiretape
from wiretape.cli import (
    freshness_commands,
    matching_commands,
    page_commands,
    recording_commands,
    rules,
    session,
    setup_commands,
    token,
)
from wiretape.cli.console import REFUSED, say
from wiretape.cli.helping import command

app = typer.Typer(
    help="Record LLM API calls once, replay them offline, in any language, without touching code.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    # Rich would draw a border, and use words for programmers.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(session.app, name="session", short_help="Look at sessions, and change them.")
app.add_typer(rules.app, name="rules", short_help="Tell by which rules requests are the same.")
app.add_typer(page_commands.export_app, name="export", short_help="Write recordings in the form of another program.")
app.add_typer(token.app, name="token", short_help="Say who may use which session.")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wiretape {wiretape.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    # Importing this takes as long as printing the help, which does not need it.
    from wiretape import redaction
    from wiretape.redaction import logs

    logs.install(redaction.DEFAULT)


@command(app, "Print the path of the addon's script.", 'mitmdump -s "$(wiretape addon)"')
def addon() -> None:
    """Print the path of the addon's script: mitmdump -s "$(wiretape addon)"."""
    typer.echo(Path(wiretape.__file__).resolve().parents[1] / "wiretape_addon.py")


@command(
    app,
    "Run a command behind a recording proxy.",
    "wiretape run --mode replay -- pytest tests",
    context_settings={"allow_interspersed_args": False},
    bare={"--isolate": "yes"},
    followed={"--report": ("junit", "jsonl")},
)
def run(  # noqa: PLR0917 (Typer passes them by name)
    command: Annotated[list[str], typer.Argument(metavar="-- CMD ...", help="The command, with its arguments.")],
    mode: Annotated[
        str | None,
        typer.Option(metavar="MODE", help="live, record, replay or record-if-missing.", show_default=False),
    ] = None,
    session: Annotated[str | None, typer.Option(metavar="NAME", help="The session's name.")] = None,
    recordings: Annotated[str | None, typer.Option(metavar="DIR", help="The directory of the recordings.")] = None,
    match: Annotated[
        str | None,
        typer.Option(metavar="HOW", help="auto, exact, or names of presets (wiretape rules).", show_default=False),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Lead nowhere but to this machine; recordings are served.")
    ] = False,
    port: Annotated[int, typer.Option(metavar="PORT", min=0, max=65535, help="The proxy's port; 0 is a free one.")] = 0,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any other option, as for mitmdump.")
    ] = None,
    fail_on_miss: Annotated[
        bool | None,
        typer.Option(
            "--fail-on-miss/--no-fail-on-miss",
            help="Exit with 3 where a call was refused as it has no recording. In CI (CI=true) that is so by itself.",
            show_default=False,
        ),
    ] = None,
    strict_rules: Annotated[
        bool,
        typer.Option("--strict-rules", help="Do not start where rules make recordings one whose answers differ."),
    ] = False,
    fail_on_silence: Annotated[
        bool,
        typer.Option(
            "--fail-on-silence/--no-fail-on-silence",
            help="Exit with 5 where a command in replay has succeeded and asked nothing of any provider.",
            show_default="in replay",
        ),
    ] = True,
    report: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND [FILE]",
            help="Write what became of the calls: github (annotations, and a summary of the job), junit FILE (XML), or "
            "jsonl FILE (a line of JSON each). May be given several times.",
            show_default=False,
        ),
    ] = None,
    isolate: Annotated[
        str,
        typer.Option(
            metavar="WHEN",
            help="On Linux, leave the command no way out but the proxy: yes, no, or auto, which is in replay where it "
            "works. Alone it means yes.",
        ),
    ] = "auto",
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST:PORT",
            help="What an isolated command reaches past the proxy, in place of all servers of this machine; or none.",
            show_default="localhost",
        ),
    ] = None,
) -> None:
    """Run a command behind a recording proxy, with its exit code.

    The command finds the proxy and a CA bundle in its environment. Where the command succeeds and a recording was lost
    or refused, the exit code is 4. Where it succeeds in replay and has asked no provider anything, it is 5: it may have
    gone past the proxy, or not have done what it is for.

    Options: these, then WIRETAPE_MODE, WIRETAPE_SESSION and the like, then mitmproxy's config.yaml.
    """
    from wiretape.cli.embedded import StartError
    from wiretape.cli.isolation import local_servers
    from wiretape.cli.options import is_ci, settings
    from wiretape.cli.reports import kinds, writing
    from wiretape.cli.run import SILENT, Isolate, RunPlan
    from wiretape.cli.run import run as run_command
    from wiretape.cli.summary import summary

    flags = {
        "wiretape_mode": mode,
        "wiretape_session": session,
        "wiretape_recordings": recordings,
        "wiretape_match": match,
    }
    if offline:
        flags["wiretape_offline"] = "true"
    if strict_rules:
        flags["wiretape_strict_rules"] = "true"
    chosen = settings(os.environ, assignments or (), flags)
    plan = RunPlan(
        command,
        chosen,
        os.environ,
        port,
        _flag("--isolate", Isolate, isolate),
        _flag("--allow", local_servers.parse, allow or ["localhost"]),
    )
    reports = _flag("--report", kinds.parse, report or ())
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(writing.opened(reports, os.environ))
        except OSError as error:
            text = f"{error.filename} cannot be written: {error.strerror}"
            raise typer.BadParameter(text, param_hint="--report") from error
        try:
            outcome = run_command(plan, opened.lines)
        except StartError as error:
            say(str(error))
            raise typer.Exit(REFUSED) from error
        say(outcome.problem or summary(outcome))
        opened.write(outcome.mode, outcome.session)
    if fail_on_miss is None:
        fail_on_miss = is_ci(os.environ)
    code = outcome.code_for(fail_on_miss=fail_on_miss, fail_on_silence=fail_on_silence)
    if code == SILENT and not outcome.code:
        say(f"the command succeeded, and asked no provider anything: exit code {SILENT} (or --no-fail-on-silence)")
    raise typer.Exit(code)


@command(app, "Run several proxies behind one port, for a team.", "wiretape serve --workers 4 --mode replay")
def serve(  # noqa: PLR0917 (Typer passes them by name)
    workers: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", envvar="WIRETAPE_WORKERS", help="How many; by default one for each core."),
    ] = None,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", envvar="WIRETAPE_LISTEN", help="Where all clients come to.")
    ] = "127.0.0.1:8080",
    metrics: Annotated[
        str, typer.Option(metavar="HOST:PORT", envvar="WIRETAPE_METRICS", help="The page of counters; '' for none.")
    ] = "127.0.0.1:9464",
    control: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="The control API, which may be where the page is; by default nowhere."),
    ] = "",
    page: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="The page to look at, with the control API; by default nowhere.")
    ] = "",
    balance: Annotated[
        str, typer.Option(metavar="HOW", envvar="WIRETAPE_BALANCE", help="haproxy, or reuseport: the kernel.")
    ] = "haproxy",
    mode: Annotated[
        str | None,
        typer.Option(metavar="MODE", help="live, record, replay or record-if-missing.", show_default=False),
    ] = None,
    session: Annotated[
        str | None, typer.Option(metavar="NAME", help="The session of who names none.", show_default=False)
    ] = None,
    recordings: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where the recordings are.", show_default=False)
    ] = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any other option, as for mitmdump.")
    ] = None,
) -> None:
    """Run several proxies behind one port, for a team: each is started again when it dies.

    Counters are at http://127.0.0.1:9464/metrics (wiretape status shows them). SIGTERM and Ctrl-C end it in good order.

    Options: these, then WIRETAPE_MODE, WIRETAPE_SESSION and the like, then mitmproxy's config.yaml.
    """
    from wiretape.cli.serve import serve as run_team
    from wiretape.cli.serve_plan import ServePlan, ServeRefusedError, for_workers
    from wiretape.cluster.balancer import parse_balance
    from wiretape.network import address

    flags = {"wiretape_mode": mode, "wiretape_session": session, "wiretape_recordings": recordings}
    if workers is None:
        workers = os.cpu_count() or 1
    try:
        where = {
            name: _flag(name, address.parse, text) if text else None
            for name, text in (("--metrics", metrics), ("--control", control), ("--page", page))
        }
        plan = ServePlan(
            workers,
            _flag("--listen", address.parse, listen),
            where["--metrics"],
            _flag("--balance", parse_balance, balance),
            for_workers(os.environ, assignments or (), flags),
            where["--control"],
            where["--page"],
        )
        code = run_team(plan, os.environ)
    except ServeRefusedError as error:
        say(str(error))
        raise typer.Exit(REFUSED) from error
    raise typer.Exit(code)


def _flag[T, V](name: str, parse: Callable[[V], T], given: V) -> T:
    try:
        return parse(given)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=name) from error


@command(app, "Show what a running proxy has counted.", "wiretape status --json")
def status(
    url: Annotated[
        str,
        typer.Option(
            metavar="URL",
            envvar=["WIRETAPE_URL", "WIRETAPE_CONTROL"],
            help="Where the page of counters, or the control API, is.",
        ),
    ] = "http://127.0.0.1:9464",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show what a running proxy has counted, by session. Exit code 2: nothing answers there."""
    from wiretape.cli.status import status as show_status

    raise typer.Exit(show_status(url, as_json=as_json))


@command(app, "Show what sessions may spend and have spent.", "wiretape budget --reset nightly")
def budget(
    recordings: session.Recordings = "recordings",
    config: session.Config = None,
    reset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Let this session spend its budget anew.", show_default=False)
    ] = None,
) -> None:
    """Show what sessions with a budget have spent on this machine, or let one begin anew.

    Exit code 1: a budget is used up; 2: it cannot be told.
    """
    from wiretape.cli import budget as budgets

    try:
        code = budgets.reset(recordings, reset) if reset else budgets.show(recordings, config)
    except (OSError, ValueError) as error:
        say(str(error))
        code = REFUSED
    raise typer.Exit(code)


@command(app, "Replay the shipped recordings, offline.", "wiretape demo")
def demo() -> None:
    """Replay the shipped recordings to a real SDK client: offline, without a key, in a few seconds."""
    from wiretape.cli.demo import demo as run_demo

    raise typer.Exit(run_demo())


@command(app, "Write what killed proxies have left.", "wiretape recover")
def recover() -> None:
    """Write the recordings that proxies have left which were killed: the next start of a proxy does the same.

    The exit code is 1 where something could not be written.
    """
    from wiretape.cli.recover import run

    raise typer.Exit(run())


# They come behind the others in the list of commands.
app.registered_commands += recording_commands.app.registered_commands
app.registered_commands += setup_commands.app.registered_commands
app.registered_commands += page_commands.app.registered_commands
app.registered_commands += freshness_commands.app.registered_commands
rules.app.registered_commands += matching_commands.app.registered_commands
