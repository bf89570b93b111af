"""An endpoint that is kept as objects of a class: what its format does where it says nothing but its names."""

import json
from typing import Any

import pytest

from wiretape.codecs.body_form import BodyForm
from wiretape.providers import elements
from wiretape.providers.answers import BrokeOffError, HoldsError, LiveResponse, UnrecordableError
from wiretape.providers.elements import ElementFormat, UnknownEndpoint
from wiretape.providers.usage import Usage
from wiretape.recording import RecordedRequest, RecordedResponse, Recording


class Plain(ElementFormat):
    """Streams as events."""

    name = "/v1/plain"
    single = "plain.Answer"
    chunk = "plain.Chunk"
    last_events = ("end",)

    def words(self, data: Any) -> Any:
        """As each says it."""
        return [(data["index"], data["word"])] if "word" in data else ()


class Lines(Plain):
    """Streams as lines."""

    stream_form = BodyForm.LINES


class Done(Plain):
    """Streams as events, with a marker behind them."""

    ends_in_done = True


class Single(ElementFormat):
    """Does not stream."""

    name = "/v1/single"
    single = "plain.Answer"


REQUEST = RecordedRequest("https://api.example.com/v1/plain", {"model": "m"}, "/v1/plain")


def live(body: str, content_type: str = "application/json", status: int = 200, *, ended: bool = True) -> LiveResponse:
    return LiveResponse(status, (("content-type", content_type),), [body.encode()], [0.0], ended)


def chunks(*data: dict[str, Any]) -> RecordedResponse:
    return RecordedResponse([{"__type__": "plain.Chunk", "__data__": each} for each in data], is_streaming=True)


# arguments of the SDK's call -> the body that it sends
SENT = [
    ({"model": "m", "timeout": 3, "extra_headers": {"a": "b"}, "extra_query": {}}, {"model": "m"}),
    ({"model": "m", "extra_body": {"top_k": 3}}, {"model": "m", "top_k": 3}),
    ({"model": "m", "extra_body": {"model": "n"}}, {"model": "n"}),
    ({"model": "m", "encoding_format": "base64"}, {"model": "m"}),
    ({"model": "m", "encoding_format": "float"}, {"model": "m", "encoding_format": "float"}),
    ({"model": "m", "extra_body": "no object"}, {"model": "m"}),
]


@pytest.mark.parametrize(("arguments", "body"), SENT)
def test_the_body_that_arguments_are_sent_as(arguments: dict[str, Any], body: dict[str, Any]) -> None:
    assert Plain().sent(arguments) == Plain().body(arguments) == body


STREAM = 'data: {"word": "a", "index": 0}\n\ndata: {"type": "end"}\n\n'
OF_STREAM = [{"word": "a", "index": 0}, {"type": "end"}]

# what came, as what -> whether it is a stream, its objects
READ = [
    ('{"word": "a", "index": 0}', "application/json", False, [{"word": "a", "index": 0}]),
    ('{"word": "a", "index": 0}', "text/event-stream", False, [{"word": "a", "index": 0}]),
    (STREAM, "text/event-stream", True, OF_STREAM),
    (STREAM, "application/json", True, OF_STREAM),
    ('{"word": "a", "index": 0}\n{"type": "end"}\n', "application/x-ndjson", True, OF_STREAM),
]


@pytest.mark.parametrize(("body", "content_type", "is_streaming", "objects"), READ)
def test_an_answer_is_read_by_what_it_is(body: str, content_type: str, objects: Any, *, is_streaming: bool) -> None:
    found = Plain().parse(REQUEST, live(body, content_type))
    assert found.is_streaming is is_streaming
    assert [*Plain().elements(found)] == objects
    assert {each["__type__"] for each in found.elements()} == {"plain.Chunk" if is_streaming else "plain.Answer"}


NO_ANSWER = [
    (Plain(), live('{"a": 1}', ended=False), BrokeOffError),
    (Plain(), live('data: {"word": "a"}\n\n', "text/event-stream"), BrokeOffError),
    (Plain(), live('{"error": {"message": "no"}}'), HoldsError),
    (Plain(), live("[1]"), UnrecordableError),
    (Plain(), live("{"), UnrecordableError),
    (Plain(), live("no", status=500, ended=False), BrokeOffError),
    (Single(), live(STREAM, "text/event-stream"), UnrecordableError),
    (UnknownEndpoint("/v1/x"), live("{}"), UnrecordableError),
]


@pytest.mark.parametrize(("endpoint", "came", "error"), NO_ANSWER)
def test_what_is_no_whole_answer_is_told(endpoint: ElementFormat, came: LiveResponse, error: type[Exception]) -> None:
    with pytest.raises(UnrecordableError) as raised:
        endpoint.parse(REQUEST, came)
    assert type(raised.value) is error


def test_an_http_error_goes_out_with_its_status_and_its_body() -> None:
    came = live('{"error":{"message":"no"}}', status=404)
    recorded = Plain().parse(REQUEST, came)
    assert recorded.error
    assert (recorded.error["status_code"], recorded.error["body"]) == (404, {"message": "no"})
    made = Plain().render([Recording(REQUEST, recorded)])
    assert (made.status, json.loads(made.body)) == (404, {"error": {"message": "no"}})


DATA: list[dict[str, Any]] = [{"a": 1}, {"type": "end"}]
EVENT_BYTES = (b'data: {"a":1}\n\n', b'data: {"type":"end"}\n\n')
SENT_STREAMS = [
    (Plain(), "text/event-stream; charset=utf-8", EVENT_BYTES),
    (Done(), "text/event-stream; charset=utf-8", (*EVENT_BYTES, b"data: [DONE]\n\n")),
    (Lines(), "application/x-ndjson", (b'{"a":1}\n', b'{"type":"end"}\n')),
]


@pytest.mark.parametrize(("endpoint", "content_type", "sent"), SENT_STREAMS)
def test_a_stream_goes_out_chunk_for_chunk(endpoint: Plain, content_type: str, sent: tuple[bytes, ...]) -> None:
    made = endpoint.render([Recording(REQUEST, chunks(*DATA))])
    assert dict(made.headers)["content-type"] == content_type
    assert (made.status, made.chunks, made.broken) == (200, sent, False)


def test_an_answer_in_one_piece_goes_out_as_json() -> None:
    recorded = Plain().parse(REQUEST, live('{"a": 1}', status=202))
    made = Plain().render([Recording(REQUEST, recorded)])
    assert (made.status, made.headers, made.body) == (202, (("content-type", "application/json"),), b'{"a":1}')


# the chunks of a stream -> its words
TEXTS = [
    ([{"index": 0, "word": "a"}, {"index": 0, "word": "b"}], "ab"),
    ([{"index": 1, "word": "b"}, {"index": 0, "word": "a"}], "[0] a\n[1] b"),
    ([{"vector": [1]}], '[\n  {\n    "vector": [\n      1\n    ]\n  }\n]'),
]


@pytest.mark.parametrize(("data", "text"), TEXTS)
def test_the_words_of_an_answer(data: list[dict[str, Any]], text: str) -> None:
    assert Plain().text(chunks(*data)) == text


def test_the_tokens_of_an_answer() -> None:
    assert Plain().usage([{"usage": {"input_tokens": 3, "output_tokens": 4}}]) == Usage(input=3, output=4)


def test_lists_of_models_as_one() -> None:
    first: list[dict[str, Any]] = [{"id": "b", "n": 1}, {"id": "c"}]
    assert elements.union([*first, {"id": "a"}, {"id": "b", "n": 2}], "id") == [
        {"id": "a"},
        {"id": "b", "n": 2},
        {"id": "c"},
    ]


@pytest.mark.parametrize(("value", "text"), [(None, ""), ("a", "a"), (3, "3"), (["ü"], '["ü"]')])
def test_a_value_as_a_text_for_people(value: Any, text: str) -> None:
    assert elements.text_of(value) == text
