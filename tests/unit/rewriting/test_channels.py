"""Which texts of a stream's elements are one text."""

from typing import Any

import pytest

from wiretape.redaction import members
from wiretape.rewriting.channels import Channel, ChannelReader, Walk, is_token


def texts(*elements: Any) -> list[tuple[str, str, list[str]]]:
    """Return name, way of reading and pieces of each channel."""
    walk = Walk(elements, members.naming)
    return [(each.name, each.reading.name, each.texts) for each in walk.channels.values()]


def joined(*elements: Any) -> list[list[str]]:
    """Return the pieces of those that go on where the one before ends."""
    return [each.texts for each in Walk(elements).channels.values() if each.reading is ChannelReader.JOINED]


def chat(index: int, **delta: Any) -> dict[str, Any]:
    return {"id": "x", "choices": [{"index": index, "delta": delta}]}


def test_deltas_of_one_choice_are_one_text() -> None:
    assert joined(chat(0, content="a"), chat(1, content="x"), chat(0, content="b"), chat(0, content="")) == [
        ["a", "b"],
        ["x"],
    ]


def test_elements_of_a_recording_are_as_those_of_the_wire() -> None:
    recorded = [{"__type__": "t", "__data__": chat(0, content=piece)} for piece in "ab"]
    walk = Walk(recorded)
    (content,) = [each for each in walk.channels.values() if each.name == "content"]
    assert [*content.paths] == [(at, "__data__", "choices", 0, "delta", "content") for at in (0, 1)]


def test_calls_of_tools_are_told_apart_by_their_index() -> None:
    def call(index: int, piece: str) -> Any:
        return chat(0, tool_calls=[{"index": index, "function": {"arguments": piece}}])

    assert joined(call(0, "a"), call(1, "x"), call(0, "b")) == [["a", "b"], ["x"]]


def test_a_content_block_goes_on_in_its_deltas() -> None:
    events = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "a"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "b"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "x"}},
    ]
    assert joined(*events) == [["a", "b"], ["x"]]


def test_a_whole_text_at_the_end_is_another() -> None:
    events = [
        {"type": "response.output_text.delta", "output_index": 0, "delta": "a"},
        {"type": "response.output_text.delta", "output_index": 0, "delta": "b"},
        {"type": "response.output_text.done", "output_index": 0, "text": "ab"},
    ]
    assert joined(*events) == [["a", "b"], ["ab"]]


def test_geminis_parts_are_one_text_and_its_thoughts_another() -> None:
    def parts(*parts: Any) -> Any:
        return {"candidates": [{"content": {"parts": [*parts]}}]}

    said = [parts({"text": "a"}), parts({"text": "t", "thought": True}, {"text": "b"}), parts({"text": "c"})]
    assert joined(*said) == [["a", "b", "c"], ["t"]]


def test_tokens_of_logprobs_are_pieces() -> None:
    def token(text: str) -> Any:
        tops = [{"token": text, "logprob": -1}, {"token": "z", "logprob": -2}]
        return {
            "choices": [{"index": 0, "logprobs": {"content": [{"token": text, "logprob": -1, "top_logprobs": tops}]}}]
        }

    walk = Walk([token("a"), token("b")])
    assert [(each.texts, each.are_tokens) for each in walk.channels.values()] == [
        (["a", "b"], True),
        (["a", "b"], True),
        (["z", "z"], True),
    ]
    legacy = Walk([{"logprobs": {"tokens": ["a", "b"]}}, {"logprobs": {"tokens": ["c"]}}])
    assert [(each.texts, each.are_tokens) for each in legacy.channels.values()] == [(["a", "b", "c"], True)]


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        *(
            (name, "JOINED")
            for name in ("content", "text", "delta", "arguments", "partial_json", "thinking", "response")
        ),
        *((name, "JOINED") for name in ("reasoning", "reasoning_content", "refusal", "transcript")),
        *((name, "WHOLE") for name in ("id", "item_id", "model", "object", "role", "type", "obfuscation")),
        *((name, "EITHER") for name in ("name", "url", "anything")),
    ],
)
def test_a_members_name_tells_how_its_texts_are_read(name: str, reading: str) -> None:
    assert texts({"a": {name: "x"}}) == [(name, reading, ["x"])]


def test_a_value_is_named_by_what_names_it() -> None:
    assert texts({"header": {"name": "Authorization", "value": "x"}})[-1] == ("Authorization", "EITHER", ["x"])
    assert texts({"password": {"value": "x"}}) == [("password", "EITHER", ["x"])]


def test_other_elements_are_looked_at_too() -> None:
    assert texts("a", ["b", ["c"]], 7, None, "") == [
        ("", "EITHER", ["a"]),
        ("", "EITHER", ["b"]),
        ("", "EITHER", ["c"]),
    ]


def test_blocks_of_bedrock_are_told_apart_and_their_input_goes_on() -> None:
    def block(index: int, piece: str) -> dict[str, Any]:
        return {"contentBlockIndex": index, "delta": {"toolUse": {"input": piece}}}

    assert joined(block(1, "a"), block(2, "x"), block(1, "b")) == [["a", "b"], ["x"]]
    assert joined({"input": "a"}, {"input": "b"}) == []


def test_names_of_all_members_are_told() -> None:
    assert Walk([{"a": [{"b": 1}], "c": {"d": "x"}}]).names == {"a", "b", "c", "d"}


def test_a_channel_knows_where_each_piece_stands() -> None:
    channel = Channel("x")
    for position, place in ((0, ("a",)), (1, ("a",)), (1, ("b",)), (5, ("b",)), (6, ("b",))):
        channel.add(position, place, "t")
    assert [*channel.paths] == [(0, "a"), (1, "a"), (1, "b"), (5, "b"), (6, "b")]
    assert channel.path(-1) == (6, "b")
    with pytest.raises(IndexError):
        channel.path(5)


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ({"token": "a", "logprob": -1}, True),
        ({"token": "a", "bytes": None}, True),
        ({"token": "a", "logProbability": 0}, True),
        ({"token": "a"}, False),
        ({"token": 7, "logprob": -1}, False),
    ],
)
def test_what_is_said_of_a_token(value: Any, *, is_one: bool) -> None:
    assert is_token(value) is is_one
