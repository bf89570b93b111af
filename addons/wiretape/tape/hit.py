"""A request that has a recording, as a front gets it. Below ``tape``."""

from dataclasses import dataclass, field, replace
from typing import Any

from wiretape.matching.bindings import Bindings
from wiretape.providers.answers import HttpResponse
from wiretape.providers.usage import Usage

RULES_HEADER = "x-wiretape-rules"
"""The header of an answer that tells by which rules its request is the same as the recorded one."""

NOTHING = Usage()


@dataclass(slots=True, eq=False)
class Hit:
    """A request that has a recording."""

    name: str
    answer: HttpResponse
    leaving: tuple[float, ...]
    """When each chunk is to leave: seconds from the request's end."""
    tokens: int
    """Completion tokens of the answer."""
    size: int
    """Bytes of the answer's body."""
    label: str = ""
    """Endpoint and model, for the log."""
    rules: tuple[str, ...] = ()
    """The names of the rules by which the request is the same as the recorded one; none where it is so exactly."""
    model: str = ""
    session: str = ""
    """The session that has the recording: the one that was asked, or a layer of it."""
    usage: Usage = NOTHING
    """The tokens that the answer says that it took."""
    framed: dict[str, Any] = field(default_factory=dict)
    """What a front keeps with the hit: the whole answer as it goes out, by the protocol; of no meaning here."""
    told: dict[tuple[str, str], Any] = field(default_factory=dict)
    """What a front keeps with the hit to tell of its calls, by client and scope; of no meaning here."""

    def by_rules(self, rules: tuple[str, ...], bindings: Bindings) -> "Hit":
        """Return the same as a hit by rules: what was recorded in the answer is what is there now, at its old times."""
        answer = bindings.rewrite(self.answer)
        told = ", ".join(rules).encode("ascii", "backslashreplace").decode("ascii")
        answer = replace(answer, headers=(*answer.headers, (RULES_HEADER, told)))
        return replace(self, answer=answer, rules=rules, size=sum(map(len, answer.chunks)))
