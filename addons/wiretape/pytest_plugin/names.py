"""A file of tests -> the name of its session, a test -> its ``test_id``: short, and the same on every system.

    tests/unit/test_chat.py                                    tests.unit.test_chat
    tests/Überlang & co/test_chat.py                           tests--berlang---co-test_chat-52e032dd
    tests/test_chat.py::test_says[a text of 5 kB]              tests/test_chat.py::test_says[a-text-of-5-kB-a3b61b87]

The name of a session is that of a folder. So it has neither capital letters nor blanks, at most 64 characters, and none
of the names that Windows keeps for devices, which it does with anything behind a dot as well. A digest takes the place
of what is left out: two files never have one name.
"""

import hashlib
import re

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_]*(/[a-z0-9][a-z0-9_]*)*", re.ASCII)
"""A path that the name of a session can spell, with dots for slashes."""

_LONGEST = 48
_DIGEST = 8
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(10))})

_LONGEST_PARAMETERS = 40
_PARAMETERS = re.compile(r"[A-Za-z0-9_.,:+-]*", re.ASCII)
"""What an id of parameters may have to be told as it is."""


def session_of(file: str) -> str:
    """Return the name of the session of a file, whose path is relative to pytest's root folder, with slashes."""
    path = file.removesuffix(".py")
    first = path.partition("/")[0]
    if _PLAIN.fullmatch(path) and len(path) <= _LONGEST and first not in _DEVICES:
        return path.replace("/", ".")
    # Without a dot nothing of it is a device's.
    kept = re.sub(r"[^a-z0-9_]", "-", path.lower(), flags=re.ASCII).lstrip("-_")[:_LONGEST]
    return f"{kept}-{_digest(file)}".lstrip("-")


def id_of(node_id: str) -> str:
    """Return what a test is called where its calls are told of, given the id of its node."""
    function, bracket, parameters = node_id.partition("[")
    parameters = parameters.removesuffix("]")
    if not bracket or (_PARAMETERS.fullmatch(parameters) and len(parameters) <= _LONGEST_PARAMETERS):
        return node_id
    kept = re.sub(r"[^A-Za-z0-9_.]+", "-", parameters[: _LONGEST_PARAMETERS // 2], flags=re.ASCII).strip("-")
    return f"{function}[{kept}-{_digest(parameters)}]"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
