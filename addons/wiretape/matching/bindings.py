"""Recorded values and what is in their place now: in an answer, the one becomes the other."""

from collections.abc import Iterable
from dataclasses import dataclass

from wiretape.providers.answers import HttpResponse


@dataclass(frozen=True, slots=True)
class Binding:
    """A recorded value, and the present one."""

    name: str
    recorded: str
    present: str
    is_path: bool = False


class Bindings:
    """Several."""

    def __init__(self, bindings: Iterable[Binding] = ()) -> None:
        self.bindings = (*bindings,)

    def rewrite(self, answer: HttpResponse) -> HttpResponse:
        """Return an answer with the present values."""
        return answer
