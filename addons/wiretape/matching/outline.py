"""A request in few bytes, and which of many requests are near to one. Between ``request`` and the tape's ``mismatch``.

An *outline* has a request's pieces in their order: first the conversation, message by message, then the tools and the
parameters. Of each piece it has an id, by which two pieces are the same; a weight, which grows with its length, slowly,
so that one long text does not decide alone; and a *sketch*, by which it is told how much of their text two pieces have
in common. A sketch is a min-hash of pairs of neighbouring words: each pair falls into one of 128 buckets, and of those
in a bucket the least stands for all. The share of equal buckets is about the share of pairs that both texts have.

Ten thousand outlines are compared in some fifty milliseconds. The few that are nearest by them are then read, and
compared as they are: that is ``mismatch``.
"""

import hashlib
import heapq
import re
import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isqrt, log
from typing import Any, NamedTuple
from zlib import crc32

from wiretape.codecs import json_text
from wiretape.matching.request import base, query, wire_body
from wiretape.recording import JSON, RecordedRequest

_CONVERSATION = ("messages", "input", "contents", "prompt")
"""What is said, whatever the endpoint calls it: it goes before what else a request has."""

_EDGE = 32
"""Pieces at the beginning of a request, and at its end, that stand for themselves; those between them are one."""

_BUCKETS = 128

_PIECE = struct.Struct(f">H{_BUCKETS}s")
_ID = struct.Struct(">Q")
_TURNS = struct.Struct(">H")

_ALIGNED = 3
"""Pieces that differ which are compared at first, each with that at its place."""

_ROUGHLY = 48
"""Requests that are compared piece by piece with each other, of all that were compared roughly."""

_PAIRED = 12
"""Pieces of either that are then compared with each of the other's."""

_END = 96
"""Letters at the beginning of a text, and at its end, that are looked at by threes: a word with a typing error in it is
another word, and in a short text there are few words."""

# A letter beyond ASCII is a word of its own: there are languages that put no blanks between them.
_WORD = re.compile(rb"[A-Za-z0-9_]+|[\xc0-\xff][\x80-\xbf]*")
_LAYOUT = re.compile(rb"\\[nrt]")


class Piece(NamedTuple):
    """A message, a tool, a parameter."""

    id: int
    weight: int
    sketch: int

    def packed(self) -> bytes:
        """Return the piece as bytes, without its id."""
        return _PIECE.pack(self.weight, self.sketch.to_bytes(_BUCKETS))


def unpacked_piece(number: int, data: bytes) -> Piece:
    """Return the piece of this id of which these are the bytes. Raises ValueError."""
    try:
        weight, sketch = _PIECE.unpack(data)
    except struct.error as e:
        raise ValueError(f"no piece: {e}") from e
    return Piece(number, weight, int.from_bytes(sketch))


@dataclass(frozen=True, slots=True)
class Outline:
    """A request in few bytes."""

    turns: int
    """How many of the pieces are the conversation."""
    pieces: tuple[Piece, ...]

    def packed(self) -> bytes:
        """Return the outline as bytes, with no more of its pieces than their ids."""
        return _TURNS.pack(self.turns) + b"".join(_ID.pack(each.id) for each in self.pieces)


def unpacked(data: bytes, known: Mapping[int, Piece]) -> Outline:
    """Return what ``packed`` has made of an outline whose pieces are ``known``. Raises ValueError."""
    try:
        (turns,) = _TURNS.unpack_from(data)
        return Outline(turns, tuple(known[number] for (number,) in _ID.iter_unpack(data[_TURNS.size :])))
    except (struct.error, KeyError) as e:
        raise ValueError(f"no outline: {e}") from e


def outline(request: RecordedRequest, known: dict[int, Piece] | None = None) -> Outline:
    """Return the outline of a request. Pieces that are ``known``, by their ids, are not looked through again."""
    known = {} if known is None else known
    items, turns = parts(request)
    if len(items) > 2 * _EDGE:
        between = [value for _, value in items[_EDGE - 1 : -_EDGE]]
        items = [*items[: _EDGE - 1], ("", between), *items[-_EDGE:]]
    return Outline(min(turns, len(items)), tuple(_piece(key, value, known) for key, value in items))


def parts(request: RecordedRequest, body: JSON = None) -> tuple[list[tuple[str, Any]], int]:
    """Return the pieces of a request, each with the member that it is of, and how many are the conversation.

    ``body``: what is looked at in place of its own, which rules have reduced.
    """
    body = wire_body(request) if body is None else body
    said = [item for key in _CONVERSATION if key in body for item in _items(key, body[key])]
    others = [item for key in sorted(body) if key not in _CONVERSATION for item in _items(key, body[key])]
    return [*said, *others, ("query", query(request)), ("base URL", base(request))], len(said)


def conversation(request: RecordedRequest) -> tuple[bytes, ...]:
    """Return a digest of each message of a request's conversation: two begin alike where their digests do."""
    items, turns = parts(request)
    return tuple(hashlib.blake2b(json_text.canonical(value), digest_size=16).digest() for _, value in items[:turns])


def _items(key: str, value: Any) -> list[tuple[str, Any]]:
    """Return the pieces of a member: the items of a list of objects or texts, or the whole of it."""
    has_items = isinstance(value, list) and value and isinstance(value[0], dict | str)
    return [(key, item) for item in value] if has_items else [(key, value)]


def _piece(key: str, value: Any, known: dict[int, Piece]) -> Piece:
    text = json_text.canonical(value)
    number = int.from_bytes(hashlib.blake2b(json_text.canonical(key) + text, digest_size=8).digest())
    piece = known.get(number)
    if piece is None:
        said = value.get("content") if isinstance(value, dict) else None
        # What all messages have would take buckets from the words.
        told = json_text.canonical(said) if isinstance(said, str) else text
        piece = known[number] = Piece(number, min(isqrt(len(text)), 0xFFFF), _sketch(told))
    return piece


def _sketch(text: bytes) -> int:
    text = text.lower()
    words = [*map(crc32, _WORD.findall(_LAYOUT.sub(b" ", text)))]
    # Of a pair: its second word, counted on from the first.
    pairs = {(31 * first + second) & 0xFFFFFFFF for first, second in pairwise(words)}
    ends = text if len(text) <= 2 * _END else text[:_END] + text[-_END:]
    pairs.update(map(crc32, [ends[at : at + 3] for at in range(max(1, len(ends) - 2))]))
    least = {hashed % _BUCKETS: hashed // _BUCKETS for hashed in sorted(pairs, reverse=True)}
    sketch = bytearray(_BUCKETS)
    for bucket, hashed in least.items():
        sketch[bucket] = 1 + hashed % 255  # A bucket that is zero is empty.
    return int.from_bytes(sketch)


def _likeness(one: int, two: int) -> float:
    """Return the share of the pairs of words that two texts have in common, of 0 to 1, nearly."""
    empty = (one | two).to_bytes(_BUCKETS).count(0)
    if empty == _BUCKETS:
        return 0.0
    return ((one ^ two).to_bytes(_BUCKETS).count(0) - empty) / (_BUCKETS - empty)


# -- which are near ----------------------------------------------------------------------------------------------------


class Near(NamedTuple):
    """One of many, and how near it is: 1 for the same, 0 for nothing in common."""

    likeness: float
    name: str


def likeness(shared: float, ours: float, theirs: float) -> float:
    """Return how near something is, of 0 to 1, by the weight of what is shared, and of what either has beside that.

    What only the other one has counts half: a question that was recorded behind a long prompt is near to the same one
    without it.
    """
    return (shared + 1) / (shared + ours + theirs / 2 + 1)


class _Entry(NamedTuple):
    """One of many."""

    name: str
    outline: Outline
    ids: frozenset[int]
    weight: float


class Outlines:
    """Many outlines, among which the nearest is looked for.

    A piece counts the less the more of them have it: the prompt and the tools that all have tell nothing.
    """

    def __init__(self, outlines: Mapping[str, Outline]) -> None:
        self._counts = Counter([piece[0] for each in outlines.values() for piece in each.pieces])
        scale = log(len(outlines) + 2)
        self._rarities = [1 - log(count + 1) / scale for count in range(max(self._counts.values(), default=0) + 1)]
        self._entries = {
            name: _Entry(name, each, frozenset(piece[0] for piece in each.pieces), self._weight(each.pieces))
            for name, each in outlines.items()
        }

    def _weight(self, pieces: Iterable[Piece]) -> float:
        counts = self._counts
        rarities = self._rarities
        return sum([piece[1] * rarities[counts[piece[0]]] for piece in pieces])

    def nearest(self, wanted: Outline, most: int) -> list[Near]:
        """Return the nearest, the nearest first, so many of them at most."""
        if not self._entries:
            return []
        ours = _Ours(
            {each.id: each.weight * self._rarities[self._counts[each.id]] for each in wanted.pieces},
            [_marked(each) for each in dict.fromkeys(wanted.pieces)],
        )
        scored = [(_roughly(ours, entry), name) for name, entry in self._entries.items()]
        # Those that go on from the same conversation are looked at, whatever the rest of them is.
        following = [(_prefix(wanted, entry.outline), name) for name, entry in self._entries.items()]
        best = dict.fromkeys(name for _, name in (*heapq.nlargest(_ROUGHLY, scored), *heapq.nlargest(most, following)))
        return heapq.nlargest(most, (Near(self._closely(wanted, ours, self._entries[name]), name) for name in best))

    def _closely(self, wanted: Outline, ours: "_Ours", other: _Entry) -> float:
        """Return how near another one is, each piece compared with that of the other's that it is most like."""
        shared = sum(weight for number, weight in ours.weights.items() if number in other.ids)
        rest = [each for each in other.outline.pieces if each.id not in ours.weights]
        beside = self._weight(rest)
        for piece in [each for each in wanted.pieces if each.id not in other.ids][:_PAIRED]:
            if not rest:
                break
            like, at = max((_likeness(piece.sketch, each.sketch), -at) for at, each in enumerate(rest[:_PAIRED]))
            like *= min(piece.weight, rest.pop(-at).weight)
            shared += like
            beside -= like
        return likeness(shared, ours.weight - shared, max(0.0, beside))


def _prefix(wanted: Outline, other: Outline) -> int:
    """Return how many messages both begin with."""
    count = 0
    for one, two in zip(wanted.pieces[: wanted.turns], other.pieces[: other.turns], strict=False):
        if one.id != two.id:
            break
        count += 1
    return count


class _Ours:
    """What many are compared with: its pieces' weights by their ids, and the pieces themselves."""

    def __init__(self, weights: Mapping[int, float], pieces: Sequence[tuple[int, int, int, int]]) -> None:
        self.weights = weights
        self.weight = sum(weights.values())
        self.ids = frozenset(weights)
        self.pieces = pieces


def _roughly(ours: _Ours, other: _Entry) -> float:
    """Return about how near another one is: what is the same, and the first pieces that differ, in their order.

    This is done ten thousand times, and so in few steps: a bucket that is empty here is given a value that hardly any
    bucket has, and the share is that of what is filled here.
    """
    common = ours.ids & other.ids
    shared = sum([ours.weights[number] for number in common])
    beside = other.weight - shared
    theirs = [piece for piece in other.outline.pieces if piece[0] not in common][:_ALIGNED]
    if theirs:
        rest = [piece for piece in ours.pieces if piece[0] not in common]
        for (_, weight, sketch, filled), two in zip(rest, theirs, strict=False):
            like = (sketch ^ two[2]).to_bytes(_BUCKETS).count(0) / filled
            like *= weight if weight < two[1] else two[1]
            shared += like
            beside -= like
    return likeness(shared, ours.weight - shared, beside if beside > 0 else 0.0)


def _marked(piece: Piece) -> tuple[int, int, int, int]:
    """Return id, weight and sketch of a piece, in which no bucket is empty, and how many were filled."""
    buckets = piece.sketch.to_bytes(_BUCKETS)
    return piece.id, piece.weight, int.from_bytes(buckets.replace(b"\0", b"\xff")), _BUCKETS - buckets.count(0) or 1
