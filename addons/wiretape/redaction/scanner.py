"""A text -> where its secrets stand: one pass over it for all hooks of the table, then a closer look at each.

The pass is RE2's: linear whatever the text is, and fast over what has no hook, such as an image in base64. What looks
closer at a hook is bounded in what it looks at, or takes out what it has looked at. So the whole is linear.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import re2

from wiretape.redaction.detectors import DETECTORS, Detector
from wiretape.redaction.forms import FORMS, Form
from wiretape.redaction.structures import aws_secrets

_BOUNDARY = (
    r"(?:\b_{0,2}"
    r"|%[0-9A-Fa-f]{2}|\\[nrtbfv]|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}"  # escapes: in a URL, in JSON, in a program
    r"|\x1b\[[0-9;]{1,8}m)"  # a colour of the terminal
)
"""What stands before the beginning of a key, of which it is no part."""

_WINDOW = 640
"""Bytes of a key by which it is judged."""
_TELLING = 6
"""Characters of a beginning that is none of anything else, wherever it stands after a hyphen."""


@dataclass(frozen=True, slots=True)
class SecretMatch:
    """Where a secret stands in a text in UTF-8."""

    start: int
    end: int
    detector: str


def compiled(pattern: bytes) -> Any:
    """Return a pattern for bytes. What is wrong with it is never said on stderr, where its text would stand."""
    options = re2.Options()
    options.log_errors = False
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern, options)


@cache
def _form_pattern(start: str, form: Form) -> Any:
    return compiled(re2.escape(start.encode()) + form.rest.encode())


class Scanner:
    """Looks for what is in the table."""

    def __init__(self, disabled: Iterable[str] = (), more: Sequence[Detector] = ()) -> None:
        """``disabled`` are names of detectors; ``more`` are detectors beside those of the table."""
        left_out = frozenset(disabled)
        # What is found most often comes first.
        self._detectors = tuple(each for each in (*DETECTORS, *more) if each.name not in left_out)
        kept = [form for form in FORMS if form.name not in left_out]
        starts = sorted({start for form in kept for start in form.starts}, key=lambda start: (-len(start), start))
        self._forms: dict[bytes, list[tuple[str, Form]]] = {
            # What begins with sk-ant- begins with sk- as well.
            longer.encode(): [
                (start, form) for start in starts if longer.startswith(start) for form in kept if start in form.starts
            ]
            for longer in starts
        }
        hooks = [f"({detector.hook})" for detector in self._detectors]
        if starts:
            hooks.append(f"{_BOUNDARY}({'|'.join(map(re2.escape, starts))})")
        self._hooks = compiled("|".join(hooks).encode()) if hooks else None

    def scan(self, data: bytes) -> list[SecretMatch]:
        """Return the secrets of a text in UTF-8, in order; none overlaps another."""
        found: list[SecretMatch] = []
        beside: list[SecretMatch] = []
        at = 0
        if self._hooks is None:
            return found
        while hook := self._hooks.search(data, at):
            secret, at = self._look(data, hook)
            if secret:
                found.append(secret)
                if data.startswith((b"AKIA", b"ASIA"), secret.start):
                    beside += [SecretMatch(*span, "aws secret") for span in aws_secrets(data, secret.start, secret.end)]
        if not beside:
            return found
        return _without_overlaps([*found, *beside])

    def _look(self, data: bytes, hook: Any) -> tuple[SecretMatch | None, int]:
        """Look closer at a hook. Return what is there, and where to go on."""
        for group, detector in enumerate(self._detectors, start=1):
            start, end = hook.span(group)
            if start >= 0:
                end -= detector.ahead
                if span := detector.closer(data, start, end):
                    return SecretMatch(*span, detector.name), max(span[1], end)
                return None, end
        start, end = hook.span(len(self._detectors) + 1)
        return self._look_at_form(data, hook.start(), start, end)

    def _look_at_form(self, data: bytes, hooked: int, start: int, end: int) -> tuple[SecretMatch | None, int]:
        beginning = data[start:end]
        if len(beginning) < _TELLING and hooked == start and _is_inside(data, start):
            return None, end
        for text, form in self._forms[beginning]:
            pattern = _form_pattern(text, form)
            match = pattern.match(data, start, start + _WINDOW)
            if match is None:
                continue
            stop = match.end()
            if stop == start + _WINDOW and form.is_one(_text(data, start, stop, text)):
                stop = pattern.match(data, start).end()
            if data[stop : stop + 1].isalnum() or not form.is_one(_text(data, start, stop, text)):
                continue
            stop = start + len(data[start:stop].rstrip(b"._" if data[start - 1 : start] == b"_" else b"."))
            return SecretMatch(start, stop, form.name), stop
        return None, end


def _without_overlaps(found: list[SecretMatch]) -> list[SecretMatch]:
    kept: list[SecretMatch] = []
    for each in sorted(found, key=lambda each: (each.start, -each.end)):
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return kept


def _text(data: bytes, start: int, stop: int, beginning: str) -> str:
    return data[start + len(beginning) : min(stop, start + _WINDOW)].decode("ascii")


def _is_inside(data: bytes, at: int) -> bool:
    """Tell whether what begins here goes on a name: ``my-sk-...``."""
    before = data[max(0, at - 8) : at]
    return before[-1:] in (b"-", b"_") and before.rstrip(b"-_")[-1:].isalnum()
