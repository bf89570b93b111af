"""``wiretape demo``: replays the shipped recordings to a real SDK client, through a real proxy, with ``run`` itself."""

import importlib.util
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.syntax import Syntax

import wiretape
from wiretape.cli.options import settings

APP = Path(__file__).with_name("demo_app.py").resolve()


def samples() -> Path:
    """Return the directory of the shipped recordings: in the package of a wheel, or in the source checkout."""
    package = Path(wiretape.__file__).resolve().parent
    installed = package / "samples"
    if installed.is_dir():
        return installed
    return package.parents[1] / "recordings"


def demo() -> int:
    """Run the demo. Return the exit code."""
    console = Console(highlight=False, soft_wrap=True)
    if importlib.util.find_spec("openai") is None:
        print("wiretape: the demo's app needs the openai package: pip install openai", file=sys.stderr)
        return 1
    # It is imported late because mitmproxy takes a moment, and a missing package is reported at once.
    from wiretape.cli.embedded import StartError
    from wiretape.cli.run import RunPlan, run
    from wiretape.cli.summary import summary

    _title(console, "The app: it knows nothing of wiretape")
    _show_app(console)
    recordings = samples()
    _title(console, "wiretape run --mode replay -- python app.py")
    console.file.flush()  # the child writes to the same place
    flags = {"wiretape_mode": "replay", "wiretape_recordings": str(recordings), "wiretape_session": "default"}
    flags["wiretape_keep_misses"] = "false"
    flags["wiretape_call_log"] = "off"
    # The settings of the user do not apply: their variables, their config.yaml, their exceptions for the proxy.
    environ = {name: value for name, value in os.environ.items() if name not in ("NO_PROXY", "no_proxy")}
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="wiretape-demo-") as confdir:
            # With -P, the app cannot import its neighbours in our package.
            command = (sys.executable, "-P", str(APP))
            outcome = run(RunPlan(command, settings({}, [f"confdir={confdir}"], flags), environ))
    except StartError as error:
        print(f"wiretape: {error}", file=sys.stderr)
        return 2
    seconds = time.monotonic() - began
    _title(console, "What happened")
    console.print(summary(outcome), markup=False)
    console.print(f"{seconds:.1f} seconds, no key, and nothing left this machine.")
    if outcome.code:
        return outcome.code
    _title(console, "Your turn")
    _next(console)
    return 0


def _title(console: Console, text: str) -> None:
    console.print()
    if console.is_terminal:
        console.rule(f"[bold]{text}", align="left")
    else:
        console.print(f"--- {text}")
    console.print()


def _show_app(console: Console) -> None:
    code = APP.read_text(encoding="utf-8").rstrip()
    if console.is_terminal:
        console.print(Syntax(code, "python", background_color="default", word_wrap=False))
    else:
        console.print(code, markup=False)


def _next(console: Console) -> None:
    # In a clone, the commands are in .venv/bin, which is not on the path.
    folder = ""
    if not shutil.which("wiretape"):
        folder = os.path.relpath(Path(sys.argv[0]).parent) + os.sep
    commands = (
        (f"{folder}wiretape run --mode record -- python your_app.py", "asks the provider, records into ./recordings"),
        (f"{folder}wiretape run --mode replay -- python your_app.py", "the same answers, offline"),
        (f'{folder}mitmdump -s "$({folder}wiretape addon)"', "one proxy for everyone: http://127.0.0.1:8080"),
    )
    width = max(len(command) for command, _ in commands) + 3
    for command, purpose in commands:
        console.print(f"  {command:<{width}}", style="bold", end="", markup=False)
        console.print(purpose, markup=False)
