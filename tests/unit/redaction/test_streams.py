"""A secret that is cut up into the pieces of a stream: found, and taken out where it stands."""

import json
from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delta_forms import FORMS, Written, array, block, call, cut, cut_up, delta, events, lines, read_back, recut, token
from wiretape.providers import wire
from wiretape.recording import RecordedRequest, RecordedResponse
from wiretape.redaction import DEFAULT, REDACTED, bodies, recorded, streams
from wiretape.rewriting import changes

KEY = "AIza" + "Sy_-1" * 7
SECRETS = [KEY, "gsk_" + "a1B2" * 13, "ghp_" + "A1b2C3d4" * 4 + "E5f6", "AKIA" + "Q3D4E5F6G7H2J3K4"]

each_form = pytest.mark.parametrize("form", FORMS)

PROSE = st.text(st.sampled_from('ab \n\u00e9\U0001f511".,:{'), max_size=12)


@st.composite
def _with_secrets(draw: st.DrawFn) -> str:
    text = draw(PROSE)
    for secret in draw(st.lists(st.sampled_from(SECRETS), max_size=2)):
        text += f" {secret} {draw(PROSE)}"
    return text


def without(element: Any, read: Callable[[Any], str]) -> str:
    """All of an element but the piece of text, and what its bytes are."""
    text = json.dumps(element)
    piece = read(element)
    return text.replace(json.dumps(piece), '""').replace(json.dumps([*piece.encode()]), "[]")


@each_form
@settings(max_examples=40)
@given(pieces=cut_up(_with_secrets()))
def test_the_joined_text_is_clean_and_all_else_as_it_was(form: str, pieces: list[str]) -> None:
    make, read = FORMS[form]
    elements = [make(piece, at) for at, piece in enumerate(pieces)]
    after = changes.applied(elements, streams.secrets(elements, DEFAULT).changes)
    assert "".join(map(read, after)) == DEFAULT.text("".join(pieces))
    assert len(after) == len(elements)
    assert [without(e, read) for e in after] == [without(e, read) for e in elements]
    assert not streams.secrets(after, DEFAULT)


@pytest.mark.parametrize("written", [events, lines, array])
@settings(max_examples=60)
@given(
    pieces=cut_up(_with_secrets()),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=8),
    form=st.sampled_from([*FORMS]),
)
def test_the_bytes_say_the_same_in_as_many_pieces(
    written: Written, pieces: list[str], sizes: list[int], form: str
) -> None:
    make, _ = FORMS[form]
    elements = [make(piece, at) for at, piece in enumerate(pieces)]
    body = b"".join(written(elements))
    chunks = recut(body, cycle(sizes))
    cleaned = bodies.cleaned(chunks, DEFAULT)
    assert len(cleaned) == len(chunks)
    assert all(cleaned) or sizes[0] < 5 or not body
    after = changes.applied(elements, streams.secrets(elements, DEFAULT).changes)
    assert read_back(b"".join(cleaned)) == after
    assert b"".join(cleaned) == (body if after == elements else b"".join(cleaned))
    assert bodies.cleaned(cleaned, DEFAULT) == cleaned


def clean(elements: list[Any]) -> list[Any]:
    after: list[Any] = changes.applied(elements, streams.secrets(elements, DEFAULT).changes)
    assert not streams.secrets(after, DEFAULT)
    return after


def test_choices_that_are_interleaved_are_texts_of_their_own() -> None:
    one, two = cut(f"one {KEY}."), cut(f"two {SECRETS[1]}!")
    mixed = [
        {"choices": [{"index": index, "delta": {"content": piece}}]}
        for pair in zip(one, [*two, *[""] * (len(one) - len(two))], strict=False)
        for index, piece in enumerate(pair)
    ]
    mixed += [{"choices": [{"index": 1, "delta": {"content": piece}}]} for piece in two[len(one) :]]
    after = clean(mixed)
    texts = {0: "", 1: ""}
    for element in after:
        for choice in element["choices"]:
            texts[choice["index"]] += choice["delta"]["content"]
    assert texts == {0: f"one {REDACTED}.", 1: f"two {REDACTED}!"}


def test_tool_calls_are_told_apart_by_their_index_and_stay_json() -> None:
    arguments = [json.dumps({"user": "bob", "password": 'hun"ter2', "n": index}) for index in range(2)]
    pairs = zip(*(cut(each) for each in arguments), strict=True)
    elements = [call(piece, index) for pair in pairs for index, piece in enumerate(pair)]
    texts = ["", ""]
    for element in clean(elements):
        (made,) = element["choices"][0]["delta"]["tool_calls"]
        texts[made["index"]] += made["function"]["arguments"]
    assert [json.loads(text) for text in texts] == [
        {"user": "bob", "password": REDACTED, "n": index} for index in range(2)
    ]


@pytest.mark.parametrize("escape", [json.dumps, lambda text: '"' + "".join(f"\\u{ord(c):04x}" for c in text) + '"'])
@pytest.mark.parametrize("inner", ["{}", '{{"key": {}}}', '[[{{"a": "b", "c": [{}]}}]]'])
def test_a_secret_in_json_in_a_text_is_taken_out_where_it_is_written(escape: Callable[[str], str], inner: str) -> None:
    text = inner.format(escape(f"my key: {KEY}"))
    cleaned = DEFAULT.text(text)
    assert KEY not in json.dumps(json.loads(cleaned))
    assert json.loads(cleaned) == json.loads(inner.format(json.dumps(f"my key: {REDACTED}")))


def test_the_beginning_of_a_content_block_is_of_its_text() -> None:
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": KEY[:9]}}
    end = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": KEY[9:]}}
    after = clean([start, end])
    assert (after[0]["content_block"]["text"], after[1]["delta"]["text"]) == (REDACTED, "")


def test_what_repeats_the_whole_is_cleaned_too() -> None:
    kind = "response.output_text"
    deltas = [{"type": f"{kind}.delta", "output_index": 0, "content_index": 0, "delta": piece} for piece in cut(KEY)]
    part = {"type": "output_text", "text": KEY, "logprobs": [token(piece) for piece in cut(KEY)]}
    done = {"type": f"{kind}.done", "output_index": 0, "content_index": 0, "text": KEY}
    completed = {"type": "response.completed", "response": {"output": [{"content": [part, part]}]}}
    after = clean([*deltas, done, completed])
    assert "".join(each["delta"] for each in after[:-2]) == REDACTED
    assert after[-2]["text"] == REDACTED
    for each in after[-1]["response"]["output"][0]["content"]:
        assert each["text"] == REDACTED
        assert "".join(entry["token"] for entry in each["logprobs"]) == REDACTED


def test_a_text_that_grows_is_cleaned_from_where_the_secret_begins() -> None:
    text = f"Key: {KEY}. Bye"
    elements = [{"choices": [{"index": 0, "message": {"content": text[:end]}}]} for end in range(3, len(text) + 1)]
    texts = [element["choices"][0]["message"]["content"] for element in clean(elements)]
    assert texts[-1] == f"Key: {REDACTED}. Bye"
    assert texts[:3] == ["Key", "Key:", "Key: "]
    assert set(texts[3 : 3 + len(KEY)]) == {f"Key: {REDACTED}"}


def test_what_is_said_of_a_token_goes_with_it() -> None:
    others = [{"token": "x", "logprob": -3.0, "bytes": [120]}]
    entries = [
        {**token(piece), "token_id": 7, "top_logprobs": [token(piece), *others]} for piece in ["a ", *cut(KEY), " b"]
    ]
    (after,) = clean([{"choices": [{"index": 0, "logprobs": {"content": entries}}]}])
    changed = after["choices"][0]["logprobs"]["content"]
    assert (changed[0], changed[-1]) == (entries[0], entries[-1])
    assert changed[1]["token"] == REDACTED
    for entry in changed[1:-1]:
        said = {"token": entry["token"], "bytes": [*entry["token"].encode()]}
        assert [{"token": o["token"], "bytes": o["bytes"]} for o in [entry, *entry["top_logprobs"]]] == [said] * 3
        assert entry["token_id"] == 0
        assert entry["logprob"] == -0.5


def test_the_older_form_of_logprobs_and_geminis() -> None:
    pieces = ["a ", *cut(KEY)]
    legacy = {"tokens": pieces, "top_logprobs": [{piece: -0.1, "z": -2.0} for piece in pieces]}
    (after,) = clean([{"choices": [{"index": 0, "text": "", "logprobs": legacy}]}])
    said = after["choices"][0]["logprobs"]
    assert "".join(said["tokens"]) == f"a {REDACTED}"
    assert said["top_logprobs"][:2] == [{"a ": -0.1, "z": -2.0}, {REDACTED: -0.1}]
    chosen = [{"token": piece, "tokenId": 5, "logProbability": -0.1} for piece in pieces]
    top = [{"candidates": [entry, entry]} for entry in chosen]
    (after,) = clean([{"candidates": [{"logprobsResult": {"chosenCandidates": chosen, "topCandidates": top}}]}])
    assert KEY[3:6] not in json.dumps(after)
    assert len(after["candidates"][0]["logprobsResult"]["topCandidates"]) == len(pieces)


def test_texts_that_do_not_go_on_are_not_joined() -> None:
    halves = [{"type": "text", "text": KEY[:20]}, {"type": "text", "text": KEY[20:]}]
    message = {"role": "assistant", "content": halves}
    assert clean([message]) == [message]
    full = {"role": "assistant", "content": [{"type": "text", "text": f"a {KEY}"}, {"type": "text", "text": "next"}]}
    assert clean([full])[0]["content"][0]["text"] == f"a {REDACTED}"


def test_what_each_element_says_again_is_looked_at_by_itself() -> None:
    elements = [{"id": KEY, "provider": KEY, "choices": [{"index": 0, "delta": {"content": "x"}}]}] * 3
    assert all(each["id"] == each["provider"] == REDACTED for each in clean(elements))


# -- bytes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        f"\ufeffdata: {json.dumps(delta(content=KEY[:7]))}\r\n\r\ndata: {json.dumps(delta(content=KEY[7:]))}\r\n\r\n",
        f"data: {json.dumps(delta(content=KEY[:7]))}\r\rdata: {json.dumps(delta(content=KEY[7:]))}\r\r",
        # An event of several lines, and one that nothing ends.
        'data: {\ndata: "content":\ndata:  ' + json.dumps(KEY) + "}\n\n",
        f"data: {json.dumps({'content': KEY})}",
        f": {KEY}\n\ndata: {{}}\n\n",
        f"event: {KEY}\ndata: {{}}\n\n",
        f"data: {KEY[:9]}\n\ndata: {KEY[9:]}\n\ndata: [DONE]\n\n",
        # Of two members of one name the first is not seen, but is written.
        f'data: {{"content": "{KEY}", "content": "x"}}\n\n',
        f'{{"content": "{KEY}", "content": "x"}}',
        f'{{"{KEY}": 1}}',
        f'{{"a": "\\u0041Iza{KEY[4:]}"}}',
        f'{{"a": "{KEY}", "b": NaN, "c": "\\ud800"}}',
        f'{{"cut": "{KEY} off',
        f'{{"done": false}}\n{{"cut": "{KEY} off',
        f"just text, {KEY}\nand data: more",
        f"<html>{KEY}</html>",
        "[" * 5000 + f'"{KEY}"' + "]" * 5000,
    ],
)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_secret_leaves_the_bytes_of_every_kind_of_body(body: str, size: int) -> None:
    data = body.encode()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    cleaned = bodies.cleaned(pieces, DEFAULT)
    text = b"".join(cleaned).decode()
    assert KEY[6:] not in text
    assert REDACTED in text
    assert len(cleaned) == len(pieces)
    assert all(cleaned) or size == 1
    assert bodies.cleaned(cleaned, DEFAULT) == cleaned


@pytest.mark.parametrize("body", [b"", b"\x00\xff" + KEY.encode(), b'{"a": "b"}', b"data: {}\n\n", b"\xff\xfe ok"])
def test_bytes_without_a_secret_and_bytes_that_are_no_text_stay(body: bytes) -> None:
    assert bodies.cleaned((body,), DEFAULT) == (body,)


def test_all_else_stays_byte_for_byte() -> None:
    before = 'data: {"a" : 1.50,  "s":"\\u00e9\\/", "id":"1"}\n\n: ping\n\ndata:{"content":"x '
    after = ' y","z":[1,  2]}\r\n\r\nid: 7\n\n'
    cleaned = bodies.cleaned(((before + KEY + after).encode(),), DEFAULT)
    assert b"".join(cleaned).decode() == before + REDACTED + after


def test_a_character_that_is_cut_and_a_byte_that_is_none() -> None:
    data = f'data: {{"content": "\u00e9 {KEY}"}}\n\n'.encode() + b"data: \xff\n\n"
    cleaned = bodies.cleaned([data[at : at + 1] for at in range(len(data))], DEFAULT)
    assert b"".join(cleaned) == data.replace(KEY.encode(), REDACTED.encode())


# -- recordings --------------------------------------------------------------------------------------------------------

HTTP = RecordedRequest("https://api.anthropic.com/v1/messages", {}, "")


def test_an_errors_message_says_what_its_body_says() -> None:
    asked = RecordedRequest("https://x/v1/v1/chat/completions", {}, "/v1/chat/completions")
    body = json.dumps({"error": {"message": f"The key {KEY} is in it", "password": "hunter2"}}).encode()
    old = wire.response(asked, wire.LiveResponse(400, (), (body,), (1.0,), True), keep_errors=True)
    cleaned = recorded.response(old, DEFAULT)
    (piece,) = bodies.cleaned((body,), DEFAULT)
    assert cleaned == wire.response(asked, wire.LiveResponse(400, (), (piece,), (1.0,), True))
    assert KEY not in str(cleaned)
    assert "hunter2" not in str(cleaned)


def test_the_lines_of_a_stream_stay_as_many() -> None:
    text = "\n".join(
        f"event: content_block_delta\ndata: {json.dumps(block('text_delta', 'text')(p, 0))}\n" for p in cut(KEY)
    )
    old = RecordedResponse(text.split("\n"), is_streaming=True)
    new = recorded.response(old, DEFAULT)
    assert len(new.body) == len(old.body)
    assert "".join(json.loads(line[6:])["delta"]["text"] for line in new.body if line.startswith("data: ")) == REDACTED
    assert recorded.response(new, DEFAULT) is new
