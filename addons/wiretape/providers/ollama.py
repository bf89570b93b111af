"""Ollama's own API below ``/api``, whose streams are lines of JSON. Source: ollama-python 0.5."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wiretape.codecs.body_form import BodyForm
from wiretape.providers import answers, elements, sdk_errors
from wiretape.providers.answers import BrokeOffError, HttpResponse
from wiretape.providers.argument_order import ArgumentOrder
from wiretape.providers.dialects import Dialect
from wiretape.providers.elements import ElementFormat
from wiretape.providers.stream_ends import End, Watcher
from wiretape.providers.usage import UsageReader
from wiretape.providers.usage_forms import OLLAMA
from wiretape.recording import JSON, MODEL_LISTS, RecordedRequest, Recording, encoded

USAGE = UsageReader(OLLAMA)


class LastLine:
    """Tells when a stream of lines is whole: the last line says that it is."""

    def see(self, data: Mapping[str, Any], _event: str = "", /) -> End:
        """Return how far the stream is after a line."""
        return End.OVER if data.get("done") is True or data.get("status") == "success" else End.OPEN


class _OllamaFormat(ElementFormat):
    """An endpoint of Ollama's SDK, which passes on whatever it is given."""

    stream_form = BodyForm.LINES
    order = ArgumentOrder()
    usage_reader = USAGE

    def arguments(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a recording has of a body that was sent."""
        return self.order.recorded(_without_defaults(sent))

    def sent(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body that the SDK sends, for comparing."""
        return _without_defaults(super().sent(arguments))

    def watcher(self, request: RecordedRequest) -> Watcher:
        """Return who tells when a stream is whole."""
        return LastLine()

    def describe_error(self, status: int, body: bytes) -> dict[str, Any]:
        """Return an HTTP error as Ollama's SDK raises it."""
        text = body.decode("utf-8", "surrogateescape")
        answer = answers.value_of(body)
        reason = answer.get("error", text) if isinstance(answer, dict) else text
        message = f"{reason} (status code: {status})"
        return sdk_errors.described("ollama", "ResponseError", message, status, answer or text)

    def own_error(self, url: str, status: int, message: str, code: str) -> JSON:
        """Return the body of an error of this proxy's own."""
        return own_error(status, message, code)

    def error_body(self, error: Mapping[str, Any]) -> tuple[int, bytes]:
        """Return status and body of a recorded error: all of the answer, and not the error in it alone."""
        if error.get("provider") != "ollama":
            return super().error_body(error)
        body = error.get("body")
        return sdk_errors.status_of(error), encoded(body) if isinstance(body, str) else sdk_errors.compact(body)


def own_error(_: int, message: str, code: str) -> dict[str, Any]:
    """Return an error of this proxy's own as Ollama writes errors: a text. The code stands beside it."""
    return {"error": message, "code": code}


def _without_defaults(arguments: Mapping[str, Any]) -> dict[str, Any]:
    # The SDK sends an empty list of tools where its caller named none.
    return {key: value for key, value in arguments.items() if not (key == "tools" and value == [])}


class _Streaming(_OllamaFormat):
    """An endpoint that streams unless it is told not to. Its SDK always says which, as ``false`` where nobody did."""

    def arguments(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a recording has of a body that was sent: it says whether the answer is a stream."""
        return self.order.recorded({**_without_defaults(sent), **({} if "stream" in sent else {"stream": True})})

    def sent(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body that the SDK sends, for comparing: to say ``false`` is the same as to say nothing."""
        body = super().sent(arguments)
        if body.get("stream") is False:
            del body["stream"]
        return body

    def body(self, arguments: Mapping[str, Any]) -> Any:
        """Return a body that a client sends: the server streams where nothing is said."""
        return {"stream": False, **self.sent(arguments)}

    def accepted(self, request: RecordedRequest, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an answer in one piece as it is to be recorded. Raises BrokeOffError for a stream's first line."""
        if answer.get("done") is False:
            raise BrokeOffError("the answer is the first line of a stream: it broke off")
        return answer


class Generate(_Streaming):
    """Completions of a prompt."""

    name = "/api/generate"
    single = "ollama._types.GenerateResponse"
    chunk = "ollama._types.GenerateResponse"
    order = ArgumentOrder(
        sent_first=(
            (
                *("model", "stream", "options", "format", "keep_alive", "prompt", "suffix", "system", "template"),
                *("context", "raw", "images", "think", "logprobs", "top_logprobs", "width", "height", "steps"),
            ),
        ),
        recorded_first=("model", "raw", "prompt"),
    )

    def words(self, data: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
        """Yield the words of a line."""
        if isinstance(data.get("response"), str):
            yield 0, data["response"]


class Chat(_Streaming):
    """Chats."""

    name = "/api/chat"
    single = "ollama._types.ChatResponse"
    chunk = "ollama._types.ChatResponse"
    order = ArgumentOrder(
        sent_first=(
            (
                *("model", "stream", "options", "format", "keep_alive", "messages", "tools", "think"),
                *("logprobs", "top_logprobs"),
            ),
        ),
        recorded_first=("model", "messages"),
    )

    def words(self, data: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
        """Yield the words of a line."""
        if isinstance(data.get("message"), dict):
            yield 0, elements.text_of(data["message"].get("content"))


class Embed(_OllamaFormat):
    """Embeddings: ``/api/embed``, which recordings call by the name of its predecessor."""

    name = "/api/embeddings"
    asked_at = "/api/embed"
    single = "ollama._types.EmbedResponse"
    order = ArgumentOrder(
        sent_first=(("model", "input", "truncate", "options", "keep_alive", "dimensions"),),
        recorded_first=("model", "input"),
    )


class Pull(_OllamaFormat):
    """Downloads of a model. Which one is a positional argument of the SDK, which the public recorder does not keep."""

    name = "/api/pull"
    is_recorded_whole = False
    single = "ollama._types.ProgressResponse"
    chunk = "ollama._types.ProgressResponse"

    def arguments(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a recording has of a body that was sent: whether it is answered by a stream."""
        return {"stream": True} if sent.get("stream") is not False else {}

    def body(self, arguments: Mapping[str, Any]) -> Any:
        """Return a body that a client sends."""
        return {"stream": bool(arguments)}


class Running(_OllamaFormat):
    """The models that are loaded."""

    name = "/api/ps"
    method = "GET"
    single = "ollama._types.ProcessResponse"


class Tags(_OllamaFormat):
    """The list of models, which is one object with all of them."""

    name = "/api/tags"
    method = "GET"
    single = "ollama._types.ListResponse"

    def render(self, recordings: Sequence[Recording], *, base64_wanted: bool = False) -> HttpResponse:
        """Return the list that one recording is of, or that several are, each of a part of it."""
        first = recordings[0].response
        if not first.is_answer:
            return super().render(recordings)
        lists = [elements.stripped(element) for each in recordings for element in each.response.elements()]
        models = [model for each in lists for model in each["models"]]
        if len(recordings) > 1:
            models = elements.union(models, MODEL_LISTS[self.name].key)
        around = lists[0] if lists else {}
        return elements.single({**around, "models": models}, first)


FORMATS = (Generate(), Chat(), Embed(), Pull(), Running(), Tags())

_URLS = re.compile(
    r"://ollama\.com/api/|:11434/api/|/api/(?:generate|chat|embed|embeddings|pull|show|version|ps|tags)\Z"
)

DIALECT = Dialect(usage=USAGE, urls=_URLS, own_error=own_error)
"""What is passed on as it is sent."""
