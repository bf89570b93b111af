"""A text or a JSON value -> where its secrets are, or the same without them. After the table and the policy.

A body is cleaned in the same way on record and on replay, so that a request with another key is the same request.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wiretape.redaction import encodings
from wiretape.redaction.detectors import NAMES, PATTERNS
from wiretape.redaction.rules import DEFAULT_POLICY, OnSecret, Policy
from wiretape.redaction.spans import Span, replaced

REDACTED = "__redacted__"


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret in a JSON value: where, as ``request.body.tools[0].authorization``, and what found it."""

    path: str
    detector: str


class Redactor:
    """Finds secrets, and takes them out."""

    def __init__(
        self, policy: Policy = DEFAULT_POLICY, session: str = "default", environment: Mapping[str, str] | None = None
    ) -> None:
        """``environment`` are the variables whose secret values are looked for; this process's where it is None."""
        self.policy = policy
        self.session = session

    @property
    def on_secret(self) -> OnSecret:
        """What becomes of an exchange in which a secret was found."""
        return self.policy.on_secret

    def spans(self, text: str) -> list[Span]:
        """Return the secrets of a text and of what it encodes, in order; none overlaps another."""
        return encodings.spans(text, self._plain_spans, self.member)

    def member(self, name: str, text: str) -> str | None:
        """Return what replaces the text of a member of this name; None where its name does not make it a secret."""
        return REDACTED if _is_secret(name, text) else None

    def _plain_spans(self, text: str) -> list[Span]:
        found = [
            Span(match.start(), match.end(), name, REDACTED)
            for name, pattern in PATTERNS.items()
            for match in pattern.finditer(text)
        ]
        found.sort(key=lambda span: (span.start, -span.end))
        kept: list[Span] = []
        for span in found:
            if not kept or span.start >= kept[-1].end:
                kept.append(span)
        return kept

    def text(self, text: str) -> str:
        """Return a text without its secrets; the text itself where it has none."""
        return replaced(text, self.spans(text))

    def clean(self, value: Any) -> Any:
        """Return a JSON value without its secrets; the value itself where it has none."""
        match value:
            case dict():
                cleaned = {
                    self.text(key): REDACTED if _is_secret(key, item) else self.clean(item)
                    for key, item in value.items()
                }
                return cleaned if any(cleaned.get(key, cleaned) is not item for key, item in value.items()) else value
            case list():
                items = [self.clean(item) for item in value]
                return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
            case str():
                return self.text(value)
        return value

    def find(self, value: Any, path: str = "") -> Iterator[Finding]:
        """Yield where a JSON value has secrets; ``path`` is where the value itself stands."""
        match value:
            case dict():
                for key, item in value.items():
                    inner = f"{path}.{key}" if path else str(key)
                    yield from (Finding(inner, span.detector) for span in self.spans(key))
                    if _is_secret(key, item):
                        yield Finding(inner, "member")
                    else:
                        yield from self.find(item, inner)
            case list():
                for index, item in enumerate(value):
                    yield from self.find(item, f"{path}[{index}]")
            case str():
                yield from (Finding(path, span.detector) for span in self.spans(value))


def _is_secret(key: str, value: Any) -> bool:
    return isinstance(value, str) and value not in ("", REDACTED) and key.lower() in NAMES


DEFAULT = Redactor()
"""The built-in table, with the secrets of this machine's environment."""
