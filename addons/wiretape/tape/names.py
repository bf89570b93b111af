"""What the files of recordings are called. Below all of the tape that looks for them or writes them.

e99f14805360                 the hash of the request, in the form 2026 all 64 digits of it
e99f14805360.2               the second take of the same request
e99f14805360-0a1b2c3d        another request whose hash is the same, with eight digits of its identity
models-<hash>-<models>       a list of models, with a hash of what is in it
"""

import hashlib

from wiretape.recording import RecordedRequest


def take_name(name: str, number: int) -> str:
    """Return the name of a take, of which the first is 1."""
    return name if number == 1 else f"{name}.{number}"


def take_of(name: str) -> tuple[str, int]:
    """Return the name of the first take, and the number, of what ``take_name`` has made."""
    first, dot, number = name.rpartition(".")
    if dot and number.isascii() and number.isdecimal() and len(number) < 10:
        return first, int(number)
    return name, 1


def disambiguated_name(name: str, identity: str) -> str:
    """Return the name of a recording whose first name another one has.

    Twelve digits can collide, and the hash does not cover the host: the second comer's name says more.
    """
    return f"{name}-{identity[:8]}"


def second_name(name: str, request: RecordedRequest, identity: str, test_id: str | None) -> str:
    """Return the name of a recording whose first name another one has, given one of its two names.

    The first name of a list of models does not tell the test that it was recorded for, so the second one does.
    """
    if not request.is_model_list:
        return disambiguated_name(name.partition("-")[0], identity)
    first = "-".join(name.split("-")[:3])
    if test_id:
        identity = hashlib.sha256(f"{identity} {test_id}".encode()).hexdigest()
    return disambiguated_name(first, identity)
