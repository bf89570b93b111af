"""What a tape is asked: a request, and what is worked out of it once for all that look. Before ``tape``.

A front makes one of a live request and gives the same one to ``Tape.lookup`` and, where that finds nothing, to
``Tape.search``: so the turn of a request that moves on is counted once, however often it is looked for.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field

from wiretape.matching import request as matching
from wiretape.matching.rules import MatchContext
from wiretape.recording import RecordedRequest


@dataclass(slots=True, eq=False)
class Question:
    """A request for which a recording is looked for."""

    request: RecordedRequest
    key: Hashable = None
    """Equal for requests that are the same byte for byte: under it a hit is kept in memory. None: it is not kept."""
    turn: int | None = None
    """Of a request that moves on: how many equal ones came before it. None until a tape has counted it."""
    place: int | None = None
    """Which call of its session it is to its endpoint and model, from 1 on, where each call counts. None until a tape
    has counted it."""

    context: MatchContext = field(default_factory=MatchContext)
    """Whose request it is: by that the rules are chosen by which it may be the same as another one."""

    @property
    def identity(self) -> str:
        """What all requests have in common that are the same as this one."""
        return matching.identity(self.request)

    def read_as(self, request: RecordedRequest) -> "Question":
        """Return the same question, read as another request. Its turn is the same; its hit is not kept in memory."""
        return Question(request, None, self.turn, self.place, self.context)
