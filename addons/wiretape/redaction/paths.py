"""A place in a JSON value, as a team's rule names it: ``messages[*].content``, ``metadata.**.id``.

Beside the rules. A path has steps, divided by dots: a member's name; ``*``, any member; ``**``, any number of members
and elements; and behind a step ``[3]``, an element, or ``[*]``, any element. It begins at whatever level: a request has
on the wire at its top what it has in a recording's ``request.body``, or in ``extra_body``.
"""

import re
from dataclasses import dataclass

_STEP = re.compile(r"(\*\*|\*|[^.\[\]*\s]+)?((?:\[(?:\*|[0-9]{1,9})\])*)")

ANY_MEMBER = "*"
ANY_ELEMENT = "[*]"
ANY_DEPTH = "**"


@dataclass(frozen=True, slots=True)
class Path:
    """Where a rule applies."""

    steps: tuple[str, ...]
    """Names of members, ``[3]`` for an element, and ``*``, ``[*]``, ``**``."""

    def begin(self) -> frozenset[int]:
        """Return the states in which a value's root is: how many steps have been taken."""
        return self._without_depths({0})

    def enter(self, states: frozenset[int], step: str) -> frozenset[int]:
        """Return the states of a member or an element (its step is ``[3]``), given those of what it stands in."""
        wildcard = ANY_ELEMENT if step.startswith("[") else ANY_MEMBER
        taken = {0}
        for state in states:
            if state == len(self.steps):
                taken.add(state)  # All that stands in what is named is named.
            elif self.steps[state] == ANY_DEPTH:
                taken.add(state)
            elif self.steps[state] in (step, wildcard):
                taken.add(state + 1)
        return self._without_depths(taken)

    def is_there(self, states: frozenset[int]) -> bool:
        """Tell whether the rule applies to what is in these states."""
        return len(self.steps) in states

    def _without_depths(self, states: set[int]) -> frozenset[int]:
        # ``**`` stands for no step at all as well.
        pending = [*states]
        while pending:
            state = pending.pop()
            if state < len(self.steps) and self.steps[state] == ANY_DEPTH and state + 1 not in states:
                states.add(state + 1)
                pending.append(state + 1)
        return frozenset(states)


def parse(text: str) -> Path:
    """Read a path. Raises ValueError, which says what a path is."""
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
