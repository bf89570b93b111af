"""The bytes of a body with some of its values changed: as many pieces, and all else as it came."""

from collections.abc import Iterator, Sequence

import pytest

from wiretape.rewriting import bodies
from wiretape.rewriting.body_parts import Body, Part
from wiretape.rewriting.changes import Change
from wiretape.rewriting.spans import Span


def changed(pieces: Sequence[bytes], *changes: Change) -> Sequence[bytes]:
    text = b"".join(pieces).decode("utf-8", "surrogateescape")
    return bodies.in_pieces(pieces, bodies.spans(Body.of_text(text), changes, {}, None))


EVENTS = (b'data: {"a" : "1",  "b":[2', b', "3"]}\n\n: ping\n\nda', b'ta:{"a":\xff"4"}\r\n\r\ndata: five\n\n')


def test_a_value_is_encoded_anew_where_it_is_written_and_no_other_one_is() -> None:
    after = changed(
        (EVENTS[0], EVENTS[1], EVENTS[2].replace(b"\xff", b" ")),
        Change((0, "b", 1), "\u00e9", "x"),
        Change((1, "a"), {"c": ["d"]}, "x"),
        Change((2,), "six", "x"),
    )
    assert after == (
        EVENTS[0],
        b', "\\u00e9"]}\n\n: ping\n\nda',
        b'ta:{"a": {"c": ["d"]}}\r\n\r\ndata: six\n\n',
    )


def test_without_a_change_the_pieces_are_the_very_same() -> None:
    assert changed(EVENTS) is EVENTS
    assert changed(EVENTS, Change((0, "a"), "1", "x")) is EVENTS


def test_the_values_are_walked_again_and_each_is_shown_with_its_number() -> None:
    seen: list[tuple[int, str]] = []

    def see(number: int, part: Part) -> None:
        seen.append((number, part.raw))

    values = bodies.Values(Body.of_text('event: x\ndata: {"a": 1}\n\ndata: {"b": 2}\n\n'), see)
    assert [*values] == [*values] == [{"a": 1}, {"b": 2}]
    assert seen == [(0, '{"a": 1}'), (1, '{"b": 2}')] * 2
    assert (values.count, [*values.others]) == (2, ["event: x"])


def test_texts_beside_the_values_and_in_their_json_are_replaced_as_well() -> None:
    def of_names(number: int, raw: str) -> Iterator[Span]:
        if number == 1:
            yield Span(raw.index("n"), raw.index("n") + 1, "x", "name")

    body = Body.of_text('event: x\ndata: {"n": 1}\n\ndata: {"n": 2}\n\n')
    spans = bodies.spans(body, [], {"event: x": [Span(7, 8, "x", "yy")]}, of_names)
    assert bodies.in_pieces((body.whole().encode(),), spans) == (b'event: yy\ndata: {"n": 1}\n\ndata: {"name": 2}\n\n',)


@pytest.mark.parametrize(
    ("text", "like", "written"),
    [
        ('"', "{}", '\\"'),
        ("\u00e9", "{}", "\\u00e9"),
        ("\u00e9", "\u00fc", "\u00e9"),
        ("\ud800\u00e9", "\u00fc", "\\ud800\\u00e9"),
    ],
)
def test_a_text_in_json_is_written_as_the_texts_around_it(text: str, like: str, written: str) -> None:
    assert bodies.inside_json(text, like) == written


def test_a_character_that_is_cut_belongs_to_the_piece_in_which_it_ends() -> None:
    assert [*bodies.texts([b"a\xc3", b"\xa9b", b"\xff", b"\xc3"])] == ["a", "\u00e9b", "\udcff", "\udcc3"]


@pytest.mark.parametrize(
    ("pieces", "after"),
    [
        ((b"a", b"b"), (b"a", b"b")),
        ((b"abc", b"", b""), (b"a", b"b", b"c")),
        ((b"", b"", b"abc"), (b"a", b"b", b"c")),
        ((b"ab", b"", b"c"), (b"a", b"b", b"c")),
        ((b"a", b""), (b"a", b"")),
    ],
)
def test_no_piece_is_empty_where_there_are_bytes_enough(pieces: tuple[bytes, ...], after: tuple[bytes, ...]) -> None:
    assert bodies.none_empty(pieces) == after


@pytest.mark.parametrize(("data", "is_binary"), [(b"a\0b", False), (b"\xff", False), (b"\0\xff", True), (b"", False)])
def test_what_has_a_zero_and_is_no_utf_8_is_no_text(data: bytes, is_binary: bool) -> None:
    assert bodies.is_no_text(data) is is_binary
