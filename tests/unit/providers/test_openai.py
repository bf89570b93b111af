"""OpenAI's endpoints: what is recorded of a request, and how the Responses API goes out."""

import json
from typing import Any

import pytest

from wiretape.matching.request import identity, recorded, wire_body
from wiretape.providers import wire
from wiretape.providers.routing import Endpoint, Route
from wiretape.recording import RecordedRequest, RecordedResponse, Recording

EVENT = "openai.types.responses.response_text_delta_event.ResponseTextDeltaEvent"


def asked(name: str, **body: Any) -> RecordedRequest:
    route = Route("openai", "https://api.openai.com/v1", Endpoint("sdk", "POST", name), name.removeprefix("/v1"))
    return recorded(route, json.dumps(body).encode())


def element(**data: Any) -> dict[str, Any]:
    return {"__type__": EVENT, "__data__": data}


# -- requests ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sent", "order"),
    [
        (
            "/v1/chat/completions",
            ["messages", "model", "reasoning_effort", "stream", "temperature"],
            ["model", "messages", "stream", "temperature", "reasoning_effort"],
        ),
        ("/v1/chat/completions", ["temperature", "model", "messages"], ["temperature", "model", "messages"]),
        ("/v1/embeddings", ["input", "model", "dimensions"], ["model", "input", "dimensions"]),
        ("/v1/responses", ["stream", "model", "input"], ["stream", "model", "input"]),
    ],
)
def test_the_order_of_an_sdk_becomes_the_recorders_and_any_other_stays(
    name: str, sent: list[str], order: list[str]
) -> None:
    assert [*asked(name, **dict.fromkeys(sent, "x")).body] == order


def test_what_the_sdk_does_not_declare_is_its_extra_body_and_sent_all_the_same() -> None:
    request = asked("/v1/chat/completions", model="m", messages=[], top_k=1)
    assert request.body == {"model": "m", "messages": [], "extra_body": {"top_k": 1}}
    assert wire_body(request) == {"model": "m", "messages": [], "top_k": 1}
    assert asked("/v1/completions", model="m", prompt="a").body["extra_body"] == {}
    assert "extra_body" not in asked("/v1/chat/completions", model="m", messages=[]).body


def test_embeddings_in_base64_are_the_same_request_as_without_a_format() -> None:
    plain = asked("/v1/embeddings", model="m", input="a")
    in_base64 = asked("/v1/embeddings", model="m", input="a", encoding_format="base64")
    in_numbers = asked("/v1/embeddings", model="m", input="a", encoding_format="float")
    assert (plain.base64_wanted, in_base64.base64_wanted) == (False, True)
    assert identity(in_base64) == identity(plain) != identity(in_numbers)


# -- the Responses API -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "sent"), [(None, 200), (202, 202)])
def test_a_stream_of_responses_has_the_status_that_came(status: int | None, sent: int) -> None:
    request = asked("/v1/responses", model="m", input="a", stream=True)
    elements = [
        element(type="response.output_text.delta", delta="Hi"),
        element(type="response.completed"),
    ]
    answer = wire.answer([Recording(request, RecordedResponse(elements, is_streaming=True, status=status))])
    assert answer.status == sent
    assert answer.chunks == (
        b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Hi"}\n\n',
        b'event: response.completed\ndata: {"type":"response.completed"}\n\n',
    )


@pytest.mark.parametrize("name", [None, 1, "a\nb", ["x"]])
def test_an_event_whose_type_is_no_name_goes_out_without_one(name: Any) -> None:
    request = asked("/v1/responses", model="m", input="a", stream=True)
    unknown = {"__type__": "openai.types.future.Thing", "__data__": {"type": name}}
    answer = wire.answer([Recording(request, RecordedResponse([unknown], is_streaming=True))])
    said = json.dumps({"type": name}, separators=(",", ":")).encode()
    assert answer.chunks == (b"data: " + said + b"\n\n", b"data: [DONE]\n\n")
