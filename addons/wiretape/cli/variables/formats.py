"""How variables are written: for a shell, a Dockerfile, a file. Values in, lines out.

Each format has its own rules on quotes, and none of them can write a line end everywhere: a value that has one is
refused in all of them. Sources: POSIX shell, 2.2 Quoting; fish, "Quotes"; PowerShell, about_Quoting_Rules; Docker's
reference of Dockerfiles, "ENV" and "Environment replacement"; python-dotenv, "File format"; GitHub Actions, "Setting an
environment variable".
"""

import re
import shlex
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """For whom variables are written."""

    SH = "sh"
    FISH = "fish"
    DOCKER = "docker"
    DOTENV = "dotenv"
    POWERSHELL = "powershell"
    GITHUB = "github"


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a format writes."""

    set: Callable[[str, str], str]
    """The line that sets a variable."""
    unset: Callable[[str], str] | None
    """The line that takes one away; None where there are none to begin with."""
    comment: str
    """What a comment begins with."""
    left_out: frozenset[str] = frozenset()
    """Variables that cannot be set so."""


def _sh(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str) -> str:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{quoted}'"


_POWERSHELL_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")
"""All of these end a text in single quotes."""


def _powershell(name: str, value: str) -> str:
    return f"$env:{name} = '{_POWERSHELL_QUOTES.sub(lambda quote: quote[0] * 2, value)}'"


def _docker(name: str, value: str) -> str:
    return f'ENV {name}="{re.sub(r'(["$\\])', r"\\\1", value)}"'


_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=~-]+")


def _dotenv(name: str, value: str) -> str:
    # Nothing keeps readers from putting a variable in place of this, not even single quotes.
    if "${" in value:
        raise ValueError(f"{name}: a .env file cannot have ${{ in a value")
    if _PLAIN.fullmatch(value):
        return f"{name}={value}"
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{name}='{quoted}'"


SYNTAX: Mapping[Format, Syntax] = {
    Format.SH: Syntax(_sh, "unset {}".format, "#"),
    Format.FISH: Syntax(_fish, "set -e {}".format, "#"),
    Format.DOCKER: Syntax(_docker, None, "#"),
    Format.DOTENV: Syntax(_dotenv, None, "#"),
    Format.POWERSHELL: Syntax(_powershell, "Remove-Item Env:{} -ErrorAction SilentlyContinue".format, "#"),
    # GitHub lets no step set NODE_OPTIONS for the next ones.
    Format.GITHUB: Syntax("{}={}".format, "{}=".format, "#", frozenset({"NODE_OPTIONS"})),
}


def _is_control(char: str) -> bool:
    """Tell whether no line should have a character: a line end, another control character, half of a character."""
    return not char.isprintable() and unicodedata.category(char) != "Zs"


def lines(chosen: Format, values: Mapping[str, str], dropped: Iterable[str] = ()) -> list[str]:
    """Return the lines that set variables and take others away. Raises ValueError for a value that cannot be written.

    The error names the variable, and nothing of the value.
    """
    syntax = SYNTAX[chosen]
    written = []
    for name, value in values.items():
        if any(map(_is_control, value)):
            raise ValueError(f"{name}: its value has a line end or another control character")
        if name not in syntax.left_out:
            written.append(syntax.set(name, value))
    if syntax.unset:
        written += [syntax.unset(name) for name in dropped]
    return written
