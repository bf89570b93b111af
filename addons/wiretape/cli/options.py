"""Flags and ``WIRETAPE_*`` variables -> settings of mitmproxy options. Pure values: the addon validates them.

The order of precedence is: a flag, ``--set``, the environment, mitmproxy's ``config.yaml``, the default. mitmproxy
applies the last two.
"""

from collections.abc import Collection, Iterable, Mapping

from wiretape.codecs import misspelled
from wiretape.redaction import pseudonyms

PREFIX = "WIRETAPE_"

CONTROL = "WIRETAPE_CONTROL"
"""The variable in which ``wiretape run`` tells its command where the control API of its proxy is."""

OTHERS = {
    "WIRETAPE_WORKERS",
    "WIRETAPE_LISTEN",
    "WIRETAPE_BALANCE",
    "WIRETAPE_URL",
    "WIRETAPE_PROXY",
    CONTROL,
    pseudonyms.VARIABLE,
}
"""Variables that are not options of the proxy: flags of commands, what it tells others, and a key, which no setting may
contain.
"""


def from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the options that variables set: ``WIRETAPE_MODE=replay`` sets ``wiretape_mode``. Empty
    ones are ignored.
    """
    chosen = {name: value for name, value in environ.items() if name.startswith(PREFIX) and value}
    return {name.lower(): value for name, value in chosen.items() if name not in OTHERS}


def check_names(environ: Mapping[str, str], options: Collection[str]) -> None:
    """Raise ValueError for a ``WIRETAPE_*`` variable that nothing reads. ``options`` are the names of all options."""
    known = sorted({name.upper() for name in options} | OTHERS)
    wrong = {name.upper() for name in from_environment(environ)} - {*known}
    if wrong:
        raise misspelled.unknown("the environment", wrong, known, kind="variable")


def settings(
    environ: Mapping[str, str], assignments: Iterable[str] = (), flags: Mapping[str, str | None] | None = None
) -> list[str]:
    """Return all settings as mitmproxy's ``name=value``, each name from one source only.

    ``assignments`` are those of ``--set``, in which a name may appear several times (mitmproxy's list options).
    ``flags`` are the named ones, with ``None`` where the user gave none.
    """
    chosen = {name: [f"{name}={value}"] for name, value in from_environment(environ).items()}
    given: dict[str, list[str]] = {}
    for assignment in assignments:
        given.setdefault(assignment.partition("=")[0], []).append(assignment)
    chosen |= given
    chosen |= {name: [f"{name}={value}"] for name, value in (flags or {}).items() if value is not None}
    return [setting for several in chosen.values() for setting in several]


def is_ci(environ: Mapping[str, str]) -> bool:
    """Tell whether this is a CI run, which nobody watches: all systems for that set ``CI``."""
    return environ.get("CI", "").strip().lower() not in ("", "0", "false", "no", "off")
