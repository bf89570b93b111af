"""Requests that had no recording, kept on this machine for ``wiretape rules suggest``. Beside ``miss_explainer``.

A miss is kept among the notes on recordings, which only their owner may read, and in the form that a recording would
have: without what redaction takes out. The last 100 of a session are kept; one that misses again is the newest again.
Never is a recording made of it, nor does anything wait for it: where it cannot be kept, it is not.
"""

import json
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from wiretape import recording, redaction
from wiretape.matching import request as matching
from wiretape.matching.reduction import with_places
from wiretape.matching.rules import MatchContext, Places
from wiretape.recording import RecordedRequest, request_hash
from wiretape.recording.capture import CLIENT_LENGTH
from wiretape.store.notes import Note, Notes
from wiretape.tape.indexed import packed

MOST = 100
"""Misses of a session that are kept."""

_LARGEST = 1 << 20
"""Bytes of a request, packed: one with more is not kept."""


@dataclass(frozen=True, slots=True)
class KeptMiss:
    """A request that had no recording."""

    at: str
    """When: RFC 3339, in UTC."""
    context: MatchContext
    """Whose it was."""
    request: RecordedRequest

    @property
    def hash(self) -> str:
        """What a miss tells of its request: the first digits of its hash."""
        return request_hash(self.request)[:12]


class KeptMisses:
    """Those of one session. For any thread; it never raises."""

    def __init__(self, notes: Notes, session: str) -> None:
        self._notes = notes
        # It is no session's name.
        self._key = f"{session}#misses"

    def keep(self, request: RecordedRequest, context: MatchContext, places: Places) -> None:
        """Keep a miss, and drop the oldest. ``places``: the directories of the client, as far as they are known."""
        body = packed(with_places(request, places))
        if len(body) > _LARGEST:
            return
        cleaned = redaction.DEFAULT.text("".join(filter(str.isprintable, context.client)))[:CLIENT_LENGTH]
        head = asdict(context) | {"client": cleaned}
        at = datetime.now(UTC).isoformat(timespec="microseconds")
        self._notes.keep(self._key, [Note(matching.identity(request), at, json.dumps(head), body=body)])
        kept = sorted(self._notes.all(self._key).values(), key=lambda note: note.state)
        if len(kept) > MOST:
            self._notes.drop(self._key, [note.name for note in kept[:-MOST]])

    def with_hash(self, number: str) -> KeptMiss | None:
        """Return the newest whose request has a hash with these first digits; None where none is kept."""
        return next((each for each in reversed(self.all()) if each.hash == number), None)

    def all(self) -> list[KeptMiss]:
        """Return them, the oldest first, without what is a secret by the rules of today."""
        noted = self._notes.all(self._key)
        bodies = self._notes.bodies(self._key, [*noted])
        misses = []
        for name, note in sorted(noted.items(), key=lambda each: each[1].state):
            with suppress(ValueError, TypeError, KeyError, zlib.error):  # Another version has kept it.
                head = json.loads(note.head)
                context = MatchContext(**head | {"endpoints": tuple(head["endpoints"])})
                request = recording.loads_request(json.loads(zlib.decompress(bodies[name])))
                misses.append(KeptMiss(note.state, context, matching.by_rules_of_today(request)))
        return misses
