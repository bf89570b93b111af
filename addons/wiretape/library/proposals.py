"""What differs between a request and the nearest recording -> the rules that would take it out, each the smallest.

Each proposal is a rule that does one thing at one place. Of what is never proposed it is told why: the conversation
itself, the model, the tools, and what a model answers by.

    prompt_cache_key: "a" here, "b" in the recording      ignore = ["$.prompt_cache_key"]
    system[2].text, line 9: "Today is 2026-11-27."        kinds = ["dates"] at $.system[*].text
    system[0].text: "cch=7053e;"                          replace = [{ pattern = '\\bcch=([0-9a-f]+);' }] there
    input[3].turn_id: "t-1", which recurs                 ids = ["$.input[*].turn_id"]
    messages[4].content: "Who?" here, "What?"             nothing: it is what was said
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from wiretape.codecs.differences import ABSENT, Difference
from wiretape.matching.rules import MatchRule
from wiretape.matching.varying import varying
from wiretape.recording import JSON
from wiretape.tape import comparison, mismatch
from wiretape.tape.comparison import Compared

type Steps = tuple[str | int, ...]

SAID = frozenset({"messages", "input", "contents", "prompt", "system", "systemInstruction", "instructions", "request"})
"""Members that have the conversation in them: of these texts are looked into, and ids; nothing is left out."""

ANSWERED_BY = frozenset(
    {
        "audio",
        "dimensions",
        "effort",
        "encoding_format",
        "frequency_penalty",
        "generationConfig",
        "generation_config",
        "include",
        "inferenceConfig",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_output_tokens",
        "max_tokens",
        "modalities",
        "model",
        "n",
        "options",
        "output_config",
        "parallel_tool_calls",
        "presence_penalty",
        "previous_response_id",
        "reasoning",
        "reasoning_effort",
        "response_format",
        "safetySettings",
        "seed",
        "stop",
        "stop_sequences",
        "stream",
        "stream_options",
        "temperature",
        "text",
        "thinking",
        "toolConfig",
        "tool_choice",
        "top_k",
        "top_logprobs",
        "top_p",
        "truncation",
        "verbosity",
    }
)
"""Members that a model answers by."""

_TOOLS = frozenset({"tools", "toolConfig", "functions"})
_PASSING = re.compile(
    r"(?:^|_)(?:time|timestamp|duration|elapsed|seconds|ms|pid|ppid|pgid|port)(?:_|$)|(?:Time|Ms|Pid)$"
)
"""Names of what a tool measures, in an output that is JSON."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COUNTED = 100_000
"""Values of a body that are counted."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What there is to propose."""

    rules: tuple[MatchRule, ...]
    """Each does one thing at one place."""
    refused: tuple[str, ...]
    """What differs and is not proposed to be left out: where, and why."""


def propose(compared: Compared) -> Proposed:
    """Return the rules that would take out what differs."""
    rules: dict[MatchRule, None] = {}
    refused: dict[str, None] = {}
    counts = _counted(compared.here.body)
    for difference in compared.differences:
        # Ids are counted in what was sent as JSON, not in a text that has JSON.
        recurs = max(counts[_key(difference.here)], counts[_key(difference.there)]) > 1
        is_counted = not _is_in_text(compared.here.body, difference.steps)
        found = _proposals(difference, recurs=recurs, is_counted=is_counted)
        if isinstance(found, str):
            refused[f"{mismatch.told(difference)}: {found}"] = None
        else:
            rules |= dict.fromkeys(found)
    return Proposed((*rules,), (*refused,))


def _key(value: JSON) -> str:
    return value if isinstance(value, str) else ""


def _is_in_text(body: JSON, steps: Steps) -> bool:
    """Return whether the way to a value leads through a text that has JSON."""
    value = body
    for step in steps:
        match value:
            case dict():
                value = value.get(str(step))
            case list() if isinstance(step, int) and step < len(value):
                value = value[step]
            case _:
                return isinstance(value, str)
    return False


def _counted(body: JSON) -> Counter[str]:
    """Return how often each text is in a body."""
    counts: Counter[str] = Counter()
    waiting = [body]
    seen = 0
    while waiting and seen < _COUNTED:
        seen += 1
        match waiting.pop():
            case dict() as each:
                waiting += each.values()
            case list() as each:
                waiting += each
            case str() as each:
                counts[each] += 1
    return counts


def _proposals(difference: Difference, *, recurs: bool, is_counted: bool) -> Sequence[MatchRule] | str:
    """Return the rules that take out one difference; or why there is none.

    ``recurs``: whether the value is at other places too; ``is_counted``: whether an id can count there by its order.
    """
    path = json_path(difference.steps)
    root = difference.steps[0] if difference.steps else ""
    here = difference.here
    there = difference.there
    if path is None or not isinstance(root, str):
        return "no path leads there"
    if root in ANSWERED_BY:
        return "a model answers by it"
    if isinstance(here, str) and isinstance(there, str):
        found = [*_of_texts(path, here, there)]
        if found:
            return found
    if comparison.is_of_ids(difference) and here is not ABSENT and there is not ABSENT:
        if is_counted and (root in SAID or recurs):
            return [MatchRule("ids", ids=(path,))]
        return [MatchRule("ignore", ignore=(path,))]
    return _ignoring(difference, path, root)


def _of_texts(path: str, here: str, there: str) -> Iterator[MatchRule]:
    """Yield the rules that make two texts one, if any do."""
    found = varying(here, there)
    if found is None:
        return
    for kind in found.kinds:
        yield MatchRule("kinds", kinds=(kind,), paths=(path,))
    for pattern in found.patterns:
        yield MatchRule("replace", replace=(replace(pattern, path=path),))


def _ignoring(difference: Difference, path: str, root: str) -> Sequence[MatchRule] | str:
    if root in _TOOLS:
        return "it is of the tools"
    if root in SAID:
        last = difference.steps[-1]
        is_measured = isinstance(difference.here, int | float) and isinstance(difference.there, int | float)
        if is_measured and isinstance(last, str) and _PASSING.search(last):
            return [MatchRule("ignore", ignore=(path,))]
        return "it is of the conversation"
    return [MatchRule("ignore", ignore=(path,))]


def json_path(steps: Steps) -> str | None:
    """Return a JSONPath to a value, and to those at other places of the lists on the way; None where there is none."""
    path = "$"
    for step in steps:
        if isinstance(step, int):
            path += "[*]"
        elif _PLAIN.fullmatch(step):
            path += f".{step}"
        elif step and step.isprintable() and not {*step} & {*"'\"\\"}:
            path += f"['{step}']"
        else:
            return None
    return path if steps else None
