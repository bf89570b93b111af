"""Rules as lines of ``wiretape.toml``: what is suggested, to be appended to the file as it is. Sans-IO."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from wiretape.matching.rules import MatchRule


def named(rule: MatchRule, taken: set[str]) -> MatchRule:
    """Return a rule with a name that no other one has."""
    client = rule.applies.clients[0].removesuffix("/*") if rule.applies.clients else "any-client"
    base = re.sub(r"[^a-z0-9]+", "-", client.lower()).strip("-") or "client"
    name = base = f"{base}-varies"
    number = 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    taken.add(name)
    return replace(rule, name=name)


def lines(rule: MatchRule) -> Iterator[str]:
    """Yield the lines of a table ``[[match]]``."""
    yield f"name = {_text(rule.name)}"
    yield f"reason = {_text(rule.reason)}"
    for key, values in (
        ("client", rule.applies.clients),
        ("endpoint", rule.applies.endpoints),
        ("ignore", rule.ignore),
        ("ids", rule.ids),
        ("kinds", rule.kinds),
        ("paths", rule.paths),
        ("unordered", rule.unordered),
    ):
        if values:
            yield f"{key} = [{', '.join(map(_text, values))}]"
    if rule.replace:
        yield "replace = ["
        for each in rule.replace:
            told = f"pattern = {_text(each.pattern)}, path = {_text(each.path)}, name = {_text(each.name)}"
            yield f"  {{ {told} }},"
        yield "]"
    for key, is_set in (("numbers", rule.numbers), ("whitespace", rule.whitespace)):
        if is_set:
            yield f"{key} = true"


def _text(value: str) -> str:
    """Return a text of TOML: as it is between single quotes, where it can be."""
    if "\\" in value and "'" not in value and value.isprintable():
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False)
