"""Server-sent events. Source of the cases: WHATWG HTML, 9.2.5 to 9.2.6, and what providers send."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from places import DATA
from wiretape.codecs.sse import Event, SseDecoder, encode

BOM = b"\xef\xbb\xbf"

CASES = {
    "LF": (b"data: a\n\ndata: b\n\n", [Event("a"), Event("b")]),
    "CR": (b"data: a\r\rdata: b\r\r", [Event("a"), Event("b")]),
    "CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", [Event("a"), Event("b")]),
    "line ends mixed": (b"data: a\r\n\ndata: b\n\r\ndata: c\r\n\rdata: d\n\n", [Event(x) for x in "abcd"]),
    "CR LF is one line end, LF CR two": (b"data: a\r\ndata: b\n\rdata: c\n\n", [Event("a\nb"), Event("c")]),
    "several empty lines between events": (b"\n\n\ndata: a\n\n\n\ndata: b\n\n\n", [Event("a"), Event("b")]),
    "comments": (b": keep-alive\n\n:\n\n:data: no\ndata: a\n: inside\ndata: b\n\n", [Event("a\nb")]),
    "data of several lines": (b"data: YHOO\ndata: +2\ndata: 10\n\n", [Event("YHOO\n+2\n10")]),
    "an empty line of data": (b"data: a\ndata:\ndata: b\n\n", [Event("a\n\nb")]),
    "data without a value": (b"data:\n\ndata: \n\n", [Event(""), Event("")]),
    "a field without a colon": (b"data\n\ndata\ndata\n\nevent\ndata: x\n\n", [Event(""), Event("\n"), Event("x")]),
    "no space after the colon": (b"data:a\n\ndata: a\n\n", [Event("a"), Event("a")]),
    "only one space is taken away": (b"data:  a \n\ndata:\ta\n\n", [Event(" a "), Event("\ta")]),
    "a colon in the value": (b'data: {"a": "b:c"}\n\n', [Event('{"a": "b:c"}')]),
    "event names": (
        b"event: ping\ndata: a\n\ndata: b\n\ndata: c\nevent:last\nevent:  x\n\n",
        [Event("a", "ping"), Event("b"), Event("c", " x")],
    ),
    "an event without data is dropped, its name too": (b"event: ping\n\ndata: a\n\n", [Event("a")]),
    "id and retry are ignored": (b"id: 1\nretry: 10\ndata: a\nid\n\nid: 2\n\n", [Event("a")]),
    "unknown fields, also alike, are ignored": (b"dat: x\nDATA: x\n data: x\nfoo: x\ndata: a\n\n", [Event("a")]),
    "BOM": (BOM + b"data: a\n\n", [Event("a")]),
    "only the first BOM is one": (BOM + BOM + b"data: a\n\ndata: b\n\n", [Event("b")]),
    "a BOM within": (b"data: a\n\n" + BOM + b"data: b\n\ndata: " + BOM + b"c\n\n", [Event("a"), Event("\ufeffc")]),
    "begins as a BOM does": (b"\xef\xbb\ndata: a\n\n", [Event("a")]),
    "the last event needs no empty line": (b"data: a\n\nevent: e\ndata: b\n", [Event("a"), Event("b", "e")]),
    "the last event needs no line end": (b"data: a\n\ndata: b", [Event("a"), Event("b")]),
    "the last event needs no line end after a CR": (b"data: a\r\rdata: b\r", [Event("a"), Event("b")]),
    "without data the last one is none": (b"data: a\n\nevent: e\n", [Event("a")]),
    "a stream that ends in CR": (b"data: a\n\r", [Event("a")]),
    "U+2028, U+2029, U+0085, VT and FF do not split": (
        "data: a\u2028b\u2029c\u0085d\ve\ff\x1cg\n\n".encode(),
        [Event("a\u2028b\u2029c\u0085d\ve\ff\x1cg")],
    ),
    "characters of several bytes": ("data: é€😀\nevent: 名\n\n".encode(), [Event("é€😀", "名")]),
    "what is no UTF-8 stays what it is": (
        b"data: a\xffb\n\ndata: \xe2\x82\n\ndata: c\n\n",
        [*map(Event, ("a\udcffb", "\udce2\udc82", "c"))],
    ),
    "NUL": (b"data: a\0b\n\n", [Event("a\0b")]),
    "nothing": (b"", []),
    "only a BOM": (BOM, []),
    "only half a BOM": (BOM[:2], []),
    "only comments": (b": a\n\n: b\n\n", []),
}

table = pytest.mark.parametrize(("stream", "events"), CASES.values(), ids=CASES)


def decode(*pieces: bytes) -> list[Event]:
    decoder = SseDecoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.flush()


def by_the_letter(stream: bytes) -> list[Event]:
    """The standard's algorithm over a whole stream, as plain as it can be; but that it drops the last event."""
    events: list[Event] = []
    data, name = "", ""
    text = stream.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    for line in [*re.split("\r\n|\r|\n", text), ""]:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                events.append(Event(data.removesuffix("\n"), name))
            data, name = "", ""
        elif field == "data":
            data += value + "\n"
        elif field == "event":
            name = value
    return events


@table
def test_whole(stream: bytes, events: list[Event]) -> None:
    assert decode(stream) == events


@table
def test_byte_by_byte(stream: bytes, events: list[Event]) -> None:
    assert decode(*(bytes([byte]) for byte in stream)) == events


@table
def test_with_empty_pieces(stream: bytes, events: list[Event]) -> None:
    assert decode(b"", *(piece for byte in stream for piece in (bytes([byte]), b""))) == events


@table
def test_split_in_two_at_every_place(stream: bytes, events: list[Event]) -> None:
    for place in range(len(stream)):
        assert decode(stream[:place], stream[place:]) == events, place


@pytest.mark.parametrize("trailing", [b"data: cut off", b"data: cut off\n", b"event: cut", b": x", b"dat", b"\xe2\x82"])
@table
def test_what_trails_behind_the_last_event_is_one_where_it_has_data(
    stream: bytes, events: list[Event], trailing: bytes
) -> None:
    if not re.search(rb"(\n|\r)(\r\n|\n|\r)\Z", stream):
        stream += b"\n\n" if not stream.endswith(b"\n") else b"\n"
        events = by_the_letter(stream)
    expected = [*events, Event("cut off")] if trailing.startswith(b"data:") else events
    assert decode(stream + trailing) == expected
    assert decode(stream, trailing) == expected


@table
def test_the_table_is_by_the_letter_of_the_standard(stream: bytes, events: list[Event]) -> None:
    assert by_the_letter(stream) == events


def test_an_event_comes_with_the_piece_that_completes_it() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: a\n") == []
    assert decoder.feed(b"\n") == [Event("a")]
    assert decoder.feed(b"data: b\r\n\r\ndata: c\n\ndata:") == [Event("b"), Event("c")]
    assert decoder.feed(b" d\n\n") == [Event("d")]


def test_a_line_of_megabytes_in_small_pieces_is_read_in_linear_time() -> None:
    started = time.process_time()
    assert decode(b"data: ", *([b"x" * 64] * 100_000), b"\n\n") == [Event("x" * 6_400_000)]
    # A fifth of a second; looked through anew with each piece, it takes more than seven.
    assert time.process_time() - started < 3


def test_a_stream_as_providers_send_it() -> None:
    """Keep-alive comments, CRLF among LF, retry and id, a multi-byte character, [DONE]."""
    stream = (DATA / "chat.sse").read_bytes()
    events = decode(*(bytes([byte]) for byte in stream))
    assert [event.data[:5] for event in events] == ['{"id"'] * 6 + ["[DONE"]
    assert events == by_the_letter(stream)


FRAGMENTS = (
    *(b"data", b"event", b"id", b"da", b":", b": ", b" ", b"x", b"[DONE]", b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r"),
    *(b"data: a", b"event: e", BOM, "é".encode(), "😀".encode()[:2], "\u2028".encode(), b"\xff", b"\0"),
)
streams = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map(b"".join)


@given(streams, st.data())
def test_however_a_stream_is_split_its_events_are_the_same(stream: bytes, data: st.DataObject) -> None:
    places = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    pieces = [stream[start:end] for start, end in zip([0, *places], [*places, len(stream)], strict=True)]
    assert decode(*pieces) == decode(stream) == by_the_letter(stream)


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"))


@given(st.lists(st.tuples(text, names)))
def test_what_is_encoded_is_decoded_to_the_same(events: list[tuple[str, str]]) -> None:
    stream = b"".join(encode(data.encode(), name) for data, name in events)
    assert decode(stream) == [Event(data, name) for data, name in events]


@pytest.mark.parametrize(
    ("data", "event", "written"),
    [
        (b'{"a":1}', "", b'data: {"a":1}\n\n'),
        (b"[DONE]", "", b"data: [DONE]\n\n"),
        (b"{}", "response.created", b"event: response.created\ndata: {}\n\n"),
        (b"a\nb", "", b"data: a\ndata: b\n\n"),
    ],
)
def test_events_are_written_as_providers_write_them(data: bytes, event: str, written: bytes) -> None:
    assert encode(data, event) == written
