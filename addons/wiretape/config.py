"""The file of ``wiretape_config`` as a whole: which tables it may have. Before those who read one table each.

A table that nobody reads would be silently without effect: a session of ``[sesion.main]`` that is not frozen, a rule on
secrets that takes nothing out. So every front that reads such a file has it checked here first, and a wrong word ends
the start. What is in a table is its owner's business: ``providers``, ``sessions``, ``egress``, ``faults``,
``redaction.rules``.
"""

from wiretape.codecs import misspelled, toml_text

TABLES = ("endpoints", "fault", "provider", "redact", "redaction", "session", "tunnels")
"""The tables that there are."""

_ELSEWHERE = {
    "default": "what holds for all sessions is said by options, such as --set wiretape_mode=replay",
    "defaults": "what holds for all sessions is said by options, such as --set wiretape_mode=replay",
    "token": "tokens are in a file of their own, that of wiretape_tokens",
    "tokens": "tokens are in a file of their own, that of wiretape_tokens",
}
"""Words that somebody may look for here, and where what they stand for is said."""

_SESSION_KEYS = ("layers", "mode", "modes", "pace", "takes", "format", "frozen")


def check_tables(file: str, text: str) -> None:
    """Raise ValueError for a table that nobody reads; it names the file and the right word."""
    names = toml_text.loads(file, text).keys() - {*TABLES}
    if not names:
        return
    first = min(names)
    if first in _ELSEWHERE:
        raise ValueError(f"{file}: there is no table {first}: {_ELSEWHERE[first]}")
    if first.startswith("wiretape_") or first in _SESSION_KEYS:
        option = first if first.startswith("wiretape_") else f"wiretape_{first}"
        raise ValueError(
            f"{file}: {first} is no table: an option is given as --set {option}=..., and what a session has of its own "
            f"stands below [session.NAME]"
        )
    raise misspelled.unknown(file, names, TABLES, kind="table")
