"""Which call came before another in one conversation: turns -> a mark for each of their beginnings. Sans-IO.

A program that talks to a model sends all that was said before once more, and what is new after it. So the call before
is the one whose whole request is the beginning of this one's. The mark of a beginning is a digest of all its turns:

    marks(turns)[-1]    what a request is found by
    marks(turns)[:-1]   what the requests before it would be found by, the shortest first
"""

import hashlib
from collections.abc import Mapping, Sequence

from wiretape.library.conversation import Turn


def marks(turns: Sequence[Turn]) -> list[bytes]:
    """Return a mark for each beginning of a conversation, from its first turn alone to all of it."""
    found = []
    mark = b""
    for turn in turns:
        digest = hashlib.blake2b(mark, digest_size=16)
        digest.update(turn.role.encode("utf-8", "surrogatepass"))
        for part in turn.parts:
            for text in (part.kind, part.text, part.name, part.id):
                encoded = text.encode("utf-8", "surrogatepass")
                digest.update(b"%d:" % len(encoded))
                digest.update(encoded)
        mark = digest.digest()
        found.append(mark)
    return found


def before(turns: Sequence[Turn], ends: Mapping[bytes, str]) -> tuple[str, int] | None:
    """Return the name of the call before one that has these turns, and how many of them it has; None where none is
    known. ``ends``: the last mark of each call, and its name.
    """
    for count, mark in reversed([*enumerate(marks(turns)[:-1], 1)]):
        if mark in ends:
            return ends[mark], count
    return None
