"""When a recording may not take the name it wants: what has the name is another's. Below ``recorder``.

A recording that waited for its store, in the spool of a bucket that was away, may find that another has written in its
place meanwhile. Nobody looked at what was there when it was recorded, so it is decided when it goes up.
"""

from collections.abc import Callable

from wiretape import recording
from wiretape.matching import request as matching
from wiretape.policy import Mode, Takes
from wiretape.tape.names import second_name, take_name

type ConflictResolver = Callable[[str, str, bytes, bytes], str | None]
"""Given session, name, ours and theirs, it returns the name to write ours under, or None to drop it."""


def conflict_resolver(choice: Callable[[str], tuple[Mode, Takes]]) -> ConflictResolver:
    """Return what decides about a recording that finds another in its place.

    ``choice`` tells in which mode a session is recorded, and which of its takes answers.
    """

    def resolve(session: str, name: str, ours: bytes, theirs: bytes) -> str | None:
        request = recording.read_request(ours)
        identity = matching.stored_identity(request)
        if is_another(theirs, identity, request.test_id):
            second = second_name(name, request, identity, request.test_id)
            return second if second != name else None
        mode, takes = choice(session)
        if mode is Mode.RECORD and takes is Takes.LAST:
            return None  # Which of both is the last is not known: theirs was written while ours waited.
        if mode is not Mode.RECORD and (ours == theirs or not _is_passing(theirs)):
            return None
        return _next_take(name)

    return resolve


def is_another(data: bytes, identity: str, test_id: str | None) -> bool:
    """Return whether the bytes are a recording of another request, which must not be overwritten.

    A list of models that was recorded for another test is one, too.
    """
    try:
        request = recording.read_request(data)
    except ValueError:
        return False
    is_of_another_test = request.is_model_list and request.test_id != test_id
    return is_of_another_test or not matching.is_stored(request, identity)


def _is_passing(data: bytes) -> bool:
    """Return whether the bytes are a recording that says nothing about what its request gets now."""
    try:
        return recording.loads(data).response.is_passing
    except ValueError:
        return False


def _next_take(name: str) -> str:
    base, _, number = name.partition(".")
    return take_name(base, int(number or 1) + 1)
