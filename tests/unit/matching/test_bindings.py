"""The recorded values of a request become its present ones in the answer, wherever the stream has cut them up."""

import json
import logging
from collections.abc import Iterable, Sequence
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import arrived, chat
from delta_forms import (
    FORMS,
    MESSAGE_BODIES,
    TEXT_BODIES,
    Written,
    block,
    call,
    cut,
    cut_up,
    delta,
    events,
    lines,
    message,
    read_back,
    read_messages,
    recut,
    token,
)
from wiretape.codecs import eventstream
from wiretape.matching import bindings
from wiretape.matching.bindings import Binding, Bindings
from wiretape.providers import wire
from wiretape.providers.answers import HttpResponse
from wiretape.recording import RecordedRequest, Recording

HERE = "/home/a/proj"
THERE = '/code/"b"\u00fc'
HOME = "/home/a"
ID = "0198c2f4-7e57-7000-8000-00000000abcd"
OTHER_ID = "ffffffff-7e57-7000-8000-000000000001"

ALL = Bindings(
    [
        Binding("cwd", HERE, THERE, is_path=True),
        Binding("home", HOME, "/root", is_path=True),
        Binding("session", ID, OTHER_ID, is_path=False),
        Binding("other session", OTHER_ID, ID, is_path=False),
        Binding("date", "2026-11-27", "2026-12-01", is_path=False),
        Binding("windows", "C:\\Users\\a", "D:\\b", is_path=True),
    ]
)
PUT = {HERE: THERE, HOME: "/root", ID: OTHER_ID, OTHER_ID: ID, "2026-11-27": "2026-12-01", "C:\\Users\\a": "D:\\b"}


def answer(chunks: Iterable[bytes], content_type: str = "text/event-stream") -> HttpResponse:
    pieces = (*chunks,)
    return HttpResponse(200, (("content-type", content_type),), pieces, tuple(map(float, range(len(pieces)))))


def rewritten(body: str | bytes, *more: Binding, content_type: str = "application/json") -> str:
    """Return a body in one piece with the present values in it."""
    data = body if isinstance(body, bytes) else body.encode()
    bound = Bindings(more) if more else ALL
    return bound.rewrite(answer([data], content_type)).body.decode("utf-8", "surrogateescape")


# -- streams -----------------------------------------------------------------------------------------------------------


@st.composite
def _prose(draw: st.DrawFn) -> str:
    beside = st.sampled_from([" ", "\n", ". ", '"', "/x.py ", "x", "\u00e9", "-", " (", "=", "\\", ": {"])
    parts = draw(st.lists(st.tuples(beside, st.sampled_from([*PUT, "word"])), max_size=4))
    return "I see" + "".join(map("".join, parts)) + draw(beside)


@st.composite
def _arguments(draw: st.DrawFn) -> str:
    inner = json.dumps({"p": draw(_prose()), "q": [draw(st.sampled_from([*PUT]))]}, ensure_ascii=draw(st.booleans()))
    text = json.dumps({"path": draw(_prose()), "inner": inner, "n": 1.50}, ensure_ascii=draw(st.booleans()))
    if draw(st.booleans()):
        text = text.replace("/", "\\/")
    return text[: draw(st.one_of(st.just(len(text)), st.integers(1, len(text))))]


def is_type(written: Written) -> str:
    if written in MESSAGE_BODIES:
        return eventstream.MEDIA_TYPE
    return "text/event-stream"


def read(written: Written, body: bytes) -> list[Any]:
    if written in MESSAGE_BODIES:
        return read_messages(body)
    return read_back(body)


CONTINUED = [form for form in FORMS if form != "unknown"]
"""Of an unknown member it is not known whether its texts go on."""


@pytest.mark.parametrize("written", [*TEXT_BODIES, *MESSAGE_BODIES])
@settings(max_examples=60, deadline=None)
@given(
    pieces=cut_up(st.one_of(_prose(), _arguments())),
    sizes=st.none() | st.lists(st.integers(1, 90), min_size=1, max_size=5),
    form=st.sampled_from(CONTINUED),
)
def test_the_deltas_joined_are_the_joined_text_rewritten(
    written: Written, pieces: list[str], sizes: list[int] | None, form: str
) -> None:
    make, text_of = FORMS[form]
    elements = [make(piece, at) for at, piece in enumerate(pieces)]
    chunks = written(elements)
    whole = b"".join(chunks)
    if sizes is not None:
        chunks = recut(whole, cycle(sizes))
    before = answer(chunks, is_type(written))
    after = ALL.rewrite(before)

    texts = [*map(text_of, read(written, after.body))]
    alone = ALL.rewrite(answer(written([make("".join(pieces), 0)]), is_type(written)))
    assert "".join(texts) == text_of(read(written, alone.body)[0])
    assert (len(texts), len(after.chunks), after.at) == (len(elements), len(chunks), before.at)
    assert all(after.chunks) or sizes
    # What is not touched stays byte for byte.
    assert (after is before) == (texts == pieces)
    if sizes is None:
        untouched = [at for at, (old, new) in enumerate(zip(pieces, texts, strict=True)) if old == new]
        assert [after.chunks[at] for at in untouched] == [chunks[at] for at in untouched]


@settings(max_examples=60)
@given(text=_prose())
def test_a_text_alone_and_the_same_in_json_read_the_same(text: str) -> None:
    plain = rewritten(text, content_type="text/plain")
    assert json.loads(rewritten(json.dumps({"text": text})))["text"] == plain
    arguments = json.dumps({"path": text})
    inside = json.loads(rewritten(json.dumps({"arguments": arguments})))["arguments"]
    assert json.loads(inside)["path"] == plain


def test_a_call_of_a_tool_names_the_file_that_is_there_now() -> None:
    arguments = json.dumps({"path": f"{HERE}/x.py", "old": "C:\\Users\\a\\y", "n": [f'{{"in": "{HOME}"}}']})
    stream = events([call(piece) for piece in cut(arguments)])
    after = ALL.rewrite(answer(stream))
    calls = [each["choices"][0]["delta"]["tool_calls"][0]["function"] for each in read_back(after.body)]
    made = json.loads("".join(each["arguments"] for each in calls))
    assert made == {"path": f"{THERE}/x.py", "old": "D:\\b\\y", "n": ['{"in": "/root"}']}
    assert len(after.chunks) == len(stream)
    assert after.chunks[-1] == stream[-1]


def test_events_that_have_the_whole_text_again_say_the_same() -> None:
    kind = "response.output_text"
    text = f"It is in {HERE}/x, of {HOME}."
    deltas = [{"type": f"{kind}.delta", "output_index": 0, "content_index": 0, "delta": piece} for piece in cut(text)]
    part = {"type": "output_text", "text": text, "logprobs": [token(piece) for piece in cut(text)]}
    done = {"type": f"{kind}.done", "output_index": 0, "content_index": 0, "text": text}
    completed = {"type": "response.completed", "response": {"output": [{"content": [part]}]}}
    after = read_back(ALL.rewrite(answer(events([*deltas, done, completed]))).body)
    expected = f"It is in {THERE}/x, of /root."
    assert "".join(each["delta"] for each in after[:-2]) == expected
    assert after[-2]["text"] == expected
    (changed,) = after[-1]["response"]["output"][0]["content"]
    assert changed["text"] == expected
    assert "".join(entry["token"] for entry in changed["logprobs"]) == expected
    assert b"".join(bytes(entry["bytes"]) for entry in changed["logprobs"]) == expected.encode()


def test_texts_of_other_places_are_not_joined() -> None:
    one = block("text_delta", "text")
    two = block("input_json_delta", "partial_json")
    elements = [one(HERE[:5], 0), two(f'{{"a":"{HERE[:7]}', 0), one(HERE[5:], 0), two(f'{HERE[7:]}"}}', 0)]
    after = read_back(ALL.rewrite(answer(events(elements))).body)
    assert after[0]["delta"]["text"] + after[2]["delta"]["text"] == THERE
    assert json.loads(after[1]["delta"]["partial_json"] + after[3]["delta"]["partial_json"]) == {"a": THERE}


def test_the_text_of_an_unknown_member_is_rewritten_across_events_as_well() -> None:
    elements = [{"n": at, "words": piece} for at, piece in enumerate(cut(f"in {HERE}/x"))]
    after = read_back(ALL.rewrite(answer(lines(elements), "application/x-ndjson")).body)
    assert "".join(each["words"] for each in after) == f"in {THERE}/x"


def test_arguments_that_are_an_object_are_texts_of_their_own() -> None:
    calls = [
        {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {"path": f"{HERE}/{name}"}}}]}}]}
        for name in "xy"
    ]
    after = read_back(ALL.rewrite(answer(events(calls))).body)
    paths = [each["candidates"][0]["content"]["parts"][0]["functionCall"]["args"]["path"] for each in after]
    assert paths == [f"{THERE}/x", f"{THERE}/y"]


def test_a_message_of_aws_has_right_lengths_and_checksums_and_others_are_as_they_were() -> None:
    stop = message(b'{"stopReason":"tool_use"}', "messageStop")
    image = message(b"\x00\xff no json", "blob")
    pieces = [message(json.dumps({"delta": {"text": piece}}).encode()) for piece in (f"in {HERE}", " x")]
    after = ALL.rewrite(answer([image, *pieces, stop], eventstream.MEDIA_TYPE))
    (changed,) = read_messages(after.chunks[1])
    assert changed == {"delta": {"text": f"in {THERE}"}}
    assert (after.chunks[0], *after.chunks[2:]) == (image, pieces[1], stop)


# -- recordings --------------------------------------------------------------------------------------------------------

ANTHROPIC = RecordedRequest("https://api.anthropic.com/v1/messages", {"stream": True}, "/v1/messages")


def from_recording(request: RecordedRequest, content_type: str, chunks: Sequence[bytes]) -> HttpResponse:
    """Return what is made of the recording of a stream."""
    response = wire.response(request, arrived(*chunks, content_type=content_type))
    return wire.answer([Recording(request, response)])


def test_what_is_made_of_a_recording_is_rewritten_as_a_capture_is() -> None:
    text = f"in {HERE}/x."
    stop = {"id": "x", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    of_chat = events([*(delta(content=piece) for piece in cut(text)), stop])
    rendered = from_recording(chat(stream=True), "text/event-stream", of_chat)
    after = ALL.rewrite(rendered)
    said = [each["choices"][0]["delta"].get("content") or "" for each in read_back(after.body)]
    assert ("".join(said), len(after.chunks)) == (f"in {THERE}/x.", len(rendered.chunks))

    request = RecordedRequest("http://localhost:11434/api/chat", {"model": "m", "stream": True}, "/api/chat")
    pieces = [{"model": "m", "message": {"role": "assistant", "content": piece}, "done": False} for piece in cut(text)]
    of_ollama = lines([*pieces, {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True}])
    rendered = from_recording(request, "application/x-ndjson", of_ollama)
    after = ALL.rewrite(rendered)
    assert "".join(each["message"]["content"] for each in read_back(after.body)) == f"in {THERE}/x."
    assert len(after.chunks) == len(rendered.chunks)


# -- bytes -------------------------------------------------------------------------------------------------------------


def test_all_else_stays_byte_for_byte() -> None:
    before = 'data: {"a" : 1.50,  "s":"\\u00e9\\/", "id":"1"}\n\n: ping /home/a\n\ndata:{"content":"x '
    after = ' y","z":[1,  2]}\r\n\r\nid: 7\n\n'
    assert rewritten(before + HOME + after) == before + "/root" + after


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{ "a": "x /home/a",\n  "n": 1.0, "\u00fc": null }', '{ "a": "x /root",\n  "n": 1.0, "\u00fc": null }'),
        ('{"a": "\\/home\\/a\\/x\\n"}', '{"a": "/root/x\\n"}'),
        ('{"a": "\\u002fhome\\u002fa"}', '{"a": "/root"}'),
        (f'{{"a": "{HERE}"}}', '{"a": "/code/\\"b\\"\\u00fc"}'),
        (f'{{"a": "{HERE}", "b": "\u00e9"}}', '{"a": "/code/\\"b\\"\u00fc", "b": "\u00e9"}'),
        ('{"/home/a/x": {"n": "/home/a/x"}}', '{"/root/x": {"n": "/root/x"}}'),
        ('{"a": {"/home/a": 1}}\n{"b": "/home/a"}\n', '{"a": {"/root": 1}}\n{"b": "/root"}\n'),
        ('{"a": "/home/a", "n": NaN, "s": "\\ud800"}', '{"a": "/root", "n": NaN, "s": "\\ud800"}'),
        ('{"a": "\\ud800 /home/a"}', '{"a": "\\ud800 /root"}'),
        ('{"cut": "/home/a off', '{"cut": "/root off'),
        ('{"done": false}\n{"cut": "/home/a off', '{"done": false}\n{"cut": "/root off'),
        ("data: in /ho\n\ndata: me/a/x\n\ndata: [DONE]\n\n", "data: in /root\n\ndata: /x\n\ndata: [DONE]\n\n"),
        ("[note] it is in /home/a, and data: more", "[note] it is in /root, and data: more"),
        ('"quoted" {/home/a}', '"quoted" {/root}'),
        ("caf\udce9 in /home/a \udcff", "caf\udce9 in /root \udcff"),
        ('say {"path": "C:\\\\Users\\\\a\\\\x"} or C:\\Users\\a', 'say {"path": "D:\\\\b\\\\x"} or D:\\b'),
        ('{"p": "/home/a"} is not in /home/a/', '{"p": "/root"} is not in /root/'),
        ("<p>/home/a</p>", "<p>/root</p>"),
        ("[" * 5000 + '"/home/a"' + "]" * 5000, "[" * 5000 + '"/root"' + "]" * 5000),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_every_kind_of_body(body: str, expected: str, size: int) -> None:
    data = body.encode("utf-8", "surrogateescape")
    after = ALL.rewrite(answer([data[at : at + size] for at in range(0, len(data), size)], "text/plain"))
    assert after.body == expected.encode("utf-8", "surrogateescape")
    assert len(after.at) == len(after.chunks)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"a": "b"}', "application/json"),
        (b"data: {}\n\n", "text/event-stream"),
        (b"\xff\xfe ok", ""),
        (b'{"a": "/home/abc"}', "application/json"),
        (b"", "text/plain"),
        (message(b'{"a": 1}'), eventstream.MEDIA_TYPE),
    ],
)
def test_an_answer_without_a_recorded_value_is_the_very_same(body: bytes, content_type: str) -> None:
    before = answer([body], content_type)
    assert ALL.rewrite(before) is before
    assert Bindings([]).rewrite(before) is before


@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        (b"\x00\xff/home/a", "audio/mpeg", "is binary"),
        (message(b"{}")[:-1] + HOME.encode(), eventstream.MEDIA_TYPE, "has a message that cannot be read"),
        (b"[" * 1000 + b'"/home/a"' + b"]" * 1000, "application/x-deep", "nested too deeply"),
    ],
)
def test_what_cannot_be_rewritten_goes_out_as_it_is_and_the_log_says_so_once(
    body: bytes, content_type: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    bindings.say_once.cache_clear()
    before = answer([body], content_type)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert ALL.rewrite(before) is before
    (line,) = caplog.messages
    assert said in line
    assert content_type in line
    assert HOME not in line


def test_headers_that_tell_of_the_bytes_follow() -> None:
    headers = (("Content-Length", "20"), ("Content-MD5", "x"), ("etag", '"1"'), ("x-other", "20"))
    after = ALL.rewrite(HttpResponse(203, headers, (b"in /ho", b"me/a"), (1.0, 2.0), broken=True))
    assert after == HttpResponse(
        203, (("Content-Length", "8"), ("x-other", "20")), (b"in /root"[:7], b"t"), (1.0, 2.0), broken=True
    )


# -- values ------------------------------------------------------------------------------------------------------------


def test_values_may_change_places_and_what_was_put_in_is_not_searched_again() -> None:
    swap = [Binding("a", "/one", "/two", is_path=True), Binding("b", "/two", "/one", is_path=True)]
    assert rewritten("/one/x /two/x /one", *swap) == "/two/x /one/x /two"


def test_of_values_that_overlap_the_longest_counts_where_it_stands_by_itself() -> None:
    within = [Binding("home", HOME, "/h", is_path=True), Binding("cwd", HERE, "/c", is_path=True)]
    for each in (within, within[::-1]):
        assert rewritten("/home/a/proj/x /home/a/project /home/ab", *each) == "/c/x /h/project /home/ab"


def test_of_equal_values_the_first_counts() -> None:
    both = [Binding("cwd", "/same", "/c", is_path=True), Binding("home", "/same", "/h", is_path=True)]
    assert rewritten("/same", *both) == "/c"


def test_a_directory_may_be_given_with_a_slash_behind_it() -> None:
    assert rewritten("/one/x /one", Binding("a", "/one/", "/two/", is_path=True)) == "/two/x /two"


@pytest.mark.parametrize(
    ("recorded", "present", "is_path"),
    [
        ("", "x", False),
        ("/", "/x", True),
        ("ab", "cd", False),
        ("123", "456", False),
        ("same", "same", False),
        ("gone", "", False),
        ("odd", "\ud800", False),
        ("a" * 5000, "b", False),
    ],
)
def test_what_means_too_little_is_not_bound(recorded: str, present: str, is_path: bool) -> None:
    bound = Bindings([Binding("x", recorded, present, is_path)])
    assert not bound
    before = answer([f"a {recorded} / 123 ".encode("utf-8", "surrogatepass")], "text/plain")
    assert bound.rewrite(before) is before


@pytest.mark.parametrize("recorded", ["abc", "1234", "a" * 4096])
def test_what_is_just_long_enough_is_bound(recorded: str) -> None:
    assert rewritten(f"in {recorded}.", Binding("x", recorded, "y", is_path=False)) == "in y."


def test_of_a_binary_answer_without_a_recorded_value_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    bindings.say_once.cache_clear()
    before = answer([b"\x00\xff sound"], "audio/mpeg")
    assert ALL.rewrite(before) is before
    assert caplog.messages == []


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_bytes_in_base64_stay(prefix: str) -> None:
    tmp = Binding("tmp", "/tmp", "/x", is_path=True)
    picture = prefix + "AAA+/tmp+BBB" * 100 + "AAA+/tmp="
    assert rewritten(json.dumps({"data": picture, "text": "/tmp"}), tmp) == json.dumps({"data": picture, "text": "/x"})


def test_words_of_the_protocol_and_what_is_opaque_stay() -> None:
    word = [Binding("session", "text", "other", is_path=False), Binding("tmp", "/tmp", "/x", is_path=True)]
    event = 'event: text\ndata: {"type": "text", "signature": "text", "text": "text", "model": "/tmp"}\n\n'
    assert rewritten(event, *word) == event.replace('"text": "text"', '"text": "other"').replace("/tmp", "/x")
