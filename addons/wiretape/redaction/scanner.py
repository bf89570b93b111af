"""The scanner: a text -> where the secrets of the table stand. One pass over the text, then a closer look at few
places.

All beginnings of keys and all hooks of detectors are one pattern, and RE2 searches for it: in time linear in the text,
whatever that is, and fast over a text that has none of them, such as an image in base64. Where a hook stands,

1. a detector's function looks closer (``Detector.closer``), or
2. the forms with that beginning are tried, the longest beginning first: what follows has to match the form, and may not
   read as words or stand in a secret's place (``Form.is_one``).

The search goes on behind the secret, or behind the hook where there is none. What looks closer is bounded in what it
looks at, or takes out what it has looked at; so the whole is linear as well.

An access key of AWS is known by its beginning, and its secret only by standing near it. Therefore the places around
each access key are searched for one (``aws_secrets``), which may overlap with other secrets.

Example: in ``export K=AKIA...`` the hooks are ``K=`` (nothing: ``K`` is no secret's name) and ``AKIA``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import re2

from wiretape.codecs.patterns import compiled
from wiretape.redaction.detectors import DETECTORS, Detector
from wiretape.redaction.forms import FORMS, Form
from wiretape.redaction.structures import aws_secrets

_BOUNDARY = (
    r"(?:\b_{0,2}"
    r"|%[0-9A-Fa-f]{2}|\\[nrtbfv]|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}"  # escapes: in a URL, in JSON, in a program
    r"|\x1b\[[0-9;]{1,8}m)"  # a colour of the terminal
)
"""What may stand directly before a key: a boundary of words, an escape, a colour of the terminal."""

_WINDOW = 640
"""How many bytes of a key are looked at to judge it."""
_TELLING = 6
"""How many characters make a beginning unmistakable: it counts even where a hyphen stands before it."""


@dataclass(frozen=True, slots=True)
class SecretMatch:
    """A secret in a text: its place in UTF-8, and the detector that found it."""

    start: int
    end: int
    detector: str


@cache
def _form_pattern(start: str, form: Form) -> Any:
    return compiled(re2.escape(start.encode()) + form.rest.encode())


class Scanner:
    """Finds the secrets of the table."""

    def __init__(self, disabled: Iterable[str] = (), more: Sequence[Detector] = ()) -> None:
        """``disabled`` are names of detectors; ``more`` are detectors beside those of the table."""
        left_out = frozenset(disabled)
        # The detectors that match most often come first.
        self._detectors = tuple(each for each in (*DETECTORS, *more) if each.name not in left_out)
        kept = [form for form in FORMS if form.name not in left_out]
        starts = sorted({start for form in kept for start in form.starts}, key=lambda start: (-len(start), start))
        self._forms: dict[bytes, list[tuple[str, Form]]] = {
            # A text that begins with sk-ant- begins with sk- as well.
            longer.encode(): [
                (start, form) for start in starts if longer.startswith(start) for form in kept if start in form.starts
            ]
            for longer in starts
        }
        hooks = [f"({detector.hook})" for detector in self._detectors]
        if starts:
            hooks.append(f"{_BOUNDARY}({'|'.join(map(re2.escape, starts))})")
        self._hooks = None
        if hooks:
            self._hooks = compiled("|".join(hooks).encode())

    def scan(self, data: bytes) -> list[SecretMatch]:
        """Return the secrets of a text in UTF-8, in order; none overlaps another."""
        matches: list[SecretMatch] = []
        beside: list[SecretMatch] = []
        at = 0
        if self._hooks is None:
            return matches
        while hook := self._hooks.search(data, at):
            secret, at = self._look(data, hook)
            if secret:
                matches.append(secret)
                if data.startswith((b"AKIA", b"ASIA"), secret.start):
                    beside += [SecretMatch(*span, "aws secret") for span in aws_secrets(data, secret.start, secret.end)]
        if not beside:
            return matches
        return _without_overlaps([*matches, *beside])

    def _look(self, data: bytes, hook: Any) -> tuple[SecretMatch | None, int]:
        """Look closer at a hook. Return the secret there, or None, and where the search goes on."""
        for group, detector in enumerate(self._detectors, start=1):
            start, end = hook.span(group)
            if start >= 0:
                end -= detector.ahead
                span = detector.closer(data, start, end)
                if span:
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
            marks = b"."
            if data[start - 1 : start] == b"_":
                marks = b"._"
            stop = start + len(data[start:stop].rstrip(marks))
            return SecretMatch(start, stop, form.name), stop
        return None, end


def _without_overlaps(matches: list[SecretMatch]) -> list[SecretMatch]:
    kept: list[SecretMatch] = []
    for each in sorted(matches, key=lambda each: (each.start, -each.end)):
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return kept


def _text(data: bytes, start: int, stop: int, beginning: str) -> str:
    return data[start + len(beginning) : min(stop, start + _WINDOW)].decode("ascii")


def _is_inside(data: bytes, at: int) -> bool:
    """Tell whether a beginning stands within a longer name: ``my-sk-...``."""
    before = data[max(0, at - 8) : at]
    return before[-1:] in (b"-", b"_") and before.rstrip(b"-_")[-1:].isalnum()
