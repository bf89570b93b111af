"""Flags and ``WIRETAPE_*`` variables -> mitmproxy option settings. Pure values: the addon validates them.

The order of precedence is: a flag, ``--set``, the environment, mitmproxy's ``config.yaml``, the default. The last two
are mitmproxy's and are applied in ``proxy``.
"""

from collections.abc import Collection, Iterable, Mapping

from wiretape.codecs import misspelled
from wiretape.redaction import pseudonyms

PREFIX = "WIRETAPE_"

OTHERS = {"WIRETAPE_WORKERS", "WIRETAPE_LISTEN", "WIRETAPE_BALANCE", "WIRETAPE_URL", pseudonyms.VARIABLE}
"""Variables that are no options of the proxy: of commands' own flags, and a key, which no setting may hold."""


def from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """``WIRETAPE_MODE=replay`` -> ``{"wiretape_mode": "replay"}``, and so on. An empty variable is not set."""
    chosen = {name: value for name, value in environ.items() if name.startswith(PREFIX) and value}
    return {name.lower(): value for name, value in chosen.items() if name not in OTHERS}


def check_names(environ: Mapping[str, str], options: Collection[str]) -> None:
    """Raise ValueError for a ``WIRETAPE_*`` variable that nobody reads. ``options`` are those that there are."""
    known = sorted({name.upper() for name in options} | OTHERS)
    if wrong := {name.upper() for name in from_environment(environ)} - {*known}:
        raise misspelled.unknown("the environment", wrong, known, kind="variable")


def settings(
    environ: Mapping[str, str], assignments: Iterable[str] = (), flags: Mapping[str, str | None] | None = None
) -> list[str]:
    """All settings as mitmproxy's ``name=value``, at most one source for each name.

    ``assignments`` are those of ``--set``, in which a name may stand several times (mitmproxy's list options);
    ``flags`` are the named ones, ``None`` where the user gave none.
    """
    chosen = {name: [f"{name}={value}"] for name, value in from_environment(environ).items()}
    given: dict[str, list[str]] = {}
    for assignment in assignments:
        given.setdefault(assignment.partition("=")[0], []).append(assignment)
    chosen |= given
    chosen |= {name: [f"{name}={value}"] for name, value in (flags or {}).items() if value is not None}
    return [setting for several in chosen.values() for setting in several]


def is_ci(environ: Mapping[str, str]) -> bool:
    """Whether this is a run that nobody watches, as all the systems that do such runs tell by ``CI``."""
    return environ.get("CI", "").strip().lower() not in ("", "0", "false", "no", "off")
