"""JSON as servers send it: recorded, sound, replayed as it came without its capture, and again from that."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest

from builders import chat, chat_body
from wiretape.codecs import python_text
from wiretape.library import verify
from wiretape.policy import FORMS
from wiretape.providers import wire
from wiretape.providers.wire import LiveResponse
from wiretape.recording import RecordedRequest, Recording, dumps, loads, make

CHAT = chat("x")
STREAM = chat("x", stream=True)
MODELS = RecordedRequest("https://api.together.xyz/v1/v1/models", {}, "/v1/models")
TAGS = RecordedRequest("http://localhost:11434/api/tags", {}, "/api/tags")
CLAUDE = RecordedRequest("https://api.anthropic.com/v1/messages", {"model": "c"}, "")
OLLAMA = RecordedRequest("http://localhost:11434/api/chat", {"model": "m", "stream": True}, "/api/chat")
EMBEDDINGS = RecordedRequest("https://api.openai.com/v1/v1/embeddings", {"model": "m"}, "/v1/embeddings")

ODD = [
    *("NaN", "Infinity", "-Infinity", '[NaN, {"a": -Infinity}]'),
    *("123456789012345678901234567890", "-18446744073709551616", "18446744073709551615", "1" * 400),
    *("1e-07", "1.7976931348623157e308", "5e-324", "-0.0", "1.0", "9007199254740993"),
    *('"\\ud83d"', '"\\ude00\\ud83d"', '"\\ud83d\\ude00"', '{"\\udfff": 1}', '"\\u0000\\u2028\\ufffd\\ufeff"'),
    *('""', "null", "true", "{}", "[[], {}]", '"a\\/b"', '"\\u00e9"', '{"": {"": ""}}'),
]
"""Values that parsers of other makes refuse, round or lose."""

WHERE = {
    "a chat": (CHAT, '{"id":"x","choices":[],"created":1,"model":"m","object":"o","odd":%s}'),
    "a declared member": (CHAT, '{"id":"x","choices":[],"created":1,"model":"m","object":"o","service_tier":%s}'),
    "log probabilities": (
        CHAT,
        '{"id":"x","choices":[{"index":0,"logprobs":{"content":[{"token":"a","logprob":%s,"top_logprobs":[]}]}}]}',
    ),
    "a stream": (STREAM, 'data: {"id":"x","choices":[],"odd":%s}\n\ndata: [DONE]\n\n'),
    "lines": (OLLAMA, '{"model":"m","done":true,"odd":%s}\n'),
    "a passthrough endpoint": (CLAUDE, '{"id":"x","odd":%s}'),
    "an array of a passthrough endpoint": (CLAUDE, "[1,%s]"),
    "an embedding": (EMBEDDINGS, '{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,%s]}]}'),
    "a model": (MODELS, '{"object":"list","data":[{"id":"m","odd":%s}]}'),
    "an error": (CHAT, '{"error":{"message":"no","odd":%s},"odd":[%s]}'),
    "Ollama's error": (OLLAMA, '{"error":"no","odd":%s}'),
}


def came(body: str, status: int = 200, coding: str = "") -> LiveResponse:
    content_type = "text/event-stream" if body.startswith("data:") else "application/json"
    headers = (("content-type", content_type), *((("content-encoding", coding),) if coding else ()))
    return LiveResponse(status, headers, (body.encode("utf-8", "surrogatepass"),), (1.0,), True)


def values(body: bytes) -> Iterator[str]:
    """The values of a body, each as it is written where nothing is lost; what the class sends as null is left out."""
    for line in body.removesuffix(b"data: [DONE]\n\n").split(b"\n"):
        if text := line.removeprefix(b"data: "):
            yield json.dumps(json.loads(text), sort_keys=True)


def replayed(asked: RecordedRequest, arrived: LiveResponse, form: str) -> bytes:
    """What is replayed of it once it was recorded, with nothing of it lost on the way."""
    made = make(asked, wire.response(asked, wire.decoded(arrived)), form)
    data = dumps(made)
    assert data.isascii()
    read = loads(data)
    assert dumps(read) == data
    assert verify.verify(made.name, data).faults == ()
    sent = wire.answer([read])
    assert sent.status == arrived.status
    again = wire.response(asked, LiveResponse(sent.status, sent.headers, sent.chunks, (0.0,) * len(sent.chunks), True))
    assert dumps(make(asked, again, form)) == data
    return sent.body


@pytest.mark.parametrize(("asked", "text"), WHERE.values(), ids=WHERE)
def test_odd_values_are_replayed_as_they_came(asked: RecordedRequest, text: str) -> None:
    for odd in ODD:
        arrived = came(text.replace("%s", odd), 404 if "error" in text else 200)
        if "logprob" in text and odd == "null":
            continue  # A required member that is null is left out, as one that did not come.
        if "service_tier" in text and odd == "null":
            continue
        body = replayed(asked, arrived, "2025-09")
        expected = json.dumps(json.loads(odd))
        if '"logprob"' in text or '"embedding"' in text:
            expected = json.dumps(as_float(json.loads(odd)))
        assert expected in next(values(body)).replace("finish_reason", ""), odd


def as_float(value: Any) -> Any:
    """As the SDK's class has a number that it declares as one."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**300 else value


def test_numbers_that_are_none_stay_so_in_every_form_and_place() -> None:
    for form in FORMS:
        for odd in ("NaN", "-Infinity"):
            body = replayed(CHAT, came(WHERE["log probabilities"][1] % odd), form)
            assert f'"logprob":{odd}'.encode() in body.replace(b": ", b":")


def test_an_errors_text_is_read_with_the_names_that_python_has_for_numbers() -> None:
    value = python_text.value("{'a': [nan, -inf, inf, 1, None], 'nan': 'inf'}")
    assert math.isnan(value["a"][0])
    assert value["a"][1:] == [-math.inf, math.inf, 1, None]
    assert value["nan"] == "inf"
    for text in ("infinity", "__import__('os')", "nan()", "a.nan", "[nan for nan in inf]", "", "(" * 5000):
        with pytest.raises(ValueError, match=r"."):
            python_text.value(text)


LISTS = {
    "as OpenAI": '{"object":"list","data":[%s]}',
    "an array": "[%s]",
    "without its object": '{"data":[%s]}',
    "with more beside it": '{"object":"list","data":[%s],"has_more":false,"first_id":null}',
    "under another name": '{"models":[%s]}',
    "under both": '{"models":[{"name":"m"}],"object":"list","data":[%s]}',
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", LISTS.values(), ids=LISTS)
def test_a_list_of_models_is_replayed_in_its_form(text: str, form: str) -> None:
    for models in (
        "",
        '{"id":"a/b","object":"model","created":0,"type":"chat"}',
        '{"id":"b"},{"id":"a","object":"model"}',
    ):
        body = replayed(MODELS, came(text % models), form)
        assert json.loads(body) == json.loads(text % models)


@pytest.mark.parametrize("text", ['{"object":"list","data":null}', '{"models":null}', '{"data":null,"a":1}'])
def test_an_empty_list_may_be_null(text: str) -> None:
    assert json.loads(replayed(MODELS, came(text), "2025-09")) == json.loads(text)


@pytest.mark.parametrize("text", ['{"models":[]}', '{"models":[{"name":"m","model":"m"}]}'])
def test_ollamas_list_may_be_empty(text: str) -> None:
    assert json.loads(replayed(TAGS, came(text), "2025-09"))["models"] == json.loads(text)["models"]


def test_several_arrays_are_one_their_union() -> None:
    lists = [Recording(MODELS, wire.response(MODELS, came(f'[{{"id":"{name}"}}]'))) for name in "ba"]
    assert [model["id"] for model in json.loads(wire.answer(lists).body)] == ["a", "b"]


@pytest.mark.parametrize("coding", ["UTF-8", "none", "identity", "utf8", "null", "application/json"])
def test_a_coding_that_is_none(coding: str) -> None:
    for asked, text in (WHERE["a chat"], WHERE["a stream"], WHERE["a passthrough endpoint"]):
        assert replayed(asked, came(text % '"é"', coding=coding), "2025-09")


@pytest.mark.parametrize("asked", [CHAT, CLAUDE])
def test_of_two_members_of_one_name_the_last_counts(asked: RecordedRequest) -> None:
    body = replayed(asked, came('{"id":"a","choices":[],"odd":[1],"odd":2,"id":"b"}'), "2025-09")
    assert (json.loads(body)["id"], json.loads(body)["odd"]) == ("b", 2)


def test_odd_values_in_a_question_make_a_question_of_their_own() -> None:
    texts = [json.dumps(chat_body("x", odd="ODD")).replace('"ODD"', odd) for odd in ODD]
    names = set()
    for text in texts:
        asked = RecordedRequest(CHAT.url, json.loads(text), CHAT.endpoint)
        made = Recording(asked, wire.response(asked, came(WHERE["a chat"][1] % 1)))
        assert verify.verify(made.name, dumps(made)).faults == ()
        names.add(made.name)
    assert len(names) == len(ODD)


def of_ollama(endpoint: str, **body: Any) -> RecordedRequest:
    return RecordedRequest(f"http://localhost:11434{endpoint}", body, endpoint)


DETAILS = {"format": "gguf", "families": ["llama"], "quantization_version": 2}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"index": 0, "name": "f", "arguments": {"a": 1}, "strict": True},
}
LOGPROBS = [{"token": "a", "logprob": -1, "bytes": [97], "top_logprobs": [{"token": "b", "logprob": -2.5}]}]
MODEL = {"name": "m:latest", "model": "m:latest", "digest": "d", "details": DETAILS}
OF_OLLAMA: dict[str, tuple[RecordedRequest, dict[str, Any]]] = {
    "a chat": (
        of_ollama("/api/chat", model="m", stream=False),
        {"model": "m", "message": {"role": "tool", "tool_name": "f", "tool_calls": [CALL]}, "logprobs": LOGPROBS},
    ),
    "a completion": (
        of_ollama("/api/generate", model="m", stream=False),
        {"model": "m", "remote_host": "https://ollama.com", "response": "", "done": True, "logprobs": LOGPROBS},
    ),
    "embeddings": (of_ollama("/api/embeddings", model="m", input="x"), {"embeddings": [[0.5]], "truncated": False}),
    "an embedding": (of_ollama("/api/embeddings", model="m", prompt="x"), {"embedding": [0.5, 1]}),
    "models": (of_ollama("/api/tags"), {"models": [{**MODEL, "capabilities": ["tools"]}], "next": None, "total": 1}),
    "running models": (of_ollama("/api/ps"), {"models": [{**MODEL, "size_vram": 1, "context_length": 4096}]}),
}


@pytest.mark.parametrize(("asked", "sent"), OF_OLLAMA.values(), ids=OF_OLLAMA)
def test_no_field_of_ollamas_is_lost_that_its_classes_do_not_declare(asked: RecordedRequest, sent: Any) -> None:
    assert json.loads(replayed(asked, came(json.dumps(sent)), "2025-09")) == sent


@pytest.mark.parametrize("body", ["", " \r\n"])
def test_an_answer_of_nothing_is_replayed_so(body: str) -> None:
    assert replayed(CLAUDE, came(body), "2025-09") == body.encode()
