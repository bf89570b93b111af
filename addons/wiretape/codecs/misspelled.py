"""Makes the error for names that nothing reads, which tells the name that was meant.

It is for all names that a user writes: keys of a configuration, options, variables of the environment. A name that
nothing reads would silently have no effect, so each of them is an error.
"""

import difflib
from collections.abc import Collection, Iterable

_MENTIONED = 3
"""How many unknown names one error tells."""
_LONGEST = 40
"""How many characters of such a name are compared, and shown."""


def unknown(
    where: str, names: Iterable[str], known: Collection[str], hint: str = "", *, kind: str = "key"
) -> ValueError:
    """Return the error for unknown names, after the place where they stand."""
    return ValueError(f"{where}: {said(names, known, hint, kind=kind)}")


def said(names: Iterable[str], known: Collection[str], hint: str = "", *, kind: str = "key") -> str:
    """Return the text about unknown names: the name that was meant, and all that there are."""
    wrong = sorted(names)
    shown = ", ".join(name[:_LONGEST] for name in wrong[:_MENTIONED])
    if len(wrong) > _MENTIONED:
        shown += " and others"
    meant = nearest(wrong[0], known)
    guess = "; there are"
    if meant:
        guess = f": did you mean {meant}? There are"
    return f"unknown {kind} {shown}{guess} {', '.join(known)}{hint}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most like a wrong one, in whatever case; empty where none is like it."""
    by_lower = {each.lower(): each for each in known}
    nearest_names = difflib.get_close_matches(name[:_LONGEST].lower(), by_lower, 1)
    if not nearest_names:
        return ""
    return by_lower[nearest_names[0]]
