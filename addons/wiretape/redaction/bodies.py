"""Takes secrets out of the bytes of an answer, which are given in pieces, as they came. Sans-IO.

An answer is cleaned after its content coding is undone and before anything is made of it, so that its recording and its
capture say the same. It goes in three steps:

1. ``rewriting.bodies`` reads the body as values (events, lines of JSON, JSON) and other texts.
2. ``streams`` finds the secrets of the values, also those that are cut up over several events.
3. ``rewriting.bodies`` replaces each secret in the body where it is written.

So the pieces keep their number, and with it the times at which they came; and every other byte stays as it was.

The messages of AWS, as Bedrock streams them, are cleaned by their payloads (``rewriting.messages``).

A JSON object may have two members of one name. A parser sees only the last of them, so in such a part the text itself
is searched as well (``_hides``).
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from wiretape.codecs import eventstream
from wiretape.codecs.pieces import Pieces
from wiretape.redaction import encodings, streams
from wiretape.redaction.streams import SecretFinder, Secrets
from wiretape.rewriting import bodies
from wiretape.rewriting.bodies import FindInJson
from wiretape.rewriting.body_parts import Body, Part
from wiretape.rewriting.messages import Messages
from wiretape.rewriting.spans import Span

_NAME = re.compile(r'"\s*:')
_TIMES = 3
"""How often a value is cleaned at most. With one secret gone, the text around it may look like another one."""


def cleaned(pieces: Sequence[bytes], finder: SecretFinder) -> Sequence[bytes]:
    """Return the pieces of a body without its secrets: as many pieces, or the very same object where there are none.

    No piece is empty, unless the body has fewer bytes left than pieces.
    """
    return cleaned_again(pieces, partial(_cleaned, finder=finder))


def cleaned_again[T](value: T, clean: Callable[[T], T]) -> T:
    """Return a value that was cleaned again and again until nothing changed any more, as far as ``_TIMES`` goes."""
    for _ in range(_TIMES):
        before = value
        value = clean(before)
        if value is before:
            break
    return value


def _cleaned(pieces: Sequence[bytes], finder: SecretFinder) -> Sequence[bytes]:
    if isinstance(pieces, Pieces):
        body = pieces
    else:
        body = Pieces(pieces)
    if eventstream.begins(body.data):
        return _cleaned_messages(pieces, body, finder)
    if bodies.is_no_text(body.data):
        return pieces
    try:
        spans = _secrets(Body.of_pieces(body), finder)
    except RecursionError:
        spans = encodings.in_json("".join(bodies.texts(body)), finder.spans, finder.member)
    return bodies.in_pieces(pieces, spans)


def _cleaned_messages(pieces: Sequence[bytes], body: Pieces, finder: SecretFinder) -> Sequence[bytes]:
    """Return the pieces of a stream of AWS's messages, such as Bedrock's, without the secrets in their payloads."""
    look = _JsonLook(finder)
    values = Messages(body.data, look.see)
    inside = streams.secrets(values, finder)
    return values.in_pieces(pieces, inside.changes, look.finder_for(inside))


def secrets(text: str, finder: SecretFinder) -> list[Span]:
    """Return where the text of a body has secrets. Each replacement is written as the form of the body needs it."""
    return _secrets(Body.of_text(text), finder)


def secrets_of_lines(lines: Iterable[str], finder: SecretFinder) -> list[Span]:
    """Return the secrets of the text that these lines, none of which has a line end, are when line ends join them."""
    return _secrets(Body.of_lines(lines), finder)


def _secrets(body: Body, finder: SecretFinder) -> list[Span]:
    look = _JsonLook(finder)
    values = bodies.Values(body, look.see)
    inside = streams.secrets(values, finder)
    others = [*values.others]
    in_others = {others[index]: spans for index, spans in encodings.each(others, finder.spans)}
    return bodies.spans(body, inside.changes, in_others, look.finder_for(inside))


class _JsonLook:
    """Looks at the JSON text of those values of a body that have secrets beside their texts."""

    def __init__(self, finder: SecretFinder) -> None:
        self._finder = finder
        self._hiding: set[int] = set()
        """The numbers of the parts in which a member hides another one of the same name."""

    def see(self, number: int, part: Part) -> None:
        """Note whether a part hides something."""
        if part.is_json and _hides(part):
            self._hiding.add(number)

    def finder_for(self, inside: Secrets) -> FindInJson | None:
        """Return what finds the secrets of JSON texts, where any of them has to be looked at."""
        if not (inside.names or self._hiding):
            return None

        def find(number: int, raw: str) -> Iterable[Span]:
            if inside.names or number in self._hiding:
                return encodings.in_json(raw, self._finder.spans, self._finder.member)
            return ()

        return find


def _hides(part: Part) -> bool:
    """Tell whether an object has two members of one name: a parser sees only the last of them."""
    if len(_NAME.findall(part.raw)) == _members(part.value):
        return False
    return _has_twins(part.raw)


def _has_twins(raw: str) -> bool:
    twins = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal twins
        twins = twins or len({name for name, _ in pairs}) < len(pairs)

    try:
        json.loads(raw, object_pairs_hook=look)
    except RecursionError:
        return True
    return twins


def _members(value: Any) -> int:
    """Count the members of all objects in a value."""
    if isinstance(value, dict):
        return len(value) + sum(_members(item) for item in value.values() if isinstance(item, (dict, list)))
    if isinstance(value, list):
        return sum(_members(item) for item in value if isinstance(item, (dict, list)))
    return 0
