"""Parts of a page that a program writes, each between two comments.

The comments are ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->``. Text in, text out.
"""

import re
from collections.abc import Mapping

_PART = re.compile(r"(<!-- begin: (\S+) -->\n)(.*?)(<!-- end: \2 -->)", re.DOTALL)


def names(page: str) -> list[str]:
    """Return the names of a page's parts, in their order."""
    return [match[2] for match in _PART.finditer(page)]


def filled(page: str, parts: Mapping[str, str]) -> str:
    """Return the page with each of its parts as it should be.

    Raises ValueError where the page has another set of parts: what is new needs a place, and words, on the page.
    """
    there = names(page)
    if missing := [name for name in parts if name not in there]:
        raise ValueError(f"no place for {', '.join(missing)}: add a heading, and the two comments")
    if unknown := [name for name in there if name not in parts]:
        raise ValueError(f"nothing is called {', '.join(unknown)} any more: remove that section")
    return _PART.sub(lambda match: f"{match[1]}\n{parts[match[2]].strip()}\n\n{match[4]}", page)
