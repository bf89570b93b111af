"""OpenAI's API, which most others speak too: chats, completions, embeddings, models and responses.

A recording holds the arguments of the SDK's call. They are the JSON body of the wire, but for what the SDK's method
does not declare, which goes under ``extra_body``, and for the order of the keys, which the SDK changes on the way.

Source: openai-python 1.107 (September 2025), as the public recorder has it; the orders of 3.x beside it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wiretape.codecs import embeddings, http_fields
from wiretape.providers import answers, elements, schemas, sdk_errors, usage_forms
from wiretape.providers.answers import HoldsError, HttpResponse, UnrecordableError
from wiretape.providers.argument_order import ArgumentOrder
from wiretape.providers.dialects import Dialect
from wiretape.providers.element_streams import Element
from wiretape.providers.elements import ElementFormat
from wiretape.providers.stream_ends import End, FinishReasons, Watcher, index_of, objects_of
from wiretape.providers.usage import UsageReader
from wiretape.recording import JSON, MODEL_LISTS, RecordedRequest, RecordedResponse, Recording

# What the SDK's methods declare.
_CHAT = """audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens
messages metadata modalities model n parallel_tool_calls prediction presence_penalty
prompt_cache_key reasoning_effort response_format safety_identifier seed service_tier stop store
stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity
web_search_options"""
_COMPLETIONS = """best_of echo frequency_penalty logit_bias logprobs max_tokens model n presence_penalty prompt seed
stop stream stream_options suffix temperature top_p user"""
_RESPONSES = """background conversation include input instructions max_output_tokens max_tool_calls metadata model
parallel_tool_calls previous_response_id prompt prompt_cache_key reasoning safety_identifier
service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p
truncation user"""

USAGE = UsageReader(usage_forms.CHAT, usage_forms.RESPONSES)
"""Chats and completions tell their tokens in the first form, responses in the second."""

RESPONSE_ENDS = ("response.completed", "response.incomplete", "response.cancelled")
AUDIO_ENDS = ("speech.audio.done", "transcript.text.done")


class Choices:
    """Tells when a stream of chunks is whole: a finish reason for each choice."""

    def __init__(self, wanted: int = 1) -> None:
        """``wanted``: how many choices were asked for."""
        self._wanted = wanted
        self._reasons = FinishReasons("finish_reason")
        self._end = End.OPEN

    def see(self, data: Mapping[str, Any], _event: str = "", /) -> End:
        """Return how far the stream is after a chunk."""
        chunk = data.get("choices")
        if chunk:
            self._reasons.see(chunk)
            self._end = End.COMPLETE if self._reasons.count >= self._wanted else End.OPEN
        return self._end


def choices(request: RecordedRequest) -> Choices:
    """Return who tells when all choices are there that a request asks for."""
    wanted = request.body.get("n")
    number = wanted if isinstance(wanted, int) and wanted > 1 else 1
    prompts = request.body.get("prompt")
    if isinstance(prompts, list) and all(isinstance(prompt, str | list) for prompt in prompts):
        number *= max(1, len(prompts))  # Else it is one prompt, as a list of tokens.
    return Choices(number)


class _OpenAIFormat(ElementFormat):
    """An endpoint of OpenAI's SDK."""

    declared: frozenset[str]
    """The parameters that the SDK's method declares; others are sent as its ``extra_body``."""
    order = ArgumentOrder()
    always_extra_body = False
    """Whether recordings say of each call what else was sent, be it nothing."""
    ends_in_done = True
    usage_reader = USAGE

    def arguments(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a recording has of a body that was sent: the arguments of the SDK's call."""
        arguments = self.order.recorded(self.given({key: sent[key] for key in sent if key in self.declared}))
        extra = {key: value for key, value in sent.items() if key not in self.declared}
        if extra or self.always_extra_body:
            arguments["extra_body"] = extra
        return arguments

    def given(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return of the declared arguments those that the SDK's caller gave."""
        return arguments


class _ChoicesFormat(_OpenAIFormat):
    """An endpoint that answers with choices."""

    def accepted(self, request: RecordedRequest, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an answer as it is to be recorded. Raises HoldsError: one without choices is an error."""
        if not isinstance(answer.get("choices"), list):
            raise HoldsError(answer, self.element(self.single, answer), said="the answer has no choices")
        return answer

    def watcher(self, request: RecordedRequest) -> Watcher:
        """Return who tells when a stream is whole."""
        return choices(request)

    def words(self, data: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
        """Yield the words of an answer, or a chunk, and the tools that it calls."""
        for choice in objects_of(data.get("choices")):
            number = index_of(choice)
            message = _object(choice.get("delta") or choice.get("message"))
            yield number, elements.text_of(choice.get("text")) or elements.text_of(message.get("content"))
            for call in objects_of(message.get("tool_calls")):
                function = _object(call.get("function"))
                name = elements.text_of(function.get("name"))
                called = f"\n{name} " if name else ""
                yield number, called + elements.text_of(function.get("arguments"))


class ChatCompletions(_ChoicesFormat):
    """Chats."""

    name = "/v1/chat/completions"
    aliases = ("/chat/completions",)
    single = "openai.types.chat.chat_completion.ChatCompletion"
    chunk = "openai.types.chat.chat_completion_chunk.ChatCompletionChunk"
    declared = frozenset(_CHAT.split())
    order = ArgumentOrder(
        sent_first=(("messages", "model"), ("model", "stream", "service_tier", "messages")),
        recorded_first=("model", "messages"),
        recorded_last=("service_tier", "reasoning_effort", "prompt_cache_key"),
    )


CHAT = ChatCompletions()


class Completions(_ChoicesFormat):
    """Completions of a prompt."""

    name = "/v1/completions"
    single = "openai.types.completion.Completion"
    chunk = "openai.types.completion.Completion"
    declared = frozenset(_COMPLETIONS.split())
    order = ArgumentOrder(
        sent_first=(("model", "prompt"), ("model", "stream", "prompt")), recorded_first=("model", "prompt")
    )
    always_extra_body = True

    def meant(self, request: RecordedRequest) -> ElementFormat:
        """Return the format of chats for a recording that has messages: some are filed under this name."""
        return CHAT if "messages" in request.body and "prompt" not in request.body else self


class Embeddings(_OpenAIFormat):
    """Embeddings, which a recording has as numbers, in whichever form they were asked for."""

    name = "/v1/embeddings"
    single = "openai.types.create_embedding_response.CreateEmbeddingResponse"
    declared = frozenset(["dimensions", "encoding_format", "input", "model", "user"])
    order = ArgumentOrder(
        sent_first=(("input", "model"), ("model", "input")), recorded_first=("model", "input", "encoding_format")
    )

    def given(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments without a format that is base64: the SDK asks for it where its caller names none."""
        if self.wants_base64(arguments):
            del arguments["encoding_format"]
        return arguments

    def wants_base64(self, sent: Mapping[str, Any]) -> bool:
        """Return whether a body that was sent asks for numbers as base64."""
        return sent.get("encoding_format") == "base64"

    def accepted(self, request: RecordedRequest, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an answer with its embeddings as numbers."""
        if not isinstance(answer.get("data"), list):
            raise UnrecordableError("the answer holds no list of embeddings")
        if not request.base64_wanted:
            return answer
        sent = self.sent(request.body)
        return {**answer, "data": [embeddings.to_numbers(item, sent) for item in answer["data"]]}

    def to_wire(self, request: RecordedRequest, content: dict[str, Any], *, base64_wanted: bool) -> Any:
        """Return an answer with its embeddings as they were asked for."""
        if isinstance(content.get("data"), list):
            sent = self.sent(request.body)
            content["data"] = [embeddings.to_wire(each, sent, base64_wanted=base64_wanted) for each in content["data"]]
        return content


class Models(_OpenAIFormat):
    """The list of models. In a recording it is the models alone, and what was around them where that says more."""

    name = "/v1/models"
    method = "GET"
    single = "openai.types.model.Model"
    declared = frozenset[str]()

    def parse_single(self, request: RecordedRequest, body: bytes | bytearray) -> RecordedResponse:
        """Return the models: in an object as OpenAI sends it, or in another one, or the list itself."""
        try:
            answer = answers.json_of(body)
        except ValueError as e:
            raise UnrecordableError(f"the answer is not JSON: {e}") from e
        if sdk_errors.holds(answer):
            raise HoldsError(sdk_errors.said(answer))
        envelope: JSON = []
        models = answer
        if isinstance(answer, dict):
            key = _key_of_models(answer)
            # Servers in Go send null for an empty one.
            models = [] if answer.get(key, 0) is None else answer.get(key)
            envelope = {**answer, key: None if answer.get(key) is None else []}
        if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
            raise UnrecordableError("the answer is no list of models")
        each = [self.element(self.single, model) for model in models]
        return RecordedResponse(each, is_streaming=False, envelope=None if envelope == _ENVELOPE else envelope)

    def render(self, recordings: Sequence[Recording], *, base64_wanted: bool = False) -> HttpResponse:
        """Return the list that one recording is of, or that several are, each of a part of it."""
        first = recordings[0].response
        if not first.is_answer:
            return super().render(recordings)
        models = [elements.stripped(element) for each in recordings for element in each.response.elements()]
        if len(recordings) > 1:
            models = elements.union(models, MODEL_LISTS[self.name].key)
        return elements.single(_in_envelope(models, first.envelope), first)


_ENVELOPE = {"object": "list", "data": []}
"""What is around the models of a list, where a recording says nothing else."""


def _key_of_models(envelope: Mapping[str, Any]) -> str:
    return "models" if "models" in envelope and "data" not in envelope else "data"


def _in_envelope(models: list[dict[str, Any]], envelope: JSON) -> JSON:
    if envelope == []:
        return models
    content: dict[str, Any] = dict(_ENVELOPE if envelope is None else envelope)
    key = _key_of_models(content)
    if models or content[key] is not None:
        content[key] = models
    return content


class Responses(_OpenAIFormat):
    """The Responses API: its streams are events of many classes, each with a name, and the last of them is the end."""

    name = "/v1/responses"
    single = "openai.types.responses.response.Response"
    chunk = "openai.types.responses.response_stream_event.ResponseStreamEvent"
    declared = frozenset(_RESPONSES.split())
    last_events = RESPONSE_ENDS

    def element(self, type_: str, data: Mapping[str, Any]) -> Element:
        """Return an answer, or an event by its own class; one that the table does not know stays as it came."""
        if type_ != self.chunk:
            return super().element(type_, data)
        events = schemas.table().unions["ResponseStreamEvent"]
        name = data.get("type")
        if not isinstance(name, str) or name not in events:
            return {"__type__": type_, "__data__": dict(data)}
        return super().element(schemas.qualified(events[name]), data)

    def event_name(self, data: Mapping[str, Any]) -> str:
        """Return the name of an event: its type."""
        name = data.get("type")
        # Any other would be a line of the stream of its own.
        return name if isinstance(name, str) and http_fields.is_value(name) else ""

    def is_followed_by_done(self, names: Sequence[str]) -> bool:
        """Return whether a stream ended with the marker of the other endpoints: some servers end it so."""
        return not names or names[-1] not in RESPONSE_ENDS

    def words(self, data: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
        """Yield the words of an event."""
        if data.get("type") == "response.output_text.delta":
            yield 0, elements.text_of(data.get("delta"))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


FORMATS = (CHAT, Completions(), Embeddings(), Models(), Responses())

DIALECT = Dialect(choices, USAGE, RESPONSE_ENDS + AUDIO_ENDS)
"""What is passed on as it is sent: speech, and the API of servers that are known by their URL alone."""
