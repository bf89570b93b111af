"""An answer as values: what is kept of one as it came, what goes out of that, and when a body is no whole one."""

import gzip
from typing import Any

import pytest

from wiretape.codecs.sse import SseDecoder
from wiretape.providers import answers
from wiretape.providers.answers import BrokeOffError, HttpResponse, LiveResponse, UnrecordableError
from wiretape.providers.stream_ends import End
from wiretape.recording import RecordedResponse

TEXT = (("Content-Type", "text/plain"),)
GZIP = gzip.compress(b"hello", mtime=0)
BROKEN: dict[str, Any] = {"type": "APIConnectionError", "body": None}


def live(*pieces: bytes, headers: tuple[tuple[str, str], ...] = (), status: int = 200, **more: Any) -> LiveResponse:
    told = {"ended": True, **more}
    return LiveResponse(status, headers, pieces, [float(number) for number in range(len(pieces))], **told)


def test_a_content_coding_is_undone_and_no_longer_said() -> None:
    found = answers.decoded(live(GZIP, headers=(("Content-Encoding", "gzip"), *TEXT)))
    assert b"".join(found.pieces) == b"hello"
    assert found.headers == TEXT


def test_a_content_coding_that_is_none_is_no_answer_to_record() -> None:
    with pytest.raises(UnrecordableError):
        answers.decoded(live(b"hello", headers=(("content-encoding", "gzip"),)))


def test_an_empty_piece_goes_with_its_time() -> None:
    found = live(b"a", b"", b"b").without_empty()
    assert ([*found.pieces], [*found.at]) == ([b"a", b"b"], [0.0, 2.0])


# the body as it came, its status and headers -> as it is kept, as it goes out again
KEPT = [
    (live(b"words", headers=TEXT), "words", (("content-type", "text/plain"),)),
    (live(b"wo", b"rds"), "words", ()),
    (live(b"\xff\x00"), {"base64": "/wA="}, ()),
    (live(b"", headers=TEXT, status=202), "", (("content-type", "text/plain"),)),
    (live(b"moved", headers=(("location", "/there"),), status=302), "moved", (("location", "/there"),)),
    (live(b"words", headers=(("location", "/there"),)), "words", ()),
    (live(b"words", headers=(("content-type", "a\r\nb"),)), "words", (("content-type", "ab"),)),
]


@pytest.mark.parametrize(("came", "body", "headers"), KEPT)
def test_what_is_kept_as_it_came_goes_out_as_it_came(came: LiveResponse, body: Any, headers: Any) -> None:
    kept = answers.as_sent(came)
    assert kept.body == body
    made = answers.as_kept(kept)
    assert (made.status, made.headers, made.body) == (came.status, headers, b"".join(came.pieces))


EVENTS = ("content-type", "text/event-stream; charset=utf-8")
LINES = ["event: a", "data: 1", "", "data: 2"]

# what a recording has -> status, the content type that goes out, chunks, whether it breaks off
RECORDED = [
    (RecordedResponse({"a": 1}, is_streaming=False), 200, "application/json", (b'{"a":1}',), False),
    (RecordedResponse([], is_streaming=False, status=201), 201, "application/json", (b"[]",), False),
    (RecordedResponse("gone", is_streaming=False, status=204, content_type=""), 204, None, (), False),
    (RecordedResponse("x", is_streaming=False, content_type="text/x"), 200, "text/x", (b"x",), False),
    (
        RecordedResponse([*LINES, ""], is_streaming=True),
        200,
        EVENTS[1],
        (b"event: a\ndata: 1\n\n", b"data: 2\n\n"),
        False,
    ),
    (
        RecordedResponse([*LINES[:3], "data: tw"], is_streaming=True, error=BROKEN),
        200,
        EVENTS[1],
        (b"event: a\ndata: 1\n\n", b"data: tw"),
        True,
    ),
]


@pytest.mark.parametrize(("recorded", "status", "content_type", "chunks", "is_broken"), RECORDED)
def test_what_goes_out_of_a_recording(
    recorded: RecordedResponse, status: int, content_type: str | None, chunks: tuple[bytes, ...], *, is_broken: bool
) -> None:
    made = answers.as_kept(recorded)
    assert (made.status, dict(made.headers).get("content-type")) == (status, content_type)
    assert (made.chunks, made.broken) == (chunks, is_broken)


@pytest.mark.parametrize(
    ("body", "content_type", "sent"),
    [
        (b'{"error": 1}', None, (("content-type", "application/json"),)),
        (b"[1]", None, (("content-type", "application/json"),)),
        (b"no", None, (("content-type", "text/plain; charset=utf-8"),)),
        (b"<p>no", "text/html", (("content-type", "text/html"),)),
        (b"no", "", ()),
    ],
)
def test_an_error_says_what_its_body_is(body: bytes, content_type: str | None, sent: Any) -> None:
    assert answers.error((418, body), content_type) == HttpResponse(418, sent, (body,))


# how far the stream is, whether its end was seen, whether that was by its framing -> whether it is whole
ENDS = [
    (End.OVER, False, False, True),
    (End.OVER, True, True, True),
    (End.COMPLETE, True, True, True),
    (End.COMPLETE, True, False, False),
    (End.COMPLETE, False, True, False),
    (End.OPEN, True, True, False),
    (End.OPEN, False, False, False),
]


@pytest.mark.parametrize(("end", "ended", "is_framed", "is_whole"), ENDS)
def test_when_a_stream_is_whole(end: End, *, ended: bool, is_framed: bool, is_whole: bool) -> None:
    came = live(ended=ended, is_framed=is_framed)
    if is_whole:
        answers.must_be_whole(end, came)
        return
    with pytest.raises(BrokeOffError, match="it broke off"):
        answers.must_be_whole(end, came)


def test_a_body_whose_end_was_not_seen_broke_off() -> None:
    answers.must_have_ended(live(b"x"))
    with pytest.raises(BrokeOffError):
        answers.must_have_ended(live(b"x", ended=False))


def test_of_the_events_of_a_body_the_last_may_be_cut_off() -> None:
    found = [(event.data, ended) for event, ended in answers.parts(SseDecoder(), [b"data: 1\n", b"\ndata: 2"])]
    assert found == [("1", True), ("2", False)]


@pytest.mark.parametrize(
    ("text", "value", "as_object"),
    [
        ('{"a": 1}', {"a": 1}, {"a": 1}),
        (b'{"a": 1}', {"a": 1}, {"a": 1}),
        ("[1]", [1], {}),
        ("null", None, {}),
        ("{", None, {}),
        (b"\xff", None, {}),
        ("[" * 100_000, None, {}),
    ],
    ids=["object", "bytes", "array", "null", "cut off", "no text", "too deep"],
)
def test_a_text_of_the_wire_as_a_value(text: str | bytes, value: Any, as_object: Any) -> None:
    assert answers.value_of(text) == value
    assert answers.object_of(text) == as_object
