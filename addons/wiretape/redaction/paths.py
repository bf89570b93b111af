"""A place in a JSON value, as a rule of a team names it: ``messages[*].content``, ``metadata.**.id``.

A path has steps, divided by dots: the name of a member; ``*``, any member; ``**``, any number of members and elements.
Behind a step may stand ``[3]``, an element, or ``[*]``, any element. A path may begin at any level: what stands at the
top of a request on the wire stands in ``request.body`` of its recording, or in ``extra_body``.
"""

import re
from dataclasses import dataclass

_STEP = re.compile(r"(\*\*|\*|[^.\[\]*\s]+)?((?:\[(?:\*|[0-9]{1,9})\])*)")

ANY_MEMBER = "*"
ANY_ELEMENT = "[*]"
ANY_DEPTH = "**"


@dataclass(frozen=True, slots=True)
class Path:
    """The place where a rule applies."""

    steps: tuple[str, ...]
    """Names of members, ``[3]`` for an element, and ``*``, ``[*]``, ``**``."""

    def begin(self) -> frozenset[int]:
        """Return the states at the root of a value. A state is the number of steps that were taken."""
        return self._without_depths({0})

    def enter(self, states: frozenset[int], step: str) -> frozenset[int]:
        """Return the states of a member or an element (its step is ``[3]``), given the states of what it stands in."""
        wildcard = ANY_MEMBER
        if step.startswith("["):
            wildcard = ANY_ELEMENT
        taken = {0}
        for state in states:
            if state == len(self.steps):
                taken.add(state)  # Everything inside of a named value is named, too.
            elif self.steps[state] == ANY_DEPTH:
                taken.add(state)
            elif self.steps[state] in (step, wildcard):
                taken.add(state + 1)
        return self._without_depths(taken)

    def is_there(self, states: frozenset[int]) -> bool:
        """Tell whether the rule applies where these are the states."""
        return len(self.steps) in states

    def _without_depths(self, states: set[int]) -> frozenset[int]:
        # ``**`` may also stand for no step at all.
        pending = [*states]
        while pending:
            state = pending.pop()
            if state < len(self.steps) and self.steps[state] == ANY_DEPTH and state + 1 not in states:
                states.add(state + 1)
                pending.append(state + 1)
        return frozenset(states)


def parse(text: str) -> Path:
    """Return the path that a text describes. Raises ValueError, which tells what a path is."""
    steps: list[str] = []
    for part in text.split("."):
        match = _STEP.fullmatch(part)
        if not part or not match:
            raise ValueError(
                f"{text!r} is no path: it is one such as messages[*].content, metadata.* or **.customer_id"
            )
        if match[1]:
            steps.append(match[1])
        steps += re.findall(r"\[[^\]]*\]", match[2])
    return Path(tuple(steps))
