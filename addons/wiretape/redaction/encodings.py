"""Secrets in what a text encodes: JSON with its members, base64, percent-encoding, one in another. Around the table.

A tool's arguments are JSON in a text, a Kubernetes secret is base64 in YAML, a webhook is a URL in a query. What is
found there is taken out where it stands, and the text stays what it was: JSON stays JSON, base64 decodes.
"""

import base64
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from urllib.parse import quote, unquote

import orjson
import re2

from wiretape.redaction import members
from wiretape.redaction.positions import Decoded, literals, unescaped, unquoted
from wiretape.redaction.spans import Span, merged, replaced

_DEPTH = 8
"""Encodings in one another that are looked through."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}+(?:\r?\n[A-Za-z0-9+/_-]{4,}+)*+={0,2}")
# Faster by far over what has none, which is nearly every text.
_HAS_BASE64 = re2.compile(rb"[A-Za-z0-9+/_-]{24}")
_MEMBER = re.compile(r'"([^"\\]{1,80})"\s*:')
_LABEL = re.compile(rf'"(?:{"|".join(members.LABELS)})"\s*:\s*"([^"\\]{{1,80}})"')
_LINE_END = re.compile(r"\r?\n")
_PROBE = 64
"""Characters of base64 that tell an image from a text."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}")
_WORD = re.compile(r"[^\s\"'<>]++")
_QUOTE = re.compile(r'(?<!\\)"')
"""A quote around a text of JSON; one inside it has a backslash before it, and may stand around a secret."""
_URLSAFE = str.maketrans("-_", "+/")
_BETWEEN = "\n\x00\n"
"""Between texts that are looked through as one: what no secret has in it."""

_LONG = 1 << 20
"""Characters of a text that is looked through by itself: together with others it would be there twice."""

type Look = Callable[[str], Sequence[Span]]
"""Finds the secrets of a text, in order, none overlapping another."""

type LookAtMember = Callable[[str, str], str | None]
"""What replaces the text of a member of this name; None where its name does not make it a secret."""


def spans(text: str, look: Look, member: LookAtMember, depth: int = 0) -> list[Span]:
    """Return the secrets of a text and of what it encodes, in order; none overlaps another."""
    if depth == _DEPTH:
        return [*look(text)]

    def deeper(inner: str) -> list[Span]:
        return spans(inner, look, member, depth + 1)

    is_object = '"' in text and text.lstrip()[:1] in ("{", "[", '"')
    if is_object and _is_json(text):
        return in_json(text, deeper, member)  # What is found across its quotes would break it.
    found = [*look(text)]
    if is_object:
        found += in_json(text, deeper, member)
    if "%" in text and _ESCAPED.search(text):
        found += _in_percent(text, deeper)
    found += _in_base64(text, deeper)
    return merged(found)


def each(texts: Sequence[str], look: Look) -> Iterator[tuple[int, Sequence[Span]]]:
    """Yield the secrets of many texts, each with its place among them; those that have none are left out.

    They are looked through as one, and anew only where something was found: a pattern costs as much for a short text.
    """
    plain = [
        index for index, text in enumerate(texts) if len(text) < _LONG and text.lstrip()[:1] not in ("{", "[", '"')
    ]
    starts = [0, *accumulate(len(texts[index]) + len(_BETWEEN) for index in plain)]
    touched = set(range(len(texts))) - set(plain)
    for span in look(_BETWEEN.join(texts[index] for index in plain)):
        first = bisect_right(starts, span.start) - 1
        last = bisect_right(starts, span.end - 1) - 1
        touched.update(plain[first : last + 1])
    for index in sorted(touched):
        if found := look(texts[index]):
            yield index, found


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def in_json(text: str, look: Look, member: LookAtMember) -> list[Span]:
    """Return the secrets in the texts of a JSON text, as they stand in it; what replaces them is escaped."""
    found: list[Span] = []
    if not _may_hold(text, look):
        return []
    others: list[Decoded] = []
    for literal in literals(text):
        inner_text = literal.text
        replacement = member(literal.name, inner_text.text) if literal.name and inner_text.text else None
        if replacement is None:
            others.append(inner_text)
        else:
            start, end = inner_text.raw(0, len(inner_text.text))
            found.append(Span(start, end, "member", _escaped(replacement)))
    for index, inner in each([literal.text for literal in others], look):
        for span in inner:
            start, end = others[index].raw(span.start, span.end)
            found.append(Span(start, end, span.detector, _escaped(span.replacement)))
    return merged(found)


def _may_hold(text: str, look: Look) -> bool:
    """Return whether a JSON text may have secrets. Nearly none has, and this tells it much faster than its literals."""
    for _ in range(_DEPTH):
        # What begins otherwise is no JSON and is looked at once: else each depth would look at all that are below it.
        names = {*_MEMBER.findall(text), *_LABEL.findall(text)}
        if any(map(members.strength, names)) or look(";\n" + _QUOTE.sub("\n", text)):
            return True
        if "\\" not in text:
            return False
        text = unescaped(text)
    return True


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


def _in_percent(text: str, look: Look) -> Iterator[Span]:
    words = [match.span() for match in _WORD.finditer(text) if "%" in match[0] and _ESCAPED.search(match[0])]
    # Of a long text with a few escapes, only they are looked at again, and what they encode in turn.
    if not look("\n".join(unquote(text[start:end]) for start, end in words)):
        return
    decoded = [unquoted(text, start, end) for start, end in words]
    for index, inner in each([word.text for word in decoded], look):
        for span in inner:
            start, end = decoded[index].raw(span.start, span.end)
            yield Span(start, end, span.detector, quote(span.replacement, safe=""))


def _in_base64(text: str, look: Look) -> Iterator[Span]:
    if not _HAS_BASE64.search(text.encode("utf-8", "surrogatepass")):
        return
    found: list[tuple[int, str, str]] = []
    for match in _BASE64.finditer(text):
        run = match[0]
        if _text(run[:_PROBE], is_whole=False) is None:
            continue
        first_line = run[: run.find("\n")].rstrip("\r") if "\n" in run else run
        for encoded in dict.fromkeys((run, first_line, first_line[:-1])):
            if (inner := _text(encoded, is_whole=True)) is not None:
                found.append((match.start(), encoded, inner))
                break
    for index, inner_spans in each([inner for _, _, inner in found], look):
        start, encoded, inner = found[index]
        yield Span(
            start, start + len(encoded), inner_spans[0].detector, _encoded(replaced(inner, inner_spans), encoded)
        )


def _text(encoded: str, *, is_whole: bool) -> str | None:
    """Return the text that base64 stands for, all of it or its beginning; None where it stands for none."""
    plain = _LINE_END.sub("", encoded).rstrip("=").translate(_URLSAFE)
    if not is_whole:
        plain = plain[: len(plain) - len(plain) % 4]
    elif len(plain) % 4 == 1:
        return None
    data = base64.b64decode(plain + "=" * (-len(plain) % 4))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as e:
        if is_whole or e.end < len(data) - 3:
            return None
        text = data[: e.start].decode("utf-8")
    return None if _UNPRINTABLE.search(text) else text


def _encoded(text: str, like: str) -> str:
    """Return a text in base64 of the same alphabet, padding and length of lines."""
    encoded = base64.b64encode(text.encode("utf-8")).decode("ascii")
    if "-" in like or "_" in like:
        encoded = encoded.translate(str.maketrans("+/", "-_"))
    if not like.endswith("=") and len(_LINE_END.sub("", like)) % 4:
        encoded = encoded.rstrip("=")
    if end := _LINE_END.search(like):
        width = end.start()
        encoded = end[0].join(encoded[at : at + width] for at in range(0, len(encoded), width))
    return encoded
