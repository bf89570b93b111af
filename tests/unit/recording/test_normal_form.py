"""What differs from call to call is taken out in the form 2026, and which id came is kept where a client needs it."""

from typing import Any

import pytest

from wiretape.codecs.remade import Remade
from wiretape.recording import RecordedRequest, RecordedResponse, as_it_came, is_model, make

CHAT = RecordedRequest(
    "https://api.openai.com/v1/v1/chat/completions", {"model": "m", "messages": []}, "/v1/chat/completions"
)
RESPONSES = RecordedRequest("https://api.openai.com/v1/v1/responses", {"model": "m", "input": "Hi"}, "/v1/responses")
OLLAMA = RecordedRequest("http://localhost:11434/api/chat", {"model": "m", "messages": []}, "/api/chat")
MODELS = RecordedRequest("https://api.openai.com/v1/v1/models", {}, "/v1/models", "GET")
SENT = RecordedRequest("https://api.anthropic.com/v1/messages", {"model": "m"}, "")


def element(kind: str = "t", **data: Any) -> dict[str, Any]:
    return {"__type__": kind, "__data__": data}


def answer(*elements: Any, streams: bool = True) -> RecordedResponse:
    return RecordedResponse([*elements] if streams else elements[0], streams)


def test_ids_and_times_are_the_same_for_every_call() -> None:
    first = make(
        CHAT, answer(element(id="chatcmpl-1", created=1719000000, n=0), element(id="chatcmpl-1", created=5)), "2026"
    )
    again = make(
        CHAT, answer(element(id="chatcmpl-2", created=1719000001, n=0), element(id="chatcmpl-2", created=6)), "2026"
    )
    assert first == again
    name = first.response.body[0]["__data__"]["id"]
    assert name.startswith("rec-")
    assert len(name) == 16
    assert first.response.body == [element(id=name, created=0, n=0), element(id=name, created=0)]


def test_the_id_follows_the_request() -> None:
    other = RecordedRequest(CHAT.url, {"model": "m", "messages": [{"role": "user", "content": "x"}]}, CHAT.endpoint)
    ids = {make(each, answer(element(id="x")), "2026").response.body[0]["__data__"]["id"] for each in (CHAT, other)}
    assert len(ids) == 2


def test_durations_of_ollama_are_none() -> None:
    told = element(
        created_at="2026-01-02T03:04:05Z", total_duration=9, load_duration=8, prompt_eval_duration=7, eval_duration=6
    )
    made = make(OLLAMA, answer(told, streams=False), "2026")
    assert made.response.body == element(
        created_at="1970-01-01T00:00:00.000000Z",
        total_duration=0,
        load_duration=0,
        prompt_eval_duration=0,
        eval_duration=0,
    )


def test_what_is_null_stays_null() -> None:
    told = element(id=None, created=None, created_at=None, total_duration=None)
    assert make(CHAT, answer(told), "2026").response.body == [told]


def test_the_id_of_a_model_is_its_name() -> None:
    models = [element("openai.types.model.Model", id="gpt-4o", created=7), element(id="llama", object="model")]
    made = make(MODELS, answer(*models), "2026")
    assert [each["__data__"]["id"] for each in made.response.body] == ["gpt-4o", "llama"]
    assert made.response.body[0]["__data__"]["created"] == 0
    assert [is_model(each) for each in (*models, element(object="list"))] == [True, True, False]


def test_the_form_2025_keeps_all_as_it_came() -> None:
    told = answer(element(id="chatcmpl-1", created=1719000000))
    made = make(CHAT, told, "2025-09")
    assert made.response == told
    assert made.extra == {}


def test_what_was_sent_is_kept_as_it_came_in_every_form() -> None:
    told = RecordedResponse({"id": "msg_1", "created": 5}, False, status=200)
    assert make(SENT, told, "2026").response == told


@pytest.mark.parametrize(
    ("request_", "kept"),
    [
        (RESPONSES, "resp_1"),
        (RecordedRequest(RESPONSES.url, {**RESPONSES.body, "store": False}, "/v1/responses"), ""),
        (CHAT, ""),
        (RecordedRequest(CHAT.url, {**CHAT.body, "store": True}, CHAT.endpoint), "resp_1"),
        (RecordedRequest(CHAT.url, {**CHAT.body, "store": "yes"}, CHAT.endpoint), ""),
    ],
)
def test_an_id_that_may_be_sent_back_is_kept(request_: RecordedRequest, kept: str) -> None:
    made = make(request_, answer(element(id="resp_1"), streams=False), "2026")
    ids = made.extra["id_normalization_mapping"]
    assert [*ids.values()] == ([kept] if kept else [])
    assert as_it_came(made).body["__data__"]["id"] == (kept or made.response.body["__data__"]["id"])


def test_an_id_of_the_form_itself_is_not_kept_as_one_that_came() -> None:
    made = make(RESPONSES, answer(element(id="rec-0123456789ab")), "2026")
    assert made.extra["id_normalization_mapping"] == {}


def test_every_element_of_a_stream_gets_its_id_back() -> None:
    made = make(RESPONSES, answer(element(id="resp_1"), element(x=1), element(id="other")), "2026")
    back = [each["__data__"].get("id") for each in as_it_came(made).body]
    assert back == ["resp_1", None, "resp_1"]


def test_a_mapping_that_somebody_has_made_up_changes_nothing() -> None:
    made = make(RESPONSES, answer(element(id="resp_1"), streams=False), "2026")
    made_up: list[Any] = [[], "x", {"rec-1": 7}, {}]
    for odd in made_up:
        extra = {"id_normalization_mapping": odd}
        assert as_it_came(type(made)(made.request, made.response, "2026", extra)).body == made.response.body


def test_elements_that_are_made_anew_are_changed_as_a_list_is() -> None:
    listed = [element(id="resp_1", created=5), element(id="resp_1")]
    remade = RecordedResponse(Remade.of(lambda: iter(listed)), True)
    assert [*make(RESPONSES, remade, "2026").response.body] == make(RESPONSES, answer(*listed), "2026").response.body


def test_a_body_that_is_no_element_stays_as_it_is() -> None:
    for body in ("a text", {"id": "x", "created": 5}, None):
        told = RecordedResponse(body, False, None, 200, "text/plain")
        assert make(CHAT, told, "2026").response == told
