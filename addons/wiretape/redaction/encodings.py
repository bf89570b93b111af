"""Finds secrets in what a text encodes: JSON, base64, percent-encoding, and one of them within another.

A tool's arguments are JSON in a text, a Kubernetes secret is base64 in YAML, a webhook is a URL in a query. A secret
that is found there is taken out where it stands, and the text stays what it was: JSON stays JSON, base64 decodes.

It does not know what a secret looks like. ``look`` finds the secrets of a plain text and ``member`` judges the members
of JSON; the redactor passes both.
"""

import base64
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from urllib.parse import quote, unquote

from wiretape.codecs.patterns import compiled
from wiretape.redaction import members
from wiretape.rewriting.json_prefix import begins_json, json_end
from wiretape.rewriting.positions import Decoded, literals, unescaped, unquoted
from wiretape.rewriting.spans import Places, Span, merged, replaced

_DEPTH = 8
"""How many encodings, one within another, are looked through."""

# Patterns that are searched for in every text are compiled by RE2: it is faster by far where nothing matches.
_BASE64 = compiled(rb"(?:^|[^A-Za-z0-9+/_-])[CDI-Za-fw-z0-9][A-Za-z0-9+/_-]{23,}(?:\r?\n[A-Za-z0-9+/_-]{4,})*={0,2}")
"""Base64, with the character before it. Base64 that begins with another letter does not encode a text in UTF-8."""
_SHORTEST_BASE64 = 24
"""The fewest characters that ``_BASE64`` matches. Most texts of a request are shorter."""
_MAY_NAME = compiled(
    rf'(?i:{members.HINTS})[^"\\]{{0,24}}"\s*:'
    rf'|"(?:{"|".join(members.LABELS)})"\s*:\s*"[^"\\]{{0,64}}(?i:{members.HINTS})'.encode()
)
_NESTED = compiled(rb'(?s)(?:^|[^\\])(?:\\\\)*"((?:\s|\\[nrt])*(?:[{\[]|\\")(?:[^"\\]|\\.)*)')
"""A text in JSON that may be JSON itself."""
_MEMBER = re.compile(r'"([^"\\]{1,80})"\s*:')
_LABEL = re.compile(rf'"(?:{"|".join(members.LABELS)})"\s*:\s*"([^"\\]{{1,80}})"')
_LINE_END = re.compile(r"\r?\n")
_IN_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-")
_PROBE = 64
"""How many characters of base64 are decoded to tell a text from an image."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ESCAPED_WORD = compiled(rb"[^\s\"'<>%]*%[0-9A-Fa-f]{2}[^\s\"'<>]*")
_ADJACENT = compiled(rb'"[ \t]*\r?\n\s*"')
"""Two texts in quotes with nothing between them. In a program they are one text; JSON has no such thing."""
_URLSAFE = str.maketrans("-_", "+/")
_BETWEEN = "\n\x00\n"
"""Stands between texts that are searched as one. No secret contains it."""

_LONG = 1 << 20
"""How many characters make a text long: it is searched by itself, so that no copy of it is made."""

type Look = Callable[[str], Sequence[Span]]
"""Finds the secrets of a text: in order, and none overlaps another."""

type LookAtMember = Callable[[str, str], str | None]
"""Returns what replaces the text of a member, given its name, or None where the name makes it no secret."""


def spans(text: str, look: Look, member: LookAtMember, depth: int = 0) -> list[Span]:
    """Return the secrets of a text and of what it encodes, in order; none overlaps another."""
    if depth == _DEPTH:
        return [*look(text)]

    def deeper(inner: str) -> list[Span]:
        return spans(inner, look, member, depth + 1)

    end = json_end(text)
    if end == len(text) > 0 and not _ADJACENT.search(text.encode("utf-8", "surrogatepass")):
        return in_json(text, deeper, member)  # A secret that was found across its quotes could not be replaced.
    secrets = [*look(text)]
    if end:
        secrets += in_json(text[:end], deeper, member)
    data = text.encode("utf-8", "surrogatepass")
    if b"%" in data:
        secrets += _in_percent(text, data, deeper)
    if len(data) >= _SHORTEST_BASE64 and _BASE64.search(data):  # Nearly no text has base64.
        secrets += _in_base64(data, deeper)
    return merged(secrets)


def each(texts: Sequence[str], look: Look) -> Iterator[tuple[int, Sequence[Span]]]:
    """Yield the secrets of those texts that have some, each with the number of its text.

    The texts are searched as one, because a pattern costs as much for a short text as for a long one. Only those in
    which something was found are searched again by themselves.
    """
    plain = [index for index, text in enumerate(texts) if len(text) < _LONG and not begins_json(text)]
    starts = [0, *accumulate(len(texts[index]) + len(_BETWEEN) for index in plain)]
    touched = set(range(len(texts))) - set(plain)
    together: Sequence[Span] = ()
    if plain:
        together = look(_BETWEEN.join(texts[index] for index in plain))
    for span in together:
        first = bisect_right(starts, span.start) - 1
        last = bisect_right(starts, span.end - 1) - 1
        touched.update(plain[first : last + 1])
    for index in sorted(touched):
        secrets = look(texts[index])
        if secrets:
            yield index, secrets


def in_json(text: str, look: Look, member: LookAtMember) -> list[Span]:
    """Return the secrets of the texts in a JSON text, where they stand in it. Their replacements are escaped."""
    if not _may_hold(text, look):
        return []
    secrets: list[Span] = []
    others: list[Decoded] = []
    for literal in literals(text, members.naming):
        inner_text = literal.text
        replacement = None
        if literal.name and inner_text.text:
            replacement = member(literal.name, inner_text.text)
        if replacement is None:
            others.append(inner_text)
        else:
            start, end = inner_text.raw(0, len(inner_text.text))
            secrets.append(Span(start, end, "member", _escaped(replacement)))
    for index, inner in each([literal.text for literal in others], look):
        for span in inner:
            start, end = others[index].raw(span.start, span.end)
            secrets.append(Span(start, end, span.detector, _escaped(span.replacement)))
    return merged(secrets)


def _may_hold(text: str, look: Look) -> bool:
    """Tell whether a JSON text may have secrets. Nearly none has; this is much faster than looking at each text."""
    if _is_named(text) or ("\\u" in text and _is_named(unescaped(text))):
        return True
    rest = text
    inner = ""
    if "\\" in text:
        rest, inner = _without_nested(text)
    # Each text stands on a line of its own, unescaped. An escaped quote stays: it may stand around a secret.
    lines = unescaped(rest.replace('"', "\n").replace("\\\n", '\\"'))
    # With the semicolon at its beginning, it is not taken for JSON again.
    return bool(look(f";\n{lines}")) or (inner != "" and bool(look(inner)))


def _without_nested(text: str) -> tuple[str, str]:
    """Return a JSON text without those of its texts that are JSON themselves, and what these mean, as one text."""
    data = text.encode("utf-8", "surrogatepass")
    kept: list[bytes] = []
    nested: list[str] = []
    at = 0
    for match in _NESTED.finditer(data):
        start, end = match.span(1)
        inner = unescaped(data[start:end].decode("utf-8", "surrogatepass"))
        if json_end(inner) == len(inner):
            kept.append(data[at:start])
            if _is_open(inner):
                inner += '"'
            nested.append(inner)
            at = end
    kept.append(data[at:])
    return b"".join(kept).decode("utf-8", "surrogatepass"), ",\n".join(nested)


def _is_open(text: str) -> bool:
    """Tell whether the last text in a JSON text lacks its closing quote."""
    return (text.replace("\\\\", "").replace('\\"', "").count('"') % 2) == 1


def _is_named(text: str) -> bool:
    """Tell whether a member of a JSON text has the name of a secret. Names with escapes in them are not looked at."""
    if not _MAY_NAME.search(text.encode("utf-8", "surrogatepass")):
        return False
    names = {*_MEMBER.findall(text), *_LABEL.findall(text)}
    return any(members.strength(name) or members.is_constant_key(name) for name in names)


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


def _in_percent(text: str, data: bytes, look: Look) -> Iterator[Span]:
    places = Places(data)
    words = [places.span(*match.span()) for match in _ESCAPED_WORD.finditer(data)]
    # Of a long text with a few escapes, only the words with an escape are searched again.
    if not words or not look("\n".join(unquote(text[start:end]) for start, end in words)):
        return
    decoded = [unquoted(text, start, end) for start, end in words]
    for index, inner in each([word.text for word in decoded], look):
        for span in inner:
            start, end = decoded[index].raw(span.start, span.end)
            yield Span(start, end, span.detector, quote(span.replacement, safe=""))


def _in_base64(data: bytes, look: Look) -> Iterator[Span]:
    places = Places(data)
    decoded: list[tuple[int, str, str]] = []
    for match in _BASE64.finditer(data):
        at, end = match.span()
        at += data[at] not in _IN_BASE64
        run = data[at:end].decode("ascii")
        if _text(run[:_PROBE], is_whole=False) is None:
            continue
        first_line = run.partition("\n")[0].rstrip("\r")
        for encoded in dict.fromkeys((run, first_line, first_line[:-1])):
            inner = _text(encoded, is_whole=True)
            if inner is not None:
                start, _ = places.span(at, end)
                decoded.append((start, encoded, inner))
                break
    for index, secrets in each([inner for _, _, inner in decoded], look):
        start, encoded, inner = decoded[index]
        replacement = _encoded(replaced(inner, secrets), encoded)
        yield Span(start, start + len(encoded), secrets[0].detector, replacement)


def _text(encoded: str, *, is_whole: bool) -> str | None:
    """Return the text that base64 encodes, or None where it encodes none. Of a beginning, return the text so far."""
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
    if _UNPRINTABLE.search(text):
        return None
    return text


def _encoded(text: str, like: str) -> str:
    """Return a text in base64 that has the alphabet, the padding and the length of lines of the base64 ``like``."""
    encoded = base64.b64encode(text.encode("utf-8")).decode("ascii")
    if "-" in like or "_" in like:
        encoded = encoded.translate(str.maketrans("+/", "-_"))
    if not like.endswith("=") and len(_LINE_END.sub("", like)) % 4:
        encoded = encoded.rstrip("=")
    end = _LINE_END.search(like)
    if end:
        width = end.start()
        encoded = end[0].join(encoded[at : at + width] for at in range(0, len(encoded), width))
    return encoded
