"""Names that nobody reads, as somebody has written them -> the error that tells which one was meant.

Under everything that reads names of a user's: keys of a configuration, options, variables of the environment. What
nobody reads would be silently without effect, so each of them is an error.
"""

import difflib
from collections.abc import Collection, Iterable

_MENTIONED = 3
"""Unknown names that one error tells."""
_LONGEST = 40
"""Characters of such a name: so much is compared, and shown."""


def unknown(
    where: str, names: Iterable[str], known: Collection[str], hint: str = "", *, kind: str = "key"
) -> ValueError:
    """Return the error for names that nobody reads, after the place where they stand."""
    return ValueError(f"{where}: {said(names, known, hint, kind=kind)}")


def said(names: Iterable[str], known: Collection[str], hint: str = "", *, kind: str = "key") -> str:
    """Return what is to be said of names that nobody reads: the one that was meant, and all that there are."""
    wrong = sorted(names)
    shown = ", ".join(name[:_LONGEST] for name in wrong[:_MENTIONED])
    if len(wrong) > _MENTIONED:
        shown += " and others"
    meant = nearest(wrong[0], known)
    guess = f": did you mean {meant}? There are" if meant else "; there are"
    return f"unknown {kind} {shown}{guess} {', '.join(known)}{hint}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that a wrong one is most like, whatever its case; empty where it is like none."""
    by_lower = {each.lower(): each for each in known}
    found = difflib.get_close_matches(name[:_LONGEST].lower(), by_lower, 1)
    return by_lower[found[0]] if found else ""
