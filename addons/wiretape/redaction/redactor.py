"""The redactor: finds the secrets of a text or a JSON value, and gives the same text or value without them.

It puts together what the other modules know: the table (``scanner``), the variables of this machine (``environment``),
names of members (``secret_members``), the rules of a team (``team_rules``), and what a text encodes (``encodings``). Of
what they find, it leaves out what the policy allows.

What it promises:

- A request is cleaned in the same way when it is recorded and when it is looked up. So a request that carries another
  key is the same request, and finds the same recording.
- Where there is no secret, the very same object comes back, so ``clean(value) is value`` tells that there was none.
- Cleaning never changes a text that was cleaned before: what stands in a secret's place is no secret.
- ``find`` tells where secrets are and by which detector, never what they are.

``Redactor.use`` takes on another policy by exchanging all parts at once (``_Parts``), together with what was remembered
of harmless texts under the old policy. There is one redactor for a whole process, ``DEFAULT``: recordings, the log and
the commands all clean with it.

    DEFAULT.clean({"Authorization": "Bearer sk-..."})        {"Authorization": "__redacted__"}
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
from wiretape.redaction import encodings, members, pii, pseudonyms
from wiretape.redaction.detectors import Detector
from wiretape.redaction.environment import NAME as ENVIRONMENT
from wiretape.redaction.environment import Environment
from wiretape.redaction.rules import (
    DEFAULT_POLICY,
    MEMBER,
    REDACTED,
    OnSecret,
    RedactionPolicy,
    RefusedError,
    names,
)
from wiretape.redaction.scanner import Scanner
from wiretape.redaction.secret_members import SecretMembers
from wiretape.redaction.team_rules import AllowedTexts, PlacedRules, TeamRule
from wiretape.rewriting.spans import Places, Span, replaced

_SHORTEST = 8
"""Characters of a text that can hold a secret of the table."""
_REMEMBERED = 4096
"""How many short texts without a secret are remembered: names of members and models stand in every request."""
_SHORT = 64
"""Characters that a short text has at most."""
_LONG = 1 << 16
"""Characters of the longest text that is remembered."""
_LONG_REMEMBERED = 4 << 20
"""Characters of the long texts without a secret that are remembered."""
_TEXT_COSTS = 100
"""Characters that each of them counts as beside its own."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a secret stands in a JSON value, as ``request.body.tools[0].authorization``, and which
    detector found it.
    """

    path: str
    detector: str


class _Parts:
    """What a redactor consists of under one policy. Only what is remembered of texts grows."""

    def __init__(self, policy: RedactionPolicy, variables: Mapping[str, str]) -> None:
        self.policy = policy
        beside_the_table: Sequence[Detector] = ()
        if policy.pii:
            beside_the_table = pii.DETECTORS
        self.scanner = Scanner(policy.disable, beside_the_table)
        if ENVIRONMENT in policy.disable:
            variables = {}
        self.environment = Environment(variables)
        self.allowed = AllowedTexts(policy.allow)
        self.members = SecretMembers(self.allowed, is_on=MEMBER not in policy.disable)
        rules = [TeamRule(rule) for rule in policy.rules]
        self.everywhere = [rule for rule in rules if rule.path is None]
        self.placed = PlacedRules.at_root(rules, self.allowed)
        """The rules that have a path, where a value begins."""
        self.harmless: set[str] = set()
        """Short texts without a secret."""
        self.harmless_long = _HarmlessTexts()


class _HarmlessTexts:
    """Long texts without a secret, for any thread.

    A conversation repeats its prompts and its tools, and a command looks at each recording twice.
    """

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._size = 0

    def __contains__(self, text: str) -> bool:
        return text in self._texts

    def add(self, text: str) -> None:
        """Remember a text, and forget all others where there are too many."""
        self._size += len(text) + _TEXT_COSTS
        if self._size > _LONG_REMEMBERED:
            self._texts = set()
            self._size = len(text) + _TEXT_COSTS
        self._texts.add(text)


class Redactor:
    """Finds secrets, and takes them out of texts and JSON values."""

    def __init__(self, policy: RedactionPolicy = DEFAULT_POLICY, environment: Mapping[str, str] | None = None) -> None:
        """``environment`` are the variables whose secret values are looked for; this process's where it is None."""
        if environment is None:
            environment = os.environ
        self._variables = environment
        self._parts = _Parts(policy, environment)

    def use(self, policy: RedactionPolicy) -> None:
        """Follow another policy from now on. Raises ValueError where it needs a key for pseudonyms and
        none can be had.
        """
        if policy == self._parts.policy:
            return
        if policy.has_pseudonyms:
            pseudonyms.key()
        self._parts = _Parts(policy, self._variables)

    @property
    def policy(self) -> RedactionPolicy:
        """The policy in force."""
        return self._parts.policy

    def warnings(self) -> Iterator[str]:
        """Yield warnings, a sentence each, for the user who starts a proxy with this policy."""
        if self.policy.on_secret is OnSecret.KEEP:
            yield 'on_secret is "keep": keys and passwords in requests and answers are recorded as they are'
        if self.policy.has_pseudonyms and not os.environ.get(pseudonyms.VARIABLE):
            yield (
                f"pseudonyms are made with this machine's own key, {pseudonyms.key_file()}: another machine finds "
                f"what is recorded here only with the same {pseudonyms.VARIABLE}"
            )

    @property
    def fingerprint(self) -> str:
        """A short text that changes with the table and with the policy; the environment takes no part in it."""
        return _fingerprint(self.policy)

    @property
    def recorder(self) -> "Redactor":
        """The redactor for bodies of recordings: this one, or one that finds nothing where the policy keeps secrets."""
        if self.policy.on_secret is OnSecret.KEEP:
            return NOTHING
        return self

    def holds_variable(self, data: bytes) -> bool:
        """Tell whether the bytes contain a secret value of the environment, unencoded."""
        return bool(self._parts.environment.scan(data))

    def check(self, value: Any, cleaned: Any, where: str) -> None:
        """Raise RefusedError where a value had a secret and the policy refuses such; the error tells
        where it stands.
        """
        if self.policy.on_secret is OnSecret.REFUSE and cleaned is not value:
            finding = next(self.find(value, where), None) or Finding(where, "in what it encodes")
            raise RefusedError(f'a secret is in it, at {finding.path} ({finding.detector}), and on_secret is "refuse"')

    # -- texts -----------------------------------------------------------------------------------------------------

    def spans(self, text: str) -> list[Span]:
        """Return the secrets of a text and of what it encodes, in order; none overlaps another."""
        if len(text) <= _SHORT:
            return encodings.spans(text, self._plain_spans, self.member)
        harmless = self._parts.harmless_long
        if text in harmless:
            return []
        spans = encodings.spans(text, self._plain_spans, self.member)
        if not spans and len(text) <= _LONG:
            harmless.add(text)
        return spans

    def member(self, name: str, text: str) -> str | None:
        """Return what replaces the text of a member, or None where the name of the member does not make it a secret."""
        if not self._parts.members.is_secret(name, {name: text}):
            return None
        cleaned: str = self._clean_named(name, text)
        if cleaned == text:
            return None
        return cleaned

    def placed(self, path: Sequence[str | int], text: str) -> list[Span]:
        """Return what the rules with a path take out of a text that stands at this place of a value."""
        rules = self._parts.placed
        for step in path:
            rules = rules.enter(step)
        return rules.spans(text)

    @property
    def has_places(self) -> bool:
        """Whether there are rules with a path."""
        return bool(self._parts.placed)

    def _plain_spans(self, text: str) -> list[Span]:
        spans: list[Span] = []
        if len(text) >= _SHORTEST:
            data = text.encode("utf-8", "surrogatepass")
            for matches in (self._parts.environment.scan(data), self._parts.scanner.scan(data)):
                places = Places(data)
                spans += [Span(*places.span(one.start, one.end), one.detector, REDACTED) for one in matches]
        for rule in self._parts.everywhere:
            spans += rule.spans(text)
        if not spans:
            return spans
        return self._parts.allowed.remove_from(spans, text)

    def text(self, text: str) -> str:
        """Return a text without its secrets; the text itself where it has none."""
        return replaced(text, self.spans(text))

    # -- JSON values -----------------------------------------------------------------------------------------------

    def clean(self, value: Any) -> Any:
        """Return a JSON value without its secrets; the value itself where it has none."""
        return self._clean(self._parts.placed.clean(value))

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
            if self._parts.members.is_secret(name, value):
                new = self._clean_named(name, item)
            else:
                new = self._clean(item)
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
        """Return what is recorded as the value of a member that names a secret."""
        match item:
            case str():
                if not self._parts.members.is_harmless(name, item):
                    return REDACTED
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

    # -- finding ---------------------------------------------------------------------------------------------------

    def find(self, value: Any, path: str = "") -> Iterator[Finding]:
        """Yield where a JSON value has secrets. ``path`` is the place of the value itself, with which
        each path begins.
        """
        yield from self._find(value, path, self._parts.placed)

    def _find(self, value: Any, path: str, rules: PlacedRules) -> Iterator[Finding]:
        match value:
            case dict():
                for name, item in value.items():
                    kept = self.text(name)
                    inner = kept
                    if path:
                        inner = f"{path}.{kept}"
                    if kept is not name:
                        yield Finding(inner, self.spans(name)[0].detector)
                    if self._parts.members.is_secret(name, value) and self._clean_named(name, item) != item:
                        yield Finding(inner, MEMBER)
                    else:
                        yield from self._find(item, inner, rules.enter(name))
            case list() | Remade():
                for at, item in enumerate(value):
                    yield from self._find(item, f"{path}[{at}]", rules.enter(at))
            case str():
                spans = [*rules.spans(value), *self.spans(value)]
                yield from (Finding(path, span.detector) for span in spans)
            case int() | float() if rules and not isinstance(value, bool):
                yield from (Finding(path, span.detector) for span in rules.spans(str(value)))


@lru_cache(16)
def _fingerprint(policy: RedactionPolicy) -> str:
    told = json.dumps([__version__, asdict(policy)])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


DEFAULT = Redactor()
"""The redactor of this process. The configuration sets its policy; it looks for secrets of this environment."""

NOTHING = Redactor(RedactionPolicy(disable=tuple(names())), {})
"""A redactor that finds nothing."""
