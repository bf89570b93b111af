"""Rules of matching as a configuration says them: the tables ``[[match]]`` -> ``MatchRule``s. After ``rules``.

    [[match]]
    name = "build"
    reason = "The number of the build is in the prompt."
    endpoint = "/v1/chat/completions"
    replace = [{ pattern = 'build (\\d+)', name = "build" }]

``wiretape.config`` has looked at keys and types before; here is what only rules know: whether a JSONPath is one,
whether a pattern is one and takes out something, and whether a rule does anything at all.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from wiretape.codecs.wildcards import Wildcard
from wiretape.exceptions import ConfigurationError
from wiretape.matching import json_path
from wiretape.matching.rules import Kind, MatchRule, Replacement, Selector, Unordered
from wiretape.redaction.rules import check_pattern

type _Path = tuple[str | int, ...]

_SHOWN = 80
"""Characters of a wrong value that an error shows."""

_LONGEST = 300
"""Characters of what is said of a wrong path."""

_EFFECTS = ("ignore", "ids", "replace", "kinds", "unordered", "numbers", "whitespace")
"""The keys of which a rule needs one: the others say where it holds, and what it is called."""


def parse(path: _Path, entries: Sequence[Mapping[str, Any]], prefix: str = "") -> tuple[MatchRule, ...]:
    """Return the rules of tables. ``prefix``: what their names begin with.

    Raises ConfigurationError, with the path below the file.
    """
    rules = tuple(_rule((*path, number), entry, prefix) for number, entry in enumerate(entries))
    seen: set[str] = set()
    for number, rule in enumerate(rules):
        if rule.name in seen:
            raise ConfigurationError(f"two rules have the name {rule.name[:_SHOWN]!r}", (*path, number), at="name")
        seen.add(rule.name)
    return rules


def check_providers(path: _Path, rules: Sequence[MatchRule], providers: Collection[str]) -> None:
    """Raise ConfigurationError for a rule that is for a provider that there is not."""
    for number, rule in enumerate(rules):
        for pattern in rule.applies.providers:
            if not any(map(Wildcard(pattern).matches, providers)):
                known = ", ".join(sorted({*providers}))
                raise ConfigurationError(
                    f"no provider is named {pattern[:_SHOWN]!r}; there are {known}", (*path, number), at="provider"
                )


def _rule(path: _Path, entry: Mapping[str, Any], prefix: str) -> MatchRule:
    if not any(entry.get(key) for key in _EFFECTS):
        raise ConfigurationError(f"nothing is taken out: it needs one of {', '.join(_EFFECTS)}", path)
    if entry.get("paths") and not entry.get("kinds"):
        raise ConfigurationError("paths needs kinds: it says where these are looked for", path, at="paths")
    if entry.get("references") and not entry.get("ids"):
        raise ConfigurationError("references needs ids: it says where these are named", path, at="references")
    return MatchRule(
        name=prefix + entry["name"],
        reason=entry.get("reason", ""),
        applies=Selector(
            providers=_texts(entry.get("provider", [])),
            endpoints=_texts(entry.get("endpoint", [])),
            models=_texts(entry.get("model", [])),
            clients=_texts(entry.get("client", [])),
            sessions=_texts(entry.get("session", [])),
        ),
        ignore=_json_paths((*path, "ignore"), entry.get("ignore", [])),
        ids=_json_paths((*path, "ids"), entry.get("ids", [])),
        references=_json_paths((*path, "references"), entry.get("references", [])),
        replace=tuple(
            _replacement((*path, "replace", number), each) for number, each in enumerate(entry.get("replace", []))
        ),
        kinds=tuple(Kind(each) for each in entry.get("kinds", [])),
        paths=_json_paths((*path, "paths"), entry.get("paths", [])),
        unordered=tuple(Unordered(each) for each in entry.get("unordered", [])),
        numbers=entry.get("numbers", False),
        whitespace=entry.get("whitespace", False),
        bind=entry.get("bind", True),
    )


def _texts(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _replacement(path: _Path, entry: Mapping[str, Any]) -> Replacement:
    pattern = entry["pattern"]
    check_pattern((*path, "pattern"), pattern)
    where = entry.get("path", "")
    if where:
        _check_json_path((*path, "path"), where)
    return Replacement(pattern, where, entry.get("name", ""), entry.get("tracked", False))


def _json_paths(path: _Path, texts: Sequence[str]) -> tuple[str, ...]:
    for text in texts:
        _check_json_path(path, text)
    return tuple(texts)


def _check_json_path(path: _Path, text: str) -> None:
    if text == "$":
        raise ConfigurationError("$ is the whole body: every request would be the same", path)
    try:
        json_path.compiled(text)
    except ValueError as e:
        raise ConfigurationError(str(e)[:_LONGEST], path) from e
