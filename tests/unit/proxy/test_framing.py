"""A hit as each protocol has it: its head, whether it goes out at once, and its bytes of HTTP/1.1."""

import pytest

from wiretape.providers import wire
from wiretape.proxy import framing
from wiretape.proxy.framing import FramedAnswer
from wiretape.replay.faults import Ending, Fault, Status
from wiretape.replay.playback import AT_ONCE, Then
from wiretape.tape.hit import Hit

TYPE = ("content-type", "text/event-stream")
CHUNKS = (b"one", b"two", b"three")


def hit(
    chunks: tuple[bytes, ...] = CHUNKS,
    leaving: tuple[float, ...] = (),
    *,
    status: int = 200,
    broken: bool = False,
) -> Hit:
    answer = wire.HttpResponse(status, (TYPE,), chunks, broken=broken)
    return Hit("x", answer, leaving or (0.0,) * len(chunks), 0, sum(map(len, chunks)))


FRAMINGS = {
    # Chunks, HTTP version, and what the head says: chunked, or a length, or neither.
    "several chunks, HTTP/1.1": (CHUNKS, "HTTP/1.1", "chunked", None),
    "several chunks, HTTP/1.0": (CHUNKS, "HTTP/1.0", None, None),
    "several chunks, HTTP/2": (CHUNKS, "HTTP/2.0", None, None),
    "one chunk, HTTP/1.1": ((b"one",), "HTTP/1.1", None, "3"),
    "one chunk, HTTP/2": ((b"one",), "HTTP/2.0", None, "3"),
    "none, HTTP/1.1": ((), "HTTP/1.1", None, "0"),
}


@pytest.mark.parametrize(("chunks", "version", "coding", "length"), FRAMINGS.values(), ids=FRAMINGS)
def test_a_head_says_how_the_body_is_framed(
    chunks: tuple[bytes, ...], version: str, coding: str | None, length: str | None
) -> None:
    framed = framing.of_hit(hit(chunks), version)
    assert framed.head.headers["content-type"] == TYPE[1]
    assert framed.head.headers.get("transfer-encoding") == coding
    assert framed.head.headers.get("content-length") == length
    assert (framed.content, framed.goes_at_once) == (b"".join(chunks), True)


def test_all_of_an_answer_as_http1_has_it() -> None:
    chunked = framing.of_hit(hit(), "HTTP/1.1").message
    head, _, body = chunked.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == b"3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"
    assert framing.of_hit(hit((b"one",)), "HTTP/1.1").message.endswith(b"\r\n\r\none")


def test_a_hit_is_framed_once_for_each_protocol() -> None:
    one = hit()
    first = framing.of_hit(one, "HTTP/1.1")
    assert framing.of_hit(one, "HTTP/1.1") is first
    assert framing.of_hit(one, "HTTP/2.0") is not first
    assert framing.of_faulted_hit(one, Fault(garble=1), "HTTP/1.1").content != first.content
    assert framing.of_hit(one, "HTTP/1.1") is first


@pytest.mark.parametrize(
    ("answer", "is_in_parts", "goes_at_once"),
    [
        (hit(), False, True),
        (hit(leaving=(0.0, 0.0, 0.5)), True, False),
        (hit(broken=True), True, False),
        (hit((b"x" * AT_ONCE,)), False, True),
        (hit((b"x" * AT_ONCE, b"y")), False, False),
    ],
    ids=["plain", "paced", "broken off", "large", "too large"],
)
def test_what_goes_out_at_once(answer: Hit, *, is_in_parts: bool, goes_at_once: bool) -> None:
    framed = framing.of_hit(answer, "HTTP/1.1")
    assert (framed.is_in_parts, framed.goes_at_once) == (is_in_parts, goes_at_once)


def test_a_large_answer_in_one_piece_is_sent_in_several_under_its_length() -> None:
    framed = framing.of_hit(hit((b"x" * (2 * AT_ONCE + 1),)), "HTTP/1.1")
    assert [len(chunk) for chunk in framed.body.chunks] == [AT_ONCE, AT_ONCE, 1]
    assert framed.head.headers["content-length"] == str(2 * AT_ONCE + 1)


def test_a_recording_that_broke_off_is_reset_after_its_last_chunk() -> None:
    play = framing.of_hit(hit(broken=True), "HTTP/1.1").play(10.0)
    step = play.playback.advance(10.0)
    assert (step.then, tuple(step.chunks)) == (Then.RESET, CHUNKS)


def test_only_a_web_page_may_read_its_answer_and_the_kept_one_stays_as_it_is() -> None:
    framed = framing.of_hit(hit(), "HTTP/1.1")
    assert framed.for_page("") is framed
    assert framed.for_page("no origin") is framed
    allowed = framed.for_page("https://app.example")
    assert allowed.head.headers["access-control-allow-origin"] == "https://app.example"
    assert allowed.content == framed.content
    assert "access-control-allow-origin" not in framed.head.headers


def test_a_status_of_a_fault_is_an_answer() -> None:
    framed = framing.of_status(Fault(Status(429, (("retry-after", "3"),), b"slowly"), delay=2.0))
    assert (framed.head.status_code, framed.head.headers["retry-after"]) == (429, "3")
    assert framed.head.headers["content-length"] == "6"
    assert framed.play(10.0).playback.advance(10.0).wait_s == pytest.approx(2.0)
    assert framed.play(10.0).playback.advance(12.0).chunks == (b"slowly",)


def test_nothing_that_is_not_ours_is_played() -> None:
    assert framing.of_outcome(None, "HTTP/1.1", "") is None


@pytest.mark.parametrize(
    ("answer", "fault", "is_played"),
    [
        (hit((b"one",)), None, False),
        (hit((b"one",), (0.5,)), None, True),
        (hit(), None, True),
        (hit((b"one",)), Fault(ending=Ending.STALL, after=1), True),
        (hit((b"one",)), Fault(garble=1), False),
    ],
    ids=["plain", "paced", "in chunks", "stalled", "garbled"],
)
def test_a_flows_response_holds_all_of_it(answer: Hit, fault: Fault | None, *, is_played: bool) -> None:
    response, play = framing.flow_response(answer, fault, 10.0, "HTTP/1.1")
    assert (play is not None) is is_played
    body = response.raw_content
    assert (body == answer.answer.body) is (fault is None or not fault.garble)
    other, _ = framing.flow_response(answer, fault, 10.0, "HTTP/1.1")
    assert other is not response  # Whoever sees a flow may change it.


def test_a_play_is_framed_by_the_head_that_it_is_sent_with() -> None:
    framed: FramedAnswer = framing.of_hit(hit(), "HTTP/1.1")
    play = framed.play(0.0)
    assert play.is_chunked
    head = framed.head.copy()
    del head.headers["transfer-encoding"]
    play.use_head(head)
    assert (play.head, play.is_chunked, framed.is_chunked) == (head, False, True)
