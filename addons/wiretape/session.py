"""Names of sessions. A session is one set of recordings: a folder below the store's root."""

import re

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def check_name(name: str) -> str:
    """The name itself, where it is one.

    Raises ValueError where not: a session's name becomes part of a path.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no session name: 1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or a digit"
        )
    return name
