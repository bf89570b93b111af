"""Values that a rule took out of one text of a request, and that stand in other texts of it, too. Below ``taking_out``.

A value that is bound comes into an answer, and so into the next request: an agent was told "Today's date is ..." and
wrote that day into a file. Recorded on Friday and played on Monday, its call has Monday's date; the rule knows the line
that tells the date, and nothing of the call. So what is in an answer that was sent back is taken out as well.

The same letters elsewhere, as in what a user typed, mean something else: Friday's date in a question stays Friday's.
Then nobody can say which of the two an answer speaks of. Such a value is neither taken out of an answer nor bound.

    "Today's date is 27"  "Write the date down"  answer: "It is 27"    the answer's is taken out: today's
    "Today's date is 27"  "What was on the 27?"  answer: "On 27 ..."   it stays, as does the user's
"""

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import re2

from wiretape.codecs.patterns import text_pattern
from wiretape.matching import marks
from wiretape.matching.bound_values import BoundValue
from wiretape.matching.marks import JsonText, Marked
from wiretape.matching.parts import Searched, Taken
from wiretape.recording import JSON

_MOST = 32
"""Values of a request that are looked for in its other texts."""

_SHORTEST = 3
"""Characters of a value that is looked for: a shorter one is not bound either."""

_MARK = re.compile(f"({marks.NUL}{marks.NUL}|{marks.NUL}[^{marks.NUL}]+{marks.NUL})")


def without_repeated(parts: Sequence[Searched]) -> list[Searched]:
    """Return the parts of a request without values in answers that were taken out of other parts."""
    values = _values(parts)
    pattern = _pattern((*values,))
    if pattern is None:
        return [*parts]
    holding = [number for number, part in enumerate(parts) if pattern.search(part.data)]
    if not holding:
        return [*parts]
    own = {number for number in holding if not _is_of_answer(parts[number].value)}
    unclear = {value for value in values if any(_stands_in(value, parts[number].value) for number in own)}
    clear = [(number, each) for number, (value, each) in enumerate(values.items(), 1) if value not in unclear]
    made = [*parts]
    for number in holding:
        if number not in own:
            made[number] = _without(parts[number], clear)
    return [_unbound(part, unclear) for part in made] if unclear else made


def _values(parts: Sequence[Searched]) -> dict[str, Taken]:
    """Return what may come into an answer, as it stands in texts."""
    values: dict[str, Taken] = {}
    for part in parts:
        for each in part.taken:
            is_bound = each.is_bound and each.rule.bind and not each.is_directory
            if is_bound and isinstance(each.value, str) and len(each.value) >= _SHORTEST:
                values.setdefault(each.value, each)
                if len(values) == _MOST:
                    return values
    return values


@functools.lru_cache(maxsize=256)
def _pattern(values: tuple[str, ...]) -> Any:
    if not values:
        return None
    written = [marks.dumps(value)[1:-1].decode("utf-8", "surrogatepass") for value in values]
    return text_pattern("|".join(map(re2.escape, written)))


def _is_of_answer(part: JSON) -> bool:
    """Return whether a part is what a model has said."""
    if not isinstance(part, dict):
        return False
    return part.get("role") in ("assistant", "model") or str(part.get("type", "")).endswith("_call")


def _texts(value: JSON) -> Iterator[str]:
    """Yield the pieces of texts that no mark stands for."""
    match value:
        case Marked():
            yield from _MARK.split(value)[::2]
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _texts(each)
        case list():
            for each in value:
                yield from _texts(each)
        case JsonText():
            yield from _texts(value.value)


def _stands_in(value: str, part: JSON) -> bool:
    bound = BoundValue("", value, value, is_path=False)
    return any(True for text in _texts(part) for _ in bound.spans(text))


def _without(part: Searched, values: Sequence[tuple[int, Taken]]) -> Searched:
    """Return a part with marks for values, each with its number: another value in its place makes another request."""
    taken: list[Taken] = []
    value = part.value
    for number, each in values:
        value = _changed(value, functools.partial(_marked, each, marks.mark(f"{each.name} again", number), taken))
    if not taken:
        return part
    return Searched(value, marks.dumps(value), (*part.taken, *taken), part.left_out)


def _changed(value: JSON, change: Callable[[str], str]) -> JSON:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _changed(value[name], change) for name in sorted(value)}
    if isinstance(value, list):
        return [_changed(item, change) for item in value]
    return value


def _marked(each: Taken, mark: str, taken: list[Taken], text: str) -> str:
    """Return a text with marks in the place of a value."""
    if str(each.value) not in text:
        return text
    pieces = _MARK.split(text if isinstance(text, Marked) else marks.literal(text))
    bound = BoundValue(each.name, str(each.value), mark, is_path=False)
    made: list[str] = []
    count = 0
    for number, piece in enumerate(pieces):
        end = 0
        is_mark = number % 2 == 1
        for span in () if is_mark else bound.spans(piece):
            made += (piece[end : span.start], mark)
            end = span.end
            count += 1
        made.append(piece[end:])
    if not count:
        return text
    taken += [each] * count
    return Marked("".join(made))


def _unbound(part: Searched, values: set[str]) -> Searched:
    """Return a part of whose values none that is one of these comes into an answer."""
    if not any(each.value in values for each in part.taken):
        return part
    return part._replace(
        taken=[each._replace(is_bound=each.is_bound and each.value not in values) for each in part.taken]
    )
