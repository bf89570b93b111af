"""Rules of matching in plain words: values in, lines out. For ``wiretape rules``.

claude-code/date
  The date that it tells itself: "Today's date is ...".
  What "Today's date is ([0-9-]+)" finds in any text does not count.
  In the answer, what was recorded becomes what is there now.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.choice import EXACT, MatchChoice
from wiretape.matching.presets import Preset
from wiretape.matching.rules import Kind, Loose, MatchContext, MatchRule, Replacement, Selector, Unordered

_KINDS = {
    Kind.DATES: "dates",
    Kind.TIMES: "times",
    Kind.DURATIONS: "durations",
    Kind.UUIDS: "UUIDs",
    Kind.ULIDS: "ULIDs",
    Kind.HEX_IDS: "ids of hex digits",
    Kind.PATHS: "the directories that the client works in (home, working and temporary) and the names made of them",
    Kind.PORTS: "ports",
    Kind.PIDS: "numbers of processes",
    Kind.VERSIONS: "versions",
    Kind.GIT: "what git says of the state of a repository",
}

_UNORDERED = {
    Unordered.TOOLS: "The order of the tools does not count.",
    Unordered.TOOL_RESULTS: "The order of the results of calls that were made at once does not count.",
}

_LOOSE = {
    Loose.POSITION: "the n-th call of a session to an endpoint and a model is the n-th that was recorded",
    Loose.CONVERSATION: "system and tools do not count, what is said does",
}

_DIRECTORIES = {"cwd": "working directory", "home": "home directory", "tmp": "directory for temporary files"}


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose rules are wanted; what is empty is left open."""

    provider: str = ""
    endpoint: str = ""
    model: str = ""
    client: str = ""
    session: str = ""

    def may_have(self, rule: MatchRule) -> bool:
        """Return whether a rule can hold for a request of this kind."""
        applies = rule.applies
        known = Selector(
            applies.providers if self.provider else (),
            applies.endpoints if self.endpoint else (),
            applies.models if self.model else (),
            applies.clients if self.client else (),
            applies.sessions if self.session else (),
        )
        return known.selects(MatchContext(self.provider, (self.endpoint,), self.model, self.client, self.session))


def told(
    chosen: MatchChoice, presets: Mapping[str, Preset], own: Sequence[MatchRule], asker: Asker = Asker()
) -> Iterator[str]:
    """Yield the lines that tell the rules that there are, or those alone that can hold for who asks."""
    if chosen.is_exact:
        yield f"wiretape_match={EXACT}: there are no rules. A recording answers its own request alone."
        return
    yield "A recording that is of the very same request goes first; then one that is the same by these rules."
    yield from _group("Built in, for every client:", BUILT_IN, asker)
    for name, preset in presets.items():
        if name in chosen.presets:
            yield from _preset(preset, "for every client, as it was chosen by its name", preset.rules, asker)
        elif chosen.is_auto and preset.clients:
            whose = f"for clients that call themselves {_either(preset.clients)}"
            yield from _preset(preset, whose, preset.rules_for_its_clients, asker)
        elif asker == Asker():
            yield from _preset(preset, f"not in force: {_how_to_choose(name, chosen)}", preset.rules, asker)
    yield from _group("Your own, of wiretape.toml:", own, asker, shows_clients=True)
    for loose in chosen.loose:
        yield ""
        yield f"Where nothing is the same by rules, {loose}: {_LOOSE[loose]}."


def _preset(preset: Preset, whose: str, rules: Sequence[MatchRule], asker: Asker) -> Iterator[str]:
    tried = f" Tried with {', '.join(preset.tried)}." if preset.tried else ""
    heading = f"Preset {preset.name}, {whose}.{tried}"
    group = [*_group(heading, rules, asker)] if rules else ["", heading]
    yield from group
    if group and preset.ignore_requests:
        yield "  beside the model"
        yield f"    In replay, no misses, and answered here: {_and(preset.ignore_requests)}."


def _how_to_choose(name: str, chosen: MatchChoice) -> str:
    before = "auto," if chosen.is_auto else ""
    return f"wiretape_match={before}{name} chooses it"


def _group(heading: str, rules: Iterable[MatchRule], asker: Asker, *, shows_clients: bool = False) -> Iterator[str]:
    holding = [rule for rule in rules if asker.may_have(rule)]
    if not holding:
        return
    yield ""
    yield heading
    for rule in holding:
        yield f"  {rule.name}"
        applies = rule.applies if shows_clients else replace(rule.applies, clients=())
        for line in (*_reason(rule), *_effects(rule), *_answer(rule), *_for_whom(applies)):
            yield f"    {line}"


def _reason(rule: MatchRule) -> Iterator[str]:
    if rule.reason:
        yield rule.reason


def _effects(rule: MatchRule) -> Iterator[str]:
    if rule.ignore:
        yield f"What is at {_and(rule.ignore)} does not count."
    if rule.ids:
        yield f"Ids at {_and(rule.ids)} count by the order in which they first appear, not by their letters."
    if rule.references:
        yield f"What is at {_and(rule.references)} counts as the id that it equals; where there is none, as it is."
    for each in rule.replace:
        yield _replacement(each)
    if rule.kinds:
        kinds = _and([_KINDS[kind] for kind in rule.kinds])
        yield f"In {_where(rule.paths)}, {kinds} do not count."
    for unordered in rule.unordered:
        yield _UNORDERED[unordered]
    if rule.numbers:
        yield "Numbers such as 1 and 1.0 are the same."
    if rule.whitespace:
        yield "Blanks and line ends between words are the same, however many there are."


def _replacement(each: Replacement) -> str:
    found = f'What "{each.pattern}" finds in {_where((each.path,) if each.path else ())}'
    if each.name in _DIRECTORIES:
        return f"{found} is the {_DIRECTORIES[each.name]}: it does not count, wherever it stands."
    if each.is_tracked:
        return f"{found} does not count, but equal ones have to be equal again."
    return f"{found} does not count."


def _answer(rule: MatchRule) -> Iterator[str]:
    if not (rule.ids or rule.replace or rule.kinds):
        return
    if rule.bind:
        yield "In the answer, what was recorded becomes what is there now."
    else:
        yield "In the answer, what was recorded stays."


def _for_whom(applies: Selector) -> Iterator[str]:
    names = {
        "provider": applies.providers,
        "endpoint": applies.endpoints,
        "model": applies.models,
        "client": applies.clients,
        "session": applies.sessions,
    }
    known = [f"{name} {_either(patterns)}" for name, patterns in names.items() if patterns]
    if known:
        yield f"For {'; '.join(known)}."


def _where(paths: Sequence[str]) -> str:
    return f"the text at {_and(paths)}" if paths else "any text"


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _either(words: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
