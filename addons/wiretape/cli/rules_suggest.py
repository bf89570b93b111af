"""What ``wiretape rules suggest`` does: the misses that are kept of sessions -> lines for ``wiretape.toml``.

All of stdout is TOML: what is said of the rules are comments, so that it can be appended to the file as it is.
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from wiretape.call_log.log import MOST
from wiretape.call_log.reader import CallReader
from wiretape.cli.console import complain, out
from wiretape.cli.rules_in_force import SessionRules
from wiretape.codecs.units import counted
from wiretape.library import suggestions
from wiretape.library.rule_lines import lines, named
from wiretape.library.suggestions import Missed, Suggestion
from wiretape.matching.rules import MatchRule
from wiretape.metrics.counters import Counters
from wiretape.policy import Mode
from wiretape.tape.config import TapeConfig
from wiretape.tape.kept_misses import KeptMiss, KeptMisses
from wiretape.tape.tape import Tape

NOT_ALL = 1
"""The exit code where a miss would be one still."""

_TOLD = 5
"""Recordings, or differences, that are named of many."""


def suggest(sessions: SessionRules, report: Path | None) -> int:
    """Print the rules that would make the misses of sessions hits. Return the exit code.

    ``report``: one that ``wiretape run --report`` has written; its misses alone are looked at. Raises ValueError and
    OSError.
    """
    wanted = None if report is None else _reported(report)
    taken = {rule.name for rule in sessions.policy.rules}
    code = 0
    found = False
    for session in sessions.names:
        misses = _misses(sessions, session, wanted)
        if not misses:
            continue
        found = True
        order = sessions.library.sessions.order(session)
        tape = Tape(
            sessions.library.store,
            TapeConfig(session, Mode.REPLAY, order[1:], keep_misses=False),
            Counters(),
            policy=sessions.policy,
        )
        missed = [suggestions.looked_at(each, tape.near(each.request), sessions.policy) for each in misses]
        for suggestion in suggestions.suggest(missed, suggestions.read(sessions.library.store, order)):
            rules = [named(rule, taken) for rule in suggestion.rules]
            _print(session, suggestion, rules)
            helped = {*suggestion.hits, *suggestion.hits_now}
            if any(each.miss.hash not in helped for each in suggestion.missed):
                code = NOT_ALL
    if not found:
        complain(
            f"no misses are kept of {', '.join(sessions.names) or 'any session'}: replay once what is to be a hit, "
            "and ask again"
        )
    return code


def _reported(report: Path) -> frozenset[str]:
    """Return the hashes of the misses that a report tells. Raises OSError, and ValueError where it is none."""
    return frozenset(call.miss.hash for call in CallReader([report]).calls(limit=MOST) if call.miss)


def _misses(sessions: SessionRules, session: str, wanted: Collection[str] | None) -> list[KeptMiss]:
    notes = sessions.library.store.notes
    kept = KeptMisses(notes, session).all() if notes else []
    return [each for each in kept if wanted is None or each.hash in wanted]


# -- what is printed ---------------------------------------------------------------------------------------------------


def _print(session: str, suggestion: Suggestion, rules: Sequence[MatchRule]) -> None:
    whom = ", ".join((*suggestion.applies.clients, *suggestion.applies.endpoints))
    count = counted(len(suggestion.missed), "miss", "misses")
    becomes = f"these rules make {len(suggestion.hits)} of them hits" if rules else "no rule is suggested"
    out(f"# session {session}, {whom}: {count}, {becomes}")
    for missed in suggestion.missed:
        for line in _told(missed, suggestion):
            out(f"#   {line}")
    for refused in suggestion.refused:
        what = "; ".join(line for line in lines(refused.effect) if not line.startswith(("name", "reason")))
        out(f"# not suggested, as it makes recordings one whose answers differ ({_some(refused.names)}): {what}")
    for rule in rules:
        out("")
        out("[[match]]")
        for line in lines(rule):
            out(line)
    if rules:
        out("")
    for names in suggestion.folded:
        out(f"# these recordings would be one, too, and say the same: {_some(names)}")


def _told(missed: Missed, suggestion: Suggestion) -> Iterator[str]:
    """Yield what there is to say of a miss."""
    miss = missed.miss
    label = f"{miss.hash} ({miss.at[:19]}Z)"
    if miss.hash in suggestion.hits_now:
        yield f"{label}: is a hit by now"
    elif missed.nearest is None:
        yield f"{label}: there is no recording of its endpoint"
    elif miss.hash in suggestion.hits:
        yield f"{label}: becomes a hit; nearest {missed.nearest.name}"
    else:
        yield f"{label}: stays a miss; nearest {missed.nearest.name}"
        if not missed.proposed and not missed.refused:
            yield "  its URL or its query differs"
        for line in missed.refused[:_TOLD]:
            yield f"  {line}"
        if len(missed.refused) > _TOLD:
            yield f"  and {len(missed.refused) - _TOLD} more"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return ", ".join(names[:_TOLD]) + more
