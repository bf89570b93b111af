"""The rules of a team, made ready for use: where they match in a text, and where they apply in a JSON value.

A rule has a pattern, or a path, or both. A rule without a path is looked for in every text. A rule with a path applies
only to the values at that path: to all of such a value, or, where the rule also has a pattern, to what matches in it.

``PlacedRules`` holds the rules with a path while a value is walked. For each rule it knows how far the walk has come on
the rule's path; ``enter`` gives the rules as they stand one step further down, and drops those that cannot apply there.
With the path ``messages[*].name`` and a request as the value:

    root.enter("messages").enter("[0]").enter("name").spans("Jane")    what the rule takes out of "Jane"
    root.enter("model")                                                empty: nothing below can match

What a team allows is never a secret, whatever finds it: ``AllowedTexts``.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from wiretape.codecs.patterns import text_pattern
from wiretape.redaction import paths, pseudonyms
from wiretape.redaction.rules import RedactionRule, is_pattern
from wiretape.rewriting.spans import Places, Span, merged, replaced

_STRETCH = 1024
"""Bytes in which a pattern of the team's is looked for at a time: a match of so many is found whole."""


class AllowedTexts:
    """Texts that are no secrets after all: some spelled out, others described by a pattern that matches all of them."""

    def __init__(self, allow: Sequence[str]) -> None:
        self._texts = frozenset(each for each in allow if not is_pattern(each))
        self._patterns = [text_pattern(each[1:-1]) for each in allow if is_pattern(each)]

    def __contains__(self, text: str) -> bool:
        return text in self._texts or any(pattern.fullmatch(_encodable(text)) for pattern in self._patterns)

    def remove_from(self, spans: Iterable[Span], text: str) -> list[Span]:
        """Return the spans of a text in order and without overlaps, but for those whose text is allowed."""
        return merged([span for span in spans if text[span.start : span.end] not in self])


class TeamRule:
    """One rule, with its path and its pattern parsed."""

    def __init__(self, rule: RedactionRule) -> None:
        self.name = rule.name
        self.path = None
        if rule.path:
            self.path = paths.parse(rule.path)
        self._pattern = None
        self._group = 0
        if rule.pattern:
            self._pattern = text_pattern(rule.pattern)
            self._group = min(1, self._pattern.groups)
        self._template = rule.replace
        self._is_pseudonym = pseudonyms.PLACE in rule.replace
        self._done = pseudonyms.known(rule.replace)
        self._allowed = AllowedTexts(rule.allow)

    def replacement(self, text: str) -> str:
        """Return what stands for a text that the rule takes out."""
        if self._is_pseudonym:
            return pseudonyms.pseudonym(self._template, self.name, text)
        return self._template

    def whole(self, text: str) -> list[Span]:
        """Return the span of a text that stands at the rule's path: all of it, where the rule has no pattern."""
        if self._pattern:
            return self.spans(text)
        if not text or self._done.fullmatch(text) or text in self._allowed:
            return []
        return [Span(0, len(text), self.name, self.replacement(text))]

    def spans(self, text: str) -> list[Span]:
        """Return where the pattern matches, but for what it has replaced before."""
        if not self._pattern:
            return []
        spans = []
        done = [match.span() for match in self._done.finditer(text)]
        for start, end in _matches(self._pattern, self._group, text):
            is_done = any(first <= start and end <= last for first, last in done)
            matched = text[start:end]
            if not is_done and matched not in self._allowed:
                spans.append(Span(start, end, self.name, self.replacement(matched)))
        return spans


class PlacedRules:
    """The rules that have a path, as they stand at one place of a value. It never changes."""

    __slots__ = ("_allowed", "_rules")

    def __init__(self, rules: Sequence[tuple[TeamRule, paths.Path, frozenset[int]]], allowed: AllowedTexts) -> None:
        """``rules`` are the rules that may still apply here or below, each with its path and the states of that."""
        self._rules = rules
        self._allowed = allowed

    @classmethod
    def at_root(cls, rules: Iterable[TeamRule], allowed: AllowedTexts) -> "PlacedRules":
        """Return those of the rules that have a path, as they stand where a value begins."""
        return cls([(rule, rule.path, rule.path.begin()) for rule in rules if rule.path is not None], allowed)

    def __bool__(self) -> bool:
        return bool(self._rules)

    def enter(self, step: str | int) -> "PlacedRules":
        """Return the rules one step further down: in the member of this name, or in the element of this number."""
        if not self._rules:
            return self
        if isinstance(step, int):
            step = f"[{step}]"
        entered = []
        for rule, path, states in self._rules:
            inner = path.enter(states, step)
            if inner:
                entered.append((rule, path, inner))
        return PlacedRules(entered, self._allowed)

    def spans(self, text: str) -> list[Span]:
        """Return what the rules take out of a text that stands here."""
        spans: list[Span] = []
        for rule, path, states in self._rules:
            if path.is_there(states):
                spans += rule.whole(text)
        return self._allowed.remove_from(spans, text)

    def clean(self, value: Any) -> Any:
        """Return a value that stands here, without what the rules take out; the value itself where that is nothing."""
        if not self._rules:
            return value
        match value:
            case dict():
                cleaned = {key: self.enter(key).clean(item) for key, item in value.items()}
                if any(cleaned[key] is not item for key, item in value.items()):
                    return cleaned
            case list():
                items = [self.enter(at).clean(item) for at, item in enumerate(value)]
                if any(new is not old for new, old in zip(items, value, strict=True)):
                    return items
            case str():
                return replaced(value, self.spans(value))
            case int() | float() if not isinstance(value, bool):
                spans = self.spans(str(value))
                if spans:
                    return replaced(str(value), spans)
        return value


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _matches(pattern: Any, group: int, text: str) -> Iterator[tuple[int, int]]:
    """Yield where a pattern of the team's matches, in time in proportion to the text, whatever the pattern is.

    A single search is linear, but it may look at all of the rest for a match of one character. So a text that has a
    match is looked through in stretches, each with as much again behind it.
    """
    data = text.encode("utf-8", "surrogatepass")
    if not pattern.search(data):
        return
    places = Places(data)
    pending: tuple[int, int] | None = None
    for start, end in _matches_in_stretches(pattern, group, data):
        if pending and pending[1] == start:  # It went on beyond its stretch.
            pending = pending[0], end
            continue
        if pending:
            yield places.span(*pending)
        pending = start, end
    if pending:
        yield places.span(*pending)


def _matches_in_stretches(pattern: Any, group: int, data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the pattern matches in each stretch; what goes on beyond its stretch comes as two matches."""
    at = 0
    for base in range(0, len(data), _STRETCH):
        stop = _character(data, base + 2 * _STRETCH)
        at = max(at, _character(data, base))
        while at < min(base + _STRETCH, len(data)):
            match = pattern.search(data, at, stop)
            if not match or match.start() >= base + _STRETCH:
                break
            at = match.end()
            if match.end() == match.start():  # Nothing was matched: the search goes on behind the next character.
                at = _next_character(data, at)
            start, end = match.span(group)
            if start != end:
                yield start, end


def _character(data: bytes, at: int) -> int:
    """Return where the character begins that a place in UTF-8 is in, or the end."""
    while 0 < at < len(data) and data[at] & 0xC0 == 0x80:
        at -= 1
    return min(at, len(data))


def _next_character(data: bytes, at: int) -> int:
    """Return where the character begins that follows the one at a place in UTF-8, or the end."""
    at += 1
    while at < len(data) and data[at] & 0xC0 == 0x80:
        at += 1
    return at
