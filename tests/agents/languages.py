"""Languages and their HTTP clients, each as it is: a chat, and nothing set but what ``wiretape run`` sets.

Those that read no proxy from their environment are recorded isolated.
"""

from dataclasses import replace

from agents.installing import FOLDER, beside
from agents.programs import APPS, NOTES, Clock, Program, Registry

_CHAT = APPS / "chat"
_LEFT = {"notes.txt": NOTES}


def _on_machine(name: str, command: tuple[str, ...], version: tuple[str, ...], *, isolated: bool = False) -> Program:
    """Return a program in a language that the machine has."""
    return Program(
        *(name, Registry.MACHINE, (), command),
        leaves=_LEFT,
        same_output=True,
        recorded_isolated=isolated,
        tells_version=version,
        environment={"GOCACHE": str(FOLDER / "go-cache")},
    )


def _from_npm(name: str, start: tuple[str, ...], app: str, *packages: str, isolated: bool = False) -> Program:
    """Return a program for Node, Bun or Deno."""
    return Program(
        *(name, Registry.NPM, packages, (*start, beside(name, app))),
        leaves=_LEFT,
        same_output=True,
        recorded_isolated=isolated,
        copied=(f"chat/{app}",),
    )


def _php(way: str, *, isolated: bool) -> Program:
    return _on_machine(f"php-{way}", ("php", str(_CHAT / "chat.php"), way), ("php", "--version"), isolated=isolated)


def _java(way: str) -> Program:
    made = _on_machine(f"java-{way}", ("java", str(_CHAT / "Chat.java"), way), ("java", "--version"))
    return replace(made, clock=Clock.ZONE)


LANGUAGES = (
    _on_machine("curl", ("bash", "-o", "pipefail", str(_CHAT / "chat.sh")), ("curl", "--version")),
    _on_machine("go", ("go", "run", str(_CHAT / "chat.go")), ("go", "version")),
    _on_machine("ruby", ("ruby", str(_CHAT / "chat.rb")), ("ruby", "--version")),
    _php("curl", isolated=False),
    _php("streams", isolated=True),
    _java("client"),
    _java("url"),
    Program(
        *("aiohttp", Registry.PYPI, ("aiohttp",), ("python", str(_CHAT / "with_aiohttp.py"))),
        leaves=_LEFT,
        same_output=True,
        recorded_isolated=True,
    ),
    _from_npm("node-fetch", ("node",), "fetch.mjs", "node@22"),
    _from_npm("undici-agent", ("node",), "undici.mjs", "undici", isolated=True),
    replace(_from_npm("ws", ("node",), "ws.mjs", "ws", isolated=True), refused=1),
    _from_npm("bun-fetch", ("bun",), "fetch.mjs", "bun"),
    _from_npm("deno-fetch", ("deno", "run", "--allow-net", "--allow-env"), "fetch.mjs", "deno"),
)
