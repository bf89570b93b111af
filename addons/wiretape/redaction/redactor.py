"""A text or a JSON value -> where its secrets are, or the same without them. After the table and the policy.

A body is cleaned in the same way on record and on replay, so that a request with another key is the same request.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from wiretape import __version__
from wiretape.codecs.remade import Remade
from wiretape.redaction import encodings, members, paths, pii, pseudonyms, values
from wiretape.redaction.environment import NAME as ENVIRONMENT
from wiretape.redaction.environment import Environment
from wiretape.redaction.members import Strength
from wiretape.redaction.rules import (
    DEFAULT_POLICY,
    MEMBER,
    REDACTED,
    OnSecret,
    RedactionPolicy,
    RedactionRule,
    RefusedError,
    is_pattern,
    names,
    text_pattern,
)
from wiretape.redaction.scanner import Scanner
from wiretape.redaction.spans import Places, Span, merged, replaced

_SHORTEST = 8
"""Characters of a text that can hold a secret of the table."""
_STRETCH = 1024
"""Bytes in which a pattern of the team's is looked for at a time: a match of so many is found whole."""
_REMEMBERED = 4096
"""Short texts that are remembered to have no secret: names of members, models and tools stand in every request."""
_SHORT = 64
"""Characters of a text that is remembered."""

_LONG = 1 << 16
_LONG_REMEMBERED = 64
"""The same of longer texts: four MB at most."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret in a JSON value: where, as ``request.body.tools[0].authorization``, and what found it."""

    path: str
    detector: str


class _Allowed:
    """What is no secret after all: texts, and patterns that match the whole of it."""

    def __init__(self, allow: Sequence[str]) -> None:
        self._texts = frozenset(each for each in allow if not is_pattern(each))
        self._patterns = [text_pattern(each[1:-1]) for each in allow if is_pattern(each)]

    def __contains__(self, text: str) -> bool:
        return text in self._texts or any(pattern.fullmatch(_encodable(text)) for pattern in self._patterns)


class _Rule:
    """A rule of the team's, ready for use."""

    def __init__(self, rule: RedactionRule) -> None:
        self.name = rule.name
        self.path = paths.parse(rule.path) if rule.path else None
        self._pattern = text_pattern(rule.pattern) if rule.pattern else None
        self._group = min(1, self._pattern.groups) if self._pattern else 0
        self._template = rule.replace
        self._is_pseudonym = pseudonyms.PLACE in rule.replace
        self._done = pseudonyms.known(rule.replace)
        self._allowed = _Allowed(rule.allow)

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
        found = []
        done = [match.span() for match in self._done.finditer(text)] if self._pattern else []
        for start, end in _matches(self._pattern, self._group, text):
            is_done = any(first <= start and end <= last for first, last in done)
            matched = text[start:end]
            if not is_done and matched not in self._allowed:
                found.append(Span(start, end, self.name, self.replacement(matched)))
        return found


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _matches(pattern: Any, group: int, text: str) -> Iterator[tuple[int, int]]:
    """Yield where a pattern of the team's matches, in time in proportion to the text, whatever the pattern is.

    A single search is linear, but it may look at all of the rest for a match of one character. So a text that has a
    match is looked through in stretches, each with as much again behind it.
    """
    data = text.encode("utf-8", "surrogatepass")
    if pattern is None or not pattern.search(data):
        return
    places = Places(data)
    at = 0
    pending: tuple[int, int] | None = None
    for base in range(0, len(data), _STRETCH):
        stop = _character(data, base + 2 * _STRETCH)
        while at < base + _STRETCH and (match := pattern.search(data, max(at, _character(data, base)), stop)):
            if match.start() >= base + _STRETCH:
                break
            start, end = match.span(group)
            at = match.end() if match.end() > match.start() else _character(data, match.end() + 1)
            if start == end:
                continue
            if pending and pending[1] == start:  # It went on beyond its stretch.
                pending = pending[0], end
                continue
            if pending:
                yield places.span(*pending)
            pending = start, end
    if pending:
        yield places.span(*pending)


def _character(data: bytes, at: int) -> int:
    """Return where the character begins that a place in UTF-8 is in, or the end."""
    while 0 < at < len(data) and data[at] & 0xC0 == 0x80:
        at -= 1
    return min(at, len(data))


class _Parts:
    """What a redactor consists of: made of a policy, and never changed."""

    def __init__(self, policy: RedactionPolicy, variables: Mapping[str, str]) -> None:
        self.policy = policy
        self.scanner = Scanner(policy.disable, pii.DETECTORS if policy.pii else ())
        self.environment = Environment({} if ENVIRONMENT in policy.disable else variables)
        self.knows_members = MEMBER not in policy.disable
        self.allowed = _Allowed(policy.allow)
        rules = [_Rule(rule) for rule in policy.rules]
        self.everywhere = [rule for rule in rules if rule.path is None]
        self.placed = [(rule, rule.path.begin()) for rule in rules if rule.path is not None]
        """The rules that have a path, with its states where a value begins."""
        self.harmless: set[str] = set()
        """Short texts without a secret."""
        self.harmless_long: set[str] = set()
        """The same of long ones: a conversation has its prompts in each request, and a command looks at one twice."""


class Redactor:
    """Finds secrets, and takes them out."""

    def __init__(self, policy: RedactionPolicy = DEFAULT_POLICY, environment: Mapping[str, str] | None = None) -> None:
        """``environment`` are the variables whose secret values are looked for; this process's where it is None."""
        self._variables = os.environ if environment is None else environment
        self._parts = _Parts(policy, self._variables)

    def use(self, policy: RedactionPolicy) -> None:
        """From now on do as another policy says. Raises ValueError where it needs a key that there cannot be."""
        if policy == self._parts.policy:
            return
        if policy.has_pseudonyms:
            pseudonyms.key()
        self._parts = _Parts(policy, self._variables)

    @property
    def policy(self) -> RedactionPolicy:
        """What is done."""
        return self._parts.policy

    def warnings(self) -> Iterator[str]:
        """Yield what whoever starts a proxy with this policy should know."""
        if self.policy.on_secret is OnSecret.KEEP:
            yield 'on_secret is "keep": keys and passwords in requests and answers are recorded as they are'
        if self.policy.has_pseudonyms and not os.environ.get(pseudonyms.VARIABLE):
            yield (
                f"pseudonyms are made with this machine's own key, {pseudonyms.key_file()}: another machine finds "
                f"what is recorded here only with the same {pseudonyms.VARIABLE}"
            )

    @property
    def fingerprint(self) -> str:
        """Return what is another text when the table or the policy is another; the environment takes no part."""
        return _fingerprint(self.policy)

    @property
    def recorder(self) -> "Redactor":
        """Return what cleans the bodies of recordings: this, or what finds nothing, where secrets are kept."""
        if self.policy.on_secret is OnSecret.KEEP:
            return NOTHING
        return self

    def holds_variable(self, data: bytes) -> bool:
        """Tell whether a secret value of the environment stands in bytes as it is."""
        return bool(self._parts.environment.scan(data))

    def check(self, value: Any, cleaned: Any, where: str) -> None:
        """Raise RefusedError, saying where, for a value that had a secret, where such a one is not to be recorded."""
        if self.policy.on_secret is OnSecret.REFUSE and cleaned is not value:
            found = next(self.find(value, where), None) or Finding(where, "in what it encodes")
            raise RefusedError(f'a secret is in it, at {found.path} ({found.detector}), and on_secret is "refuse"')

    # -- texts -----------------------------------------------------------------------------------------------------

    def spans(self, text: str) -> list[Span]:
        """Return the secrets of a text and of what it encodes, in order; none overlaps another."""
        if len(text) <= _SHORT:
            return encodings.spans(text, self._plain_spans, self.member)
        harmless = self._parts.harmless_long
        if text in harmless:
            return []
        found = encodings.spans(text, self._plain_spans, self.member)
        if not found and len(text) <= _LONG:
            if len(harmless) >= _LONG_REMEMBERED:
                harmless.clear()
            harmless.add(text)
        return found

    def member(self, name: str, text: str) -> str | None:
        """Return what replaces the text of a member of this name; None where its name does not make it a secret."""
        if not self._is_secret(name, {name: text}):
            return None
        cleaned: str = self._clean_named(name, text)
        if cleaned == text:
            return None
        return cleaned

    def placed(self, path: Sequence[str | int], text: str) -> list[Span]:
        """Return what the rules that have a path take out of a text, given where it stands in a value."""
        rules = self._parts.placed
        for step in path:
            rules = _enter(rules, f"[{step}]" if isinstance(step, int) else step)
        return self._placed_spans(text, rules)

    @property
    def has_places(self) -> bool:
        """Whether there are rules that have a path."""
        return bool(self._parts.placed)

    def _plain_spans(self, text: str) -> list[Span]:
        found: list[Span] = []
        if len(text) >= _SHORTEST:
            data = text.encode("utf-8", "surrogatepass")
            for each in (self._parts.environment.scan(data), self._parts.scanner.scan(data)):
                places = Places(data)
                found += [Span(*places.span(one.start, one.end), one.detector, REDACTED) for one in each]
        for rule in self._parts.everywhere:
            found += rule.spans(text)
        if not found:
            return found
        return self._merged(text, found)

    def _merged(self, text: str, found: list[Span]) -> list[Span]:
        return merged([span for span in found if text[span.start : span.end] not in self._parts.allowed])

    def text(self, text: str) -> str:
        """Return a text without its secrets; the text itself where it has none."""
        return replaced(text, self.spans(text))

    # -- JSON values -----------------------------------------------------------------------------------------------

    def clean(self, value: Any) -> Any:
        """Return a JSON value without its secrets; the value itself where it has none."""
        if self._parts.placed:
            value = self._clean_placed(value, self._parts.placed)
        return self._clean(value)

    def _clean(self, value: Any) -> Any:
        match value:
            case str():
                if len(value) >= _SHORTEST or self._parts.everywhere:
                    return self._clean_text(value)
                return value
            case dict():
                return self._clean_members(value)
            case list():
                items = [self._clean(item) for item in value]
                if any(new is not old for new, old in zip(items, value, strict=True)):
                    return items
                return value
        return value

    def _clean_members(self, value: dict[str, Any]) -> dict[str, Any]:
        cleaned = {}
        is_same = True
        for name, item in value.items():
            kept = self._clean_text(name)
            new = self._clean_named(name, item) if self._is_secret(name, value) else self._clean(item)
            is_same = is_same and new is item and kept is name
            cleaned[kept] = new
        if is_same:
            return value
        return cleaned

    def _clean_text(self, text: str) -> str:
        if len(text) > _SHORT:
            return self.text(text)
        harmless = self._parts.harmless
        if text in harmless:
            return text
        cleaned = self.text(text)
        if cleaned is text:
            if len(harmless) >= _REMEMBERED:
                harmless.clear()
            harmless.add(text)
        return cleaned

    def _clean_named(self, name: str, item: Any) -> Any:
        """Return what stands for the value of a member that names a secret."""
        match item:
            case str():
                is_harmless = self._is_filler(item) or values.is_directory(name, item)
                if not is_harmless:
                    return REDACTED
                return self._clean(item)
            case int() | float() if not isinstance(item, bool) and members.is_password(name):
                return REDACTED
            case list() if all(isinstance(each, str) for each in item):
                items = [self._clean_named(name, each) for each in item]
                if items != item:
                    return items
                return item
            case dict() if isinstance(item.get("value"), str):
                return self._clean({**item, "value": self._clean_named(name, item["value"])})
        return self._clean(item)

    def _is_filler(self, text: str) -> bool:
        return text in ("", REDACTED) or values.is_about_secret(text) or text in self._parts.allowed

    def _is_secret(self, name: str, beside: Mapping[str, Any]) -> bool:
        """Tell whether a member names a secret, given the object that it stands in."""
        if not self._parts.knows_members:
            return False
        if name == "value":
            label = members.naming(beside, "")
            return members.strength(label) is Strength.SURE or self._may_be(label, beside, name)
        strength = members.strength(name)
        if strength is Strength.NONE and members.is_constant_key(name):
            item = beside[name]
            return isinstance(item, str) and values.is_secret(item, values.Writing.QUOTED)
        return strength is Strength.SURE or (strength is Strength.LIKELY and self._may_be(name, beside, name))

    @staticmethod
    def _may_be(label: str, beside: Mapping[str, Any], name: str) -> bool:
        # What a model calls a token stands beside its probability.
        item = beside[name]
        if members.strength(label) is Strength.NONE or not isinstance(item, str) or "logprob" in beside:
            return False
        return values.may_be_secret(item)

    def _clean_placed(self, value: Any, rules: list[tuple[_Rule, frozenset[int]]]) -> Any:
        """Apply the rules that have a path, with the states of their paths here."""
        if not rules:
            return value
        match value:
            case dict():
                cleaned = {key: self._clean_placed(item, _enter(rules, key)) for key, item in value.items()}
                if any(cleaned[key] is not item for key, item in value.items()):
                    return cleaned
                return value
            case list():
                items = [self._clean_placed(item, _enter(rules, f"[{at}]")) for at, item in enumerate(value)]
                if any(new is not old for new, old in zip(items, value, strict=True)):
                    return items
                return value
            case str():
                return replaced(value, self._placed_spans(value, rules))
            case int() | float() if not isinstance(value, bool):
                spans = self._placed_spans(str(value), rules)
                if not spans:
                    return value
                return replaced(str(value), spans)
        return value

    def _placed_spans(self, text: str, rules: list[tuple[_Rule, frozenset[int]]]) -> list[Span]:
        found: list[Span] = []
        for rule, states in rules:
            if rule.path and rule.path.is_there(states):
                found += rule.whole(text)
        return self._merged(text, found)

    # -- finding ---------------------------------------------------------------------------------------------------

    def find(self, value: Any, path: str = "") -> Iterator[Finding]:
        """Yield where a JSON value has secrets; ``path`` is where the value itself stands."""
        yield from self._find(value, path, self._parts.placed)

    def _find(self, value: Any, path: str, rules: list[tuple[_Rule, frozenset[int]]]) -> Iterator[Finding]:
        match value:
            case dict():
                for name, item in value.items():
                    kept = self.text(name)
                    inner = f"{path}.{kept}" if path else kept
                    if kept is not name:
                        yield Finding(inner, self.spans(name)[0].detector)
                    if self._is_secret(name, value) and self._clean_named(name, item) != item:
                        yield Finding(inner, MEMBER)
                    else:
                        yield from self._find(item, inner, _enter(rules, name))
            case list() | Remade():
                for at, item in enumerate(value):
                    yield from self._find(item, f"{path}[{at}]", _enter(rules, f"[{at}]"))
            case str():
                spans = [*self._placed_spans(value, rules), *self.spans(value)]
                yield from (Finding(path, span.detector) for span in spans)
            case int() | float() if rules and not isinstance(value, bool):
                yield from (Finding(path, span.detector) for span in self._placed_spans(str(value), rules))


@lru_cache(16)
def _fingerprint(policy: RedactionPolicy) -> str:
    told = json.dumps([__version__, asdict(policy)])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _enter(rules: list[tuple[_Rule, frozenset[int]]], step: str) -> list[tuple[_Rule, frozenset[int]]]:
    entered = [(rule, rule.path.enter(states, step)) for rule, states in rules if rule.path]
    return [(rule, states) for rule, states in entered if states]


DEFAULT = Redactor()
"""What this process cleans with, in every place: the policy of its configuration, the secrets of its environment."""

NOTHING = Redactor(RedactionPolicy(disable=tuple(names())), {})
"""Finds no secret."""
